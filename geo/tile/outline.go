package tile

import (
	"math"

	"nhip/geo/ring"

	"github.com/paulmach/orb"
)

const (
	// outlineMargin is the distance in metres between an outline and the points: some 20 minutes on foot, as far as
	// anyone walks to a bus.
	outlineMargin = 1500
	// outlineCorners is the number of corners by which a full circle is approximated.
	outlineCorners = 16
	// outlinePrecision is the number of steps per degree to which coordinates are rounded: about a metre.
	outlinePrecision = 1e5
)

// metresPerDegree is the length of a degree along a meridian on the sphere of orb/geo.
const metresPerDegree = orb.EarthRadius * math.Pi / 180

// NewOutline returns the convex hull of the points (WGS84 lon, lat), extended by 1.5 km with rounded corners, as
// one counter-clockwise ring (RFC 7946). It returns nil without valid points. Metres are exact at the centre
// latitude and accurate to one percent across a city region. Points on both sides of the antimeridian are
// connected the long way round.
func NewOutline(points []orb.Point) orb.Polygon {
	var places []orb.Point
	for _, p := range points {
		if _, ok := mercator(p); ok {
			places = append(places, p)
		}
	}
	if len(places) == 0 {
		return nil
	}
	centre := orb.MultiPoint(places).Bound().Center()
	// A lower bound on the cosine avoids a division by zero at the poles.
	scale := orb.Point{max(0.01, math.Cos(centre[1]*math.Pi/180)) * metresPerDegree, metresPerDegree}
	metres := make([]orb.Point, len(places))
	for i, p := range places {
		metres[i] = orb.Point{(p[0] - centre[0]) * scale[0], (p[1] - centre[1]) * scale[1]}
	}
	outer := orb.Ring(ring.Hull(buffered(ring.Hull(metres))))
	for i, p := range outer {
		outer[i] = orb.Point{
			roundDegrees(centre[0]+p[0]/scale[0], 180),
			roundDegrees(centre[1]+p[1]/scale[1], 90),
		}
	}
	return orb.Polygon{append(outer, outer[0])}
}

func roundDegrees(degrees, limit float64) float64 {
	return max(-limit, min(limit, math.Round(degrees*outlinePrecision)/outlinePrecision))
}

// buffered replaces each point by the corners of a polygon around it. outlineMargin is the radius of the
// inscribed circle, so the hull of all corners is nowhere closer to the points.
func buffered(points []orb.Point) []orb.Point {
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
