package index

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
	"pgregory.net/rapid"
)

// thing is the item type of the tests.
type thing struct {
	id   string
	even bool
}

// anyPoint generates places where distances are error-prone: all over the world, around the poles and the
// antimeridian, in one city, on whole degrees (where many distances are equal), and at one point.
func anyPoint() *rapid.Generator[orb.Point] {
	lonLat := func(west, south, east, north float64) *rapid.Generator[orb.Point] {
		return rapid.Custom(func(t *rapid.T) orb.Point {
			return orb.Point{
				rapid.Float64Range(west, east).Draw(t, "lon"),
				rapid.Float64Range(south, north).Draw(t, "lat"),
			}
		})
	}
	return rapid.OneOf(
		lonLat(-180, -90, 180, 90),
		lonLat(-180, 89.9, 180, 90),
		lonLat(-180, -90, 180, -89.9),
		lonLat(179.99, -30, 180, 30),
		lonLat(-180, -30, -179.99, 30),
		lonLat(105.7, 20.9, 105.96, 21.15),
		rapid.Custom(func(t *rapid.T) orb.Point {
			return orb.Point{
				float64(rapid.IntRange(-180, 180).Draw(t, "lon")),
				float64(rapid.IntRange(-90, 90).Draw(t, "lat")),
			}
		}),
		rapid.SampledFrom([]orb.Point{
			{105.8, 21}, {105.8 + 1e-9, 21}, {0, 0}, {0, 90}, {90, 90}, {0, -90}, {180, 0}, {-180, 0},
		}),
	)
}

// Nearest and Within must equal a scan of all items, after sets, moves and removals. The full count is
// -rapid.checks=100000.
func TestIndexAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := New[thing]()
		all := map[string]orb.Point{}
		points := anyPoint()
		n := rapid.IntRange(0, 300).Draw(t, "changes")
		for range n {
			id := fmt.Sprint(rapid.IntRange(0, 150).Draw(t, "id"))
			if rapid.IntRange(0, 4).Draw(t, "remove") == 0 {
				_, want := all[id]
				if got := x.Remove(id); got != want {
					t.Fatalf("Remove(%s) = %v, want %v", id, got, want)
				}
				delete(all, id)
				continue
			}
			p := points.Draw(t, "point")
			if err := x.Set(id, p, thing{id, len(id)%2 == 0}); err != nil {
				t.Fatal(err)
			}
			all[id] = p
		}
		checkTree(t, x, len(all))
		for range 4 {
			checkNearest(t, x, all)
			checkWithin(t, x, all)
		}
	})
}

func checkNearest(t *rapid.T, x *Index[thing], all map[string]orb.Point) {
	at := anyPoint().Draw(t, "at")
	k := rapid.SampledFrom([]int{1, 2, 10, 40, maxSorted, maxSorted + 1, 1000}).Draw(t, "k")
	radius := rapid.SampledFrom([]float64{math.Inf(1), 1e8, 1, 500, 2e4, 5e6, 111319.49079327357}).Draw(t, "radius")
	var keep func(*thing) bool
	if rapid.Bool().Draw(t, "filter") {
		keep = func(i *thing) bool { return i.even }
	}
	want := bruteNearest(all, at, k, radius, keep)
	got := x.Nearest(nil, at, k, radius, keep)
	if len(got) != len(want) {
		t.Fatalf("Nearest(%v, %d, %v): %d hits, want %d", at, k, radius, len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.ID != w.ID || g.Item.id != w.ID || g.Point != w.Point || math.Abs(g.Metres-w.Metres) > 1e-7 {
			t.Fatalf("Nearest(%v, %d, %v)[%d] = %+v, want %+v", at, k, radius, i, g, w)
		}
	}
}

func bruteNearest(all map[string]orb.Point, at orb.Point, k int, radius float64, keep func(*thing) bool) []Hit[thing] {
	var hits []Hit[thing]
	for id, p := range all {
		item := thing{id, len(id)%2 == 0}
		m := geo.DistanceHaversine(at, p)
		if math.IsNaN(m) { // orb's result for some antipodal places
			m = math.Pi * orb.EarthRadius
		}
		if m <= radius && (keep == nil || keep(&item)) {
			hits = append(hits, Hit[thing]{id, item, p, m})
		}
	}
	slices.SortFunc(hits, func(a, b Hit[thing]) int {
		return cmp.Or(cmp.Compare(a.Metres, b.Metres), cmp.Compare(a.ID, b.ID))
	})
	return hits[:min(k, len(hits))]
}

func checkWithin(t *rapid.T, x *Index[thing], all map[string]orb.Point) {
	sw, ne := anyPoint().Draw(t, "sw"), anyPoint().Draw(t, "ne")
	box := Box{sw[0], min(sw[1], ne[1]), ne[0], max(sw[1], ne[1])} // west of the antimeridian or across it
	var want []string
	for id, p := range all {
		if box.Contains(p) {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	if got := ids(x.Within(nil, box, nil)); !slices.Equal(got, want) {
		t.Fatalf("Within(%v) = %v, want %v", box, got, want)
	}
}

func ids[T any](hits []Hit[T]) []string {
	var ids []string
	for _, h := range hits {
		ids = append(ids, h.ID)
	}
	return ids
}

func TestNearestEdgeCases(t *testing.T) {
	x := New[int]()
	if err := x.Set("a", orb.Point{105.8, 21}, 1); err != nil {
		t.Fatal(err)
	}
	here := orb.Point{105.8, 21}
	for _, c := range []struct {
		name   string
		at     orb.Point
		k      int
		radius float64
		want   int
	}{
		{"one item", here, 1, 1, 1},
		{"more than all items", here, math.MaxInt, math.Inf(1), 1},
		{"k 0", here, 0, 1, 0},
		{"k negative", here, -1, 1, 0},
		{"radius 0", here, 1, 0, 0},
		{"radius negative", here, 1, -1, 0},
		{"radius NaN", here, 1, math.NaN(), 0},
		{"coordinate NaN", orb.Point{math.NaN(), 21}, 1, 1, 0},
		{"coordinate Inf", orb.Point{105.8, math.Inf(-1)}, 1, 1, 0},
		{"coordinate out of range", orb.Point{181, 21}, 1, math.Inf(1), 0},
	} {
		stale := []Hit[int]{{ID: "stale"}}
		if got := x.Nearest(stale, c.at, c.k, c.radius, nil); len(got) != c.want {
			t.Errorf("%s: %v, want %d hits", c.name, got, c.want)
		}
	}
	if got := New[int]().Nearest(nil, here, 1, 1, nil); len(got) != 0 {
		t.Errorf("empty index returned %v", got)
	}
}

func TestNearestRadiusIsInclusive(t *testing.T) {
	x := New[int]()
	at, p := orb.Point{105.8, 21}, orb.Point{105.81, 21.003}
	if err := x.Set("a", p, 1); err != nil {
		t.Fatal(err)
	}
	m := geo.DistanceHaversine(at, p)
	if got := x.Nearest(nil, at, 1, m, nil); len(got) != 1 {
		t.Errorf("item at exactly the radius is missing")
	}
	if got := x.Nearest(nil, at, 1, math.Nextafter(m, 0), nil); len(got) != 0 {
		t.Errorf("item one bit beyond the radius is included: %v", got)
	}
}

// orb's distance between these two places is NaN.
func TestNearestAntipodal(t *testing.T) {
	x := New[int]()
	if err := x.Set("a", orb.Point{0, 7}, 1); err != nil {
		t.Fatal(err)
	}
	got := x.Nearest(nil, orb.Point{180, -7}, 1, math.Inf(1), nil)
	if want := math.Pi * orb.EarthRadius; len(got) != 1 || got[0].Metres != want {
		t.Errorf("got %v, want %v m", got, want)
	}
}

// Places where a search in degrees would look on the wrong side of the world.
func TestNearestAcrossAntimeridianAndPoles(t *testing.T) {
	x := New[int]()
	for id, p := range map[string]orb.Point{
		"fiji west": {179.9, -17}, "fiji east": {-179.95, -17}, "samoa": {-172, -13.8},
		"pole 0": {0, 89.9}, "pole 180": {180, 89.95}, "svalbard": {15, 78},
	} {
		if err := x.Set(id, p, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		at   orb.Point
		want []string
	}{
		{orb.Point{179.99, -17}, []string{"fiji east", "fiji west"}},
		{orb.Point{-180, -17}, []string{"fiji east", "fiji west"}},
		{orb.Point{90, 90}, []string{"pole 180", "pole 0"}},
		{orb.Point{0, 89.99}, []string{"pole 180", "pole 0"}},
	} {
		c.want[0], c.want[1] = nearer(x, c.at, c.want[0], c.want[1])
		if got := ids(x.Nearest(nil, c.at, 2, math.Inf(1), nil)); !slices.Equal(got, c.want) {
			t.Errorf("Nearest(%v) = %v, want %v", c.at, got, c.want)
		}
	}
}

// nearer returns two ids in the order of their distance by geo.DistanceHaversine.
func nearer(x *Index[int], at orb.Point, a, b string) (string, string) {
	ea, _ := x.entry(a)
	eb, _ := x.entry(b)
	if geo.DistanceHaversine(at, eb.point) < geo.DistanceHaversine(at, ea.point) {
		return b, a
	}
	return a, b
}
