package index

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
	"pgregory.net/rapid"
)

// TestBoundsHold draws a cell around a place and asks from anywhere: the bound on the quarter that
// holds the place must not be above the place's own haversine.
func TestBoundsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, at := anyPoint().Draw(t, "point"), anyPoint().Draw(t, "at")
		c := world
		for range rapid.IntRange(0, maxDepth).Draw(t, "depth") {
			c = c.child(c.quadrant(key(p)))
		}
		if !c.covers(key(p)) {
			t.Fatalf("%v has left its cell %+v", p, c)
		}
		var s search[thing]
		s.from(at)
		west, east, south, north := s.bounds(&fork[thing]{cell: c, cos: c.minCos()})
		bound := [...]float64{west + south, east + south, west + north, east + north}[c.quadrant(key(p))]

		sin := math.Sin(distance(at, p) / (2 * orb.EarthRadius))
		if bound > widen(sin*sin) {
			t.Fatalf("from %v the bound on %v in %+v is %v, its haversine %v (%v m)",
				at, p, c, bound, sin*sin, geo.DistanceHaversine(at, p))
		}
	})
}
