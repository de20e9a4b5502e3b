package surface

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"
)

func someSites(n int) []Site {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]Site, n)
	for i := range out {
		at := orb.Point{105.6 + 0.5*r.Float64(), 20.8 + 0.5*r.Float64()}
		out[i] = Site{ID: fmt.Sprint("s", i), Point: at, Class: Class(i % 2)}
	}
	return out
}

// hourOf returns an hour of n stations.
func hourOf(n, hour int) *Observations {
	r := rand.New(rand.NewPCG(uint64(n), uint64(hour)))
	o := &Observations{Time: spring.Add(time.Duration(hour) * time.Hour), Sites: someSites(n)}
	for range n {
		o.Values = append(o.Values, 20+60*r.Float64())
	}
	return o
}

// BenchmarkSurface makes the surface of one quantity with 60,000 nodes: "values" when only values have changed, "hour"
// when the weights have, too, "sites" when another station reports.
func BenchmarkSurface(b *testing.B) {
	for _, n := range []int{12, 100, 250, 1000} {
		l := new(Learner)
		for h := range 48 {
			l.Learn(hourOf(n, h))
		}
		g := Grid{W: 245, H: 245, Size: 131072}
		x, y := g.ColumnRow(orb.Point{105.6, 21.3})
		g.X, g.Y = int(x), int(y)
		s, hours := l.Stack().Frozen(), []*Observations{hourOf(n, 50), hourOf(n, 51)}
		b.Run(fmt.Sprintf("values/%d", n), func(b *testing.B) {
			p := &Estimator{MaxDistance: 12_000}
			p.Estimate(s, hours[0], g)
			for i := 0; b.Loop(); i++ {
				p.Estimate(s, hours[i%2], g)
			}
		})
		b.Run(fmt.Sprintf("hour/%d", n), func(b *testing.B) {
			p := &Estimator{MaxDistance: 12_000}
			p.Estimate(s, hours[0], g)
			for i := 0; b.Loop(); i++ {
				p.Estimate(l.Stack().Frozen(), hours[i%2], g)
			}
		})
		b.Run(fmt.Sprintf("sites/%d", n), func(b *testing.B) {
			for b.Loop() {
				(&Estimator{MaxDistance: 12_000}).Estimate(s, hours[0], g)
			}
		})
	}
}

// BenchmarkLearn learns hours; ns/value is the time for each value. "sites" learns hours in which other stations report
// than in the one before.
func BenchmarkLearn(b *testing.B) {
	for _, n := range []int{12, 100, 250, 1000} {
		hours := make([]*Observations, 60)
		for h := range hours {
			hours[h] = hourOf(n, h)
		}
		b.Run(fmt.Sprintf("values/%d", n), func(b *testing.B) {
			l, h := new(Learner), 0
			for ; h < 48; h++ {
				l.Learn(hours[h])
			}
			for b.Loop() {
				h++
				o := *hours[h%len(hours)]
				o.Time = spring.Add(time.Duration(h) * time.Hour)
				l.Learn(&o)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/value")
		})
		b.Run(fmt.Sprintf("sites/%d", n), func(b *testing.B) {
			l, h := new(Learner), 0
			for b.Loop() {
				h++
				o := *hours[h%len(hours)]
				left := h % n
				o.Time = spring.Add(time.Duration(h) * time.Hour)
				o.Sites = append(append([]Site(nil), o.Sites[:left]...), o.Sites[left+1:]...)
				o.Values = append(append([]float64(nil), o.Values[:left]...), o.Values[left+1:]...)
				l.Learn(&o)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/value")
		})
	}
}
