package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"nhip"
)

// maxBody bounds what staff send.
const maxBody = 64 << 10

// readBody reads one JSON object. A field that is not known is an error that names it.
func readBody(w http.ResponseWriter, r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var tooLong *http.MaxBytesError
	var mismatch *json.UnmarshalTypeError
	switch {
	case errors.As(err, &tooLong):
		return nhip.Errorf(nhip.TooLarge, "", "the body may have %d bytes at the most", maxBody)
	case errors.As(err, &mismatch):
		return nhip.Errorf(nhip.Invalid, mismatch.Field, "must not be a %s", mismatch.Value)
	case err != nil:
		return nhip.Errorf(nhip.Invalid, "", "the body must be a JSON object: %s", strings.TrimPrefix(err.Error(), "json: "))
	case d.More():
		return nhip.Errorf(nhip.Invalid, "", "the body must be one object")
	}
	return nil
}

// asInvalid makes the error of a fact that was said one of a request.
func asInvalid(err error) error {
	var known *nhip.Error
	if errors.As(err, &known) {
		return nhip.Errorf(nhip.Invalid, known.Field, "%s", known.Rule)
	}
	return err
}
