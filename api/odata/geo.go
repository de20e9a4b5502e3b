package odata

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
	"github.com/paulmach/orb/planar"
)

func addGeoFunctions() {
	add := func(n int, f func(g []orb.Geometry) (any, error), names ...string) {
		for _, name := range names {
			functions[name] = function{n, n, func(_ *Context, args []any) (any, error) {
				g := make([]orb.Geometry, n)
				for i, a := range args {
					if a == nil {
						return nil, nil
					}
					var ok bool
					if g[i], ok = a.(orb.Geometry); !ok {
						return nil, ruleError(name + " needs geometries")
					}
				}
				return f(g)
			}}
		}
	}
	// point applies a relation of a point to a geometry, whichever argument is the point.
	point := func(f func(p orb.Point, g orb.Geometry) any) func([]orb.Geometry) (any, error) {
		return func(g []orb.Geometry) (any, error) {
			if p, ok := g[0].(orb.Point); ok {
				return f(p, g[1]), nil
			}
			if p, ok := g[1].(orb.Point); ok {
				return f(p, g[0]), nil
			}
			return nil, ruleError("one of the geometries must be a point")
		}
	}
	touches := func(p orb.Point, g orb.Geometry) any { return place(p, g) == onBorder }
	meets := func(p orb.Point, g orb.Geometry) any { return place(p, g) != outside }
	add(1, length, "geo.length")
	add(2, point(func(p orb.Point, g orb.Geometry) any { return distance(p, g) }), "geo.distance")
	add(2, point(meets), "geo.intersects", "st_intersects")
	add(2, point(func(p orb.Point, g orb.Geometry) any { return place(p, g) == outside }), "st_disjoint")
	add(2, point(touches), "st_touches")
	add(2, point(func(orb.Point, orb.Geometry) any { return false }), "st_overlaps", "st_crosses") // points do neither
	add(2, func(g []orb.Geometry) (any, error) { return orb.Equal(g[0], g[1]), nil }, "st_equals")
	add(2, func(g []orb.Geometry) (any, error) { return within(g[0], g[1]) }, "st_within")
	add(2, func(g []orb.Geometry) (any, error) { return within(g[1], g[0]) }, "st_contains")
}

// The places of a point with respect to a geometry. A point is inside of itself, and of a line between its ends.
const (
	outside = iota
	onBorder
	inside
)

// onLine is the distance within which a point is on a line, in degrees: about a millimetre.
const onLine = 1e-8

func place(p orb.Point, g orb.Geometry) int {
	switch g := g.(type) {
	case orb.Point:
		if p == g {
			return inside
		}
	case orb.LineString:
		switch {
		case p == g[0] || p == g[len(g)-1]:
			return onBorder
		case planar.DistanceFrom(g, p) <= onLine:
			return inside
		}
	case orb.Polygon:
		for _, ring := range g {
			if planar.DistanceFrom(orb.LineString(ring), p) <= onLine {
				return onBorder
			}
		}
		if planar.PolygonContains(g, p) {
			return inside
		}
	case orb.MultiPolygon:
		best := outside
		for _, part := range g {
			best = max(best, place(p, part))
		}
		return best
	}
	return outside
}

func within(a, b orb.Geometry) (any, error) {
	p, ok := a.(orb.Point)
	if !ok {
		return nil, ruleError("what is within must be a point")
	}
	return place(p, b) == inside, nil
}

// length returns the length of a line, in metres.
func length(g []orb.Geometry) (any, error) {
	line, ok := g[0].(orb.LineString)
	if !ok {
		return nil, ruleError("geo.length needs a line")
	}
	return geo.Length(line), nil
}

// distance returns the distance of a point from a geometry, in metres; 0 inside of it.
func distance(p orb.Point, g orb.Geometry) float64 {
	switch g := g.(type) {
	case orb.Point:
		return geo.DistanceHaversine(p, g)
	case orb.LineString:
		return lineDistance(p, g)
	case orb.Polygon:
		if place(p, g) != outside {
			return 0
		}
		nearest := math.Inf(1)
		for _, ring := range g {
			nearest = min(nearest, lineDistance(p, orb.LineString(ring)))
		}
		return nearest
	case orb.MultiPolygon:
		nearest := math.Inf(1)
		for _, part := range g {
			nearest = min(nearest, distance(p, part))
		}
		return nearest
	}
	return math.Inf(1)
}

// lineDistance returns the distance of a point from a line, in metres: in a plane around the point, which is right to
// a metre within 50 km.
func lineDistance(p orb.Point, line orb.LineString) float64 {
	k := math.Cos(p[1] * math.Pi / 180)
	flat := slices.Clone(line)
	for i, q := range flat {
		flat[i] = orb.Point{(q[0] - p[0]) * k, q[1] - p[1]}
	}
	return planar.DistanceFrom(flat, orb.Point{}) * math.Pi / 180 * orb.EarthRadius
}
