package rest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"nhip"
)

// checkFields returns an error for what encoding/json accepts and no contract allows, in JSON that was decoded into a
// type: a null, a name that is given twice, and one whose letters differ in case from the field's. at is the path of
// the value, "" for the body. A type with its own decoder, and a field of type *T, take what they like.
func checkFields(raw json.RawMessage, t reflect.Type, at string) error {
	if t.Kind() == reflect.Pointer {
		if string(bytes.TrimSpace(raw)) == "null" {
			return nil
		}
		t = t.Elem()
	}
	if string(bytes.TrimSpace(raw)) == "null" {
		return nhip.Errorf(nhip.CodeInvalid, at, "must not be null")
	}
	if held, is := heldBy(t); is {
		return checkFields(raw, held, at)
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return checkObject(raw, t, at)
	case reflect.Slice:
		return checkElements(raw, t.Elem(), at)
	}
	return nil
}

// optional is the name of the types nhip.Opt[T].
var optional, _, _ = strings.Cut(reflect.TypeFor[nhip.Opt[bool]]().String(), "[")

// heldBy returns the type of the value of an nhip.Opt. Its decoder does not know that the body is read strictly.
func heldBy(t reflect.Type) (held reflect.Type, is bool) {
	if !strings.HasPrefix(t.String(), optional+"[") {
		return nil, false
	}
	get, is := t.MethodByName("Get")
	if !is {
		return nil, false
	}
	return get.Type.Out(0), true
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

func checkElements(raw json.RawMessage, of reflect.Type, at string) error {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		return nil // a string: the bytes of a []byte
	}
	for _, element := range elements {
		if err := checkFields(element, of, at); err != nil {
			return err
		}
	}
	return nil
}

func checkObject(raw json.RawMessage, t reflect.Type, at string) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil // it was decoded before
	}
	given := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		name, isName := token.(string)
		var value json.RawMessage
		if err != nil || !isName || d.Decode(&value) != nil {
			return nil
		}
		field := strings.TrimPrefix(at+"."+name, ".")
		of, known := fieldType(t, name)
		switch {
		case !known:
			return nhip.Errorf(nhip.CodeInvalid, field, "is not a field of this request")
		case given[name]:
			return nhip.Errorf(nhip.CodeInvalid, field, "must be given once")
		}
		given[name] = true
		if err := checkFields(value, of, field); err != nil {
			return err
		}
	}
	return nil
}

// fieldType returns the type of a struct's field by its name in JSON.
func fieldType(t reflect.Type, name string) (reflect.Type, bool) {
	for _, f := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && !f.Anonymous && (tag == name || tag == "" && f.Name == name) {
			return f.Type, true
		}
	}
	return nil, false
}
