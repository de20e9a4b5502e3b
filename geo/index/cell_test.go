package index

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// TestBoundsHold draws a cell and asks from anywhere: the bound on a quarter must not be above the
// haversine of any of its corners.
func TestBoundsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inside, at := anyPoint().Draw(t, "inside"), anyPoint().Draw(t, "at")
		c := world
		for range rapid.IntRange(0, maxDepth).Draw(t, "depth") {
			c = c.child(c.quadrant(key(inside)))
		}
		if !c.covers(key(inside)) {
			t.Fatalf("%v has left its cell %+v", inside, c)
		}
		var s search[thing]
		s.from(at)
		west, east, south, north := s.bounds(&fork[thing]{cell: c, cos: c.minCos()})
		for q, bound := range [...]float64{west + south, east + south, west + north, east + north} {
			k := c.child(q)
			for _, corner := range []orb.Point{
				{k.lon - k.half, k.lat - k.half/2},
				{k.lon + k.half, k.lat - k.half/2},
				{k.lon - k.half, k.lat + k.half/2},
				{k.lon + k.half, k.lat + k.half/2},
			} {
				sin := math.Sin(distance(at, corner) / (2 * orb.EarthRadius))
				if bound > widen(sin*sin) {
					t.Fatalf("from %v the bound on quarter %d of %+v is %v, its corner %v has %v",
						at, q, c, bound, corner, sin*sin)
				}
			}
		}
	})
}
