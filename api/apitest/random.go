package apitest

import (
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// Random returns a request that the contract allows: some of the optional parameters, with values of their schemas.
// Times lie in the days before now.
func (o *Operation) Random(rnd *rand.Rand, now time.Time) Request {
	r := o.Example()
	g := generator{rnd, now}
	for _, p := range o.parameters() {
		switch {
		case p.In == openapi3.ParameterInPath && rnd.IntN(3) > 0, p.In == openapi3.ParameterInHeader:
			continue // mostly what exists
		case p.Required || rnd.IntN(3) == 0:
			r.set(p, g.parameter(p))
		}
	}
	if media := o.jsonBody(); media != nil {
		object, schema := o.bodyObject(), media.Schema.Value
		for name, ref := range schema.Properties {
			if rnd.IntN(3) == 0 {
				object[name] = g.value(ref.Value)
			}
		}
		r.Body = encode(object)
	}
	return r
}

type generator struct {
	rnd *rand.Rand
	now time.Time
}

// parameter returns a value of a parameter as it stands in a request.
func (g generator) parameter(p *openapi3.Parameter) string {
	s := p.Schema.Value
	if p.Example != nil && (s.Pattern != "" || g.rnd.IntN(2) == 0) || s.Example != nil {
		return exampleOf(p)
	}
	if v := text(g.value(s)); v != "" {
		return v
	}
	return "a"
}

// value returns a value of a schema.
func (g generator) value(s *openapi3.Schema) any {
	switch {
	case len(s.Enum) > 0:
		return s.Enum[g.rnd.IntN(len(s.Enum))]
	case s.Type.Is(openapi3.TypeInteger):
		low, high := bounds(s)
		return int(low) + g.rnd.IntN(int(high-low)+1)
	case s.Type.Is(openapi3.TypeNumber):
		low, high := bounds(s)
		return math.Round(1000*(low+g.rnd.Float64()*(high-low))) / 1000
	case s.Type.Is(openapi3.TypeBoolean):
		return g.rnd.IntN(2) == 0
	case s.Type.Is(openapi3.TypeArray):
		return []any{g.value(s.Items.Value)}
	case s.Type.Is(openapi3.TypeString) && s.Format == "date-time":
		return g.time().Format(time.RFC3339)
	case strings.Contains(s.Pattern, "(T.*)?"):
		return g.time().Format(time.DateOnly)
	case s.Type.Is(openapi3.TypeString) && s.Pattern == "":
		return g.string(int(max(s.MinLength, 1)))
	}
	return sample(s)
}

func (g generator) time() time.Time {
	return g.now.Add(-time.Duration(g.rnd.Int64N(int64(72 * time.Hour)))).UTC()
}

// bounds returns the bounds of a number, of at most a million.
func bounds(s *openapi3.Schema) (low, high float64) {
	low, high = -1e6, 1e6
	if s.Min != nil {
		low = *s.Min
	}
	if s.Max != nil {
		high = *s.Max
	}
	return low, max(low, min(high, 1e6))
}

// alphabet has what breaks queries, paths, line protocol, CSV and HTML.
var alphabet = []rune("aZ09 ,;/\\'\"<>&%+=#?*.-_~|{}[]()ạĐ本😀")

func (g generator) string(shortest int) string {
	var b strings.Builder
	for range shortest + g.rnd.IntN(12) {
		b.WriteRune(alphabet[g.rnd.IntN(len(alphabet))])
	}
	return b.String()
}
