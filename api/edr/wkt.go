package edr

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// Limits of a geometry.
const (
	maxWKT      = 64 << 10 // bytes
	maxVertices = 2000
)

// wkt is a geometry in well-known text.
type wkt struct {
	kind     string // POINT, MULTIPOINT, LINESTRING, POLYGON or MULTIPOLYGON
	points   []orb.Point
	measures []float64 // of points: the M of LINESTRINGM, else nil
	polygons orb.MultiPolygon
}

// parseWKT parses a geometry of one of the kinds. latFirst swaps the two coordinates of each position. An error states
// the rule and where in the text it is broken, but not what is there: places are not repeated.
func parseWKT(text string, latFirst bool, kinds ...string) (*wkt, error) {
	if len(text) > maxWKT {
		return nil, fmt.Errorf("must be at most %d bytes, got %d", maxWKT, len(text))
	}
	p := wktParser{text: text, latFirst: latFirst}
	kind, dimension := p.kind()
	known := false
	for _, k := range kinds {
		known = known || k == kind
	}
	switch {
	case !known:
		return nil, fmt.Errorf("must be well-known text of %s", strings.Join(kinds, " or "))
	case strings.Contains(dimension, "Z"):
		return nil, errors.New("must have no Z: the data have no heights")
	case dimension == "M" && kind != "LINESTRING":
		return nil, errors.New("must have no M, which only a LINESTRING has, as times")
	}
	p.measured = dimension == "M"
	out, err := p.geometry(kind)
	p.skip()
	if err == nil && p.at < len(p.text) {
		return nil, p.fail("nothing more is expected")
	}
	return out, err
}

// wktParser reads a text from left to right. It is bounded by the text and maxVertices, and does not recurse.
type wktParser struct {
	text     string
	at       int
	latFirst bool
	measured bool
	vertices int
}

func (p *wktParser) fail(rule string) error {
	return fmt.Errorf("is no valid well-known text: %s at character %d", rule, p.at+1)
}

func (p *wktParser) skip() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

// word reads letters, in capitals.
func (p *wktParser) word() string {
	p.skip()
	begin := p.at
	for p.at < len(p.text) && (p.text[p.at]|0x20) >= 'a' && (p.text[p.at]|0x20) <= 'z' {
		p.at++
	}
	return strings.ToUpper(p.text[begin:p.at])
}

// kind reads the kind and the dimension: "", "Z", "M" or "ZM". They may be one word.
func (p *wktParser) kind() (kind, dimension string) {
	kind = p.word()
	for _, d := range []string{"ZM", "Z", "M"} {
		if base, ok := strings.CutSuffix(kind, d); ok {
			return base, d
		}
	}
	return kind, p.word()
}

// take reads a character, if it is the next one.
func (p *wktParser) take(c byte) bool {
	p.skip()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *wktParser) geometry(kind string) (*wkt, error) {
	out, err := &wkt{kind: kind}, error(nil)
	switch kind {
	case "POLYGON":
		var one orb.Polygon
		one, err = p.polygon()
		out.polygons = orb.MultiPolygon{one}
	case "MULTIPOLYGON":
		err = p.list(func() error {
			one, err := p.polygon()
			out.polygons = append(out.polygons, one)
			return err
		})
	default:
		out.points, out.measures, err = p.positions(kind == "MULTIPOINT")
	}
	switch n := len(out.points); {
	case err != nil:
		return nil, err
	case kind == "POINT" && n != 1:
		return nil, errors.New("must have one position")
	case kind == "LINESTRING" && n < 2:
		return nil, errors.New("must have at least two positions")
	}
	return out, nil
}

// list reads (element, element, …).
func (p *wktParser) list(element func() error) error {
	if !p.take('(') {
		return p.fail("an opening bracket is expected")
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if p.take(')') {
			return nil
		}
		if !p.take(',') {
			return p.fail("a comma or a closing bracket is expected")
		}
	}
}

func (p *wktParser) polygon() (orb.Polygon, error) {
	var out orb.Polygon
	err := p.list(func() error {
		points, _, err := p.positions(false)
		if err == nil && (len(points) < 4 || points[0] != points[len(points)-1]) {
			err = errors.New("must have rings of at least four positions, of which the last equals the first")
		}
		out = append(out, orb.Ring(points))
		return err
	})
	return out, err
}

// positions reads a list of positions, each of which may stand in brackets of its own.
func (p *wktParser) positions(bracketed bool) (points []orb.Point, measures []float64, err error) {
	err = p.list(func() error {
		own := bracketed && p.take('(')
		point, m, err := p.position()
		if err == nil && own && !p.take(')') {
			err = p.fail("a closing bracket is expected")
		}
		points = append(points, point)
		if p.measured {
			measures = append(measures, m)
		}
		return err
	})
	return points, measures, err
}

func (p *wktParser) position() (point orb.Point, m float64, err error) {
	if p.vertices++; p.vertices > maxVertices {
		return point, 0, fmt.Errorf("must have at most %d positions", maxVertices)
	}
	var v [3]float64
	n := 2
	if p.measured {
		n = 3
	}
	for i := range v[:n] {
		if v[i], err = p.number(); err != nil {
			return point, 0, err
		}
	}
	point = orb.Point{v[0], v[1]}
	if p.latFirst {
		point = orb.Point{v[1], v[0]}
	}
	if math.Abs(point[0]) > 180 || math.Abs(point[1]) > 90 {
		order := "longitude, latitude"
		if p.latFirst {
			order = "latitude, longitude"
		}
		return point, 0, fmt.Errorf("must have positions as %s in degrees, each within its range", order)
	}
	return point, v[2], nil
}

func (p *wktParser) number() (float64, error) {
	p.skip()
	begin := p.at
	for p.at < len(p.text) && strings.IndexByte("+-.eE0123456789", p.text[p.at]) >= 0 {
		p.at++
	}
	f, err := strconv.ParseFloat(p.text[begin:p.at], 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		p.at = begin
		return 0, p.fail("a number is expected")
	}
	return f, nil
}
