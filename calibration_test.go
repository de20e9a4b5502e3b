package nhip

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestCalibrationIDs(t *testing.T) {
	for _, station := range []string{"hn-01", "a/b", "a/pm25"} {
		if s, q, ok := ParseCalibrationID(CalibrationID(station, PM25)); s != station || q != PM25 || !ok {
			t.Errorf("%s: %s %s %t", station, s, q, ok)
		}
	}
	for _, id := range []string{"", "hn-01", "/pm25", "hn-01/", "hn-01/soot"} {
		if _, _, ok := ParseCalibrationID(id); ok {
			t.Errorf("%q is an id", id)
		}
	}
}

func TestCalibrationsAreChecked(t *testing.T) {
	const line = `{"valid_from":"2026-01-01T00:00:00Z","slope":2,"offset":0}`
	for body, field := range map[string]string{
		`{"base":"","lines":[` + line + `]}`:                                                                          "",
		`{"base":"x","lines":[]}`:                                                                                     "",
		`{"base":"","lines":[]}`:                                                                                      "lines",
		`{"base":"","lines":[` + line + `,` + line + `]}`:                                                             "valid_from",
		`{"base":"","lines":[{"slope":2}]}`:                                                                           "valid_from",
		`{"base":"","lines":[{"valid_from":"1201-01-01T00:00:00Z","slope":2}]}`:                                       "valid_from",
		`{"base":"","lines":[{"valid_from":"2026-01-01T00:00:00Z","slope":0}]}`:                                       "slope",
		`{"base":"","lines":[{"valid_from":"2026-01-01T00:00:00Z","slope":-1}]}`:                                      "slope",
		`{"base":"","lines":[{"valid_from":"2026-01-01T00:00:00Z","slope":1,"offset":1e7}]}`:                          "offset",
		`{"base":"","lines":[{"valid_from":"2026-01-01T00:00:00Z","slope":1,"why":"a\u0007"}]}`:                       "why",
		`{"base":"","lines":[` + strings.Repeat(line+",", MaxCalibrationLines) + line + `]}`:                          "lines",
		`{"base":"","lines":[{"valid_from":"2026-01-01T00:00:00Z","slope":"2"}]}`:                                     "lines.slope",
		`{"base":"` + strings.Repeat("x", MaxText+1) + `","lines":[{"valid_from":"2026-01-01T00:00:00Z","slope":1}]}`: "base",
	} {
		d := Document{
			Kind: DocumentCalibration, ID: "hn-01/pm25", Request: "r", Time: time.Unix(1, 0), Body: json.RawMessage(body),
		}
		err := d.Validate()
		var known *Error
		if errors.As(err, &known) != (field != "") || known != nil && known.Field != "body."+field {
			t.Errorf("%s: %v", body, err)
		}
	}
}
