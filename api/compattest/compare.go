// Package compattest compares two versions of an OpenAPI document and finds what breaks the clients of the older one.
package compattest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// Load reads an OpenAPI document.
func Load(t testing.TB, raw []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Breaks returns what breaks clients of the document released when the server follows now, a line each: what is gone,
// what requests must have or may no longer have, and what answers may lack or have anew.
func Breaks(released, now *openapi3.T) []string {
	c := &comparison{seen: make(map[pair]bool)}
	for _, path := range slices.Sorted(maps.Keys(released.Paths.Map())) {
		present := now.Paths.Value(path)
		if present == nil {
			c.note(path, "the path is gone")
			continue
		}
		operations := released.Paths.Value(path).Operations()
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			at := method + " " + path
			if o := present.GetOperation(method); o == nil {
				c.note(at, "the operation is gone")
			} else {
				c.operation(at, operations[method], o)
			}
		}
	}
	return c.breaks
}

// comparison collects the breaks.
type comparison struct {
	breaks []string
	seen   map[pair]bool // schemas that are compared: they may refer to themselves
}

type pair struct {
	was, is *openapi3.Schema
	side    side
}

// side is where a value goes.
type side bool

const (
	input  side = false // from the client
	output side = true  // to the client
)

func (c *comparison) note(at, format string, args ...any) {
	c.breaks = append(c.breaks, at+": "+fmt.Sprintf(format, args...))
}

func (c *comparison) operation(at string, was, is *openapi3.Operation) {
	if was.OperationID != is.OperationID {
		c.note(at, "operationId %s became %s", was.OperationID, is.OperationID)
	}
	if open(was) && !open(is) {
		c.note(at, "credentials are needed")
	}
	for _, role := range roles(was) {
		if !slices.Contains(roles(is), role) {
			c.note(at, "the role %v may not call it any more", role)
		}
	}
	if was.Extensions["x-ignores-unknown"] == true && is.Extensions["x-ignores-unknown"] != true {
		c.note(at, "unknown parameters are refused")
	}
	c.parameters(at, was.Parameters, is.Parameters)
	c.body(at, was.RequestBody, is.RequestBody)
	c.responses(at, was.Responses, is.Responses)
}

// open reports whether an operation needs no credentials.
func open(o *openapi3.Operation) bool {
	return o.Security == nil || slices.ContainsFunc(*o.Security, func(r openapi3.SecurityRequirement) bool {
		return len(r) == 0
	})
}

func roles(o *openapi3.Operation) []any {
	all, _ := o.Extensions["x-roles"].([]any)
	return all
}

func (c *comparison) parameters(at string, was, is openapi3.Parameters) {
	for _, p := range was {
		now := is.GetByInAndName(p.Value.In, p.Value.Name)
		here := fmt.Sprintf("%s: parameter %s in %s", at, p.Value.Name, p.Value.In)
		if now == nil {
			c.note(here, "is gone")
			continue
		}
		if now.Required && !p.Value.Required {
			c.note(here, "is required now")
		}
		if style(now) != style(p.Value) {
			c.note(here, "is written otherwise")
		}
		c.schema(here, p.Value.Schema, now.Schema, input)
	}
	for _, p := range is {
		if p.Value.Required && was.GetByInAndName(p.Value.In, p.Value.Name) == nil {
			c.note(at, "the new parameter %s is required", p.Value.Name)
		}
	}
}

func style(p *openapi3.Parameter) string {
	method, err := p.SerializationMethod()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s %t", method.Style, method.Explode)
}

func (c *comparison) body(at string, was, is *openapi3.RequestBodyRef) {
	at += ": body"
	switch {
	case was == nil && is != nil && is.Value.Required:
		c.note(at, "is required now")
	case was != nil && is == nil:
		c.note(at, "is gone")
	}
	if was == nil || is == nil {
		return
	}
	if is.Value.Required && !was.Value.Required {
		c.note(at, "is required now")
	}
	c.contents(at, was.Value.Content, is.Value.Content, input)
}

func (c *comparison) responses(at string, was, is *openapi3.Responses) {
	for _, status := range slices.Sorted(maps.Keys(was.Map())) {
		here := at + ": answer " + status
		now := is.Value(status)
		if now == nil {
			if strings.HasPrefix(status, "2") || strings.HasPrefix(status, "3") {
				c.note(here, "is gone")
			}
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(was.Value(status).Value.Headers)) {
			if now.Value.Headers[name] == nil {
				c.note(here, "the header %s is gone", name)
			}
		}
		c.contents(here, was.Value(status).Value.Content, now.Value.Content, output)
	}
	for _, status := range slices.Sorted(maps.Keys(is.Map())) {
		if was.Value(status) == nil && (strings.HasPrefix(status, "2") || strings.HasPrefix(status, "3")) {
			c.note(at, "the answer %s is new", status)
		}
	}
}

func (c *comparison) contents(at string, was, is openapi3.Content, to side) {
	for _, format := range slices.Sorted(maps.Keys(was)) {
		if is[format] == nil {
			c.note(at, "%s is gone", format)
			continue
		}
		c.schema(at+" "+format, was[format].Schema, is[format].Schema, to)
	}
}
