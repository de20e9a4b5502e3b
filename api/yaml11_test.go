package api

import (
	"regexp"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// yaml11 matches plain text that parsers of YAML 1.1 read as a boolean, a null, a number or a time, and ours as text.
var yaml11 = regexp.MustCompile(`^(?i:y|yes|n|no|on|off|~)$|^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9]*)?$|` +
	`^[-+]?0[0-7_]+$|^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?$`)

func TestContractIsTheSameInYAML11(t *testing.T) {
	for name, raw := range map[string][]byte{"openapi.yaml": contract, "openapi.vi.yaml": vietnameseTexts} {
		file, err := parser.ParseBytes(raw, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Walk(plainScalars(func(at *token.Token) {
			if yaml11.MatchString(at.Value) {
				t.Errorf("%s:%d: %s must be in quotes", name, at.Position.Line, at.Value)
			}
		}), file.Docs[0].Body)
	}
	for _, plain := range []string{"off", "NO", "12:30", "2026-02-16", "010"} {
		if !yaml11.MatchString(plain) {
			t.Errorf("%s passes", plain)
		}
	}
}

// plainScalars calls a function with each scalar that is not in quotes.
type plainScalars func(*token.Token)

// Visit implements ast.Visitor.
func (f plainScalars) Visit(n ast.Node) ast.Visitor {
	if at := n.GetToken(); at != nil && at.Type != token.SingleQuoteType && at.Type != token.DoubleQuoteType {
		if _, scalar := n.(ast.ScalarNode); scalar && n.Type() != ast.LiteralType {
			f(at)
		}
	}
	return f
}
