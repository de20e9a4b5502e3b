package tile

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

const (
	// outlineMargin is how far, in metres, an outline lies from what it goes around: some
	// 20 minutes on foot, as far as anyone walks to a bus.
	outlineMargin = 1500
	// outlineCorners is into how many corners a full turn is rounded.
	outlineCorners = 16
	// outlineGrain is to how many parts of a degree its points are rounded: about a metre.
	outlineGrain = 1e5
)

// metresPerDegree is along a meridian, on the sphere of orb/geo.
const metresPerDegree = orb.EarthRadius * math.Pi / 180

// NewOutline returns the convex hull of the points (WGS84 lon, lat), pushed outwards by 1.5 km with
// rounded corners, as one counter-clockwise ring (RFC 7946); nil when no point is a place. Metres
// are true at the middle latitude and good to a percent over a city region. Points on both sides
// of the antimeridian are taken to be the long way apart.
func NewOutline(points []orb.Point) orb.Polygon {
	var places []orb.Point
	for _, p := range points {
		if _, ok := onMap(p); ok {
			places = append(places, p)
		}
	}
	if len(places) == 0 {
		return nil
	}
	middle := orb.MultiPoint(places).Bound().Center()
	// cos is held above 0 for who draws a network around a pole.
	scale := orb.Point{max(0.01, math.Cos(middle[1]*math.Pi/180)) * metresPerDegree, metresPerDegree}
	metres := make([]orb.Point, len(places))
	for i, p := range places {
		metres[i] = orb.Point{(p[0] - middle[0]) * scale[0], (p[1] - middle[1]) * scale[1]}
	}
	ring := orb.Ring(convexHull(pushedOut(convexHull(metres))))
	for i, p := range ring {
		ring[i] = orb.Point{
			grained(middle[0]+p[0]/scale[0], 180),
			grained(middle[1]+p[1]/scale[1], 90),
		}
	}
	return orb.Polygon{append(ring, ring[0])}
}

func grained(degrees, limit float64) float64 {
	return max(-limit, min(limit, math.Round(degrees*outlineGrain)/outlineGrain))
}

// pushedOut puts a circle of corners around every point. Their hull has no side nearer than
// outlineMargin: that is the radius of the circle inside the corners.
func pushedOut(points []orb.Point) []orb.Point {
	const turn = 2 * math.Pi / outlineCorners
	radius := outlineMargin / math.Cos(turn/2)
	var out []orb.Point
	for _, p := range points {
		for i := range outlineCorners {
			sin, cos := math.Sincos(float64(i) * turn)
			out = append(out, orb.Point{p[0] + radius*cos, p[1] + radius*sin})
		}
	}
	return out
}

// convexHull is Andrew's monotone chain: the corners counter-clockwise, without those on a side.
func convexHull(points []orb.Point) []orb.Point {
	points = slices.Clone(points)
	slices.SortFunc(points, func(a, b orb.Point) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	points = slices.Compact(points)
	if len(points) < 3 {
		return points
	}
	lower := chain(points)
	slices.Reverse(points)
	upper := chain(points)
	return append(lower[:len(lower)-1], upper[:len(upper)-1]...)
}

// chain goes along sorted points and keeps those where it turns left.
func chain(points []orb.Point) []orb.Point {
	var c []orb.Point
	for _, p := range points {
		for len(c) > 1 && cross(c[len(c)-2], c[len(c)-1], p) <= 0 {
			c = c[:len(c)-1]
		}
		c = append(c, p)
	}
	return c
}

// cross is positive when a, b, c turn left.
func cross(a, b, c orb.Point) float64 {
	return (b[0]-a[0])*(c[1]-a[1]) - (b[1]-a[1])*(c[0]-a[0])
}
