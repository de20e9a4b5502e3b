package decodetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
)

// feedFile is the optional feed.json of a case. All keys are optional, as in the configuration; the default agency is
// "hanoi".
//
//	{"zone":"Asia/Ho_Chi_Minh","period":"5m","speed_unit":"m/s","agency":"hanoi",
//	 "fields":[{"name":"air.pm2_5","quantity":"pm25","unit":"mg/m³"}]}
type feedFile struct {
	Zone      string         `json:"zone"`   // IANA name
	Period    string         `json:"period"` // as nhip.ParsePeriod reads it
	SpeedUnit string         `json:"speed_unit"`
	Agency    string         `json:"agency"`
	Fields    []decode.Field `json:"fields"` // name, quantity, unit
}

func loadFeed(t testing.TB, dir string) *decode.Feed {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "feed.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return &decode.Feed{Agency: "hanoi"}
	}
	if err != nil {
		t.Fatal(err)
	}
	file := feedFile{Agency: "hanoi"}
	r := json.NewDecoder(bytes.NewReader(raw))
	r.DisallowUnknownFields()
	if err := r.Decode(&file); err != nil {
		t.Fatalf("%s: feed.json: %v", dir, err)
	}
	feed, err := file.feed()
	if err != nil {
		t.Fatalf("%s: feed.json: %v", dir, err)
	}
	return feed
}

func (f *feedFile) feed() (*decode.Feed, error) {
	feed := &decode.Feed{Agency: f.Agency, SpeedUnit: f.SpeedUnit, Fields: f.Fields}
	var err error
	if f.Zone != "" {
		if feed.Zone, err = time.LoadLocation(f.Zone); err != nil {
			return nil, err
		}
	}
	if f.Period != "" {
		feed.Period, err = nhip.ParsePeriod(f.Period)
	}
	return feed, err
}
