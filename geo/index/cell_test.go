package index

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// The bound of a quadrant must not exceed the haversine of any of its corners, for any cell and any query point.
func TestBoundsAreLowerBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inside, at := anyPoint().Draw(t, "inside"), anyPoint().Draw(t, "at")
		c := world
		for range rapid.IntRange(0, maxDepth).Draw(t, "depth") {
			c = c.child(c.quadrant(key(inside)))
		}
		if !c.covers(key(inside)) {
			t.Fatalf("%v lies outside its cell %+v", inside, c)
		}
		var s search[thing]
		s.setOrigin(at)
		west, east, south, north := s.bounds(&node[thing]{cell: c, cos: c.minCos()})
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
					t.Fatalf("from %v the bound of quadrant %d of %+v is %v, but its corner %v has %v",
						at, q, c, bound, corner, sin*sin)
				}
			}
		}
	})
}
