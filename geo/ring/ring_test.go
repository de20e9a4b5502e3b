package ring

import (
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"pgregory.net/rapid"
)

const maxVertices = 100

// TestSimplifiedRingsDoNotCross simplifies rings of any form, also ones that cross themselves.
func TestSimplifiedRingsDoNotCross(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.IntRange(0, 1<<20)
		n := rapid.IntRange(maxVertices, 3*maxVertices).Draw(t, "vertices")
		var r orb.Ring
		for range n {
			r = append(r, orb.Point{float64(number.Draw(t, "x")), float64(number.Draw(t, "y"))})
		}
		r = append(r, r[0])
		out := Simplify(r, maxVertices)
		if len(out) > maxVertices || len(out) > 3 && out[0] != out[len(out)-1] {
			t.Fatalf("%d vertices", len(out))
		}
		if planar.Area(out) != 0 && CrossesItself(out) {
			t.Fatalf("crosses itself: %v", out)
		}
	})
}
