package odata

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
)

// Context is what an expression is evaluated with.
type Context struct {
	// Lookup returns the values of a path of properties: one, or those of several related entities. A value is nil, bool,
	// float64, string, time.Time or orb.Geometry; others compare with nothing.
	Lookup func(path []string) ([]any, error)
	Now    time.Time
}

// maxValues bounds the values that a part of an expression has where a path leads to several entities.
const maxValues = 1000

// Matches reports whether a filter is true. Of a path that leads to several entities, one must make a comparison true.
func (e *Expression) Matches(c *Context) (bool, error) {
	values, err := e.Values(c)
	return anyTrue(values), err
}

// Values returns the values of an expression.
func (e *Expression) Values(c *Context) ([]any, error) {
	switch {
	case e.op == "literal" && !e.call:
		return []any{e.value}, nil
	case e.op == "path" && !e.call:
		values, err := c.Lookup(e.path)
		if err != nil {
			return nil, fault("$filter", e.at, "%s", err)
		}
		return values, nil
	}
	args := make([][]any, len(e.args))
	for i, a := range e.args {
		var err error
		if args[i], err = a.Values(c); err != nil {
			return nil, err
		}
		if !e.call && i == 0 && (e.op == "and" && !anyTrue(args[0]) || e.op == "or" && anyTrue(args[0])) {
			return []any{e.op == "or"}, nil
		}
	}
	if e.call {
		return e.each(args, func(v []any) (any, error) { return functions[e.op].apply(c, v) })
	}
	switch e.op {
	case "and", "or":
		return []any{anyTrue(args[1])}, nil
	case "not":
		return []any{!anyTrue(args[0])}, nil
	case "-":
		return e.each(args, func(v []any) (any, error) { return arithmetic("sub", 0.0, v[0]) })
	case "add", "sub", "mul", "div", "mod":
		return e.each(args, func(v []any) (any, error) { return arithmetic(e.op, v[0], v[1]) })
	}
	values, err := e.each(args, func(v []any) (any, error) { return compare(e.op, v[0], v[1]) })
	return []any{anyTrue(values)}, err
}

// each applies a function to all combinations of the arguments' values.
func (e *Expression) each(args [][]any, f func([]any) (any, error)) ([]any, error) {
	total := 1
	for _, a := range args {
		if total *= len(a); total > maxValues {
			return nil, fault("$filter", e.at, "leads to more than %d values", maxValues)
		}
	}
	out, v := make([]any, 0, total), make([]any, len(args))
	for n := range total {
		for i, a := range args {
			v[i] = a[n%len(a)]
			n /= len(a)
		}
		x, err := f(v)
		if err != nil {
			return nil, fault("$filter", e.at, "%s", err)
		}
		out = append(out, x)
	}
	return out, nil
}

func anyTrue(values []any) bool {
	for _, v := range values {
		if v == true {
			return true
		}
	}
	return false
}

// ruleError is a rule that an operation breaks; its position is added where it is known.
type ruleError string

func (e ruleError) Error() string { return string(e) }

// arithmetic returns null for a null operand and for a division by 0.
func arithmetic(op string, a, b any) (any, error) {
	if a == nil || b == nil {
		return nil, nil
	}
	x, ok1 := number(a)
	y, ok2 := number(b)
	if !ok1 || !ok2 {
		return nil, ruleError(op + " needs numbers")
	}
	switch op {
	case "add":
		x += y
	case "sub":
		x -= y
	case "mul":
		x *= y
	case "div":
		x /= y
	case "mod":
		x = math.Mod(x, y)
	}
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil, nil
	}
	return x, nil
}

// number returns a number, also one in quotes.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		f, err := strconv.ParseFloat(v, 64)
		return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	return 0, false
}

// compare compares two values. Null equals null only, and is neither less nor greater.
func compare(op string, a, b any) (any, error) {
	if a == nil || b == nil {
		return op == "eq" && a == b || op == "ne" && (a != nil || b != nil), nil
	}
	order, err := Compare(a, b)
	if err != nil {
		return nil, err
	}
	switch op {
	case "eq":
		return order == 0, nil
	case "ne":
		return order != 0, nil
	case "gt":
		return order > 0, nil
	case "ge":
		return order >= 0, nil
	case "lt":
		return order < 0, nil
	}
	return order <= 0, nil
}

// Compare returns the order of two values of one kind. A text compares with a number or a time if it is one. Null comes
// first.
func Compare(a, b any) (int, error) {
	if a == nil || b == nil {
		return cmp.Compare(rank(a), rank(b)), nil
	}
	switch x := a.(type) {
	case bool:
		if y, ok := b.(bool); ok {
			return cmp.Compare(truth(x), truth(y)), nil
		}
	case float64:
		if y, ok := number(b); ok {
			return cmp.Compare(x, y), nil
		}
	case time.Time:
		if y, ok := instant(b); ok {
			return x.Compare(y), nil
		}
	case string:
		switch y := b.(type) {
		case string:
			return strings.Compare(x, y), nil
		case float64, time.Time:
			order, err := Compare(b, a)
			return -order, err
		}
	}
	return 0, ruleError("a " + kindOf(a) + " does not compare with a " + kindOf(b))
}

func rank(v any) int {
	if v == nil {
		return 0
	}
	return 1
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// instant returns a time, also one in quotes.
func instant(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case string:
		t, err := readTime(v)
		return t, err == nil
	}
	return time.Time{}, false
}

func kindOf(v any) string {
	switch v.(type) {
	case bool:
		return "truth value"
	case float64:
		return "number"
	case string:
		return "text"
	case time.Time:
		return "time"
	case orb.Geometry:
		return "geometry"
	}
	return "structure"
}
