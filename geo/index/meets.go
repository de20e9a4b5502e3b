package index

import (
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// Meets reports whether any part of a geometry lies in the box, edges included: a point, lines, or areas, of which a
// box that lies wholly inside meets one, too, and a box in a hole does not.
func (b Box) Meets(g orb.Geometry) bool {
	switch g := g.(type) {
	case orb.Point:
		return b.Contains(g)
	case orb.LineString:
		return b.meetsPath(g)
	case orb.MultiLineString:
		for _, line := range g {
			if b.meetsPath(line) {
				return true
			}
		}
	case orb.Polygon:
		return b.meetsArea(g)
	case orb.MultiPolygon:
		for _, p := range g {
			if b.meetsArea(p) {
				return true
			}
		}
	}
	return false
}

func (b Box) meetsArea(p orb.Polygon) bool {
	for _, ring := range p {
		if b.meetsPath(orb.LineString(ring)) {
			return true
		}
	}
	// No border lies in the box: it is wholly inside or wholly outside. So is each half of one across the antimeridian.
	for _, half := range b.halves() {
		if len(p) > 0 && len(p[0]) > 0 && planar.PolygonContains(p, half.Min) {
			return true
		}
	}
	return false
}

func (b Box) meetsPath(line orb.LineString) bool {
	if len(line) == 0 {
		return false
	}
	bound := line.Bound()
	for _, half := range b.halves() {
		if half.Intersects(bound) && crosses(half, line) {
			return true
		}
	}
	return false
}

// halves are the one bound of a box, or the two of one that crosses the antimeridian.
func (b Box) halves() []orb.Bound {
	if b.MinLon <= b.MaxLon {
		return []orb.Bound{{Min: orb.Point{b.MinLon, b.MinLat}, Max: orb.Point{b.MaxLon, b.MaxLat}}}
	}
	return []orb.Bound{
		{Min: orb.Point{b.MinLon, b.MinLat}, Max: orb.Point{180, b.MaxLat}},
		{Min: orb.Point{-180, b.MinLat}, Max: orb.Point{b.MaxLon, b.MaxLat}},
	}
}

// crosses reports whether any part of a path lies in a bound.
func crosses(b orb.Bound, line orb.LineString) bool {
	if len(line) == 1 {
		return b.Contains(line[0])
	}
	for i := 1; i < len(line); i++ {
		if passes(b, line[i-1], line[i]) {
			return true
		}
	}
	return false
}

// passes reports whether any part of the stretch from p to q lies in a bound. Liang and Barsky: each side of the bound
// leaves of the stretch what is on its inner side, and something must be left.
func passes(b orb.Bound, p, q orb.Point) bool {
	from, to := 0.0, 1.0 // what is left, as parts of the stretch
	for axis := range 2 {
		d := q[axis] - p[axis]
		low, high := b.Min[axis]-p[axis], b.Max[axis]-p[axis]
		if d == 0 {
			if low > 0 || high < 0 {
				return false
			}
			continue
		}
		if d < 0 {
			low, high = high, low
		}
		from, to = max(from, low/d), min(to, high/d)
		if from > to {
			return false
		}
	}
	return true
}
