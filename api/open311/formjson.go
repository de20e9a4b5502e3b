package open311

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"nhip"
)

var errJSON = nhip.Errorf(nhip.CodeInvalid, "", "the body must be a single JSON object in UTF-8")

// parseJSON reads an object with the fields of the form: texts or null, except for lat and long, which may be numbers,
// and attribute, an object of texts, numbers, booleans and lists of them by code. No name may be given twice.
func parseJSON(raw []byte) (form, error) {
	f := form{Values: make(url.Values)}
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := eachMember(d, "", f.addMember); err != nil {
		return f, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || !utf8.Valid(raw) {
		return f, errJSON
	}
	return f, f.check()
}

// eachMember calls add for each member of an object. in is the field that the object is the value of, "" for the body.
func eachMember(d *json.Decoder, in string, add func(name string, value json.RawMessage) error) error {
	notObject := errJSON
	if in != "" {
		notObject = nhip.Errorf(nhip.CodeInvalid, in, "must be an object with the answers by code")
	}
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return notObject
	}
	given := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		name, isName := token.(string)
		var value json.RawMessage
		if err != nil || !isName || d.Decode(&value) != nil {
			return errJSON
		}
		if given[name] {
			return nhip.Errorf(nhip.CodeInvalid, printable(name), "must be given once")
		}
		if given[name] = true; len(given) > maxFields {
			return errFields
		}
		if err := add(name, value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil { // the closing bracket
		return errJSON
	}
	return nil
}

// addMember adds a member of the body.
func (f *form) addMember(name string, raw json.RawMessage) error {
	if name == "attribute" {
		return eachMember(json.NewDecoder(bytes.NewReader(raw)), name, func(code string, answer json.RawMessage) error {
			return f.addAnswer(attributeField(code), answer)
		})
	}
	value, err := decodeScalar(name, raw)
	if err != nil {
		return err
	}
	switch v := value.(type) {
	case nil:
	case string:
		f.Add(name, v)
	case json.Number:
		if name != "lat" && name != "long" {
			return nhip.Errorf(nhip.CodeInvalid, printable(name), "must be a text, not a number")
		}
		f.Add(name, v.String())
	default:
		return nhip.Errorf(nhip.CodeInvalid, printable(name), "must be a text")
	}
	return nil
}

// addAnswer adds the answer to an attribute: a value or a list of values. null is none.
func (f *form) addAnswer(field string, raw json.RawMessage) error {
	var elements []json.RawMessage
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		elements = []json.RawMessage{raw}
	} else if json.Unmarshal(raw, &elements) != nil {
		return errJSON
	}
	if len(elements) > maxFields {
		return errFields
	}
	for _, element := range elements {
		value, err := decodeScalar(field, element)
		if err != nil {
			return err
		}
		switch v := value.(type) {
		case string:
			f.Add(field, v)
		case json.Number:
			f.Add(field, v.String())
		case bool:
			f.Add(field, strconv.FormatBool(v))
		}
	}
	return nil
}

// decodeScalar returns a text, a number, a boolean, or nil for null.
func decodeScalar(field string, raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var value any
	if d.Decode(&value) != nil {
		return nil, errJSON
	}
	switch v := value.(type) {
	case map[string]any:
		return nil, nhip.Errorf(nhip.CodeInvalid, printable(field), "must not be an object")
	case []any:
		return nil, nhip.Errorf(nhip.CodeInvalid, printable(field), "must not be a list")
	case string:
		if strings.ContainsFunc(v, isControl) {
			return nil, nhip.Errorf(nhip.CodeInvalid, printable(field), "must not have control characters")
		}
	}
	return value, nil
}

// isControl reports whether a character has no place in a text of several lines.
func isControl(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }
