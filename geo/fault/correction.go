package fault

import (
	"math"

	"nhip"
)

// What tells levels apart.
const (
	driftGain   = 6.0  // evidence that a drift needs over a step: it has one more parameter
	driftChange = 0.4  // and the change over its span, in ln
	offsetGain  = 0.0  // evidence that an offset needs over a gain
	unitNear    = 0.03 // distance in ln from the factor between two units
	milliNear   = 0.7  // the same for a thousand, whose values are rounded
	zeroShare   = 0.5  // of hours that are exactly 0
)

// molarUnits are µg/m³ in one ppb at 25 °C and 1 atm.
var molarUnits = map[nhip.Quantity]float64{nhip.SO2: 2.62, nhip.NO2: 1.88, nhip.NO: 1.23, nhip.O3: 1.96, nhip.CO: 1.145}

// pairs are the values of a segment beside what was expected.
type pairs struct {
	value, expected, x, scale, hour []float64
	offset                          float64 // of the transform
}

func (s *segment) pairs() *pairs {
	f, i := s.field, s.member
	p := &pairs{offset: f.offset}
	for t := s.from; t < s.to; t++ {
		v, e := f.v[i][t], f.expected(i, t)
		if v != v || e != e {
			continue
		}
		p.value, p.expected = append(p.value, v), append(p.expected, e)
		p.x, p.scale = append(p.x, f.x[i][t]), append(p.scale, f.scale[i][t])
		p.hour = append(p.hour, float64(t-s.from))
	}
	return p
}

// misfit returns how unlikely the values are under a model of them.
func (p *pairs) misfit(model func(k int) float64) float64 {
	sum := 0.0
	for k := range p.x {
		sum += surprise((p.x[k] - logOf(model(k), p.offset)) / p.scale[k])
	}
	return sum
}

// nameLevel tells zeros, units, drifts, offsets and gains apart, and proposes a correction.
func (s *segment) nameLevel(to *Fault) {
	p := s.pairs()
	if len(p.value) == 0 {
		return
	}
	zeros := 0
	for _, v := range p.value {
		if v == 0 {
			zeros++
		}
	}
	if float64(zeros) >= zeroShare*float64(len(p.value)) {
		to.Cause = Zero
		return
	}
	gain, offset := p.gain(), p.shift()
	if unit, ok := unitOf(s.field.quantity, gain); ok {
		to.Cause, to.Factor = Unit, 1/unit
		return
	}
	asGain := p.misfit(func(k int) float64 { return gain * p.expected[k] })
	asOffset := p.misfit(func(k int) float64 { return p.expected[k] + offset })
	start, slope := p.slope()
	asDrift := p.misfit(func(k int) float64 { return math.Exp(start+slope*p.hour[k]) * p.expected[k] })
	change := math.Abs(slope) * float64(s.to-s.from)
	switch {
	case asDrift < min(asGain, asOffset)-driftGain && change >= driftChange:
		to.Cause, to.Factor = Drift, math.Exp(-start-slope*float64(s.to-s.from))
	case asOffset < asGain-offsetGain:
		to.Cause, to.Offset = Offset, -offset
	default:
		to.Cause, to.Factor = Gain, 1/gain
	}
}

// gain returns the median ratio of values to what was expected, at least a millionth. Hours near zero say little of it.
func (p *pairs) gain() float64 {
	ratios := make([]weighted, 0, len(p.value))
	for k, e := range p.expected {
		if e > 0 {
			ratios = append(ratios, weighted{p.value[k] / e, e})
		}
	}
	if len(ratios) == 0 {
		return 1
	}
	return max(weightedMedian(ratios), 1e-6)
}

// shift returns the median difference of values from what was expected.
func (p *pairs) shift() float64 {
	apart := make([]float64, len(p.value))
	for k, v := range p.value {
		apart[k] = v - p.expected[k]
	}
	return median(apart)
}

// slope returns a line through the logarithms of the ratios by the medians of their first, and last thirds.
func (p *pairs) slope() (start, slope float64) {
	n := len(p.x)
	third := n / 3
	if third == 0 {
		return 0, 0
	}
	part := func(from, to int) (ratio, hour float64) {
		ratios, hours := make([]float64, 0, to-from), make([]float64, 0, to-from)
		for k := from; k < to; k++ {
			ratios = append(ratios, logOf(p.value[k], p.offset/10)-logOf(p.expected[k], p.offset/10))
			hours = append(hours, p.hour[k])
		}
		return median(ratios), median(hours)
	}
	r1, h1 := part(0, third)
	r2, h2 := part(n-third, n)
	slope = (r2 - r1) / max(h2-h1, 1)
	return r1 - slope*h1, slope
}

// unitOf returns the factor between two units that is close to a gain.
func unitOf(q nhip.Quantity, gain float64) (float64, bool) {
	for _, factor := range []float64{1000, 1.0 / 1000} {
		if math.Abs(math.Log(gain/factor)) < milliNear {
			return factor, true
		}
	}
	if m, ok := molarUnits[q]; ok {
		for _, factor := range []float64{m, 1 / m} {
			if math.Abs(math.Log(gain/factor)) < unitNear {
				return factor, true
			}
		}
	}
	return 1, false
}
