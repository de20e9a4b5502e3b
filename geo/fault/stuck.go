package fault

import (
	"math"
	"slices"
)

// The test for one value that does not change.
const (
	stuckThreshold = 14
	stuckFail      = 40
	stuckMaxShare  = 0.98
	maxGap         = 3 // hours without a value that do not end a run

	constantSuspect = 2 // hours without any change in which a low-cost sensor is suspect
	constantFail    = 6
	constantAbove   = 1 // µg/m³: in clean air a sensor may well show one value, except 0
)

// levelBins are the quantiles of the network's values between which the share of equal next values is counted: near
// the resolution of an instrument equal values are common.
var levelBins = []float64{0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9}

// repeats counts pairs of successive hours, and those of equal values.
type repeats struct{ equal, all float64 }

func (r repeats) share() float64 { return r.equal / max(r.all, 1) }

// repeatCounts are the pairs of all members by bin, and those of each.
type repeatCounts struct {
	bounds  []float64
	members [][]repeats
	total   []repeats
}

func (f *field) countRepeats() *repeatCounts {
	var all []float64
	for i := range f.v {
		for _, v := range f.v[i] {
			if v == v {
				all = append(all, v)
			}
		}
	}
	slices.Sort(all)
	c := &repeatCounts{members: make([][]repeats, len(f.v)), total: make([]repeats, len(levelBins)+1)}
	for _, q := range levelBins {
		c.bounds = append(c.bounds, all[min(int(q*float64(len(all))), len(all)-1)])
	}
	for i := range f.v {
		c.members[i] = make([]repeats, len(levelBins)+1)
		for t := 1; t < f.hours; t++ {
			a, b := f.v[i][t-1], f.v[i][t]
			if a != a || b != b {
				continue
			}
			bin := c.bin(a)
			c.members[i][bin].all++
			c.total[bin].all++
			if a == b {
				c.members[i][bin].equal++
				c.total[bin].equal++
			}
		}
	}
	return c
}

func (c *repeatCounts) bin(v float64) int {
	n, _ := slices.BinarySearchFunc(c.bounds, v, func(bound, v float64) int {
		if bound <= v {
			return -1
		}
		return 1
	})
	return n
}

// stuck looks for runs of equal values that chance does not explain.
func (f *field) stuck(i int, c *repeatCounts, yield func(segment)) {
	from, last, n := 0, 0, 0
	end := func() {
		if n > 1 {
			f.judgeRun(i, c, from, last+1, n, yield)
		}
		n = 0
	}
	for t, v := range f.v[i] {
		switch {
		case v != v:
			continue
		case n > 0 && (v != f.v[i][last] || t-last > maxGap):
			end()
		}
		if n == 0 {
			from = t
		}
		n, last = n+1, t
	}
	end()
}

// judgeRun yields a run of n equal values if it is unlikely.
func (f *field) judgeRun(i int, c *repeatCounts, from, to, n int, yield func(segment)) {
	v := f.v[i][from]
	bin := c.bin(v)
	own, all, pairs := c.members[i][bin], c.total[bin], float64(n-1)
	others := repeats{all.equal - own.equal, all.all - own.all}
	rest := repeats{own.equal - pairs, own.all - pairs}
	p := max(others.share(), rest.share(), f.sameValueElsewhere(i, v, from, to).share(), 1/(others.all+2))
	evidence := -pairs * math.Log(min(p, stuckMaxShare))
	if evidence < stuckThreshold || f.atDetectionLimit(i, c, from, to) {
		return
	}
	yield(segment{
		field: f, member: i, cause: Stuck, from: from, to: to, total: evidence, h: stuckThreshold,
		fail: evidence >= stuckFail,
	})
}

// sameValueElsewhere counts what followed the same value at the same member outside a run.
func (f *field) sameValueElsewhere(i int, v float64, from, to int) (r repeats) {
	for t := 1; t < f.hours; t++ {
		a, b := f.v[i][t-1], f.v[i][t]
		if a == v && b == b && (t <= from || t > to) {
			r.all++
			if b == v {
				r.equal++
			}
		}
	}
	return r
}

// atDetectionLimit reports whether a run is of the lowest values of the network, where the others make such values
// likely: clean air, not a fault.
func (f *field) atDetectionLimit(i int, c *repeatCounts, from, to int) bool {
	v := f.v[i][from]
	if v > c.bounds[0] {
		return false
	}
	var expected []float64
	for t := from; t < to; t++ {
		if e := f.expected(i, t); e == e {
			expected = append(expected, e)
		}
	}
	return median(expected) <= v+f.accuracy[i]
}

// constant looks for hours without any change of a sensor that reports often.
func (f *field) constant(i int, yield func(segment)) {
	from, n := 0, 0
	end := func() {
		if n >= constantSuspect {
			yield(segment{
				field: f, member: i, cause: Stuck, from: from, to: from + n, total: float64(n), h: constantSuspect,
				fail: n >= constantFail,
			})
		}
		n = 0
	}
	for t := range f.in[i] {
		h := &f.in[i][t]
		if !h.Constant || h.Value <= constantAbove && h.Value != 0 {
			end()
			continue
		}
		if n == 0 {
			from = t
		}
		n++
	}
	end()
}
