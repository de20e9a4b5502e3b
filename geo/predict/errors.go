package predict

import (
	"math"
	"slices"
)

// edges are the horizons between which errors are alike, in s.
var edges = [...]float64{30, 60, 120, 180, 240, 360, 480, 600, 750, 900, 1200, 1500, 1800, 2700}

// residuals are the errors of late, by how far ahead the prediction was: a ratio (actual over
// predicted), so that a bin's two ends agree.
type residuals struct {
	bins [len(edges) + 1]ring
}

// ringSize is how many errors of one horizon are kept: some hours of a city, a day of a line.
const ringSize = 1024

// ring keeps the last errors of one horizon, and their quantiles.
type ring struct {
	values         []float64
	next           int
	fresh          int // added since the quantiles were taken
	p10, p90, told float64
}

// prior are errors that stand for those not yet seen: a bus's time over its predicted one.
var prior = [...]float64{0.75, 0.8, 0.85, 0.9, 0.93, 0.96, 1, 1.04, 1.08, 1.12, 1.18, 1.25, 1.4}

func newResiduals() residuals {
	var r residuals
	for i := range r.bins {
		r.bins[i].values = slices.Clone(prior[:])
		r.bins[i].settle()
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

// offset keeps a ratio from exploding at short horizons, in s.
const offset = 30.0

func (r *residuals) add(ahead, actual float64) {
	b := &r.bins[binOf(ahead)]
	x := (actual + offset) / (ahead + offset)
	if len(b.values) < ringSize {
		b.values = append(b.values, x)
	} else {
		b.values[b.next] = x
		b.next = (b.next + 1) % ringSize
	}
	if b.fresh++; b.fresh >= 1+len(b.values)/16 {
		b.settle()
	}
}

// early is the share of buses that may come before what riders are told. Who misses a bus waits for the
// next, a headway; who comes early waits for what was told too early. At twice the cost the quantile that
// costs least is a third (the newsvendor's).
const early = 1.0 / 3

func (b *ring) settle() {
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
	b.p10, b.p90, b.told = at(0.1), at(0.9), at(early)
}

// spread is a range of times ahead, in s.
type spread struct{ p10, told, p90 float64 }

// around returns the range of a prediction; between the middles of two bins by distance.
func (r *residuals) around(ahead float64) spread {
	b := &r.bins[binOf(ahead)]
	of := func(q float64) float64 { return max(q*(ahead+offset)-offset, 0) }
	return spread{p10: of(b.p10), told: of(b.told), p90: of(b.p90)}
}
