package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestTypesOfWebMapAreThoseOfContract(t *testing.T) {
	contract, err := os.ReadFile("../../" + contractFile)
	if err != nil {
		t.Fatal(err)
	}
	want, err := typesOf(contract)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("../../" + typesFile); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not up to date: go run ./deploy/webtypes (%v)", typesFile, err)
	}
}

func TestTypesOfSchemas(t *testing.T) {
	const contract = `
openapi: 3.0.3
info: {title: a, version: "1"}
paths:
  /a/{id}:
    get:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: n, in: query, schema: {type: integer}}
      responses: {"200": {description: a, content: {application/json: {schema: {$ref: "#/components/schemas/A"}}}}}
components:
  schemas:
    A:
      type: object
      description: A thing
      required: [b]
      properties:
        b: {type: string, enum: [x, "it's"], nullable: true}
        c-d: {type: array, items: {type: number}, minItems: 2, maxItems: 2}
        e: {type: object, additionalProperties: {type: boolean}}
        f: {type: array, items: {oneOf: [{type: string}, {$ref: "#/components/schemas/A"}]}}
        g: {}
`
	types, err := typesOf([]byte(contract))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"/** A thing */\nexport type A = {\n", "  b: 'x' | 'it\\'s' | null;\n", `  "c-d"?: readonly [number, number];`,
		"  e?: Record<string, boolean>;", "  f?: (string | A)[];", "  g?: unknown;", "  '/a/{id}': A;",
		"  '/a/{id}': {n?: number};",
	} {
		if !strings.Contains(string(types), want) {
			t.Errorf("without %q:\n%s", want, types)
		}
	}
}
