package backtest

import (
	"cmp"
	"math"
	"slices"
	"time"

	"nhip/geo/surface"
)

// Surface estimates each monitor from the others (leave one out), without looking ahead: what is learned or fitted
// comes from the hours before the one it is evaluated on.
type Surface struct {
	learner surface.Learner
	fitted  fitted
	logs    logKriging
	scores  [surfaceKinds][surfaceMethods]residuals
}

// The methods of estimating a monitor, by position in surfaceNames.
const (
	nearest = iota
	idw2
	idw5
	mean
	ok
	logOK
	served
	surfaceMethods
)

// served keeps the name that programs know, although it is more than kriging.
var surfaceNames = [surfaceMethods]string{"nearest", "idw2", "idw5", "mean", "ok", "log-ok", "kriging"}

// withoutNearest is how many of the nearest others are left out, too, in each kind of estimates.
var withoutNearest = [surfaceKinds]int{0, 2, 4}

const surfaceKinds = 3

// Observe processes the observations of one time, in the order of their times. Observations with fewer than three
// monitors are ignored.
func (s *Surface) Observe(r surface.Observations) {
	if len(r.Sites) < 3 {
		return
	}
	s.fitted.refit(r.Time)
	s.logs.refit(r.Time)
	for kind, skip := range withoutNearest {
		if len(r.Sites)-1-skip < 2 {
			break
		}
		scores := &s.scores[kind]
		byIDW := surface.IDW{Power: 2}.LeaveOneOut(&r, skip)
		scores[nearest].addAll(&r, surface.IDW{Power: 1, Nearest: 1}.LeaveOneOut(&r, skip))
		scores[idw2].addAll(&r, byIDW)
		scores[idw5].addAll(&r, surface.IDW{Power: 5, Nearest: 10}.LeaveOneOut(&r, skip))
		scores[mean].addAll(&r, surface.IDW{}.LeaveOneOut(&r, skip))
		scores[ok].addAll(&r, s.fitted.leaveOneOut(&r, skip, byIDW))
		scores[logOK].addAll(&r, s.logs.leaveOneOut(&r, skip, byIDW))
		scores[served].addAll(&r, s.learner.LeaveOneOut(&r, skip))
	}
	s.fitted.fitter.Add(r)
	s.logs.add(&r)
	s.learner.Learn(&r)
}

// residuals holds the errors of one method.
type residuals struct {
	all []residual
}

type residual struct {
	actual, error, othersMean float64 // error: estimate minus actual; othersMean: of all other monitors
	networkMean               float64 // mean of all monitors
	z                         float64 // standardised error; NaN without a variance
	covered                   bool    // the value is in the estimated 80 % range
	ranged                    bool    // the method estimates a range
}

// addAll compares estimates with the measured values.
func (m *residuals) addAll(r *surface.Observations, all []surface.LOOResult) {
	total := 0.0
	for _, v := range r.Values {
		total += v
	}
	n := float64(len(r.Values))
	for i, e := range all {
		v := r.Values[i]
		m.all = append(m.all, residual{
			actual: v, error: e.Value - v, othersMean: (total - v) / (n - 1), networkMean: total / n,
			z: (v - e.Value) / e.Deviation, ranged: e.High > e.Low, covered: v >= e.Low && v <= e.High,
		})
	}
}

// SurfaceScore is the score of one method, in the unit of the quantity.
type SurfaceScore struct {
	RMSE  float64    `json:"rmse"`
	MAE   float64    `json:"mae"`
	Bias  float64    `json:"bias"`                  // estimate minus measured value
	R2    float64    `json:"r2"`                    // of the total variance, most of which is variation over time
	Skill float64    `json:"skill"`                 // reduction of the squared error of the mean of the other monitors
	ZSD   *float64   `json:"z_sd"`                  // standard deviation of z; 1 if the estimated variance is right
	Third [3]float64 `json:"z_sd_thirds,omitzero"`  // ZSD in the cleanest, middle and most polluted third
	Cover [3]float64 `json:"cover_thirds,omitzero"` // per cent of the values in the 80 % range, by the same thirds
	Count int        `json:"count"`
}

// SurfaceReport is the score of one method, and the same without the two and four monitors nearest to each one.
type SurfaceReport struct {
	SurfaceScore
	Without2 *SurfaceScore `json:"without_2_nearest,omitempty"` // nil if there were too few monitors
	Without4 *SurfaceScore `json:"without_4_nearest,omitempty"`
}

// Report returns the score of each method by name.
func (s *Surface) Report() map[string]SurfaceReport {
	out := make(map[string]SurfaceReport, surfaceMethods)
	for i, name := range surfaceNames {
		out[name] = SurfaceReport{
			SurfaceScore: s.scores[0][i].score(), Without2: s.scores[1][i].known(), Without4: s.scores[2][i].known(),
		}
	}
	return out
}

// known returns the score, or nil if there is none.
func (m *residuals) known() *SurfaceScore {
	if len(m.all) == 0 {
		return nil
	}
	score := m.score()
	return &score
}

func (m *residuals) score() SurfaceScore {
	n := float64(len(m.all))
	if n == 0 {
		return SurfaceScore{}
	}
	var squares, absolute, sum, actual, byMean float64
	for _, x := range m.all {
		squares += x.error * x.error
		absolute += math.Abs(x.error)
		sum += x.error
		actual += x.actual
		byMean += (x.othersMean - x.actual) * (x.othersMean - x.actual)
	}
	variance := 0.0
	for _, x := range m.all {
		variance += (x.actual - actual/n) * (x.actual - actual/n)
	}
	r := SurfaceScore{
		RMSE: math.Sqrt(squares / n), MAE: absolute / n, Bias: sum / n, R2: 1 - share(squares, variance),
		Skill: 1 - share(squares, byMean), Count: len(m.all),
	}
	m.standardise(&r)
	return r
}

// share returns a/b, and 1 if b is 0: values that never differ have no variance to explain.
func share(a, b float64) float64 {
	if b == 0 {
		return 1
	}
	return a / b
}

// standardise adds the standard deviation of z and the cover of the range, if the method estimates them.
func (m *residuals) standardise(r *SurfaceScore) {
	known := slices.DeleteFunc(slices.Clone(m.all), func(x residual) bool {
		return math.IsNaN(x.z) || math.IsInf(x.z, 0) || !x.ranged
	})
	if len(known) < len(r.Third) {
		return
	}
	sd := deviationOf(known)
	r.ZSD = &sd
	slices.SortStableFunc(known, func(a, b residual) int { return cmp.Compare(a.networkMean, b.networkMean) })
	for i := range r.Third {
		third := known[i*len(known)/3 : (i+1)*len(known)/3]
		r.Third[i] = deviationOf(third)
		for _, x := range third {
			if x.covered {
				r.Cover[i] += 100 / float64(len(third))
			}
		}
	}
}

func deviationOf(all []residual) float64 {
	n, sum, squares := float64(len(all)), 0.0, 0.0
	for _, x := range all {
		sum += x.z
		squares += x.z * x.z
	}
	return math.Sqrt(max(0, squares/n-sum*sum/n/n))
}

// refitEvery is how often the variograms are fitted again to the observations so far.
const refitEvery = 24 * time.Hour

// fitted is ordinary kriging with a variogram that is fitted to the last weeks.
type fitted struct {
	fitter surface.VariogramFitter
	model  *surface.Model
	at     time.Time
}

// refit fits the variogram if that is due.
func (f *fitted) refit(now time.Time) {
	if f.model == nil || now.Sub(f.at) >= refitEvery {
		if m, ok := f.fitter.Fit(); ok {
			f.model, f.at = m, now
		}
	}
}

// leaveOneOut estimates each site; other is the result without a variogram.
func (f *fitted) leaveOneOut(r *surface.Observations, skip int, other []surface.LOOResult) []surface.LOOResult {
	if f.model == nil {
		return other
	}
	if out := f.model.LeaveOneOut(r, skip); out != nil {
		return out
	}
	return other
}

// logKriging is ordinary kriging of ln(v + offset), back-transformed and corrected by the ratio of the sums of the
// values and of the estimates of the last days.
type logKriging struct {
	fitted
	hours            int
	level            float64 // mean of the city's means
	actual, estimate float64 // faded sums
}

// ratioFade is the weight of the sums after an hour: a half-life of seven days.
var ratioFade = math.Exp2(-1. / 24 / 7)

func (k *logKriging) offset(r *surface.Observations) float64 {
	if k.level == 0 {
		return max(0.1, 0.1*surface.Mean(r.Values))
	}
	return 0.1 * k.level
}

func (k *logKriging) logs(r *surface.Observations) *surface.Observations {
	out := &surface.Observations{Time: r.Time, Sites: r.Sites, Values: make([]float64, len(r.Values))}
	c := k.offset(r)
	for i, v := range r.Values {
		out.Values[i] = math.Log(max(0, v) + c)
	}
	return out
}

func (k *logKriging) leaveOneOut(r *surface.Observations, skip int, other []surface.LOOResult) []surface.LOOResult {
	if k.model == nil {
		return other
	}
	logs := k.model.LeaveOneOutLogs(k.logs(r), skip)
	if logs == nil {
		return other
	}
	c, factor := k.offset(r), 1.0
	if k.estimate > 0 {
		factor = max(0.7, min(1.4, k.actual/k.estimate))
	}
	out := slices.Clone(other) // has the means of the others, and no range
	actual, estimate := 0.0, 0.0
	for i, v := range logs {
		raw := max(0, math.Exp(v)-c)
		out[i].Value = raw * factor
		actual, estimate = actual+r.Values[i], estimate+raw
	}
	if skip == 0 {
		k.actual, k.estimate = k.actual*ratioFade+actual, k.estimate*ratioFade+estimate
	}
	return out
}

func (k *logKriging) add(r *surface.Observations) {
	if k.hours++; k.hours <= logLevelHours {
		// The offset must stay the same: a variogram describes one transformation.
		k.level += (surface.Mean(r.Values) - k.level) / float64(k.hours)
		k.fitter = surface.VariogramFitter{}
		k.model = nil
	}
	k.fitter.Add(*k.logs(r))
}

// logLevelHours is the number of hours whose mean sets the offset of the logarithms.
const logLevelHours = 24
