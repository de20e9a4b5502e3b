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

// hills returns an index over Hanoi, from good to hazardous, with a hole in the middle where it is unknown.
func hills() *surface.Raster {
	r := surface.NewRaster(surface.GridOver(orb.Bound{Min: orb.Point{105.6, 20.85}, Max: orb.Point{106.1, 21.2}}, 5000,
		200))
	for k := range r.Values {
		x, y := float64(k%r.W), float64(k/r.W)
		if math.Hypot(x-float64(r.W)/2, y-float64(r.H)/2) > 8 {
			r.Values[k] = float32(170 + 120*math.Sin(x/17)*math.Cos(y/13) + 50*math.Sin((x+y)/5))
		}
	}
	return r
}

func sceneOf(index *surface.Raster) *AirScene {
	s := &AirScene{Time: now, Index: index}
	s.Categories = aqi.Categories(nhip.ScaleVNAQI)
	return s
}

func sceneTile(t testing.TB, s *AirScene, at maptile.Tile) []byte {
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
			t.Fatalf("isoband is a %T", g)
		}
	}
	return out
}

// At every zoom each place of a tile lies in the band of its index and in no other.
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
			x, y := (f.x+p[0]/extent)/f.tiles*float64(index.Size)-float64(index.X), (f.y+
				p[1]/extent)/f.tiles*float64(index.Size)-float64(index.Y)
			v, want := index.At(x, y), 0
			if v == v {
				for want = 1; want < len(s.Categories) && v >= s.Categories[want].From; want++ {
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
		// A lattice of 64 steps cuts corners. At low zooms, where a step is wider than a cell of the index, there are many.
		if most := map[bool]int{true: 15, false: 60}[zoom >= 11]; wrong > most {
			t.Errorf("zoom %d: %d of 300 places lie in the wrong band", zoom, wrong)
		}
	}
}

// Neighbouring tiles draw the same in the strip that both cover.
func TestIsobandsMeet(t *testing.T) {
	s := sceneOf(hills())
	left := tileAt(orb.Point{105.79, 21.02}, 13)
	right := maptile.New(left.X+1, left.Y, left.Z)
	a, b := bandsOf(t, sceneTile(t, s, left)), bandsOf(t, sceneTile(t, s, right))
	r := rand.New(rand.NewPCG(2, 9))
	for range 2000 {
		x, y := (r.Float64()*2-1)*(buffer-1), r.Float64()*extent
		for level := 1; level <= len(s.Categories); level++ {
			l, r := planar.MultiPolygonContains(a[level], orb.Point{extent + x, y}), planar.MultiPolygonContains(b[level],
				orb.Point{x, y})
			if l != r {
				t.Fatalf("at %v, %v from the edge band %d is drawn on one side only", x, y, level)
			}
		}
	}
}

func TestTileWithoutIndex(t *testing.T) {
	far := tileAt(orb.Point{2.35, 48.85}, 10)
	for name, s := range map[string]*AirScene{
		"no index": {Time: now}, "far away": sceneOf(hills()), "empty raster": sceneOf(surface.NewRaster(surface.Grid{
			Size: 1,
		})),
		"unknown raster": sceneOf(surface.NewRaster(hills().Grid)),
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

// Zones have holes, are clipped at the tile's edge, and carry their index.
func TestZones(t *testing.T) {
	outer := orb.Bound{Min: orb.Point{105.7, 20.9}, Max: orb.Point{106, 21.2}}.ToRing()
	hole := orb.Bound{Min: orb.Point{105.8, 21}, Max: orb.Point{105.9, 21.1}}.ToRing()
	zones := NewZoneMap([]ZoneArea{
		{"001", "district", nhip.LocalizedText{Vi: "Quận Ba Đình", En: "Ba Dinh"}, orb.MultiPolygon{{outer, hole}}},
		{
			"002", "district",
			nhip.LocalizedText{Vi: "Xa"},
			orb.MultiPolygon{{orb.Bound{Min: orb.Point{2, 48}, Max: orb.Point{3, 49}}.ToRing()}},
		},
	})
	s := sceneOf(nil)
	s.Zones = zones
	s.ZoneIndex = func(k int) (float64, nhip.AQICategory, bool) { return 120, s.Categories[2].AQICategory, k == 0 }
	layer := decode(t, sceneTile(t, s, tileAt(hanoi, 8)))["zones"]
	if len(layer.Features) != 1 {
		t.Fatalf("%d zones", len(layer.Features))
	}
	f := layer.Features[0]
	if p, ok := f.Geometry.(orb.Polygon); !ok || len(p) != 2 {
		t.Errorf("%T of %v", f.Geometry, f.Geometry)
	}
	for name, want := range map[string]any{
		"id": "001", "kind": "district", "name_vi": "Quận Ba Đình", "name_en": "Ba Dinh", "aqi": 120.0, "level": 3.0,
		"color": s.Categories[2].Color,
	} {
		if f.Properties[name] != want {
			t.Errorf("%s: %v, want %v", name, f.Properties[name], want)
		}
	}
	if inHole := decode(t, sceneTile(t, s, tileAt(orb.Point{105.85, 21.05}, 14))); len(inHole) != 0 {
		t.Errorf("features inside a hole: %v", inHole)
	}
}

// At low zooms monitors are counted, each in one cluster, and the cluster shows the highest index.
func TestClusters(t *testing.T) {
	s := sceneOf(nil)
	for i := range 30 {
		s.Stations = append(s.Stations,
			station(fmt.Sprint(i), orb.Point{105.70 + float64(i)*0.01, 21.0 + float64(i%7)*0.01}, time.Duration(i)*time.Hour))
	}
	s.StationIndex = func(st *nhip.Station) (float64, nhip.AQICategory, bool) {
		return map[bool]float64{true: 160, false: 40}[st.ID == "17"], s.Categories[0].AQICategory, st.ID != "3"
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
		t.Errorf("%d points of %v monitors, %v live, highest index %v", len(features), total, live, top)
	}
	if close := decode(t, sceneTile(t, s, tileAt(hanoi, ClusterZoom)))["stations"].Features; len(close) < 10 ||
		close[0].Properties["count"] != nil {
		t.Errorf("%d points at ClusterZoom", len(close))
	}
}

// Each pixel has the color of its index, an opacity by its certainty, and is transparent where the index is unknown.
func TestRasterPNG(t *testing.T) {
	index := hills()
	sure := surface.NewRaster(index.Grid)
	for k := range sure.Values {
		sure.Values[k] = float32(k%index.W) / float32(index.W)
	}
	p := NewPalette(aqi.Categories(nhip.ScaleVNAQI))
	for _, pixels := range []int{256, 512} {
		at := tileAt(orb.Point{105.79, 21.02}, 11)
		b, err := RasterPNG(at, index, sure, p, pixels)
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
				if !math.IsNaN(v) != (c.A > 0) {
					t.Fatalf("index %v has the color %v", v, c)
				}
				if math.IsNaN(v) {
					continue
				}
				if want := p.colors[p.code(float32(v), float32(sure.At(i, j)))]; distance(c, want) > 40 {
					t.Errorf("index %v has the color %v, want %v", v, c, want)
				}
			}
		}
	}
	if b, err := RasterPNG(tileAt(orb.Point{2, 48}, 9), index, sure, p, 256); b != nil || err != nil {
		t.Errorf("far away: %d bytes, %v", len(b), err)
	}
	if _, err := RasterPNG(maptile.New(9, 0, 1), index, sure, p, 256); nhip.ErrorCode(err) != nhip.CodeNotFound {
		t.Errorf("invalid tile: %v", err)
	}
}

func distance(a, b color.NRGBA) int {
	d := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return d(a.R, b.R) + d(a.G, b.G) + d(a.B, b.B) + d(a.A, b.A)
}

// The middle of a category has its color, at every grade, on every scale.
func TestPalette(t *testing.T) {
	for _, scale := range aqi.Scales() {
		categories := aqi.Categories(scale)
		p := NewPalette(categories)
		for k, c := range categories[:len(categories)-1] {
			low, high := c.From, categories[k+1].From
			got := p.colors[p.code(float32((low+high)/2), 0.99)]
			if want := hex(c.Color); distance(color.NRGBA{got.R, got.G, got.B, 0}, want) > 30 {
				t.Errorf("%s: the middle of %s has the color %v, want %v", scale, c.Name.En, got, want)
			}
		}
		nan := float32(math.NaN())
		if p.code(nan, 1) != transparentCode || p.code(1e9, 2) != transparentCode-1 || p.code(-5, -1) != 0 ||
			p.code(10, nan) >= transparentCode {
			t.Errorf("%s: wrong code for an unusual index or certainty", scale)
		}
	}
}

func TestBuses(t *testing.T) {
	bus := func(id string, p orb.Point) *nhip.Bus {
		return &nhip.Bus{ID: id, Agency: "hanoi", Time: now.Add(-time.Minute), Lon: p[0], Lat: p[1]}
	}
	full := bus("1", hanoi)
	full.Route, full.Line, full.Headsign, full.Occupancy, full.Bearing, full.Origin = "r", "32", "Nhổn", "FULL", nhip.Some(
		45.5,
	), nhip.OriginSimulated
	gone := bus("gone", hanoi)
	gone.Time = now.Add(-3 * time.Hour)
	all := []*nhip.Bus{bus("2", hanoi), full, gone, bus("far", orb.Point{2, 48}), bus("nowhere", orb.Point{math.NaN(), 2})}
	b, err := Buses(tileAt(hanoi, 12), all, now)
	if err != nil {
		t.Fatal(err)
	}
	features := decode(t, b)["buses"].Features
	if len(features) != 2 || features[0].Properties["id"] != "1" || features[0].Properties["bearing"] != 45.5 ||
		features[1].Properties["state"] != "live" {
		t.Errorf("%v", features)
	}
	if b, err := Buses(tileAt(hanoi, BusesZoom-1), all, now); b != nil || err != nil {
		t.Errorf("below BusesZoom: %d bytes, %v", len(b), err)
	}
	if _, err := Buses(maptile.New(9, 9, 1), all, now); nhip.ErrorCode(err) != nhip.CodeNotFound {
		t.Errorf("invalid tile: %v", err)
	}
}

func BenchmarkAirTile(b *testing.B) {
	s := sceneOf(hills())
	for i := range 100 {
		s.Stations = append(s.Stations,
			station(fmt.Sprint(i), orb.Point{105.7 + 0.003*float64(i), 21 + 0.01*float64(i%9)}, 0))
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
	p := NewPalette(aqi.Categories(nhip.ScaleVNAQI))
	for _, pixels := range []int{256, 512} {
		for _, zoom := range []maptile.Zoom{9, 12} {
			b.Run(fmt.Sprintf("%d/zoom%d", pixels, zoom), func(b *testing.B) {
				at := tileAt(orb.Point{105.79, 21.02}, zoom)
				for b.Loop() {
					if _, err := RasterPNG(at, index, index, p, pixels); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
