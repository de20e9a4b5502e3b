package surface

import (
	"math"
	"time"
)

// noise learns the error variance of low-cost monitors beyond that of reference monitors, in units of the variance
// of the air. The leave-one-out variance of a site is linear in its own noise: what the squared errors of low-cost
// sites exceed it by, on the scale on which those of reference sites fit theirs, is the noise.
type noise struct {
	Value     float64 `json:"value"`     // in use
	Day       string  `json:"day"`       // on which Value was set; all operators change with it
	Reference ratio   `json:"reference"` // squared errors and their variances
	LowCost   ratio   `json:"low_cost"`  // squared errors, and variances without the noise
	Scale     float64 `json:"scale"`     // sum of scale² of the low-cost sites
	Count     float64 `json:"count"`     // of values of low-cost sites
}

const (
	// minNoiseCount is the number of values of low-cost monitors from which their noise is estimated.
	minNoiseCount = 100
	// The noise in use is rounded to powers of noiseStep, so that it, and the operators, seldom change.
	noiseStep          = 2.0
	minNoise, maxNoise = 0.05, 30.0
)

// learnNoise updates the noise of low-cost monitors. It needs both classes in an hour.
func (s *Stack) learnNoise(b *bank, of *valueDuals, e *estimates, r *Observations) {
	classes := [2]int{}
	for i := range r.Sites {
		classes[r.Sites[i].Class]++
	}
	if classes[ClassReference] == 0 || classes[ClassLowCost] == 0 {
		return
	}
	l, grown := &s.LowCost, s.growth(r.Time, errorHalfLife)
	w, q, n := of.values[base], b.operators[base].q, len(r.Values)
	for i := range r.Sites {
		off := w[i] / q[i*n+i] // the leave-one-out error of the base operator
		square, variance := grown*off*off, grown*e.scale2[i]*(e.unit[i]-b.sites[i].noise(l.Value))
		if r.Sites[i].Class == ClassReference {
			l.Reference.Actual += square
			l.Reference.Estimate += variance
			continue
		}
		l.LowCost.Actual += square
		l.LowCost.Estimate += variance
		l.Scale += grown * e.scale2[i]
		l.Count++
	}
	if day := r.Time.UTC().Format(time.DateOnly); day != l.Day && l.Count >= minNoiseCount {
		l.Day, l.Value = day, l.estimate()
	}
}

// estimate returns the noise from the sums, rounded.
func (l *noise) estimate() float64 {
	if l.Reference.Estimate <= 0 || l.Reference.Actual <= 0 || l.Scale <= 0 {
		return 0
	}
	k := l.Reference.Actual / l.Reference.Estimate
	v := (l.LowCost.Actual - k*l.LowCost.Estimate) / (k * l.Scale)
	if !(v >= minNoise) {
		return 0
	}
	return math.Pow(noiseStep, math.Round(math.Log(min(v, maxNoise))/math.Log(noiseStep)))
}
