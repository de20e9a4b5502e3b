package main

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

const head = `// Written by go run ./deploy/webtypes from api/openapi.yaml; do not edit.

`

// typesOf returns the types of a contract in TypeScript: its schemas, and the answers and the queries of GET by path.
func typesOf(contract []byte) ([]byte, error) {
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(head)
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
		s := doc.Components.Schemas[name]
		comment(&b, s.Value.Description, "")
		fmt.Fprintf(&b, "export type %s = %s;\n\n", name, typeOf(s, ""))
	}
	b.WriteString("/** The answers of GET in JSON, by path. */\nexport interface Answers {\n")
	eachGet(doc, func(path string, o *openapi3.Operation) {
		if answer := answerOf(o); answer != nil {
			fmt.Fprintf(&b, "  '%s': %s;\n", path, typeOf(answer, "  "))
		}
	})
	b.WriteString("}\n\n/** The parameters of GET, by path. */\nexport interface Queries {\n")
	eachGet(doc, func(path string, o *openapi3.Operation) {
		fmt.Fprintf(&b, "  '%s': %s;\n", path, queryOf(o))
	})
	b.WriteString("}\n")
	return b.Bytes(), nil
}

func eachGet(doc *openapi3.T, f func(path string, o *openapi3.Operation)) {
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		if o := doc.Paths.Value(path).Get; o != nil {
			f(path, o)
		}
	}
}

// answerOf returns the schema of an operation's answer in JSON, nil if there is none.
func answerOf(o *openapi3.Operation) *openapi3.SchemaRef {
	for _, status := range []string{"200", "201"} {
		answer := o.Responses.Value(status)
		if answer == nil {
			continue
		}
		for _, format := range []string{"application/json", "application/geo+json"} {
			if media := answer.Value.Content[format]; media != nil {
				return media.Schema
			}
		}
	}
	return nil
}

// queryOf returns the type of an operation's query.
func queryOf(o *openapi3.Operation) string {
	var fields []string
	for _, p := range o.Parameters {
		if p.Value.In == openapi3.ParameterInQuery {
			fields = append(fields, field(p.Value.Name, p.Value.Required)+": "+typeOf(p.Value.Schema, ""))
		}
	}
	if len(fields) == 0 {
		return "Record<string, never>"
	}
	return "{" + strings.Join(fields, "; ") + "}"
}

// typeOf returns the type of a schema; lines after the first are indented.
func typeOf(ref *openapi3.SchemaRef, indent string) string {
	if name, isNamed := strings.CutPrefix(ref.Ref, "#/components/schemas/"); isNamed {
		return name
	}
	s := ref.Value
	t := plainType(s, indent)
	if s.Nullable {
		t += " | null"
	}
	return t
}

func plainType(s *openapi3.Schema, indent string) string {
	switch {
	case len(s.Enum) > 0:
		return union(s.Enum)
	case len(s.AllOf) > 0:
		return joined(s.AllOf, " & ", indent)
	case len(s.OneOf) > 0:
		return joined(s.OneOf, " | ", indent)
	case len(s.AnyOf) > 0:
		return joined(s.AnyOf, " | ", indent)
	case s.Type.Is(openapi3.TypeArray):
		return arrayOf(s, indent)
	case s.Type.Is(openapi3.TypeObject):
		return objectOf(s, indent)
	case s.Type.Is(openapi3.TypeInteger), s.Type.Is(openapi3.TypeNumber):
		return "number"
	case s.Type.Is(openapi3.TypeBoolean):
		return "boolean"
	case s.Type.Is(openapi3.TypeString):
		return "string"
	}
	return "unknown"
}

func joined(refs openapi3.SchemaRefs, by, indent string) string {
	var all []string
	for _, ref := range refs {
		all = append(all, typeOf(ref, indent))
	}
	return strings.Join(all, by)
}

// union returns the values of a list, those of text in quotes.
func union(values []any) string {
	var all []string
	for _, v := range values {
		if v == nil {
			continue // the schema is nullable
		}
		if text, isText := v.(string); isText {
			v = quoted(text)
		}
		all = append(all, fmt.Sprint(v))
	}
	return strings.Join(all, " | ")
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `\'`) + "'" }

// maxTuple is the length up to which a list of a fixed length is a tuple.
const maxTuple = 6

func arrayOf(s *openapi3.Schema, indent string) string {
	of := typeOf(s.Items, indent)
	if s.MaxItems != nil && s.MinItems == *s.MaxItems && s.MinItems <= maxTuple {
		return "readonly [" + strings.Join(slices.Repeat([]string{of}, int(s.MinItems)), ", ") + "]"
	}
	if strings.ContainsAny(of, "|&") && !strings.HasPrefix(of, "{") {
		of = "(" + of + ")"
	}
	return of + "[]"
}

func objectOf(s *openapi3.Schema, indent string) string {
	if len(s.Properties) == 0 {
		if more := s.AdditionalProperties.Schema; more != nil {
			return "Record<string, " + typeOf(more, indent) + ">"
		}
		return "Record<string, unknown>"
	}
	var b bytes.Buffer
	b.WriteString("{\n")
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		comment(&b, s.Properties[name].Value.Description, indent+"  ")
		fmt.Fprintf(&b, "%s  %s: %s;\n", indent, field(name, slices.Contains(s.Required, name)),
			typeOf(s.Properties[name], indent+"  "))
	}
	b.WriteString(indent + "}")
	return b.String()
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func field(name string, required bool) string {
	if !identifier.MatchString(name) {
		name = strconv.Quote(name)
	}
	if !required {
		name += "?"
	}
	return name
}

func comment(b *bytes.Buffer, text, indent string) {
	if text = strings.Join(strings.Fields(text), " "); text != "" {
		fmt.Fprintf(b, "%s/** %s */\n", indent, strings.ReplaceAll(text, "*/", "* /"))
	}
}
