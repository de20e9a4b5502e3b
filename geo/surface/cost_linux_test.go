package surface

import (
	"fmt"
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/paulmach/orb"
)

// cpuTime returns the CPU time that the process has used: other work on the machine does not count.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// plainIDW is the yardstick: inverse distances at each node of a lattice from each site, without any shortcut.
func plainIDW(x, y, values, east, north, out []float64) {
	for j, ny := range north {
		for i, ex := range east {
			sum, weights := 0.0, 0.0
			for k := range x {
				w := 1 / math.Max((ex-x[k])*(ex-x[k])+(ny-y[k])*(ny-y[k]), 1)
				sum, weights = sum+w*values[k], weights+w
			}
			out[j*len(east)+i] = sum / weights
		}
	}
}

// The limits of BenchmarkCost, for up to 100 stations: CPU time relative to plain inverse distances of the same size,
// which take about 25 ms for 60,000 nodes and 100 stations on one core of 2026, 4 ns for each node and station.
const (
	maxValuesRatio = 1.2  // only values change: 30 ms
	maxHourRatio   = 2.4  // weights, too: 60 ms
	maxLearnRatio  = 1200 // a value is learned in the time of that many nodes and stations: 5 µs
)

// BenchmarkCost compares the CPU time of a surface of 60,000 nodes with that of plain inverse distances, in turns, and
// fails beyond the limits. learn-ratio is the CPU time of learning a value in the time of one node and station.
func BenchmarkCost(b *testing.B) {
	for _, n := range []int{100, 250, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { measureCost(b, n) })
	}
}

func measureCost(b *testing.B, n int) {
	l := new(Learner)
	for h := range 48 {
		l.Learn(hourOf(n, h))
	}
	g := Grid{W: 245, H: 245, Size: 131072}
	column, row := g.ColumnRow(orb.Point{105.6, 21.3})
	g.X, g.Y = int(column), int(row)
	p, frozen := &Estimator{MaxDistance: 12_000}, l.Stack().Frozen()
	hours := []*Observations{hourOf(n, 50), hourOf(n, 51)}
	p.Estimate(frozen, hours[0], g)
	grid := p.lattices[0].lattice
	out := make([]float64, g.Nodes())
	x, y := make([]float64, n), make([]float64, n)
	for i, s := range hours[0].Sites {
		x[i], y[i] = grid.bank.plane.XY(s.Point)
	}
	var plain, values, hour, learning time.Duration
	timed := func(sum *time.Duration, run func()) {
		began := cpuTime(b)
		run()
		*sum += cpuTime(b) - began
	}
	at, next := 48, make([]Observations, 8)
	for i := 0; b.Loop(); i++ {
		timed(&plain, func() { plainIDW(x, y, hours[i%2].Values, grid.east, grid.north, out) })
		timed(&values, func() { p.Estimate(frozen, hours[i%2], g) })
		timed(&hour, func() { p.Estimate(l.Stack().Frozen(), hours[i%2], g) })
		for k := range next {
			at++
			next[k] = *hours[k%2]
			next[k].Time = spring.Add(time.Duration(at) * time.Hour)
		}
		timed(&learning, func() {
			for k := range next {
				l.Learn(&next[k])
			}
		})
	}
	runs := float64(b.N)
	valuesRatio, hourRatio := values.Seconds()/plain.Seconds(), hour.Seconds()/plain.Seconds()
	perValue := learning.Seconds() / runs / float64(len(next)*n)
	learnRatio := perValue / (plain.Seconds() / runs / float64(len(out)*n))
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(plain.Seconds()*1e3/runs, "plain-ms")
	b.ReportMetric(values.Seconds()*1e3/runs, "values-ms")
	b.ReportMetric(hour.Seconds()*1e3/runs, "hour-ms")
	b.ReportMetric(perValue*1e6, "learn-µs/value")
	b.ReportMetric(valuesRatio, "values-ratio")
	b.ReportMetric(hourRatio, "hour-ratio")
	b.ReportMetric(learnRatio, "learn-ratio")
	if b.N > 1 && n <= 100 && (valuesRatio > maxValuesRatio || hourRatio > maxHourRatio || learnRatio > maxLearnRatio) {
		b.Errorf("ratios %.2f, %.2f and %.0f, want at most %v, %v and %v", valuesRatio, hourRatio, learnRatio, maxValuesRatio,
			maxHourRatio, maxLearnRatio)
	}
}
