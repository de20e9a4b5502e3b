// Package odata reads the query options and the paths of the SensorThings API, which are OData's: $filter, $expand,
// $select, $orderby. Expressions are bounded in length, depth and number of parts.
package odata

import (
	"slices"
	"strings"
)

// The bounds of a query option.
const (
	MaxLength = 4096 // bytes
	maxTokens = 400
	maxDepth  = 30
)

// Expression is a parsed $filter, or a part of one.
type Expression struct {
	op    string // "literal", "path", an operator or, with call, the name of a function
	call  bool
	args  []*Expression
	value any
	path  []string
	at    int
}

// ParseFilter parses a $filter. The error names the position and the rule.
func ParseFilter(s string) (*Expression, error) { return parse("$filter", s) }

func parse(option, s string) (*Expression, error) {
	if len(s) > MaxLength {
		return nil, fault(option, MaxLength, "must be at most %d bytes long", MaxLength)
	}
	all, err := tokens(option, s)
	if err != nil {
		return nil, err
	}
	p := &parser{option: option, tokens: all}
	e, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != endToken {
		return nil, fault(option, t.at, "%q is not expected", t.text)
	}
	return e, nil
}

type parser struct {
	option string
	tokens []token
	next   int
	depth  int
}

func (p *parser) peek() token { return p.tokens[p.next] }

func (p *parser) take() token {
	t := p.tokens[p.next]
	if t.kind != endToken {
		p.next++
	}
	return t
}

func (p *parser) accept(sign string) bool {
	if t := p.peek(); t.kind != signToken || t.text != sign {
		return false
	}
	p.next++
	return true
}

// precedence lists the binary operators, those that bind least first.
var precedence = [][]string{
	{"or"},
	{"and"},
	{"eq", "ne", "gt", "ge", "lt", "le"},
	{"add", "sub"},
	{"mul", "div", "mod"},
}

// expression parses binary operators of a level and those that bind more.
func (p *parser) expression(level int) (*Expression, error) {
	if level == len(precedence) {
		return p.unary()
	}
	left, err := p.expression(level + 1)
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		t := p.peek()
		if t.kind != nameToken || !slices.Contains(precedence[level], t.text) {
			return left, nil
		}
		p.next++
		right, err := p.expression(level + 1)
		if err != nil {
			return nil, err
		}
		left = &Expression{op: t.text, args: []*Expression{left, right}, at: t.at}
	}
}

// unary parses not, - and what they apply to.
func (p *parser) unary() (*Expression, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fault(p.option, p.peek().at, "is nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	t := p.take()
	switch {
	case t.kind == nameToken && t.text == "not", t.kind == signToken && t.text == "-":
		e, err := p.unary()
		if err != nil {
			return nil, err
		}
		return &Expression{op: t.text, args: []*Expression{e}, at: t.at}, nil
	case t.kind == valueToken:
		return &Expression{op: "literal", value: t.value, at: t.at}, nil
	case t.kind == nameToken:
		if p.accept("(") {
			return p.function(t)
		}
		return p.property(t)
	case t.kind == signToken && t.text == "(":
		e, err := p.expression(0)
		if err == nil && !p.accept(")") {
			err = fault(p.option, p.peek().at, "a ) is missing")
		}
		return e, err
	}
	if t.kind == endToken {
		return nil, fault(p.option, t.at, "ends where a value, a property or a function is expected")
	}
	return nil, fault(p.option, t.at, "%q stands where a value, a property or a function is expected", t.text)
}

// property parses a path of properties, as Datastream/Thing/name.
func (p *parser) property(first token) (*Expression, error) {
	e := &Expression{op: "path", path: []string{first.text}, at: first.at}
	for p.accept("/") {
		t := p.take()
		if t.kind != nameToken {
			return nil, fault(p.option, t.at, "a name is expected behind /")
		}
		e.path = append(e.path, t.text)
	}
	return e, nil
}

// function parses the arguments of a function.
func (p *parser) function(name token) (*Expression, error) {
	e := &Expression{op: strings.ToLower(name.text), call: true, at: name.at}
	for !p.accept(")") {
		if len(e.args) > 0 && !p.accept(",") {
			return nil, fault(p.option, p.peek().at, "a , or ) is missing")
		}
		arg, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		e.args = append(e.args, arg)
	}
	f, ok := functions[e.op]
	switch {
	case !ok:
		return nil, fault(p.option, name.at, "%q is no function", name.text)
	case len(e.args) < f.least || len(e.args) > f.most:
		return nil, fault(p.option, name.at, "%s takes %d to %d arguments, got %d", e.op, f.least, f.most, len(e.args))
	}
	return e, nil
}

// Conjuncts returns the parts of a filter that must all be true.
func (e *Expression) Conjuncts() []*Expression {
	if e == nil {
		return nil
	}
	if e.op == "and" && !e.call {
		return append(e.args[0].Conjuncts(), e.args[1].Conjuncts()...)
	}
	return []*Expression{e}
}

var mirrored = map[string]string{"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}

// Comparison returns a comparison of a property with a literal, written as path, operator, value.
func (e *Expression) Comparison() (path, op string, value any, ok bool) {
	if e.call || mirrored[e.op] == "" {
		return "", "", nil, false
	}
	left, right, op := e.args[0], e.args[1], e.op
	if left.op == "literal" {
		left, right, op = right, left, mirrored[op]
	}
	if left.op != "path" || right.op != "literal" {
		return "", "", nil, false
	}
	return strings.Join(left.path, "/"), op, right.value, true
}

// Paths calls f with every path of properties.
func (e *Expression) Paths(f func(path []string) error) error {
	if e == nil {
		return nil
	}
	if e.op == "path" && !e.call {
		return f(e.path)
	}
	for _, a := range e.args {
		if err := a.Paths(f); err != nil {
			return err
		}
	}
	return nil
}
