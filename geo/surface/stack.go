package surface

import (
	"math"
	"time"
)

// Half-lives of what a stack has learned.
const (
	errorHalfLife = 10 * 24 * time.Hour // errors of the members and of the estimates
	levelHalfLife = 14 * 24 * time.Hour // the city's mean
	ratioHalfLife = 7 * 24 * time.Hour  // corrections of the logarithms
	biasHalfLife  = 21 * 24 * time.Hour // lasting biases of sites
)

// Stack is what was learned about the estimates of one quantity: how much each member of a fixed bank was worth
// lately, and how far the weighted estimate was off. Its sums are weighted by 2^(age/half-life) from Start, so that
// they need no update while time passes. The zero value with a Start is a stack that has learned nothing: it
// interpolates by inverse distances.
type Stack struct {
	Start time.Time `json:"start"` // only hours after it are used
	Last  time.Time `json:"last"`  // the newest hour that was used
	Count int       `json:"count"` // number of hours

	Hours   float64                   `json:"hours"`
	Level   weightedMean              `json:"level"` // the city's mean
	Ratios  [4]ratio                  `json:"ratios"`
	Errors  [members][members]float64 `json:"errors"` // sums of products of the members' errors
	Weights [members]float64          `json:"weights"`
	Biases  map[string]*siteBias      `json:"biases"` // by Site.ID
	Own     own                       `json:"own"`
	Spread  spread                    `json:"spread"`
	LowCost noise                     `json:"low_cost"`
	Drift   weightedMean              `json:"drift"`   // semivariance at one site between consecutive hours, in scale²
	Squares weightedMean              `json:"squares"` // squared leave-one-out errors

	frozen *frozen // of a copy that learns no more
}

// weightedMean is a mean in the making.
type weightedMean struct {
	Sum    float64 `json:"sum"`
	Weight float64 `json:"weight"`
}

func (m *weightedMean) add(v, weight float64) { m.Sum, m.Weight = m.Sum+v*weight, m.Weight+weight }

// ratio compares the values with the uncorrected estimates of a member.
type ratio struct {
	Actual   float64 `json:"actual"`
	Estimate float64 `json:"estimate"`
}

// siteBias accumulates a site's differences from the city's mean.
type siteBias struct {
	Difference float64   `json:"difference"`
	Mean       float64   `json:"mean"` // sum of the city's means
	Value      float64   `json:"value"`
	Time       time.Time `json:"time"` // of Value, the newest one
}

// growth returns the weight of an hour relative to Start.
func (s *Stack) growth(t time.Time, halfLife time.Duration) float64 {
	return math.Exp2(float64(t.Sub(s.Start)) / float64(halfLife))
}

// grown returns the weight of the newest hour relative to Start.
func (s *Stack) grown(halfLife time.Duration) float64 {
	if s.Count == 0 {
		return 1
	}
	return s.growth(s.Last, halfLife)
}

// minLevel is the mean below which all air counts as equally clean, in the unit of the quantity.
const minLevel = 0.01

// level returns the typical mean of the city: the mean of these values if no hour was learned.
func (s *Stack) level(values []float64) float64 {
	switch {
	case s.Level.Weight > 0:
		return max(minLevel, s.Level.Sum/s.Level.Weight)
	case len(values) > 0:
		return max(minLevel, Mean(values))
	}
	return minLevel
}

// offset returns what is added to concentrations before their logarithms are taken.
func (s *Stack) offset(values []float64) float64 { return 0.1 * s.level(values) }

// scale2 returns the scale² of an hour from vᵀQv of the base operator.
func (s *Stack) scale2(quadratic float64, freedom int, values []float64) float64 {
	floor := 0.05 * s.level(values)
	return max(quadratic/float64(max(1, freedom)), 0.1*floor*floor)
}

// biases returns the lasting bias of each site relative to the city's mean; 0 if unknown.
func (s *Stack) biases(sites []Site) []float64 {
	out, prior := make([]float64, len(sites)), 0.0
	if s.frozen == nil {
		prior = s.biasPrior()
	}
	for i := range sites {
		out[i], _ = s.biasOf(sites[i].ID, prior)
	}
	return out
}

// biasPrior is the weight of having no bias: a day at the typical mean.
func (s *Stack) biasPrior() float64 { return 24 * s.level(nil) * s.grown(biasHalfLife) }

// logFactors returns the corrections of the members that estimate logarithms.
func (s *Stack) logFactors(values []float64) (out [4]float64) {
	prior := 24 * float64(len(values)) * s.level(values) * s.grown(ratioHalfLife)
	for m, r := range s.Ratios {
		out[m] = max(0.7, min(1.4, (r.Actual+prior)/(r.Estimate+prior)))
	}
	return out
}

// priorHours is the weight of inverse distances among the weights, in hours.
const priorHours = 6

// blend returns the weights of the members, those that were learned mixed with inverse distances.
func (s *Stack) blend() [members]float64 {
	out := s.Weights
	prior := 1.0
	if s.Count > 0 {
		prior = priorHours / (priorHours + s.Hours/s.grown(errorHalfLife))
	}
	for m := range out {
		out[m] *= 1 - prior
	}
	out[idwMember] += prior
	return out
}

// weigh returns the weighted sum of the members' estimates.
func weigh(weights *[members]float64, by *[members]float64) float64 {
	sum := 0.0
	for m, w := range weights {
		sum += w * by[m]
	}
	return max(0, sum)
}

// learn updates the stack with an hour that is later than all before.
func (s *Stack) learn(b *bank, of *valueDuals, r *Observations) {
	d, weights := s.duals(b, of, r.Values), s.blend()
	grown := s.growth(r.Time, errorHalfLife)
	var first *estimates
	for kind := range skips {
		if !b.skips(kind) {
			break
		}
		e := s.leaveOut(b, d, r.Values, kind)
		z := s.standardised(e, &weights, r.Values)
		if kind == 0 {
			s.Spread.follow(z, s.grown(errorHalfLife))
			s.addSquares(e, &weights, r.Values, grown)
			first = e
			s.addErrors(e, r.Values, grown)
		} else if kind == 1 {
			s.addErrors(e, r.Values, grown*0.5)
		}
		s.Spread.add(kind, z, grown)
	}
	if s.Count == 0 {
		s.Weights[idwMember] = 1
	}
	minimise(&s.Errors, &s.Weights)
	s.learnNoise(b, of, first, r)
	s.learnSites(r, first)
	estimates := make([]float64, len(r.Values))
	for i := range estimates {
		estimates[i] = weigh(&weights, &first.by[i])
	}
	s.Own.learn(s.growth(r.Time, lastingHalfLife), r.Sites, r.Values, estimates)
	s.addRatios(first, r)
	s.Hours += grown
	s.Level.add(Mean(r.Values), s.growth(r.Time, levelHalfLife))
	s.Count, s.Last = s.Count+1, r.Time
}

// addSquares adds the squared errors of the weighted estimates.
func (s *Stack) addSquares(e *estimates, weights *[members]float64, values []float64, grown float64) {
	for i, v := range values {
		off := weigh(weights, &e.by[i]) - v
		s.Squares.add(off*off, grown)
	}
}

// RMSE returns the root mean square error of estimating each site from the others, of the last weeks; NaN if unknown.
func (s *Stack) RMSE() float64 { return math.Sqrt(s.Squares.Sum / s.Squares.Weight) }

// addErrors adds the products of the members' errors.
func (s *Stack) addErrors(e *estimates, values []float64, weight float64) {
	for i := range e.by {
		var off [members]float64
		for m, v := range e.by[i] {
			off[m] = v - values[i]
		}
		for m, x := range off {
			x *= weight
			row := &s.Errors[m]
			for k := range off[:m+1] {
				row[k] += x * off[k]
			}
		}
	}
	for m := range s.Errors {
		for k := range m {
			s.Errors[k][m] = s.Errors[m][k]
		}
	}
}

// addRatios compares the values with the uncorrected estimates from logarithms.
func (s *Stack) addRatios(e *estimates, r *Observations) {
	grown, actual := s.growth(r.Time, ratioHalfLife), sumOf(r.Values)
	for m := range s.Ratios {
		s.Ratios[m].Actual += grown * actual
		s.Ratios[m].Estimate += grown * sumOf(e.raw[m])
	}
}

// learnSites updates the lasting biases and the drift.
func (s *Stack) learnSites(r *Observations, e *estimates) {
	if s.Biases == nil {
		s.Biases = make(map[string]*siteBias)
	}
	grown, mean := s.growth(r.Time, biasHalfLife), Mean(r.Values)
	drifted := s.growth(r.Time, errorHalfLife)
	for i := range r.Sites {
		if r.Sites[i].ID == "" {
			continue
		}
		b := s.Biases[r.Sites[i].ID]
		if b == nil {
			b = new(siteBias)
			s.Biases[r.Sites[i].ID] = b
		}
		if v := r.Values[i]; r.Time.Sub(b.Time) == time.Hour {
			s.Drift.add((v-b.Value)*(v-b.Value)/2/e.scale2[i], drifted)
		}
		b.Difference += grown * (r.Values[i] - mean)
		b.Mean += grown * mean
		b.Value, b.Time = r.Values[i], r.Time
	}
}

// unknownDrift is the drift before two consecutive hours were learned.
const unknownDrift = 0.25

// DriftPerHour returns how much the error variance of a value grows with each hour of its age, in units of the
// variance of the air.
func (s *Stack) DriftPerHour() float64 {
	if s == nil || s.Drift.Weight == 0 {
		return unknownDrift
	}
	return s.Drift.Sum / s.Drift.Weight
}
