package odata

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// function is a function of filters.
type function struct {
	least, most int // arguments
	apply       func(c *Context, args []any) (any, error)
}

// functions are all of them. init fills it: the parser refers to it.
var functions map[string]function

func init() {
	functions = map[string]function{
		"now":         {0, 0, func(c *Context, _ []any) (any, error) { return c.Now, nil }},
		"mindatetime": {0, 0, func(*Context, []any) (any, error) { return time.Time{}, nil }},
		"maxdatetime": {0, 0, func(*Context, []any) (any, error) {
			return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), nil
		}},
		"substring": {2, 3, substring},
	}
	addTextFunctions()
	addTimeFunctions()
	for name, f := range map[string]func(float64) float64{
		"round": math.Round, "floor": math.Floor, "ceiling": math.Ceil,
	} {
		functions[name] = function{1, 1, func(_ *Context, args []any) (any, error) {
			if args[0] == nil {
				return nil, nil
			}
			x, ok := number(args[0])
			if !ok {
				return nil, ruleError(name + " needs a number")
			}
			return f(x), nil
		}}
	}
	addGeoFunctions()
}

// texts returns arguments as texts. null reports whether one is null.
func texts(name string, args []any) (out []string, null bool, err error) {
	for _, a := range args {
		if a == nil {
			return nil, true, nil
		}
		s, ok := a.(string)
		if !ok {
			return nil, false, ruleError(name + " needs texts")
		}
		out = append(out, s)
	}
	return out, false, nil
}

func addTextFunctions() {
	add := func(name string, n int, f func(s []string) any) {
		functions[name] = function{n, n, func(_ *Context, args []any) (any, error) {
			s, null, err := texts(name, args)
			if null || err != nil {
				return nil, err
			}
			return f(s), nil
		}}
	}
	add("substringof", 2, func(s []string) any { return strings.Contains(s[1], s[0]) })
	add("contains", 2, func(s []string) any { return strings.Contains(s[0], s[1]) })
	add("startswith", 2, func(s []string) any { return strings.HasPrefix(s[0], s[1]) })
	add("endswith", 2, func(s []string) any { return strings.HasSuffix(s[0], s[1]) })
	add("length", 1, func(s []string) any { return float64(utf8.RuneCountInString(s[0])) })
	add("indexof", 2, func(s []string) any {
		at := strings.Index(s[0], s[1])
		if at < 0 {
			return -1.0
		}
		return float64(utf8.RuneCountInString(s[0][:at]))
	})
	add("tolower", 1, func(s []string) any { return strings.ToLower(s[0]) })
	add("toupper", 1, func(s []string) any { return strings.ToUpper(s[0]) })
	add("trim", 1, func(s []string) any { return strings.TrimSpace(s[0]) })
	add("concat", 2, func(s []string) any { return s[0] + s[1] })
}

// substring cuts a text from a character, from 0, of a length.
func substring(_ *Context, args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	s, ok := args[0].(string)
	if !ok {
		return nil, ruleError("substring needs a text")
	}
	runes := []rune(s)
	cut := func(v any) (int, error) {
		x, ok := v.(float64)
		if !ok || x < 0 {
			return 0, ruleError("substring needs positions of 0 or more")
		}
		return int(min(x, float64(len(runes)))), nil
	}
	from, err := cut(args[1])
	if err != nil {
		return nil, err
	}
	size := len(runes) - from
	if len(args) == 3 {
		if size, err = cut(args[2]); err != nil {
			return nil, err
		}
	}
	return string(runes[from:min(from+size, len(runes))]), nil
}

func addTimeFunctions() {
	for name, f := range map[string]func(t time.Time) any{
		"year":              func(t time.Time) any { return float64(t.Year()) },
		"month":             func(t time.Time) any { return float64(t.Month()) },
		"day":               func(t time.Time) any { return float64(t.Day()) },
		"hour":              func(t time.Time) any { return float64(t.Hour()) },
		"minute":            func(t time.Time) any { return float64(t.Minute()) },
		"second":            func(t time.Time) any { return float64(t.Second()) },
		"fractionalseconds": func(t time.Time) any { return float64(t.Nanosecond()) / 1e9 },
		"date": func(t time.Time) any {
			return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
		},
		"time":               func(t time.Time) any { return t.Format("15:04:05.000") },
		"totaloffsetminutes": func(time.Time) any { return 0.0 },
	} {
		functions[name] = function{1, 1, func(_ *Context, args []any) (any, error) {
			if args[0] == nil {
				return nil, nil
			}
			t, ok := instant(args[0])
			if !ok {
				return nil, ruleError(name + " needs a time")
			}
			return f(t.UTC()), nil
		}}
	}
}
