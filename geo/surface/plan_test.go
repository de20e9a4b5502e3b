package surface

import (
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
)

func someSites(n int) []Site {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]Site, n)
	for i := range out {
		out[i] = Site{Point: orb.Point{105.6 + 0.5*r.Float64(), 20.8 + 0.5*r.Float64()}, Class: Class(i % 2)}
	}
	return out
}

func BenchmarkCitySurface(b *testing.B) {
	for _, kind := range Kinds() {
		v := Variogram{Kind: kind, Nugget: 0.05, LowCost: 0.1, Sill: 1.5, Range: 40_000}
		sites := someSites(100)
		n, err := NewNetwork(v, sites)
		if err != nil {
			b.Fatal(err)
		}
		g := Grid{X: 0, Y: 0, W: 245, H: 245, Size: 131072}
		x, y := g.Of(orb.Point{105.6, 21.3})
		g.X, g.Y = int(x), int(y)
		values := make([]float64, len(sites))
		for i := range values {
			values[i] = float64(20 + i)
		}
		b.Run(string(kind)+"/refresh", func(b *testing.B) {
			p := NewPlan(n, g, Bounds{12000, 0.8})
			out := NewRaster(g)
			for b.Loop() {
				p.Values(n.Field(values), out)
			}
		})
		b.Run(string(kind)+"/plan", func(b *testing.B) {
			for b.Loop() {
				NewPlan(n, g, Bounds{12000, 0.8})
			}
		})
	}
}
