package index

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
	"github.com/paulmach/orb/quadtree"
)

// hanoi is the box of the benchmarks: 27 by 28 km.
var hanoi = Box{105.70, 20.90, 105.96, 21.15}

func (b Box) random(r *rand.Rand) orb.Point {
	return orb.Point{
		b.MinLon + r.Float64()*(b.MaxLon-b.MinLon),
		b.MinLat + r.Float64()*(b.MaxLat-b.MinLat),
	}
}

// step moves a point by up to some 15 m, the way of a bus in a second.
func step(r *rand.Rand, p orb.Point) orb.Point {
	return orb.Point{p[0] + (r.Float64()-0.5)*3e-4, p[1] + (r.Float64()-0.5)*3e-4}
}

var sizes = []int{2_500, 100_000, 1_000_000}

// The two benchmarks below answer the same question, the nearest 10 with their metres, while
// 10,000 moves a second run. Read the ratio of their ns/op.

func BenchmarkNearest10(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			x, ids, points := filled(b, r, n)
			ask := func(b *testing.B) {
				var buf []Hit[int]
				for b.Loop() {
					if buf = x.Nearest(buf, hanoi.random(r), 10, 1e9, nil); len(buf) != 10 {
						b.Fatal(len(buf))
					}
				}
			}
			b.Run("idle", ask)
			b.Run("moving", func(b *testing.B) {
				defer moving(func(r *rand.Rand) {
					i := r.IntN(n)
					points[i] = step(r, points[i])
					_ = x.Set(ids[i], points[i], i)
				})()
				ask(b)
			})
		})
	}
}

// filled returns an index of n things in Hanoi.
func filled(b *testing.B, r *rand.Rand, n int) (x *Index[int], ids []string, points []orb.Point) {
	x = New[int]()
	for i := range n {
		p := hanoi.random(r)
		ids, points = append(ids, fmt.Sprint(i)), append(points, p)
		if err := x.Set(ids[i], p, i); err != nil {
			b.Fatal(err)
		}
	}
	return x, ids, points
}

// spotted is a thing in orb's tree: lon times cos(lat), because that tree measures in the plane.
type spotted struct {
	flat, point orb.Point
}

func (s *spotted) Point() orb.Point { return s.flat }

func flat(p orb.Point) orb.Point { return orb.Point{p[0] * 0.9333, p[1]} }

func BenchmarkOrbQuadtree10(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			tree, things := planted(b, r, n)
			var mu sync.RWMutex
			ask := func(b *testing.B) {
				var buf []orb.Pointer
				var metres [10]float64
				for b.Loop() {
					at := hanoi.random(r)
					mu.RLock()
					buf = tree.KNearest(buf, flat(at), 10)
					mu.RUnlock()
					for i, p := range buf {
						metres[i] = geo.DistanceHaversine(at, p.(*spotted).point)
					}
				}
			}
			b.Run("idle", ask)
			b.Run("moving", func(b *testing.B) {
				defer moving(func(r *rand.Rand) {
					i := r.IntN(n)
					p := step(r, things[i].point)
					mu.Lock()
					defer mu.Unlock()
					tree.Remove(things[i], func(p orb.Pointer) bool { return p == things[i] })
					things[i] = &spotted{flat(p), p}
					_ = tree.Add(things[i])
				})()
				ask(b)
			})
		})
	}
}

func planted(b *testing.B, r *rand.Rand, n int) (*quadtree.Quadtree, []*spotted) {
	tree := quadtree.New(orb.Bound{Min: orb.Point{90, 15}, Max: orb.Point{110, 25}})
	things := make([]*spotted, n)
	for i := range things {
		p := hanoi.random(r)
		things[i] = &spotted{flat(p), p}
		if err := tree.Add(things[i]); err != nil {
			b.Fatal(err)
		}
	}
	return tree, things
}

func BenchmarkMove(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			x, ids, points := filled(b, r, n)
			for b.Loop() {
				i := r.IntN(n)
				points[i] = step(r, points[i])
				_ = x.Set(ids[i], points[i], i)
			}
		})
	}
}

// BenchmarkDepot asks where 5,000 things stand in one spot.
func BenchmarkDepot(b *testing.B) {
	x := New[int]()
	for i := range 5000 {
		_ = x.Set(fmt.Sprint(i), orb.Point{105.8, 21}, i)
	}
	b.Run("nearest10", func(b *testing.B) {
		var buf []Hit[int]
		for b.Loop() {
			buf = x.Nearest(buf, orb.Point{105.81, 21}, 10, 1e9, nil)
		}
	})
	b.Run("move", func(b *testing.B) {
		for b.Loop() {
			_ = x.Set("7", orb.Point{105.82, 21}, 7)
			_ = x.Set("7", orb.Point{105.8, 21}, 7)
		}
	})
}

// moving calls move 10,000 times a second until the function it returns is called.
func moving(move func(*rand.Rand)) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		r := rand.New(rand.NewPCG(2, 2))
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				for range 10 {
					move(r)
				}
			}
		}
	})
	return func() { close(done); wg.Wait() }
}
