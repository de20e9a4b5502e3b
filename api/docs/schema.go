package docs

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// kind is the type of a value: a named one, a list of it, or a simple one with its rules.
type kind struct {
	Text  string // "integer", "list of …"
	Name  string // of a schema, "" for none
	Rules []string
}

// row is a field of an object, or of an object in it.
type row struct {
	Depth       int
	Name        string
	Required    bool
	Type        kind
	Description template.HTML
}

// kindOf returns the type of a schema.
func kindOf(doc, s object) kind {
	if _, name := resolve(doc, s); name != "" {
		return kind{Name: name}
	}
	if all := list(s, "allOf"); len(all) > 0 {
		k := kindOf(doc, all[0].(object))
		return kind{Text: k.Text, Name: k.Name, Rules: rulesOf(s)}
	}
	if text(s, "type") == "array" {
		of := kindOf(doc, child(s, "items"))
		return kind{Text: strings.TrimSpace("[ ] " + of.Text), Name: of.Name, Rules: append(rulesOf(s), of.Rules...)}
	}
	k := kind{Text: text(s, "type"), Rules: rulesOf(s)}
	if format := text(s, "format"); format != "" {
		k.Text += " (" + format + ")"
	}
	return k
}

// rulesOf returns the rules of a schema, in the notation of mathematics, which needs no translation.
func rulesOf(s object) []string {
	var all []string
	if values := list(s, "enum"); len(values) > 0 {
		var names []string
		for _, v := range values {
			names = append(names, fmt.Sprint(v))
		}
		all = append(all, strings.Join(names, " | "))
	}
	for _, bound := range []struct{ name, low, high string }{
		{"", "minimum", "maximum"}, {"length ", "minLength", "maxLength"}, {"items ", "minItems", "maxItems"},
	} {
		low, high := text(s, bound.low), text(s, bound.high)
		switch {
		case low != "" && high != "":
			all = append(all, bound.name+low+" … "+high)
		case low != "":
			all = append(all, bound.name+"≥ "+low)
		case high != "":
			all = append(all, bound.name+"≤ "+high)
		}
	}
	if pattern := text(s, "pattern"); pattern != "" {
		all = append(all, pattern)
	}
	if def := get(s, "default"); def != nil {
		all = append(all, "= "+fmt.Sprint(def))
	}
	if get(s, "nullable") == true {
		all = append(all, "null")
	}
	return all
}

// rowsOf returns the fields of an object, of the objects of a list, and of all parts of allOf. Those of named schemas
// stand there, except what allOf adds to.
func rowsOf(doc, s object, depth int) []row {
	var rows []row
	for _, part := range list(s, "allOf") {
		target, _ := resolve(doc, part.(object))
		rows = append(rows, rowsOf(doc, target, depth)...)
	}
	if items := child(s, "items"); items != nil && get(items, "$ref") == nil {
		rows = append(rows, rowsOf(doc, items, depth)...)
	}
	required := list(s, "required")
	for _, item := range child(s, "properties") {
		name, of := fmt.Sprint(item.Key), item.Value.(object)
		rows = append(rows, row{
			Depth: depth, Name: name, Required: slices.Contains(required, any(name)), Type: kindOf(doc, of),
			Description: prose(text(of, "description")),
		})
		if get(of, "$ref") == nil && get(of, "allOf") == nil {
			rows = append(rows, rowsOf(doc, of, depth+1)...)
		}
	}
	if more, isObject := get(s, "additionalProperties").(object); isObject {
		rows = append(rows, row{
			Depth: depth, Name: "*", Type: kindOf(doc, more), Description: prose(text(more, "description")),
		})
		if get(more, "$ref") == nil {
			rows = append(rows, rowsOf(doc, more, depth+1)...)
		}
	}
	return rows
}
