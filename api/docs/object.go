package docs

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// object is a mapping of the contract, in the order of the file.
type object = yaml.MapSlice

// parse reads a contract.
func parse(contract []byte) (object, error) {
	var doc object
	err := yaml.UnmarshalWithOptions(contract, &doc, yaml.UseOrderedMap())
	return doc, err
}

// get returns a member, nil if there is none.
func get(o object, name string) any {
	for _, item := range o {
		if fmt.Sprint(item.Key) == name {
			return item.Value
		}
	}
	return nil
}

// child returns a nested object, nil if there is none.
func child(o object, names ...string) object {
	for _, name := range names {
		o, _ = get(o, name).(object)
	}
	return o
}

// text returns a member as text, "" if there is none.
func text(o object, name string) string {
	if v := get(o, name); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// list returns a member that is a list, nil if there is none.
func list(o object, name string) []any {
	l, _ := get(o, name).([]any)
	return l
}

// resolve follows a $ref to a component. name is the component's, "" if o is none.
func resolve(doc, o object) (target object, name string) {
	to, isRef := get(o, "$ref").(string)
	if !isRef {
		return o, ""
	}
	parts := strings.Split(strings.TrimPrefix(to, "#/"), "/")
	return child(doc, parts...), parts[len(parts)-1]
}

// encode returns a value as JSON, which is YAML too, with its members in their order.
func encode(v any) []byte {
	var b strings.Builder
	encodeTo(&b, v)
	return []byte(b.String())
}

func encodeTo(b *strings.Builder, v any) {
	switch v := v.(type) {
	case object:
		b.WriteString("{")
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			encodeTo(b, fmt.Sprint(item.Key))
			b.WriteString(": ")
			encodeTo(b, item.Value)
		}
		b.WriteString("}")
	case []any:
		b.WriteString("[")
		for i, e := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			encodeTo(b, e)
		}
		b.WriteString("]")
	default:
		raw, _ := json.Marshal(v) // a scalar of YAML
		b.Write(raw)
	}
}
