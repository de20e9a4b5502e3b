package nhip

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// DecodeStrict decodes one JSON object and accepts no field that into does not have. The *Error has CodeMalformed, and
// names the field if encoding/json does.
func DecodeStrict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("must end after one object")
		}
	}
	var mismatch *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return Errorf(CodeMalformed, "", "must be one JSON object, got an empty payload")
	case errors.As(err, &mismatch):
		return Errorf(CodeMalformed, fieldOf(mismatch), "must not be a %s", mismatch.Value)
	}
	return Errorf(CodeMalformed, "", "%s", strings.TrimPrefix(err.Error(), "json: "))
}

// fieldOf returns the field of an error, which encoding/json names after the embedded type.
func fieldOf(e *json.UnmarshalTypeError) string {
	first, rest, nested := strings.Cut(e.Field, ".")
	if nested && first != strings.ToLower(first) { // no field begins with a capital letter
		return rest
	}
	return e.Field
}
