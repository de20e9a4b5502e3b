package tile

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// margin is how far the outline stays outside of what it surrounds, in metres, and corners how many
// points each place is surrounded by, which rounds the outline.
const (
	margin        = 1500.0
	corners       = 12
	metresPerDeg  = math.Pi * orb.EarthRadius / 180
	steepestSlope = 0.01 // cosine of the latitude: nearer to a pole no outline is drawn in degrees
)

// NewOutline returns the hull of places with a margin of 1.5 km, counter-clockwise as RFC 7946
// asks; nil for no places. Near the antimeridian and the poles, where degrees are no plane, it is
// nil too.
func NewOutline(places []orb.Point) orb.Polygon {
	if len(places) == 0 {
		return nil
	}
	var around []orb.Point
	for _, p := range hull(slices.Clone(places)) {
		scale := math.Cos(p.Lat() * math.Pi / 180)
		if scale < steepestSlope {
			return nil
		}
		for i := range corners {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
			around = append(around, orb.Point{
				p.Lon() + cos*margin/(metresPerDeg*scale), p.Lat() + sin*margin/metresPerDeg,
			})
		}
	}
	ring := hull(around)
	b := orb.MultiPoint(ring).Bound()
	if b.Min[0] < -180 || b.Max[0] > 180 || b.Max[0]-b.Min[0] > 180 {
		return nil
	}
	return orb.Polygon{append(orb.Ring(ring), ring[0])}
}

// hull is Andrew's monotone chain: the convex hull, counter-clockwise, not closed. It sorts points.
func hull(points []orb.Point) []orb.Point {
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

func chain(points []orb.Point) []orb.Point {
	var out []orb.Point
	for _, p := range points {
		for len(out) >= 2 && cross(out[len(out)-2], out[len(out)-1], p) <= 0 {
			out = out[:len(out)-1]
		}
		out = append(out, p)
	}
	return out
}

func cross(o, a, b orb.Point) float64 {
	return (a[0]-o[0])*(b[1]-o[1]) - (a[1]-o[1])*(b[0]-o[0])
}
