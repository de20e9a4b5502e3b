package apitest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"nhip"
	"nhip/api"

	"github.com/getkin/kin-openapi/openapi3"
)

// Operation is an operation of the contract.
type Operation struct {
	ID, Method, Path string
	Roles            []nhip.Role // who may call it: x-roles

	described *openapi3.Operation
}

// Operations returns the operations of the contract, by path and method.
func Operations(t testing.TB) []Operation {
	t.Helper()
	return operations(t, openapi3.DisableExamplesValidation())
}

func operations(t testing.TB, how openapi3.ValidationOption) []Operation {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.Contract())
	if err == nil {
		err = doc.Validate(context.Background(), how)
	}
	if err != nil {
		t.Fatalf("api/openapi.yaml: %v", err)
	}
	var all []Operation
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			op := Operation{ID: o.OperationID, Method: method, Path: path, described: o}
			roles, _ := o.Extensions["x-roles"].([]any)
			for _, r := range roles {
				op.Roles = append(op.Roles, nhip.Role(fmt.Sprint(r)))
			}
			all = append(all, op)
		}
	}
	slices.SortFunc(all, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return all
}

// AnswerExamples returns the ids of the operations whose successful answers have an example. All examples must be as
// their schemas say.
func AnswerExamples(t testing.TB) map[string]bool {
	t.Helper()
	have := make(map[string]bool)
	for _, o := range operations(t, openapi3.EnableExamplesValidation()) {
		for status, answer := range o.described.Responses.Map() {
			for _, media := range answer.Value.Content {
				if strings.HasPrefix(status, "2") && (media.Example != nil || len(media.Examples) > 0) {
					have[o.ID] = true
				}
			}
		}
	}
	return have
}

// Request is a request for an operation.
type Request struct {
	Operation *Operation
	Method    string
	Path      map[string]string // values of the path's parameters
	Query     url.Values
	Header    http.Header
	Body      string // "": none

	// Breaks is the rule of the contract that the request breaks, "" for none. Field is the parameter or the field of the
	// body that it concerns, "" if that can't be told.
	Breaks, Field string
}

// URI returns the path and the query.
func (r *Request) URI() string {
	path := r.Operation.Path
	for name, value := range r.Path {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
	}
	if len(r.Query) > 0 {
		path += "?" + r.Query.Encode()
	}
	return path
}

// String implements fmt.Stringer.
func (r *Request) String() string {
	body := r.Body
	if len(body) > 300 {
		body = body[:300] + "…"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %.300s %s", r.Method, r.URI(), body))
}

// clone returns a copy that shares nothing with r.
func (r *Request) clone() Request {
	c := *r
	c.Path, c.Query = make(map[string]string), make(url.Values)
	for name, value := range r.Path {
		c.Path[name] = value
	}
	for name, values := range r.Query {
		c.Query[name] = slices.Clone(values)
	}
	c.Header = r.Header.Clone()
	return c
}

// Example returns the request of the contract's examples, with the parameters and the body that are required.
func (o *Operation) Example() Request {
	r := Request{
		Operation: o, Method: o.Method, Path: make(map[string]string), Query: make(url.Values), Header: make(http.Header),
	}
	for _, p := range o.parameters() {
		if p.Required {
			r.set(p, exampleOf(p))
		}
	}
	if media := o.jsonBody(); media != nil {
		r.Body, r.Header = encode(bodyExample(media)), http.Header{"Content-Type": {"application/json"}}
	} else if o.described.RequestBody != nil {
		r.Body, r.Header = "{}", http.Header{"Content-Type": {"application/octet-stream"}}
	}
	return r
}

// Optional returns a request with one further parameter, for each that is not required. It leaves out those that only
// an answer gives (x-cursor). It adds those that one needs (x-requires) and a limit, where there is one, so that
// answers are short.
func (o *Operation) Optional(base *Request) []Request {
	var all []Request
	for _, p := range o.parameters() {
		if cursor, _ := p.Extensions["x-cursor"].(bool); p.Required || cursor {
			continue
		}
		r := base.clone()
		r.set(p, exampleOf(p))
		for _, other := range o.parameters() {
			switch {
			case other.Name == p.Extensions["x-requires"]:
				r.set(other, exampleOf(other))
			case other.Name == "limit" && p.Name != "limit":
				r.set(other, shortPage)
			}
		}
		all = append(all, r)
	}
	return all
}

// shortPage is the limit of requests whose answers need not be long.
const shortPage = "5"

func (o *Operation) parameters() []*openapi3.Parameter {
	var all []*openapi3.Parameter
	for _, ref := range o.described.Parameters {
		all = append(all, ref.Value)
	}
	return all
}

// jsonBody returns the JSON form of the body, nil if there is none.
func (o *Operation) jsonBody() *openapi3.MediaType {
	if o.described.RequestBody == nil {
		return nil
	}
	return o.described.RequestBody.Value.Content["application/json"]
}

// lenient reports whether unknown parameters are ignored, as those that map programs add to tiles.
func (o *Operation) lenient() bool {
	ignored, _ := o.described.Extensions["x-ignores-unknown"].(bool)
	return ignored
}

func (r *Request) set(p *openapi3.Parameter, value string) {
	switch p.In {
	case openapi3.ParameterInPath:
		r.Path[p.Name] = value
	case openapi3.ParameterInQuery:
		r.Query.Set(p.Name, value)
	case openapi3.ParameterInHeader:
		r.Header.Set(p.Name, value)
	}
}

// exampleOf returns the value of a parameter's example.
func exampleOf(p *openapi3.Parameter) string {
	return text(cmp.Or(p.Example, sample(p.Schema.Value)))
}

// bodyExample returns the example of a body.
func bodyExample(media *openapi3.MediaType) any {
	for _, e := range media.Examples {
		return e.Value.Value
	}
	return cmp.Or(media.Example, sample(media.Schema.Value))
}

// sample returns a value that a schema allows.
func sample(s *openapi3.Schema) any {
	switch {
	case s.Example != nil:
		return s.Example
	case s.Default != nil:
		return s.Default
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Type.Is(openapi3.TypeInteger), s.Type.Is(openapi3.TypeNumber):
		if s.Min != nil {
			return *s.Min
		}
		return 1.0
	case s.Type.Is(openapi3.TypeBoolean):
		return true
	case s.Type.Is(openapi3.TypeArray):
		return []any{sample(s.Items.Value)}
	case s.Type.Is(openapi3.TypeObject):
		o := make(map[string]any)
		for _, name := range s.Required {
			o[name] = sample(s.Properties[name].Value)
		}
		return o
	case s.Format == "date-time":
		return "2026-02-16T15:00:00Z"
	}
	return "a"
}

// text returns a value as it stands in a query.
func text(v any) string {
	if list, ok := v.([]any); ok {
		var all []string
		for _, e := range list {
			all = append(all, text(e))
		}
		return strings.Join(all, ",")
	}
	return fmt.Sprint(v)
}

func encode(v any) string {
	raw, _ := json.Marshal(v) // values of a contract
	return string(raw)
}
