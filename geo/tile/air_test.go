package tile

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/surface"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"
	"github.com/paulmach/orb/planar"
)

// hills is an index over Hanoi, from good to hazardous, with a hole in its middle where nothing is known.
func hills() *surface.Raster {
	r := surface.NewRaster(surface.GridOver(orb.Bound{Min: orb.Point{105.6, 20.85}, Max: orb.Point{106.1, 21.2}}, 5000, 200))
	for k := range r.Values {
		x, y := float64(k%r.W), float64(k/r.W)
		if math.Hypot(x-float64(r.W)/2, y-float64(r.H)/2) > 8 {
			r.Values[k] = float32(170 + 120*math.Sin(x/17)*math.Cos(y/13) + 50*math.Sin((x+y)/5))
		}
	}
	return r
}

func sceneOf(index *surface.Raster) *Scene {
	s := &Scene{Time: now, Index: index}
	s.Levels, s.From = aqi.Classes(nhip.VNAQI)
	return s
}

func sceneTile(t testing.TB, s *Scene, at maptile.Tile) []byte {
	t.Helper()
	b, err := s.Tile(at)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bandsOf returns the isobands of a tile by level, in its units.
func bandsOf(t testing.TB, b []byte) map[int]orb.MultiPolygon {
	t.Helper()
	out := make(map[int]orb.MultiPolygon)
	layer := decode(t, b)["isobands"]
	if layer == nil {
		return out
	}
	for _, f := range layer.Features {
		level := int(f.Properties["level"].(float64))
		switch g := f.Geometry.(type) {
		case orb.Polygon:
			out[level] = orb.MultiPolygon{g}
		case orb.MultiPolygon:
			out[level] = g
		default:
			t.Fatalf("an isoband is a %T", g)
		}
	}
	return out
}

// TestIsobands: at every zoom each place of a tile lies in the band of its index, and in no other.
func TestIsobands(t *testing.T) {
	index := hills()
	s := sceneOf(index)
	r := rand.New(rand.NewPCG(1, 9))
	for zoom := maptile.Zoom(7); zoom <= MaxZoom; zoom++ {
		at := tileAt(orb.Point{105.79, 21.02}, zoom)
		bands := bandsOf(t, sceneTile(t, s, at))
		f, wrong := newFrame(at), 0
		for range 300 {
			p := orb.Point{r.Float64() * extent, r.Float64() * extent}
			x, y := (f.x+p[0]/extent)/f.tiles*float64(index.Size)-float64(index.X), (f.y+p[1]/extent)/f.tiles*float64(index.Size)-float64(index.Y)
			v, want := index.At(x, y), 0
			if v == v {
				for want = 1; want <= len(s.From) && v >= s.From[want-1]; want++ {
				}
			}
			in := 0
			for level, area := range bands {
				if planar.MultiPolygonContains(area, p) {
					if in != 0 {
						t.Errorf("zoom %d: %v lies in bands %d and %d", zoom, p, in, level)
					}
					in = level
				}
			}
			if in != want {
				wrong++
			}
		}
		// A lattice of 64 steps cuts corners: further out than it has nodes, many.
		if most := map[bool]int{true: 15, false: 60}[zoom >= 11]; wrong > most {
			t.Errorf("zoom %d: %d of 300 places lie in the wrong band", zoom, wrong)
		}
	}
}

// TestIsobandsMeet: what two neighbours draw in the strip that both have is the same.
func TestIsobandsMeet(t *testing.T) {
	s := sceneOf(hills())
	left := tileAt(orb.Point{105.79, 21.02}, 13)
	right := maptile.New(left.X+1, left.Y, left.Z)
	a, b := bandsOf(t, sceneTile(t, s, left)), bandsOf(t, sceneTile(t, s, right))
	r := rand.New(rand.NewPCG(2, 9))
	for range 2000 {
		x, y := (r.Float64()*2-1)*(buffer-1), r.Float64()*extent
		for level := 1; level <= len(s.Levels); level++ {
			l, r := planar.MultiPolygonContains(a[level], orb.Point{extent + x, y}), planar.MultiPolygonContains(b[level], orb.Point{x, y})
			if l != r {
				t.Fatalf("at %v, %v of the edge band %d is there on one side only", x, y, level)
			}
		}
	}
}

func TestNothingKnown(t *testing.T) {
	far := tileAt(orb.Point{2.35, 48.85}, 10)
	for name, s := range map[string]*Scene{
		"no index": {Time: now}, "far away": sceneOf(hills()), "an empty raster": sceneOf(surface.NewRaster(surface.Grid{Size: 1})),
		"a raster of nothing": sceneOf(surface.NewRaster(hills().Grid)),
	} {
		at := far
		if name == "a raster of nothing" {
			at = tileAt(hanoi, 12)
		}
		if b := sceneTile(t, s, at); b != nil {
			t.Errorf("%s: %d bytes", name, len(b))
		}
	}
}

// TestZones: areas with holes, cut at the tile's edge, with their air.
func TestZones(t *testing.T) {
	outer := orb.Bound{Min: orb.Point{105.7, 20.9}, Max: orb.Point{106, 21.2}}.ToRing()
	hole := orb.Bound{Min: orb.Point{105.8, 21}, Max: orb.Point{105.9, 21.1}}.ToRing()
	zones := NewZones([]Zone{
		{"001", "district", nhip.Name{Vi: "Quận Ba Đình", En: "Ba Dinh"}, orb.MultiPolygon{{outer, hole}}},
		{"002", "district", nhip.Name{Vi: "Xa"}, orb.MultiPolygon{{orb.Bound{Min: orb.Point{2, 48}, Max: orb.Point{3, 49}}.ToRing()}}},
	})
	s := sceneOf(nil)
	s.Zones = zones
	s.ZoneAir = func(k int) (float64, nhip.Level, bool) { return 120, s.Levels[2], k == 0 }
	layer := decode(t, sceneTile(t, s, tileAt(hanoi, 8)))["zones"]
	if len(layer.Features) != 1 {
		t.Fatalf("%d zones", len(layer.Features))
	}
	f := layer.Features[0]
	if p, ok := f.Geometry.(orb.Polygon); !ok || len(p) != 2 {
		t.Errorf("%T of %v", f.Geometry, f.Geometry)
	}
	for name, want := range map[string]any{"id": "001", "kind": "district", "name_vi": "Quận Ba Đình", "name_en": "Ba Dinh", "aqi": 120.0, "level": 3.0, "colour": s.Levels[2].Colour} {
		if f.Properties[name] != want {
			t.Errorf("%s is %v, want %v", name, f.Properties[name], want)
		}
	}
	if inHole := decode(t, sceneTile(t, s, tileAt(orb.Point{105.85, 21.05}, 14))); len(inHole) != 0 {
		t.Errorf("something is drawn in a hole: %v", inHole)
	}
}

// TestClusters: further out monitors are counted, each in one cluster, and the highest index shows.
func TestClusters(t *testing.T) {
	s := sceneOf(nil)
	for i := range 30 {
		s.Stations = append(s.Stations, station(fmt.Sprint(i), orb.Point{105.70 + float64(i)*0.01, 21.0 + float64(i%7)*0.01}, time.Duration(i)*time.Hour))
	}
	s.IndexOf = func(st *nhip.Station) (float64, nhip.Level, bool) {
		return map[bool]float64{true: 160, false: 40}[st.ID == "17"], s.Levels[0], st.ID != "3"
	}
	total, live, top := 0.0, 0.0, 0.0
	features := decode(t, sceneTile(t, s, tileAt(hanoi, ClusterZoom-2)))["stations"].Features
	for _, f := range features {
		if f.Properties["count"] == nil {
			total++
			if f.Properties["state"] == "live" {
				live++
			}
			continue
		}
		total += f.Properties["count"].(float64)
		live += f.Properties["live"].(float64)
		top = max(top, f.Properties["aqi"].(float64))
	}
	if total != 30 || live != 3 || top != 160 || len(features) > 10 {
		t.Errorf("%d points of %v monitors, %v of them live, the highest %v", len(features), total, live, top)
	}
	if close := decode(t, sceneTile(t, s, tileAt(hanoi, ClusterZoom)))["stations"].Features; len(close) < 10 || close[0].Properties["count"] != nil {
		t.Errorf("%d points from ClusterZoom on", len(close))
	}
}

// TestPicture: each pixel has the colour of its index, opaque as it is sure, and nothing where nothing is known.
func TestPicture(t *testing.T) {
	index := hills()
	sure := surface.NewRaster(index.Grid)
	for k := range sure.Values {
		sure.Values[k] = float32(k%index.W) / float32(index.W)
	}
	p := NewPalette(aqi.Classes(nhip.VNAQI))
	for _, pixels := range []int{256, 512} {
		at := tileAt(orb.Point{105.79, 21.02}, 11)
		b, err := Picture(at, index, sure, p, pixels)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil || img.Bounds().Dx() != pixels || img.Bounds().Dy() != pixels {
			t.Fatalf("%v of %d: %v", img.Bounds(), pixels, err)
		}
		f := newFrame(at)
		for y := 3; y < pixels; y += 17 {
			for x := 3; x < pixels; x += 17 {
				i := (f.x+(float64(x)+0.5)/float64(pixels))/f.tiles*float64(index.Size) - float64(index.X)
				j := (f.y+(float64(y)+0.5)/float64(pixels))/f.tiles*float64(index.Size) - float64(index.Y)
				v, c := index.At(i, j), color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
				if (v == v) != (c.A > 0) {
					t.Fatalf("index %v is drawn as %v", v, c)
				}
				if v != v {
					continue
				}
				if want := p.colours[p.code(float32(v), float32(sure.At(i, j)))]; distance(c, want) > 40 {
					t.Errorf("index %v is drawn as %v, want %v", v, c, want)
				}
			}
		}
	}
	if b, err := Picture(tileAt(orb.Point{2, 48}, 9), index, sure, p, 256); b != nil || err != nil {
		t.Errorf("far away: %d bytes, %v", len(b), err)
	}
	if _, err := Picture(maptile.New(9, 0, 1), index, sure, p, 256); nhip.ErrorCode(err) != nhip.NotFound {
		t.Errorf("no such tile: %v", err)
	}
}

func distance(a, b color.NRGBA) int {
	d := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return d(a.R, b.R) + d(a.G, b.G) + d(a.B, b.B) + d(a.A, b.A)
}

// TestPalette: the middle of a class has its colour, at every grade, on every scale.
func TestPalette(t *testing.T) {
	for _, scale := range aqi.Scales() {
		levels, from := aqi.Classes(scale)
		p := NewPalette(levels, from)
		low := 0.0
		for k, high := range from {
			got := p.colours[p.code(float32((low+high)/2), 0.99)]
			if want := hex(levels[k].Colour); distance(color.NRGBA{got.R, got.G, got.B, 0}, want) > 30 {
				t.Errorf("%s: the middle of %s is %v, want %v", scale, levels[k].Name.En, got, want)
			}
			low = high
		}
		nan := float32(math.NaN())
		if p.code(nan, 1) != nothingKnown || p.code(1e9, 2) != nothingKnown-1 || p.code(-5, -1) != 0 || p.code(10, nan) >= nothingKnown {
			t.Errorf("%s: odd numbers", scale)
		}
	}
}

func TestBuses(t *testing.T) {
	bus := func(id string, p orb.Point) *nhip.Bus {
		return &nhip.Bus{ID: id, Agency: "hanoi", Time: now.Add(-time.Minute), Lon: p[0], Lat: p[1]}
	}
	full := bus("1", hanoi)
	full.Route, full.Line, full.Headsign, full.Occupancy, full.Bearing, full.Origin = "r", "32", "Nhổn", "FULL", nhip.Some(45.5), nhip.Simulated
	gone := bus("gone", hanoi)
	gone.Time = now.Add(-3 * time.Hour)
	all := []*nhip.Bus{bus("2", hanoi), full, gone, bus("far", orb.Point{2, 48}), bus("nowhere", orb.Point{math.NaN(), 2})}
	b, err := Buses(tileAt(hanoi, 12), all, now)
	if err != nil {
		t.Fatal(err)
	}
	features := decode(t, b)["buses"].Features
	if len(features) != 2 || features[0].Properties["id"] != "1" || features[0].Properties["bearing"] != 45.5 || features[1].Properties["state"] != "live" {
		t.Errorf("%v", features)
	}
	if b, err := Buses(tileAt(hanoi, BusesZoom-1), all, now); b != nil || err != nil {
		t.Errorf("further out: %d bytes, %v", len(b), err)
	}
	if _, err := Buses(maptile.New(9, 9, 1), all, now); nhip.ErrorCode(err) != nhip.NotFound {
		t.Errorf("no such tile: %v", err)
	}
}

func BenchmarkAirTile(b *testing.B) {
	s := sceneOf(hills())
	for i := range 100 {
		s.Stations = append(s.Stations, station(fmt.Sprint(i), orb.Point{105.7 + 0.003*float64(i), 21 + 0.01*float64(i%9)}, 0))
	}
	for _, zoom := range []maptile.Zoom{8, 10, 12, 15} {
		b.Run(fmt.Sprintf("zoom%d", zoom), func(b *testing.B) {
			at := tileAt(orb.Point{105.79, 21.02}, zoom)
			for b.Loop() {
				sceneTile(b, s, at)
			}
		})
	}
}

func BenchmarkPicture(b *testing.B) {
	index := hills()
	p := NewPalette(aqi.Classes(nhip.VNAQI))
	for _, pixels := range []int{256, 512} {
		for _, zoom := range []maptile.Zoom{9, 12} {
			b.Run(fmt.Sprintf("%d/zoom%d", pixels, zoom), func(b *testing.B) {
				at := tileAt(orb.Point{105.79, 21.02}, zoom)
				for b.Loop() {
					if _, err := Picture(at, index, index, p, pixels); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
