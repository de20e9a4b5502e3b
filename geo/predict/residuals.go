package predict

import (
	"math"
	"slices"
)

// edges separate the horizons within which errors are alike, in s.
var edges = [...]float64{30, 60, 120, 180, 240, 360, 480, 600, 750, 900, 1200, 1500, 1800, 2700}

// residuals holds recent prediction errors by horizon. An error is the ratio of actual to predicted time, so that
// the errors of one bin are comparable.
type residuals struct {
	bins [len(edges) + 1]ring
}

// ringSize is how many errors of one horizon are kept: some hours of a city, or a day of a route.
const ringSize = 1024

// ring holds the latest errors of one horizon and their quantiles.
type ring struct {
	values          []float64
	next            int
	fresh           int // added since the quantiles were computed
	p10, p90, early float64
}

// prior stands in for errors not yet observed.
var prior = [...]float64{0.75, 0.8, 0.85, 0.9, 0.93, 0.96, 1, 1.04, 1.08, 1.12, 1.18, 1.25, 1.4}

func newResiduals() residuals {
	var r residuals
	for i := range r.bins {
		r.bins[i].values = slices.Clone(prior[:])
		r.bins[i].computeQuantiles()
	}
	return r
}

func binOf(ahead float64) int {
	for i, e := range edges {
		if ahead < e {
			return i
		}
	}
	return len(edges)
}

// offset keeps ratios bounded at short horizons, in s.
const offset = 30.0

func (r *residuals) add(ahead, actual float64) {
	b := &r.bins[binOf(ahead)]
	x := (max(actual, 0) + offset) / (ahead + offset)
	if len(b.values) < ringSize {
		b.values = append(b.values, x)
	} else {
		b.values[b.next] = x
		b.next = (b.next + 1) % ringSize
	}
	if b.fresh++; b.fresh >= 1+len(b.values)/16 {
		b.computeQuantiles()
	}
}

// earlyQuantile is the quantile that is published: the share of buses that may come before their published time. A
// rider who misses a bus waits for a whole headway; a rider who is early waits only for the error. If missing the bus
// costs twice as much as waiting, the optimal quantile is one third (the newsvendor model).
const earlyQuantile = 1.0 / 3

func (b *ring) computeQuantiles() {
	// computeQuantiles computes the quantiles of the errors.
	b.fresh = 0
	sorted := slices.Clone(b.values)
	slices.Sort(sorted)
	at := func(q float64) float64 {
		x := q * float64(len(sorted)-1)
		i := int(math.Floor(x))
		if i+1 >= len(sorted) {
			return sorted[len(sorted)-1]
		}
		return sorted[i] + (x-float64(i))*(sorted[i+1]-sorted[i])
	}
	b.p10, b.p90, b.early = at(0.1), at(0.9), at(earlyQuantile)
}

// spread is a range of times ahead, in s; early is the published one.
type spread struct{ p10, early, p90 float64 }

// around returns the range of a prediction by the errors of its horizon.
func (r *residuals) around(ahead float64) spread {
	b := &r.bins[binOf(ahead)]
	of := func(q float64) float64 { return max(q*(ahead+offset)-offset, 0) }
	return spread{p10: of(b.p10), early: of(b.early), p90: of(b.p90)}
}
