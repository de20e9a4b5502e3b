package tile

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/maptile"
)

// somePoints returns points all over a tile, with an id and three properties each.
func somePoints(at maptile.Tile, n int) []bench {
	r := rand.New(rand.NewPCG(5, 6))
	b := at.Bound()
	out := make([]bench, n)
	for i := range out {
		p := orb.Point{b.Min[0] + r.Float64()*(b.Max[0]-b.Min[0]), b.Min[1] + r.Float64()*(b.Max[1]-b.Min[1])}
		out[i] = bench{
			fmt.Sprintf("bus-%d", i), p, fmt.Sprint(i % 40), float64(r.IntN(3600)) / 10, []string{"live", "stale"}[i%2],
		}
	}
	return out
}

type bench struct {
	id      string
	point   orb.Point
	line    string
	bearing float64
	state   string
}

func ours(at maptile.Tile, points []bench) []byte {
	f := newFrame(at)
	bound := f.bound()
	l := newLayer("points")
	for i := range points {
		p := &points[i]
		if q, ok := mercator(p.point); ok && bound.Contains(q) {
			x, y := f.units(q)
			l.point(p.id, x, y, property{"line", text(p.line)}, property{"bearing", number(p.bearing)}, property{
				"state", text(p.state),
			})
		}
	}
	return l.appendTo(nil)
}

func orbs(b testing.TB, at maptile.Tile, points []bench) []byte {
	fc := geojson.NewFeatureCollection()
	for i := range points {
		f := geojson.NewFeature(points[i].point)
		f.ID = float64(i)
		f.Properties = geojson.Properties{"line": points[i].line, "bearing": points[i].bearing, "state": points[i].state}
		fc.Append(f)
	}
	layer := mvt.NewLayer("points", fc)
	layer.Version = 2
	layers := mvt.Layers{layer}
	layers.ProjectToTile(at)
	layers.Clip(orb.Bound{Min: orb.Point{-64, -64}, Max: orb.Point{4160, 4160}})
	out, err := mvt.Marshal(layers)
	if err != nil {
		b.Fatal(err)
	}
	return out
}

func BenchmarkThousandPoints(b *testing.B) {
	at := tileAt(hanoi, 12)
	points := somePoints(at, 1000)
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			ours(at, points)
		}
	})
	b.Run("orb", func(b *testing.B) {
		for b.Loop() {
			orbs(b, at, points)
		}
	})
	b.Run("gzip", func(b *testing.B) {
		body := ours(at, points)
		z, _ := gzip.NewWriterLevel(nil, 6)
		for b.Loop() {
			z.Reset(discard{})
			_, _ = z.Write(body)
			_ = z.Close()
		}
		b.ReportMetric(float64(len(body)), "bytes")
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
