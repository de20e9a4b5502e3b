package isoband

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"pgregory.net/rapid"
)

var levels = []float64{1, 2, 3.5}

// lattices generates lattices with few distinct values, so that saddles, flat areas, values on a level and holes
// are common.
func lattices(t *rapid.T) Lattice {
	l := Lattice{W: rapid.IntRange(1, 9).Draw(t, "w"), H: rapid.IntRange(1, 9).Draw(t, "h")}
	value := rapid.SampledFrom([]float32{0, 0.5, 1, 1.25, 1.9, 2, 2.75, 3.5, 4, 9, float32(math.NaN())})
	l.Values = rapid.SliceOfN(value, l.W*l.H, l.W*l.H).Draw(t, "values")
	return l
}

// Bands cover each drawn cell exactly once, whatever the values are.
func TestBandsPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := lattices(t)
		d := &drawing{Lattice: l}
		cells := 0.0
		if l.W > 1 && l.H > 1 {
			d.mask()
			for _, drawn := range d.cells {
				if drawn {
					cells++
				}
			}
		}
		sum := 0.0
		for k, band := range Bands(l, levels) {
			for _, p := range band {
				for n, ring := range p {
					a := area(ring)
					if (a > 0) != (n == 0) {
						t.Fatalf("band %d: ring %d of %v has the area %v", k, n, p, a)
					}
					if ring[0] != ring[len(ring)-1] {
						t.Fatalf("band %d: ring %v is not closed", k, ring)
					}
					sum += a
				}
			}
		}
		if math.Abs(sum-cells) > 1e-5*(1+cells) {
			t.Errorf("bands cover an area of %v, cells of %v", sum, cells)
		}
	})
}

// A known node surrounded by drawn cells lies inside its own band and no other, unless its value is a level.
func TestNodesLieInTheirBand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := lattices(t)
		bands := Bands(l, levels)
		d := &drawing{Lattice: l, levels: levels}
		if l.W < 2 || l.H < 2 {
			return
		}
		d.mask()
		for j := 1; j < l.H-1; j++ {
			for i := 1; i < l.W-1; i++ {
				w, v := l.W-1, d.at(i, j)
				if v == 1 || v == 2 || v == 3.5 || !d.cells[j*w+i] || !d.cells[j*w+i-1] || !d.cells[(j-1)*w+i] ||
					!d.cells[(j-1)*w+i-1] {
					continue
				}
				for k := range bands {
					p := orb.Point{float64(i), float64(j)}
					if in := planar.MultiPolygonContains(bands[k], p); in != (k == d.class(v)) {
						t.Errorf("node %d,%d with value %v: inside band %d: %v", i, j, v, k, in)
					}
				}
			}
		}
	})
}

// The middle of a window of a lattice is drawn like the same part of the whole lattice.
func TestWindowsAgreeWithWholeLattice(t *testing.T) {
	l := hills(40, 40)
	part := Lattice{W: 20, H: 20}
	for j := range 20 {
		part.Values = append(part.Values, l.Values[(j+10)*40+10:][:20]...)
	}
	whole, window := Bands(l, levels), Bands(part, levels)
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		p := orb.Point{10 + 19*r.Float64(), 10 + 19*r.Float64()}
		for k := range whole {
			a, b := planar.MultiPolygonContains(whole[k], p), planar.MultiPolygonContains(window[k], orb.Point{
				p[0] - 10, p[1] - 10,
			})
			if a != b {
				t.Errorf("%v in band %d: whole lattice %v, window %v", p, k, a, b)
			}
		}
	}
}

// hills returns a smooth surface with heights from 0 to about 5.
func hills(w, h int) Lattice {
	l := Lattice{W: w, H: h, Values: make([]float32, w*h)}
	for k := range l.Values {
		x, y := float64(k%w), float64(k/w)
		l.Values[k] = float32(2 + 1.5*math.Sin(x/7)*math.Cos(y/5) + math.Sin((x+y)/3)/2)
	}
	return l
}

func TestBandsOfEmptyLattice(t *testing.T) {
	for _, l := range []Lattice{{}, {W: 1, H: 1, Values: []float32{3}}, {W: 2, H: 1, Values: []float32{1, 2}}} {
		for _, band := range Bands(l, levels) {
			if len(band) > 0 {
				t.Errorf("%v: got %v", l, band)
			}
		}
	}
}

func BenchmarkCity(b *testing.B) {
	l := hills(245, 245)
	for b.Loop() {
		Bands(l, []float64{1, 1.5, 2, 2.5, 3})
	}
}

func BenchmarkTile(b *testing.B) {
	l := hills(67, 67)
	for b.Loop() {
		Bands(l, []float64{1, 1.5, 2, 2.5, 3})
	}
}
