package fault

import (
	"math"
	"slices"
)

// Floors of the scales, in ln: no monitor follows the others more closely.
const (
	scaleFloor = 0.07
	slowFloor  = 0.05
)

// Worth of an hour: between one independent value in 40 hours and one in two.
const (
	minWorth = 1.0 / 40
	maxWorth = 0.5
)

const (
	dayHours   = 24
	slowStep   = 6  // hours between the days whose medians are compared
	minSlow    = 12 // hours of such a day
	stormHalf  = 12 // hours on either side over which the whole network's unrest is averaged
	normalHalf = 0.6745
)

// fitScales finds the deviation that is expected of r: of each member, in hours in which the others disagree, and in
// hours in which the whole network is restless.
func (f *field) fitScales() {
	n := len(f.members)
	f.scale, f.steady, f.slow = make([][]float64, n), make([]float64, n), make([]float64, n)
	f.worth, f.core = make([]float64, n), make([]float64, n)
	floor := scaleFloor
	if f.linear {
		floor = 0
	}
	for i := range n {
		good := f.goodResiduals(i)
		f.steady[i] = max(deviation(good), floor)
		if f.steady[i] != f.steady[i] || f.steady[i] == 0 {
			f.steady[i] = 1
		}
		f.core[i] = clip(max(madToDeviation*median(good), floor)/f.steady[i], 0, 1)
		f.scale[i] = make([]float64, f.hours)
		usual := f.usualSpread(i)
		for t := range f.hours {
			wider := 1.0
			if s := f.spread[i][t]; s == s && usual > 0 {
				wider = max(1, s/usual)
			}
			f.scale[i][t] = f.steady[i] * math.Sqrt(0.5+0.5*wider*wider)
		}
	}
	unrest := f.unrest()
	for i := range n {
		for t := range f.hours {
			f.scale[i][t] *= unrest[t]
		}
		f.slow[i] = slowDeviation(f.r[i], f.flagged[i], f.beyond[i], f.steady[i])
	}
	f.typicalSlow = median(slices.Clone(f.slow))
	f.fitWorth()
}

// goodResiduals returns the known r of a member in hours that are not flagged, or in all if they are few.
func (f *field) goodResiduals(i int) []float64 {
	var good, all []float64
	for t, r := range f.r[i] {
		if r != r {
			continue
		}
		r -= f.beyond[i] // a lasting difference is no scatter
		all = append(all, r)
		if !f.flagged[i][t] {
			good = append(good, r)
		}
	}
	if len(good) < minCommonHours {
		return all
	}
	return good
}

func (f *field) usualSpread(i int) float64 {
	var known []float64
	for _, s := range f.spread[i] {
		if s == s {
			known = append(known, s)
		}
	}
	return median(known)
}

// unrest returns for each hour how much larger than usual the differences of the whole network are, at least 1.
func (f *field) unrest() []float64 {
	out := nanSlice(f.hours)
	buffer := make([]float64, 0, len(f.members))
	for t := range out {
		buffer = buffer[:0]
		for i := range f.r {
			if r := f.r[i][t]; r == r {
				buffer = append(buffer, math.Abs(r)/f.scale[i][t])
			}
		}
		out[t] = median(buffer) / normalHalf
	}
	out = runningMedian(out, stormHalf)
	for t, k := range out {
		out[t] = 1
		if k > 1 {
			out[t] = k
		}
	}
	return out
}

// slowDeviation returns the deviation of the medians of a day of r: of what hours have in common, and more of them do
// not average away. beyond is taken off r. steady is used where too little is known.
func slowDeviation(r []float64, flagged []bool, beyond, steady float64) float64 {
	var medians []float64
	buffer := make([]float64, 0, dayHours)
	for from := 0; from+dayHours <= len(r); from += slowStep {
		buffer = buffer[:0]
		for t := from; t < from+dayHours; t++ {
			if r[t] == r[t] && !flagged[t] {
				buffer = append(buffer, r[t])
			}
		}
		if len(buffer) >= minSlow {
			medians = append(medians, math.Abs(median(buffer)-beyond))
		}
	}
	if len(medians) == 0 {
		return max(steady, slowFloor)
	}
	return max(madToDeviation*median(medians), slowFloor)
}

// fitWorth finds how much an hour is worth as independent evidence: the geometric mean of what a member's own hours
// show and what those of the whole network show.
func (f *field) fitWorth() {
	sum := 0.0
	for i := range f.worth {
		f.worth[i] = f.steady[i] * f.steady[i] / (dayHours * f.slow[i] * f.slow[i])
		sum += math.Log(f.worth[i])
	}
	mean := math.Exp(sum / float64(len(f.worth)))
	for i, w := range f.worth {
		f.worth[i] = clip(math.Sqrt(w*mean), minWorth, maxWorth)
	}
}
