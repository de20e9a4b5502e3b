package index

import (
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

func TestIntersects(t *testing.T) {
	square := func(west, south, east, north float64) orb.Ring {
		return orb.Bound{Min: orb.Point{west, south}, Max: orb.Point{east, north}}.ToRing()
	}
	ring := orb.Polygon{square(0, 0, 10, 10), square(3, 3, 7, 7)}
	bent := orb.LineString{{0, 0}, {10, 0}, {10, 10}}
	for _, c := range []struct {
		name string
		box  Box
		g    orb.Geometry
		want bool
	}{
		{"point on the edge", Box{0, 0, 1, 1}, orb.Point{1, 1}, true},
		{"point outside", Box{0, 0, 1, 1}, orb.Point{1, 1.1}, false},
		{"inside the bound of a line that passes around", Box{1, 1, 9, 9}, bent, false},
		{"one of two lines", Box{1, 1, 9, 9}, orb.MultiLineString{bent, {{5, 5}, {20, 20}}}, true},
		{"line through the box without an end inside", Box{4, -1, 5, 1}, bent, true},
		{"line along the edge", Box{2, 0, 3, 1}, bent, true},
		{"line that touches a corner", Box{10, -5, 15, 0}, bent, true},
		{"line of one point", Box{0, 0, 1, 1}, orb.LineString{{0.5, 0.5}}, true},
		{"empty line", Box{0, 0, 1, 1}, orb.MultiLineString{{}}, false},
		{"inside a polygon", Box{1, 1, 2, 2}, ring, true},
		{"in a hole", Box{4, 4, 6, 6}, ring, false},
		{"across the border of a hole", Box{4, 4, 8, 6}, ring, true},
		{"around a polygon", Box{-1, -1, 11, 11}, orb.MultiPolygon{ring}, true},
		{"beside a polygon", Box{11, 0, 12, 10}, orb.MultiPolygon{ring}, false},
		{"polygon in the hole", Box{4, 4, 6, 6}, orb.MultiPolygon{ring, {square(4.5, 4.5, 5, 5)}}, true},
		{"empty polygon", Box{0, 0, 1, 1}, orb.MultiPolygon{{}}, false},
		{"across the antimeridian, east of it", Box{170, -5, -170, 5}, orb.LineString{{-175, -10}, {-175, 10}}, true},
		{"across the antimeridian, west of it", Box{170, -5, -170, 5}, orb.Polygon{square(160, -80, 179, 80)}, true},
		{"across the antimeridian, elsewhere", Box{170, -5, -170, 5}, bent, false},
	} {
		if got := c.box.Intersects(c.g); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// Expected result by integer arithmetic: a segment intersects a box if it ends inside or crosses one of the four
// sides.
func TestSegmentIntersectsBound(t *testing.T) {
	side := func(a, b, p orb.Point) float64 { return (b[0]-a[0])*(p[1]-a[1]) - (b[1]-a[1])*(p[0]-a[0]) }
	touch := func(a, b, c, d orb.Point) bool {
		return orb.LineString{a, b}.Bound().Intersects(orb.LineString{c, d}.Bound()) && side(a, b, c)*side(a, b, d) <= 0 &&
			side(c, d, a)*side(c, d, b) <= 0
	}
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.IntRange(-6, 6)
		point := func(name string) orb.Point {
			return orb.Point{float64(whole.Draw(t, name+" x")), float64(whole.Draw(t, name+" y"))}
		}
		p, q := point("p"), point("q")
		b := orb.LineString{point("corner"), point("other corner")}.Bound()
		want := b.Contains(p) || b.Contains(q)
		ring := b.ToRing()
		for i := 1; i < len(ring); i++ {
			want = want || touch(p, q, ring[i-1], ring[i])
		}
		if got := segmentIntersects(b, p, q); got != want {
			t.Fatalf("%v to %v in %v: %v, want %v", p, q, b, got, want)
		}
	})
}
