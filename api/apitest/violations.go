package apitest

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// Violations returns requests that break one rule of the contract each: every rule of every parameter and of every
// field of the body.
func (o *Operation) Violations() []Request {
	base := o.Example()
	var all []Request
	if !o.lenient() {
		r := base.clone()
		r.Query.Set("no_such", "1")
		r.Breaks, r.Field = "an unknown parameter", "no_such"
		all = append(all, r)
	}
	if told, _ := o.described.Extensions["x-errors-in-answers"].(bool); told {
		return all // a wrong parameter has an answer with status 200, as the standard of the operation says
	}
	for _, p := range o.parameters() {
		if !p.Deprecated { // those are ignored, whatever they say
			all = append(all, o.badParameter(&base, p)...)
		}
	}
	if media := o.jsonBody(); media != nil {
		all = append(all, badBodies(&base, media.Schema.Value)...)
	}
	return all
}

// badParameter returns requests with a wrong value of one parameter.
func (o *Operation) badParameter(base *Request, p *openapi3.Parameter) []Request {
	var all []Request
	add := func(breaks string, change func(r *Request)) {
		r := base.clone()
		r.Breaks, r.Field = p.Name+": "+breaks, p.Name
		if p.In == openapi3.ParameterInPath {
			r.Field = "" // an address that does not match the path has no field
		}
		change(&r)
		all = append(all, r)
	}
	for _, w := range wrongTexts(p.Schema.Value) {
		if p.In == openapi3.ParameterInHeader && (strings.ContainsAny(w.value, "\x00\n") || !utf8.ValidString(w.value)) {
			continue // can't be sent, or is text of another encoding
		}
		add(w.rule, func(r *Request) { r.set(p, w.value) })
	}
	if p.In != openapi3.ParameterInQuery {
		return all
	}
	add("is empty", func(r *Request) { r.Query[p.Name] = []string{""} })
	add("is given twice", func(r *Request) { r.Query[p.Name] = []string{exampleOf(p), exampleOf(p)} })
	if p.Required {
		add("is missing", func(r *Request) { r.Query.Del(p.Name) })
	}
	return all
}

// wrong is a value that breaks a rule.
type wrong struct{ rule, value string }

// wrongTexts returns values of a parameter that its schema does not allow.
func wrongTexts(s *openapi3.Schema) []wrong {
	switch {
	case s.Type.Is(openapi3.TypeArray):
		all := wrongTexts(s.Items.Value)
		if s.MaxItems != nil {
			element := text(sample(s.Items.Value))
			all = append(all, wrong{"too many", strings.Repeat(element+",", int(*s.MaxItems)) + element})
		}
		return append(all, wrong{"an empty element", text(sample(s.Items.Value)) + ",,"})
	case s.Type.Is(openapi3.TypeInteger):
		return append(outside(s), wrong{"is text", "ten"}, wrong{"is a fraction", "1.5"})
	case s.Type.Is(openapi3.TypeNumber):
		return append(outside(s), wrong{"is text", "ten"}, wrong{"is not a number", "NaN"}, wrong{"is infinite", "Inf"})
	case s.Type.Is(openapi3.TypeBoolean):
		return []wrong{{"is not a boolean", "maybe"}, {"is a number", "7"}}
	}
	return wrongStrings(s)
}

// outside returns numbers beyond the bounds of a schema.
func outside(s *openapi3.Schema) []wrong {
	var all []wrong
	if s.Min != nil {
		all = append(all, wrong{"is below the minimum", fmt.Sprint(*s.Min - 1)})
	}
	if s.Max != nil {
		all = append(all, wrong{"is above the maximum", fmt.Sprintf("%.0f", math.Floor(*s.Max)+1)},
			wrong{"is too large", "99999999999999999999"})
	}
	if len(s.Enum) > 0 {
		all = append(all, wrong{"is not in the list", "77"})
	}
	return all
}

func wrongStrings(s *openapi3.Schema) []wrong {
	all := []wrong{{"has a control character", "a\x00b"}, {"is not UTF-8", "a\xffb"}}
	if s.MaxLength != nil {
		all = append(all, wrong{"is too long", strings.Repeat("a", int(*s.MaxLength)+1)})
	}
	if len(s.Enum) > 0 {
		all = append(all, wrong{"is not in the list", "AAA"},
			wrong{"has other letters", swapCase(fmt.Sprint(s.Enum[0]))})
	}
	if s.Pattern != "" {
		all = append(all, wrong{"does not match the pattern", "~"})
	}
	if s.Format == "date-time" || strings.Contains(s.Pattern, "(T.*)?") {
		all = append(all, wrong{"is no time", "yesterday"}, wrong{"has no such month", "2026-13-01T00:00:00Z"},
			wrong{"has no offset", "2026-02-16T15:00:00"})
	}
	return all
}

func swapCase(s string) string {
	if upper := strings.ToUpper(s); upper != s {
		return upper
	}
	return strings.ToLower(s)
}

// badBodies returns requests with a wrong body.
func badBodies(base *Request, s *openapi3.Schema) []Request {
	var all []Request
	add := func(breaks, field, body string) {
		r := base.clone()
		r.Breaks, r.Field, r.Body = "body: "+breaks, field, body
		all = append(all, r)
	}
	add("is none", "", "")
	add("is no JSON", "", "{")
	add("is an array", "", "[]")
	add("is null", "", "null")
	add("is text", "", `"a"`)
	add("is two objects", "", base.Body+base.Body)
	add("ends with a bracket too many", "", base.Body+"}")
	add("is too large", "", `{"no_such":"`+strings.Repeat("a", 1<<20)+`"}`)
	for _, b := range badObjects(s, base.Operation.bodyObject()) {
		add(b.rule, b.field, encode(b.value))
	}
	if fields := slices.Concat(s.Required, slices.Sorted(maps.Keys(s.Properties))); len(fields) > 0 {
		o, field := base.Operation.bodyObject(), fields[0]
		add(field+" is given twice", field, strings.TrimSuffix(base.Body, "}")+","+encode(field)+":"+encode(o[field])+"}")
	}
	return all
}

// bodyObject returns a copy of the object of the body's example.
func (o *Operation) bodyObject() map[string]any {
	object, _ := bodyExample(o.jsonBody()).(map[string]any)
	return maps.Clone(object)
}

// badObject is an object with one wrong field.
type badObject struct {
	rule, field string
	value       map[string]any
}

// badObjects returns objects that break one rule of a schema each.
func badObjects(s *openapi3.Schema, good map[string]any) []badObject {
	var all []badObject
	with := func(rule, field string, value any) {
		o := maps.Clone(good)
		o[field] = value
		all = append(all, badObject{field + " " + rule, field, o})
	}
	if s.AdditionalProperties.Has != nil && !*s.AdditionalProperties.Has {
		with("is unknown", "no_such", 1)
	}
	for _, name := range s.Required {
		o := maps.Clone(good)
		delete(o, name)
		all = append(all, badObject{name + " is missing", name, o})
	}
	for name, ref := range s.Properties {
		if ref.Value.Deprecated {
			continue // ignored, whatever it says
		}
		for rule, value := range wrongValues(ref.Value) {
			with(rule, name, value)
		}
		if upper := strings.ToUpper(name); upper != name {
			o := maps.Clone(good)
			delete(o, name)
			o[upper] = sample(ref.Value)
			all = append(all, badObject{name + " in other letters", upper, o})
		}
	}
	return all
}

// wrongValues returns JSON values that a schema does not allow, by the rule that they break.
func wrongValues(s *openapi3.Schema) map[string]any {
	all := map[string]any{"is an object": map[string]any{}, "is null": nil}
	if s.Nullable {
		delete(all, "is null")
	}
	if s.Type.Is(openapi3.TypeObject) {
		delete(all, "is an object")
	}
	if !s.Type.Is(openapi3.TypeArray) {
		all["is an array"] = []any{}
	}
	if s.Type.Is(openapi3.TypeString) {
		all["is a number"] = 1
		for _, w := range wrongStrings(s) {
			if w.rule != "is not UTF-8" { // JSON replaces it
				all[w.rule] = w.value
			}
		}
		if s.MinLength > 0 {
			all["is empty"] = ""
		}
	} else {
		all["is text"] = "a"
	}
	if s.Type.Is(openapi3.TypeArray) {
		all["has a null"] = []any{nil}
		if s.MinItems > 0 {
			all["has no elements"] = []any{}
		}
		if s.MaxItems != nil {
			all["has too many elements"] = slices.Repeat([]any{sample(s.Items.Value)}, int(*s.MaxItems)+1)
		}
	}
	if s.Min != nil {
		all["is below the minimum"] = *s.Min - 1
	}
	if s.Max != nil {
		all["is above the maximum"] = *s.Max + 1
	}
	return all
}

// Methods returns a request of each method that no operation of the path has.
func Methods(all []Operation) []Request {
	var out []Request
	for i := range all {
		o := &all[i]
		if i > 0 && all[i-1].Path == o.Path {
			continue // the first operation of the path stands for it
		}
		for _, method := range []string{
			http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, "QUERY",
		} {
			if !serves(all, method, o.Path) {
				r := o.Example()
				r.Method, r.Breaks = method, "the method"
				out = append(out, r)
			}
		}
	}
	return out
}

// serves reports whether an operation has the method and a path that matches: /v1/queue/{id} matches /v1/queue/live.
func serves(all []Operation, method, path string) bool {
	return slices.ContainsFunc(all, func(o Operation) bool {
		return o.Method == method && slices.EqualFunc(strings.Split(o.Path, "/"), strings.Split(path, "/"),
			func(pattern, part string) bool { return pattern == part || strings.HasPrefix(pattern, "{") })
	})
}
