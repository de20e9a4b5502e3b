package compattest

import (
	"strings"
	"testing"
)

// document is compared with copies of it in which one text is replaced.
const document = `
openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /things:
    get:
      operationId: listThings
      x-roles: [public, viewer]
      x-ignores-unknown: true
      parameters:
        - {name: kind, in: query, schema: {type: string, enum: [a, b], nullable: true}}
        - {name: size, in: query, schema: {type: number, minimum: 1, maximum: 9}}
        - {name: word, in: query, schema: {type: string, minLength: 1, maxLength: 9}}
        - name: list
          in: query
          style: form
          explode: false
          schema: {type: array, minItems: 1, maxItems: 9, items: {type: string}}
      responses:
        "200":
          description: things
          headers: {ETag: {schema: {type: string}}}
          content:
            application/json: {schema: {$ref: "#/components/schemas/Thing"}}
            text/csv: {schema: {type: string}}
        "404": {description: none}
  /things/new:
    post:
      operationId: newThing
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [kind]
              properties:
                kind: {type: string}
                note: {type: string, nullable: true}
                count: {type: integer}
      responses:
        "201": {description: made}
components:
  schemas:
    Thing:
      allOf:
        - type: object
          required: [id]
          properties:
            id: {type: string}
        - type: object
          required: [state, time]
          properties:
            state: {type: string, enum: [live, stale]}
            time: {type: string, format: date-time}
            note: {type: string}
            weight: {type: number}
            parts: {type: array, items: {$ref: "#/components/schemas/Thing"}}
            extra: {type: object, additionalProperties: {type: integer}}
            shape: {oneOf: [{type: string}, {type: integer}]}
`

func TestBreaksAreFound(t *testing.T) {
	for _, c := range []struct{ was, is, want string }{
		{"/things:\n", "/other:\n", "/things: the path is gone"},
		{
			"    post:\n      operationId: newThing",
			"    put:\n      operationId: newThing",
			"POST /things/new: the operation is gone",
		},
		{"operationId: listThings", "operationId: things", "operationId listThings became things"},
		{"x-roles: [public, viewer]", "x-roles: [viewer]", "the role public"},
		{"      x-ignores-unknown: true\n", "", "unknown parameters are refused"},
		{"operationId: newThing", "operationId: newThing\n      security: [{key: []}]", "credentials are needed"},
		{"name: size, in: query", "name: length, in: query", "parameter size in query: is gone"},
		{"name: size, in: query", "name: size, in: query, required: true", "is required now"},
		{
			"      parameters:\n",
			"      parameters:\n        - {name: new, in: query, required: true, schema: {type: string}}\n",
			"new parameter new",
		},
		{"explode: false", "explode: true", "is written otherwise"},
		{"enum: [a, b], nullable: true", "enum: [a, b]", "must not be null any more"},
		{"enum: [a, b]", "enum: [a]", "the value b is gone"},
		{"minLength: 1, maxLength: 9", "minLength: 1, maxLength: 9, enum: [x]", "any value"},
		{"minimum: 1", "minimum: 2", "the minimum rose"},
		{"maximum: 9", "maximum: 8", "the maximum fell"},
		{"maximum: 9", "maximum: 9, exclusiveMaximum: true", "a bound is excluded"},
		{"minLength: 1", "minLength: 2", "the minimum length rose"},
		{"maxLength: 9", "maxLength: 8", "the maximum length fell"},
		{"maxLength: 9", "maxLength: 9, pattern: a", "the pattern is a"},
		{"maxLength: 9", "maxLength: 9, format: date", `the format "" became "date"`},
		{"minItems: 1", "minItems: 2", "number of elements rose"},
		{"maxItems: 9", "maxItems: 8", "number of elements fell"},
		{"items: {type: string}", "items: {type: integer}", "[]: [string] became [integer]"},
		{"{type: number, minimum", "{type: integer, minimum", "[number] became [integer]"},
		{"requestBody:\n", "requestBody:\n        required: true\n", "body: is required now"},
		{"required: [kind]", "required: [kind, note]", ".note: is required now"},
		{"required: [kind]", "required: [kind, other]", ".other: is required now"},
		{"                note: {type: string, nullable: true}\n", "", ".note: is gone"},
		{"required: [kind]", "required: [kind]\n              additionalProperties: false", "unknown fields are refused"},
		{`"200"`, `"203"`, "answer 200: is gone"},
		{
			`        "201": {description: made}`,
			`        "201": {description: made}` + "\n" + `        "202": {description: later}`,
			"the answer 202 is new",
		},
		{"          headers: {ETag: {schema: {type: string}}}\n", "", "the header ETag is gone"},
		{"text/csv", "text/plain", "text/csv is gone"},
		{"enum: [live, stale]", "enum: [live, stale, gone]", "the value gone is new"},
		{", enum: [live, stale]", "", "any value"},
		{"format: date-time", "format: date", "became"},
		{"            note: {type: string}\n", "", ".note: is gone"},
		{"            note: {type: string}\n", "            note: {type: string, nullable: true}\n", "may be null"},
		{"required: [state, time]", "required: [time]", ".state: may be missing now"},
		{"required: [id]", "required: []", ".id: may be missing now"},
		{"id: {type: string}", "id: {type: integer}", ".id: [string] became [integer]"},
		{"additionalProperties: {type: integer}", "additionalProperties: {type: number}", ".*: [integer] became [number]"},
		{
			"parts: {type: array, items: {$ref: \"#/components/schemas/Thing\"}}",
			"parts: {type: array, items: {type: string}}",
			".parts[]",
		},
		{
			"[{type: string}, {type: integer}]",
			"[{type: string}, {type: integer}, {type: boolean}]",
			"2 alternatives became 3",
		},
		{"[{type: string}, {type: integer}]", "[{type: boolean}, {type: integer}]", "|0: [string] became [boolean]"},
	} {
		found := Breaks(Load(t, []byte(document)), Load(t, []byte(replaced(t, c.was, c.is))))
		if len(found) == 0 || !strings.Contains(strings.Join(found, "\n"), c.want) {
			t.Errorf("%q instead of %q: found %q, want %q", c.is, c.was, found, c.want)
		}
	}
}

func TestCompatibleChangesPass(t *testing.T) {
	for _, c := range []struct{ was, is string }{
		{"a, version", "b, version"},
		{"components:", "  /more: {get: {operationId: more, responses: {\"200\": {description: more}}}}\ncomponents:"},
		{"      parameters:\n", "      parameters:\n        - {name: new, in: query, schema: {type: string}}\n"},
		{"x-roles: [public, viewer]", "x-roles: [public, viewer, admin]"},
		{"operationId: newThing", "operationId: newThing\n      security: [{}, {key: []}]"},
		{"enum: [a, b]", "enum: [a, b, c]"},
		{", enum: [a, b]", ""},
		{"minimum: 1, maximum: 9", "minimum: 0, maximum: 10"},
		{"minLength: 1, maxLength: 9", "maxLength: 10"},
		{"minItems: 1, maxItems: 9", "minItems: 0"},
		{"count: {type: integer}", "count: {type: number}"},
		{"required: [kind]", "required: []"},
		{"count: {type: integer}", "count: {type: integer}\n                more: {type: string}"},
		{`"404": {description: none}`, `"410": {description: gone}`},
		{
			"text/csv: {schema: {type: string}}",
			"text/csv: {schema: {type: string}}\n            text/html: {schema: {type: string}}",
		},
		{"enum: [live, stale]", "enum: [live]"},
		{"note: {type: string}\n", "note: {type: string}\n            more: {type: string}\n"},
		{"required: [id]", "required: [id, note]"},
		{"weight: {type: number}", "weight: {type: integer}"},
		{"[{type: string}, {type: integer}]", "[{type: string}]"},
	} {
		if found := Breaks(Load(t, []byte(document)), Load(t, []byte(replaced(t, c.was, c.is)))); len(found) > 0 {
			t.Errorf("%q instead of %q: found %q", c.is, c.was, found)
		}
	}
}

// replaced returns the document with the first of a text replaced.
func replaced(t *testing.T, was, is string) string {
	t.Helper()
	if !strings.Contains(document, was) {
		t.Fatalf("the document lacks %q", was)
	}
	return strings.Replace(document, was, is, 1)
}
