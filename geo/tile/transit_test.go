package tile

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"
	"github.com/paulmach/orb/planar"
	"pgregory.net/rapid"
)

// city returns a network of random lines around Hanoi, always the same for the same arguments.
func city(routes, points int) *TransitMap {
	r := rand.New(rand.NewPCG(1, 1))
	n := &TransitMap{}
	var all []orb.Point
	for i := range routes {
		var line orb.LineString
		p, heading := orb.Point{105.7 + r.Float64()*0.26, 20.9 + r.Float64()*0.25}, r.Float64()*7
		for range points {
			heading += (r.Float64() - 0.5) * 0.4
			sin, cos := math.Sincos(heading)
			p = orb.Point{p[0] + cos*4e-4, p[1] + sin*4e-4}
			line = append(line, p)
		}
		all = append(all, line...)
		n.Routes = append(n.Routes, Route{
			ID: fmt.Sprintf("r%d", i), Line: fmt.Sprint(i), Name: fmt.Sprintf("Bến %d", i), Color: "#0a7d3c",
			Shapes: []orb.LineString{line},
		})
		n.Stops = append(n.Stops, Stop{fmt.Sprintf("s%d", i), fmt.Sprintf("Điểm %d", i), line[0]})
	}
	n.Outline = NewOutline(all)
	return n
}

func copied(n *TransitMap) *TransitMap {
	c := &TransitMap{Stops: append([]Stop(nil), n.Stops...), Outline: n.Outline.Clone()}
	for _, r := range n.Routes {
		shapes := append([]orb.LineString(nil), r.Shapes...)
		for i := range shapes {
			shapes[i] = shapes[i].Clone()
		}
		r.Shapes = shapes
		c.Routes = append(c.Routes, r)
	}
	return c
}

func mustTile(t testing.TB, n *TransitMap, at maptile.Tile) []byte {
	t.Helper()
	b, err := n.Tile(at)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNetworkTile(t *testing.T) {
	n := city(20, 200)
	for _, zoom := range []maptile.Zoom{0, 5, 10, 12, 14, 17, 22} {
		at := tileAt(n.Stops[0].Point, zoom)
		layers := decode(t, mustTile(t, n, at))
		if got, want := layers["stops"] != nil, zoom >= StopsZoom; got != want {
			t.Errorf("zoom %d: stops %v, want %v", zoom, got, want)
		}
		if zoom < 10 {
			continue
		}
		if layers["outline"] == nil || len(layers["outline"].Features) != 1 {
			t.Errorf("zoom %d: no outline", zoom)
		}
		if layers["routes"] == nil {
			t.Errorf("zoom %d: no routes", zoom)
		}
	}
	layers := decode(t, mustTile(t, n, tileAt(n.Stops[0].Point, 14)))
	wantRoute := map[string]any{"route": "r0", "line": "0", "name": "Bến 0", "color": "#0a7d3c"}
	if diff := cmp.Diff(wantRoute, map[string]any(layers["routes"].Features[0].Properties)); diff != "" {
		t.Error(diff)
	}
	wantStop := map[string]any{"id": "s0", "name": "Điểm 0"}
	if diff := cmp.Diff(wantStop, map[string]any(layers["stops"].Features[0].Properties)); diff != "" {
		t.Error(diff)
	}
}

func TestNetworkTileFarAway(t *testing.T) {
	if b := mustTile(t, city(3, 20), maptile.New(0, 0, 10)); b != nil {
		t.Errorf("%d bytes far away from the network", len(b))
	}
	if b := mustTile(t, &TransitMap{}, maptile.New(0, 0, 0)); b != nil {
		t.Errorf("%d bytes for an empty network", len(b))
	}
}

// The line of a tile follows the shape, within one unit for simplification and half a unit for rounding.
func TestTileLinesFollowShapes(t *testing.T) {
	n := city(1, 300)
	for _, zoom := range []maptile.Zoom{10, 13, 16} {
		at := tileAt(n.Routes[0].Shapes[0][150], zoom)
		f := newFrame(at)
		var whole orb.LineString // the shape in tile units, not clipped
		for _, p := range n.Routes[0].Shapes[0] {
			q, _ := mercator(p)
			whole = append(whole, orb.Point{(q[0]*f.tiles - f.x) * extent, (q[1]*f.tiles - f.y) * extent})
		}
		vertices := 0
		for _, line := range lines(decode(t, mustTile(t, n, at))["routes"].Features[0].Geometry) {
			for _, p := range line {
				vertices++
				if d := planar.DistanceFrom(whole, p); d > 1.8 {
					t.Errorf("zoom %d: %v is %v units off the shape", zoom, p, d)
				}
			}
		}
		if vertices < 2 {
			t.Errorf("zoom %d: %d vertices", zoom, vertices)
		}
	}
}

func lines(g orb.Geometry) orb.MultiLineString {
	if l, ok := g.(orb.LineString); ok {
		return orb.MultiLineString{l}
	}
	return g.(orb.MultiLineString)
}

// Tiles made concurrently, twice each, are the same, and the network stays unchanged.
func TestTilesAreDeterministic(t *testing.T) {
	n := city(30, 200)
	before := copied(n)
	at := func(i int) maptile.Tile { return tileAt(n.Stops[i%10].Point, maptile.Zoom(8+i%8)) }
	var want [40][]byte
	fresh := copied(n)
	for i := range want {
		want[i] = mustTile(t, fresh, at(i))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range want {
				if b, err := n.Tile(at(i)); err != nil || !bytes.Equal(b, want[i]) {
					t.Errorf("tile %v differs between two calls: %v", at(i), err)
				}
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(before, n, cmpopts.IgnoreUnexported(TransitMap{})); diff != "" {
		t.Error("making tiles changed the network:", diff)
	}
}

// Polygons given in either direction, with or without a closing point, get the winding order of MVT. decode
// checks the signs of the areas.
func TestOutlineWinding(t *testing.T) {
	box := orb.Bound{Min: orb.Point{105.7, 20.9}, Max: orb.Point{106, 21.2}}.ToRing()
	hole := orb.Bound{Min: orb.Point{105.8, 21}, Max: orb.Point{105.9, 21.1}}.ToRing()
	reversed := func(r orb.Ring) orb.Ring { r = r.Clone(); r.Reverse(); return r }
	for i, p := range []orb.Polygon{
		{box, hole},
		{reversed(box), hole},
		{box, reversed(hole)},
		{reversed(box), reversed(hole)},
		{box[:4], hole[:4]}, // not closed
	} {
		layers := decode(t, mustTile(t, &TransitMap{Outline: p}, tileAt(hanoi, 8)))
		if got := layers["outline"].Features[0].Geometry.(orb.Polygon); len(got) != 2 {
			t.Errorf("%d: %d rings", i, len(got))
		}
	}
}

// Invalid and degenerate networks. decode checks that the result is valid.
func TestInvalidNetworks(t *testing.T) {
	coordinate := rapid.OneOf(
		rapid.Float64(),
		rapid.Float64Range(-200, 200),
		rapid.Float64Range(105.80, 105.81),
		rapid.SampledFrom([]float64{0, 90, -90, 180, -180, 85.0511, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64}),
	)
	point := rapid.Custom(func(t *rapid.T) orb.Point {
		return orb.Point{coordinate.Draw(t, "lon"), coordinate.Draw(t, "lat")}
	})
	rapid.Check(t, func(rt *rapid.T) {
		points := rapid.SliceOfN(point, 0, 12)
		n := &TransitMap{
			Routes: []Route{
				{ID: "a", Shapes: []orb.LineString{points.Draw(rt, "line"), points.Draw(rt, "line"), nil}},
				{ID: "a", Shapes: []orb.LineString{points.Draw(rt, "line")}},
				{},
			},
			Outline: orb.Polygon{points.Draw(rt, "ring"), points.Draw(rt, "ring"), nil},
		}
		for _, p := range points.Draw(rt, "stops") {
			n.Stops = append(n.Stops, Stop{ID: "s", Point: p})
		}
		if rapid.Bool().Draw(rt, "own outline") {
			n.Outline = NewOutline(points.Draw(rt, "hull"))
		}
		zoom := rapid.IntRange(0, MaxZoom).Draw(rt, "zoom")
		last := uint32(1)<<zoom - 1
		at := maptile.New(rapid.Uint32Range(0, last).Draw(rt, "x"), rapid.Uint32Range(0, last).Draw(rt, "y"),
			maptile.Zoom(zoom))
		if rapid.Bool().Draw(rt, "near") {
			at = tileAt(orb.Point{105.805, 21}, maptile.Zoom(zoom))
		}
		checkTile(t, mustTile(t, n, at))
	})
}

func BenchmarkCityTile(b *testing.B) {
	n := city(100, 500)
	for _, zoom := range []maptile.Zoom{8, 10, 12, 15} {
		at := tileAt(orb.Point{105.83, 21.02}, zoom)
		b.Run(fmt.Sprintf("zoom%d", zoom), func(b *testing.B) {
			for b.Loop() {
				b.SetBytes(int64(len(mustTile(b, n, at))))
			}
		})
	}
	b.Run("zoom10/first", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			fresh := copied(n)
			b.StartTimer()
			mustTile(b, fresh, tileAt(orb.Point{105.83, 21.02}, 10))
		}
	})
}
