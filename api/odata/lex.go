package odata

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/wkt"
)

// kind is the kind of a token.
type kind int

const (
	endToken kind = iota
	nameToken
	valueToken // a literal
	signToken  // ( ) , / -
)

// token is a part of an expression.
type token struct {
	kind  kind
	text  string
	value any
	at    int // byte in the expression, from 1
}

var (
	timePattern = regexp.MustCompile(
		`^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+ -]\d\d:\d\d)(/\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?` +
			`(Z|[+ -]\d\d:\d\d))?)?`)
	numberPattern = regexp.MustCompile(`^\d+(\.\d+)?([eE][+-]?\d{1,3})?`)
	namePattern   = regexp.MustCompile(`^[A-Za-z_@][A-Za-z0-9_.@]*`)
)

// tokens splits an expression.
func tokens(option, s string) ([]token, error) {
	var out []token
	for at := 0; at < len(s); {
		rest := s[at:]
		switch c := rest[0]; {
		case c == ' ' || c == '\t':
			at++
			continue
		case strings.IndexByte("(),/-", c) >= 0:
			out = append(out, token{kind: signToken, text: rest[:1], at: at + 1})
			at++
			continue
		}
		t, size, err := readToken(option, rest, at+1)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
		at += size
		if len(out) > maxTokens {
			return nil, fault(option, at, "has more than %d parts", maxTokens)
		}
	}
	return append(out, token{kind: endToken, at: len(s) + 1}), nil
}

// readToken reads a name or a literal.
func readToken(option, s string, at int) (token, int, error) {
	if s[0] == '\'' {
		text, size, ok := quoted(s)
		if !ok {
			return token{}, 0, fault(option, at, "a text must end with '")
		}
		return token{kind: valueToken, text: s[:size], value: text, at: at}, size, nil
	}
	if m := timePattern.FindString(s); m != "" {
		t, err := readTime(m)
		if err != nil {
			return token{}, 0, fault(option, at, "%q is no time", m)
		}
		return token{kind: valueToken, text: m, value: t, at: at}, len(m), nil
	}
	if m := numberPattern.FindString(s); m != "" {
		f, err := strconv.ParseFloat(m, 64)
		if err != nil {
			return token{}, 0, fault(option, at, "%q is no number", m)
		}
		return token{kind: valueToken, text: m, value: f, at: at}, len(m), nil
	}
	m := namePattern.FindString(s)
	if m == "" {
		return token{}, 0, fault(option, at, "%q is no part of an expression", firstRune(s))
	}
	return nameOrTyped(option, s, m, at)
}

// nameOrTyped reads a name, or a literal that begins with the name of its type, as geography'POINT (105 21)'.
func nameOrTyped(option, s, name string, at int) (token, int, error) {
	switch {
	case name == "true" || name == "false":
		return token{kind: valueToken, text: name, value: name == "true", at: at}, len(name), nil
	case name == "null":
		return token{kind: valueToken, text: name, at: at}, len(name), nil
	case len(s) == len(name) || s[len(name)] != '\'':
		return token{kind: nameToken, text: name, at: at}, len(name), nil
	case name != "geography" && name != "geometry":
		return token{}, 0, fault(option, at, "%s is no type of a literal; geography is", name)
	}
	text, size, ok := quoted(s[len(name):])
	if !ok {
		return token{}, 0, fault(option, at, "a text must end with '")
	}
	g, err := readGeometry(text)
	if err != nil {
		return token{}, 0, fault(option, at, "must be WKT with lon, lat in degrees: POINT, LINESTRING or POLYGON")
	}
	return token{kind: valueToken, text: s[:len(name)+size], value: g, at: at}, len(name) + size, nil
}

// readTime reads a time; of an interval, its end, by which observations are ordered.
func readTime(s string) (time.Time, error) {
	if _, end, ok := strings.Cut(s, "/"); ok {
		s = end
	}
	s = strings.ReplaceAll(s, " ", "+") // of a query that did not encode its +
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, nhip.Errorf(nhip.CodeInvalid, "", "no time")
}

// readGeometry reads WKT. Positions must be on the earth.
func readGeometry(s string) (g orb.Geometry, err error) {
	defer func() {
		if recover() != nil { // of the library, on malformed text
			err = nhip.Errorf(nhip.CodeInvalid, "", "malformed")
		}
	}()
	if g, err = wkt.Unmarshal(strings.TrimSpace(s)); err != nil {
		return nil, err
	}
	switch g.(type) {
	case orb.Point, orb.LineString, orb.Polygon, orb.MultiPolygon:
	default:
		return nil, nhip.Errorf(nhip.CodeInvalid, "", "not supported")
	}
	b := g.Bound()
	if !(b.Min[0] >= -180 && b.Max[0] <= 180 && b.Min[1] >= -90 && b.Max[1] <= 90) || !isComplete(g) {
		return nil, nhip.Errorf(nhip.CodeInvalid, "", "not on the earth")
	}
	return g, nil
}

// isComplete reports whether lines have two points and rings four.
func isComplete(g orb.Geometry) bool {
	switch g := g.(type) {
	case orb.LineString:
		return len(g) >= 2
	case orb.Polygon:
		for _, ring := range g {
			if len(ring) < 4 {
				return false
			}
		}
		return len(g) > 0
	case orb.MultiPolygon:
		for _, p := range g {
			if !isComplete(p) {
				return false
			}
		}
		return len(g) > 0
	}
	return true
}

// quoted reads a text in ' at the begin of s, in which ” stands for '. size includes the quotes.
func quoted(s string) (text string, size int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), i + 1, true
	}
	return "", 0, false
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

// fault returns an error of a query option. at is a byte of its text, from 1.
func fault(option string, at int, format string, args ...any) error {
	return nhip.Errorf(nhip.CodeInvalid, option, "at %d: "+format, append([]any{at}, args...)...)
}
