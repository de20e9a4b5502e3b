package index

import (
	"fmt"
	"math"
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

// step moves a point by up to about 15 m, as a bus moves in a second.
func step(r *rand.Rand, p orb.Point) orb.Point {
	return orb.Point{p[0] + (r.Float64()-0.5)*3e-4, p[1] + (r.Float64()-0.5)*3e-4}
}

var sizes = []int{2_500, 100_000, 1_000_000}

// movesPerSecond is the rate of moves during the comparison: 100,000 buses that report their position every 10 s.
const movesPerSecond = 10_000

// contestant holds moving items and finds the nearest 10 of them with their distances.
type contestant struct {
	ask  func(at orb.Point) (found int)
	move func(r *rand.Rand)
}

// BenchmarkNearest10 runs the same queries on our index and on orb's quadtree: each alone in memory, at rest and
// during 10,000 moves per second. x-nhip is the time of orb's quadtree divided by that of our index just before.
func BenchmarkNearest10(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("buses=%d", n), func(b *testing.B) {
			ours := make(map[int]float64) // ns, by moves a second
			b.Run("by=nhip", func(b *testing.B) {
				race(b, newIndexed(b, n), func(_ *testing.B, moves int, ns float64) { ours[moves] = ns })
			})
			b.Run("by=orb", func(b *testing.B) {
				race(b, newQuadtree(b, n), func(b *testing.B, moves int, ns float64) {
					if ours[moves] > 0 { // -bench may have excluded our index
						b.ReportMetric(ns/ours[moves], "x-nhip")
					}
				})
			})
		})
	}
}

// race measures a contestant and passes the time per query to result.
func race(b *testing.B, c contestant, result func(b *testing.B, moves int, ns float64)) {
	for _, moves := range [...]int{0, movesPerSecond} {
		b.Run(fmt.Sprintf("moves=%d", moves), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			stop := moving(moves, c.move)
			b.ReportAllocs()
			for b.Loop() {
				if found := c.ask(hanoi.random(r)); found != 10 {
					b.Fatal(found)
				}
			}
			if moved := stop(); moves > 0 {
				b.ReportMetric(moved, "moves/s")
			}
			result(b, moves, float64(b.Elapsed().Nanoseconds())/float64(b.N))
		})
	}
}

func newIndexed(b *testing.B, n int) contestant {
	x, ids, points := filled(b, rand.New(rand.NewPCG(1, 1)), n)
	var buf []Hit[int]
	return contestant{
		ask: func(at orb.Point) int {
			buf = x.Nearest(buf, at, 10, math.Inf(1), nil)
			return len(buf)
		},
		move: func(r *rand.Rand) {
			i := r.IntN(n)
			points[i] = step(r, points[i])
			_ = x.Set(ids[i], points[i], i)
		},
	}
}

// filled returns an index of n items in Hanoi.
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

// quadtreeItem is an item in orb's quadtree. Its longitude is multiplied by cos(lat), because that tree measures in
// the plane.
type quadtreeItem struct {
	flat, point orb.Point
}

func (s *quadtreeItem) Point() orb.Point { return s.flat }

func flat(p orb.Point) orb.Point { return orb.Point{p[0] * 0.9333, p[1]} }

// newQuadtree returns orb's quadtree behind a lock, because it does not support concurrent readers and writers.
// The distances of the 10 results are computed, as any user must.
func newQuadtree(b *testing.B, n int) contestant {
	tree, things := filledQuadtree(b, rand.New(rand.NewPCG(1, 1)), n)
	var mu sync.RWMutex
	var buf []orb.Pointer
	var metres [10]float64
	return contestant{
		ask: func(at orb.Point) int {
			mu.RLock()
			buf = tree.KNearest(buf, flat(at), 10)
			mu.RUnlock()
			for i, p := range buf {
				metres[i] = geo.DistanceHaversine(at, p.(*quadtreeItem).point)
			}
			return len(buf)
		},
		move: func(r *rand.Rand) {
			i := r.IntN(n)
			p := step(r, things[i].point)
			mu.Lock()
			defer mu.Unlock()
			tree.Remove(things[i], func(p orb.Pointer) bool { return p == things[i] })
			things[i] = &quadtreeItem{flat(p), p}
			_ = tree.Add(things[i]) // fails only outside the bound, which no item leaves
		},
	}
}

// filledQuadtree returns a quadtree over the box of its items with a margin of 1 km for their moves. A wider box would
// cost it levels.
func filledQuadtree(b *testing.B, r *rand.Rand, n int) (*quadtree.Quadtree, []*quadtreeItem) {
	box := orb.Bound{
		Min: flat(orb.Point{hanoi.MinLon, hanoi.MinLat}), Max: flat(orb.Point{hanoi.MaxLon, hanoi.MaxLat}),
	}
	tree := quadtree.New(box.Pad(0.01))
	things := make([]*quadtreeItem, n)
	for i := range things {
		p := hanoi.random(r)
		things[i] = &quadtreeItem{flat(p), p}
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

// BenchmarkDepot queries a place with 5,000 items at one point.
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

// moving calls move perSecond times a second until the returned function is called. That function returns the
// rate achieved.
func moving(perSecond int, move func(*rand.Rand)) (stop func() float64) {
	done := make(chan struct{})
	began, moved := time.Now(), 0
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
				for due := int(time.Since(began).Seconds() * float64(perSecond)); moved < due; moved++ {
					move(r)
				}
			}
		}
	})
	return func() float64 {
		close(done)
		wg.Wait()
		return float64(moved) / time.Since(began).Seconds()
	}
}
