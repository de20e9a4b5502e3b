package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// maxBody is the largest request body, bytes.
const maxBody = 64 << 10

// DecodeBody decodes a body of one JSON object, of at most 64 KiB, into a struct. Its errors have nhip.CodeTooLarge or
// nhip.CodeInvalid, and name the field where there is one. A field that the struct lacks is an error, and so are what
// encoding/json lets pass: a null, a name that is given twice, and one in other letters (From for from). A request with
// a body has no parameters.
func DecodeBody(w http.ResponseWriter, r *http.Request, into any) error {
	if q := ReadQuery(r); q.Err != nil {
		return q.Err
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nhip.Errorf(nhip.CodeTooLarge, "", "the body must have at most %d bytes", maxBody)
	case err != nil:
		return nhip.Errorf(nhip.CodeInvalid, "", "the body can't be read: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return bodyError(err, raw, into)
	}
	if d.InputOffset() < int64(len(bytes.TrimRight(raw, " \t\r\n"))) {
		return nhip.Errorf(nhip.CodeInvalid, "", "the body must be a single object")
	}
	return checkFields(raw, reflect.TypeOf(into).Elem(), "")
}

// bodyError returns the error for a body that can't be decoded into a struct.
func bodyError(err error, raw []byte, into any) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) && mismatch.Field != "" {
		return nhip.Errorf(nhip.CodeInvalid, mismatch.Field, "must not be a %s", mismatch.Value)
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) == nil {
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if err := fieldError(name, fields[name], into); err != nil {
				return err
			}
		}
	}
	return nhip.Errorf(nhip.CodeInvalid, "", "the body must be a JSON object: %s",
		strings.TrimPrefix(err.Error(), "json: "))
}

// fieldError returns why a struct of the type of into can't take a field, nil if it can.
func fieldError(name string, value json.RawMessage, into any) error {
	alone, err := json.Marshal(map[string]json.RawMessage{name: value})
	if err != nil {
		return nil // it was decoded before
	}
	d := json.NewDecoder(bytes.NewReader(alone))
	d.DisallowUnknownFields()
	err = d.Decode(reflect.New(reflect.TypeOf(into).Elem()).Interface())
	var badTime *time.ParseError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &badTime), strings.Contains(err.Error(), "Time.UnmarshalJSON"): // the latter: not a string
		return nhip.Errorf(nhip.CodeInvalid, name,
			`must be a date with a time and an offset, as in "2026-02-16T22:58:02+07:00", got %.40s`, value)
	case strings.Contains(err.Error(), "unknown field"):
		if _, unknown, _ := strings.Cut(err.Error(), "unknown field "); unknown != strconv.Quote(name) {
			return nhip.Errorf(nhip.CodeInvalid, name, "must not have a field %.40s", unknown)
		}
		return nhip.Errorf(nhip.CodeInvalid, name, "is not a field of this request")
	}
	return nhip.Errorf(nhip.CodeInvalid, name, "%s", strings.TrimPrefix(err.Error(), "json: "))
}

// AsInvalid returns a validation error of the domain with nhip.CodeInvalid, the code of invalid requests. It returns
// other errors unchanged.
func AsInvalid(err error) error {
	var known *nhip.Error
	if errors.As(err, &known) {
		return nhip.Errorf(nhip.CodeInvalid, known.Field, "%s", known.Rule)
	}
	return err
}

// InField returns an error that says that something does not exist with the name of the field that asked for it. It
// returns other errors unchanged.
func InField(err error, field string) error {
	var known *nhip.Error
	if errors.As(err, &known) && known.Code == nhip.CodeNotFound {
		return nhip.Errorf(nhip.CodeNotFound, field, "%s", known.Rule)
	}
	return err
}
