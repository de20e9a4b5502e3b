package backtest

import (
	"cmp"
	"math"
	"slices"
	"time"

	"nhip/geo/surface"
)

// relearn is how often a model is made again of what has been heard.
const relearn = 24 * time.Hour

// Surface leaves one monitor out after another and estimates it from the others, without looking ahead: a
// variogram is made of rounds before the one that it is held against.
type Surface struct {
	learner surface.Learner
	model   *surface.Model
	learned time.Time
	misses  [4]misses // by place in surfaceMethods
}

var surfaceMethods = [4]string{"nearest", "idw2", "idw5", "kriging"}

// misses are what was estimated of one monitor at a time.
type misses struct {
	all []miss
}

type miss struct {
	real, error, mean float64 // error: estimate minus real; mean: of all others
	city              float64 // mean of all
	z                 float64 // NaN where there is no variance
}

// Round takes in one moment of a network; they come in the order of their times. Rounds of fewer than three
// monitors tell nothing.
func (s *Surface) Round(r surface.Round) {
	if len(r.Sites) < 3 {
		return
	}
	if s.model == nil || r.Time.Sub(s.learned) >= relearn {
		if m, ok := s.learner.Learn(); ok {
			s.model, s.learned = m, r.Time
		}
	}
	for m, w := range []surface.IDW{{Power: 1, Nearest: 1}, {Power: 2}, {Power: 5, Nearest: 10}} {
		s.misses[m].hold(&r, w.LeaveOneOut(&r))
	}
	s.misses[3].hold(&r, surface.LeaveOneOut(s.model, &r)) // IDW as long as nothing was learned
	s.learner.Add(r)
}

// hold holds estimates against what was said.
func (m *misses) hold(r *surface.Round, all []surface.Held) {
	for i, h := range all {
		m.add(r, i, h.Value, h.Mean, (r.Values[i]-h.Value)/h.Deviation)
	}
}

func (m *misses) add(r *surface.Round, i int, estimate, mean, z float64) {
	n, real := float64(len(r.Values)), r.Values[i]
	m.all = append(m.all, miss{real: real, error: estimate - real, mean: mean, city: (mean*(n-1) + real) / n, z: z})
}

// SurfaceReport is how one method did, in the quantity's unit.
type SurfaceReport struct {
	RMSE  float64    `json:"rmse"`
	MAE   float64    `json:"mae"`
	Bias  float64    `json:"bias"`                 // estimate minus what was said
	R2    float64    `json:"r2"`                   // of all variance, most of which is that of time
	Skill float64    `json:"skill"`                // part of the mean squared error of the city's mean that is gone
	ZSD   *float64   `json:"z_sd"`                 // deviation of error / its own estimate; 1 is honest
	Third [3]float64 `json:"z_sd_thirds,omitzero"` // in the cleanest, the middle and the foulest third of rounds
	Count int        `json:"count"`
}

// Report returns the score of each method by its name.
func (s *Surface) Report() map[string]SurfaceReport {
	out := make(map[string]SurfaceReport, len(surfaceMethods))
	for i, name := range surfaceMethods {
		out[name] = s.misses[i].report()
	}
	return out
}

func (m *misses) report() SurfaceReport {
	n := float64(len(m.all))
	if n == 0 {
		return SurfaceReport{}
	}
	var squares, absolute, sum, real, byMean float64
	for _, x := range m.all {
		squares += x.error * x.error
		absolute += math.Abs(x.error)
		sum += x.error
		real += x.real
		byMean += (x.mean - x.real) * (x.mean - x.real)
	}
	variance := 0.0
	for _, x := range m.all {
		variance += (x.real - real/n) * (x.real - real/n)
	}
	r := SurfaceReport{
		RMSE: math.Sqrt(squares / n), MAE: absolute / n, Bias: sum / n, R2: 1 - squares/variance,
		Skill: 1 - squares/byMean, Count: len(m.all),
	}
	m.honesty(&r)
	return r
}

// honesty adds the deviation of z where the method says how sure it is.
func (m *misses) honesty(r *SurfaceReport) {
	known := slices.DeleteFunc(slices.Clone(m.all), func(x miss) bool { return math.IsNaN(x.z) })
	if len(known) < len(r.Third) {
		return
	}
	sd := deviationOf(known)
	r.ZSD = &sd
	slices.SortStableFunc(known, func(a, b miss) int { return cmp.Compare(a.city, b.city) })
	for i := range r.Third {
		r.Third[i] = deviationOf(known[i*len(known)/3 : (i+1)*len(known)/3])
	}
}

func deviationOf(all []miss) float64 {
	n, sum, squares := float64(len(all)), 0.0, 0.0
	for _, x := range all {
		sum += x.z
		squares += x.z * x.z
	}
	return math.Sqrt(max(0, squares/n-sum*sum/n/n))
}
