package index

import (
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// Intersects reports whether any part of a geometry lies in the box, edges included. Points, lines and polygons
// are supported. A box inside a polygon intersects it; a box inside a hole does not.
func (b Box) Intersects(g orb.Geometry) bool {
	switch g := g.(type) {
	case orb.Point:
		return b.Contains(g)
	case orb.LineString:
		return b.intersectsPath(g)
	case orb.MultiLineString:
		for _, line := range g {
			if b.intersectsPath(line) {
				return true
			}
		}
	case orb.Polygon:
		return b.intersectsPolygon(g)
	case orb.MultiPolygon:
		for _, p := range g {
			if b.intersectsPolygon(p) {
				return true
			}
		}
	}
	return false
}

func (b Box) intersectsPolygon(p orb.Polygon) bool {
	for _, ring := range p {
		if b.intersectsPath(orb.LineString(ring)) {
			return true
		}
	}
	// No border crosses the box, so each half of it lies entirely inside or entirely outside the polygon.
	for _, half := range b.halves() {
		if len(p) > 0 && len(p[0]) > 0 && planar.PolygonContains(p, half.Min) {
			return true
		}
	}
	return false
}

func (b Box) intersectsPath(line orb.LineString) bool {
	if len(line) == 0 {
		return false
	}
	bound := line.Bound()
	for _, half := range b.halves() {
		if half.Intersects(bound) && pathIntersects(half, line) {
			return true
		}
	}
	return false
}

// halves returns the bound of a box, or two bounds if it crosses the antimeridian.
func (b Box) halves() []orb.Bound {
	if b.MinLon <= b.MaxLon {
		return []orb.Bound{{Min: orb.Point{b.MinLon, b.MinLat}, Max: orb.Point{b.MaxLon, b.MaxLat}}}
	}
	return []orb.Bound{
		{Min: orb.Point{b.MinLon, b.MinLat}, Max: orb.Point{180, b.MaxLat}},
		{Min: orb.Point{-180, b.MinLat}, Max: orb.Point{b.MaxLon, b.MaxLat}},
	}
}

// pathIntersects reports whether any part of a path lies in a bound.
func pathIntersects(b orb.Bound, line orb.LineString) bool {
	if len(line) == 1 {
		return b.Contains(line[0])
	}
	for i := 1; i < len(line); i++ {
		if segmentIntersects(b, line[i-1], line[i]) {
			return true
		}
	}
	return false
}

// segmentIntersects reports whether any part of the segment from p to q lies in a bound, by the algorithm of Liang and
// Barsky: each side of the bound cuts off a part of the segment, and something must remain.
func segmentIntersects(b orb.Bound, p, q orb.Point) bool {
	from, to := 0.0, 1.0 // the remaining part of the segment
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
