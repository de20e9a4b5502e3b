package compattest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// schema compares the schema of a value. What a client sends must stay allowed; what it gets must stay as it was.
func (c *comparison) schema(at string, wasRef, isRef *openapi3.SchemaRef, to side) {
	if wasRef == nil || isRef == nil {
		if (wasRef == nil) != (isRef == nil) {
			c.note(at, "one of them has no schema")
		}
		return
	}
	was, is := wasRef.Value, isRef.Value
	if c.seen[pair{was, is, to}] {
		return
	}
	c.seen[pair{was, is, to}] = true
	was, is = flat(was), flat(is)
	c.types(at, was, is, to)
	c.enum(at, was, is, to)
	if to == input {
		c.bounds(at, was, is)
	}
	c.alternatives(at, was, is, to)
	c.properties(at, was, is, to)
	if was.Items != nil && is.Items != nil {
		c.schema(at+"[]", was.Items, is.Items, to)
	}
	if was.AdditionalProperties.Schema != nil && is.AdditionalProperties.Schema != nil {
		c.schema(at+".*", was.AdditionalProperties.Schema, is.AdditionalProperties.Schema, to)
	}
}

// flat returns a schema with the parts of allOf in it.
func flat(s *openapi3.Schema) *openapi3.Schema {
	if len(s.AllOf) == 0 {
		return s
	}
	all := *s
	all.AllOf, all.Properties = nil, maps.Clone(s.Properties)
	if all.Properties == nil {
		all.Properties = make(openapi3.Schemas)
	}
	for _, ref := range s.AllOf {
		part := flat(ref.Value)
		maps.Copy(all.Properties, part.Properties)
		all.Required = append(slices.Clone(all.Required), part.Required...)
		if all.Type == nil {
			all.Type = part.Type
		}
		if all.Enum == nil {
			all.Enum = part.Enum
		}
		if all.Format == "" {
			all.Format = part.Format
		}
		if all.Items == nil {
			all.Items = part.Items
		}
	}
	return &all
}

func (c *comparison) types(at string, was, is *openapi3.Schema, to side) {
	if name(was) != name(is) && !wider(was, is, to) {
		c.note(at, "%s became %s", name(was), name(is))
	}
	if was.Format != is.Format && !(to == input && is.Format == "") && !(to == output && was.Format == "") {
		c.note(at, "the format %q became %q", was.Format, is.Format)
	}
	switch {
	case to == input && was.Nullable && !is.Nullable:
		c.note(at, "must not be null any more")
	case to == output && !was.Nullable && is.Nullable:
		c.note(at, "may be null")
	}
	if to == input && !closed(was) && closed(is) {
		c.note(at, "unknown fields are refused")
	}
}

func name(s *openapi3.Schema) string { return fmt.Sprint(s.Type.Slice()) }

// wider reports whether a change of type breaks nothing: any whole number is a number.
func wider(was, is *openapi3.Schema, to side) bool {
	if to == output {
		was, is = is, was
	}
	return was.Type.Is(openapi3.TypeInteger) && is.Type.Is(openapi3.TypeNumber) || is.Type == nil
}

// closed reports whether an object has the described fields only.
func closed(s *openapi3.Schema) bool {
	return s.AdditionalProperties.Has != nil && !*s.AdditionalProperties.Has
}

func (c *comparison) enum(at string, was, is *openapi3.Schema, to side) {
	narrow, wide := is.Enum, was.Enum // what clients send stays allowed
	if to == output {
		narrow, wide = was.Enum, is.Enum // what clients get stays known
	}
	switch {
	case len(narrow) == 0:
		return
	case len(wide) == 0:
		c.note(at, "the list of values changed to or from any value")
		return
	}
	for _, v := range wide {
		if !slices.Contains(narrow, v) {
			c.note(at, "the value %v is %s", v, map[side]string{input: "gone", output: "new"}[to])
		}
	}
}

// bounds compares the bounds of what a client sends.
func (c *comparison) bounds(at string, was, is *openapi3.Schema) {
	if is.Min != nil && (was.Min == nil || *is.Min > *was.Min) {
		c.note(at, "the minimum rose to %v", *is.Min)
	}
	if is.Max != nil && (was.Max == nil || *is.Max < *was.Max) {
		c.note(at, "the maximum fell to %v", *is.Max)
	}
	if excludes(is.ExclusiveMin) && !excludes(was.ExclusiveMin) ||
		excludes(is.ExclusiveMax) && !excludes(was.ExclusiveMax) {
		c.note(at, "a bound is excluded")
	}
	if is.MinLength > was.MinLength {
		c.note(at, "the minimum length rose to %d", is.MinLength)
	}
	if lower(was.MaxLength, is.MaxLength) {
		c.note(at, "the maximum length fell to %d", *is.MaxLength)
	}
	if is.MinItems > was.MinItems {
		c.note(at, "the minimum number of elements rose to %d", is.MinItems)
	}
	if lower(was.MaxItems, is.MaxItems) {
		c.note(at, "the maximum number of elements fell to %d", *is.MaxItems)
	}
	if is.Pattern != was.Pattern && is.Pattern != "" {
		c.note(at, "the pattern is %s", is.Pattern)
	}
	if is.UniqueItems && !was.UniqueItems {
		c.note(at, "elements must differ")
	}
}

func excludes(b openapi3.ExclusiveBound) bool { return b.Bool != nil && *b.Bool || b.Value != nil }

// lower reports whether an upper bound fell.
func lower(was, is *uint64) bool { return is != nil && (was == nil || *is < *was) }

// alternatives compares oneOf and anyOf, by their order.
func (c *comparison) alternatives(at string, was, is *openapi3.Schema, to side) {
	for _, both := range [][2]openapi3.SchemaRefs{{was.OneOf, is.OneOf}, {was.AnyOf, is.AnyOf}} {
		w, i := both[0], both[1]
		if to == input && len(i) < len(w) || to == output && len(i) > len(w) || (len(w) == 0) != (len(i) == 0) {
			c.note(at, "%d alternatives became %d", len(w), len(i))
		}
		for n := range min(len(w), len(i)) {
			c.schema(fmt.Sprintf("%s|%d", at, n), w[n], i[n], to)
		}
	}
}

func (c *comparison) properties(at string, was, is *openapi3.Schema, to side) {
	for _, field := range slices.Sorted(maps.Keys(was.Properties)) {
		if is.Properties[field] == nil {
			c.note(at+"."+field, "is gone")
			continue
		}
		c.schema(at+"."+field, was.Properties[field], is.Properties[field], to)
	}
	need, had := is.Required, was.Required // of what a client sends
	message := "is required now"
	if to == output {
		need, had, message = was.Required, is.Required, "may be missing now"
	}
	for _, field := range need {
		if !slices.Contains(had, field) && (to == input || is.Properties[field] != nil) {
			c.note(at+"."+field, "%s", message)
		}
	}
}
