package tile

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
	"github.com/paulmach/orb/planar"
	"pgregory.net/rapid"
)

func TestOutlineEnclosesPoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) orb.Point {
			return orb.Point{
				rapid.Float64Range(105.5, 106.1).Draw(t, "lon"),
				rapid.Float64Range(20.7, 21.4).Draw(t, "lat"),
			}
		}), 1, 40).Draw(t, "points")
		outline := NewOutline(points)
		ring := outline[0]
		if len(outline) != 1 || !ring.Closed() || ring.Orientation() != orb.CCW {
			t.Fatalf("not one closed counter-clockwise ring: %v", outline)
		}
		for _, p := range points {
			if !planar.PolygonContains(outline, p) {
				t.Fatalf("%v lies outside", p)
			}
			if d := distanceToRing(ring, p); d < outlineMargin*0.99 {
				t.Fatalf("%v is %v m from the outline", p, d)
			}
		}
		for _, corner := range ring {
			nearest := math.Inf(1)
			for i := range points {
				for j := range i + 1 {
					nearest = min(nearest, distanceToSide(points[i], points[j], corner))
				}
			}
			if nearest > outlineMargin*1.05 {
				t.Fatalf("corner %v is %v m from the nearest point", corner, nearest)
			}
		}
	})
}

func distanceToRing(r orb.Ring, p orb.Point) float64 {
	nearest := math.Inf(1)
	for i := 1; i < len(r); i++ {
		nearest = min(nearest, distanceToSide(r[i-1], r[i], p))
	}
	return nearest
}

// distanceToSide returns metres in the plane tangent to the earth at p, accurate to one in a thousand across a city.
func distanceToSide(a, b, p orb.Point) float64 {
	flat := func(q orb.Point) orb.Point {
		return orb.Point{
			math.Copysign(geo.DistanceHaversine(orb.Point{q[0], p[1]}, p), q[0]-p[0]),
			math.Copysign(geo.DistanceHaversine(orb.Point{p[0], q[1]}, p), q[1]-p[1]),
		}
	}
	return planar.DistanceFromSegment(flat(a), flat(b), orb.Point{})
}

func TestOutlineOfFewPoints(t *testing.T) {
	nan := math.NaN()
	if got := NewOutline(nil); got != nil {
		t.Errorf("no points: %v", got)
	}
	if got := NewOutline([]orb.Point{{nan, 21}, {200, 21}}); got != nil {
		t.Errorf("invalid points: %v", got)
	}
	if got := NewOutline([]orb.Point{hanoi, hanoi, {nan, nan}}); len(got[0]) != outlineCorners+1 {
		t.Errorf("one point: %v", got)
	}
	if got := NewOutline([]orb.Point{{105, 21}, {105.5, 21}, {106, 21}}); len(got[0]) < outlineCorners {
		t.Errorf("straight line: %v", got)
	}
	for _, p := range NewOutline([]orb.Point{{-180, 90}, {180, -90}})[0] {
		if _, ok := mercator(p); !ok {
			t.Errorf("points all over the world: %v", p)
		}
	}
}
