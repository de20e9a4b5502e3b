package surface

import (
	"encoding/binary"
	"math"
	"slices"
	"time"
)

// Model is the fitted model of one quantity.
type Model struct {
	Variogram
	ScaleModel ScaleModel `json:"level"`
	From       time.Time  `json:"from"`
	To         time.Time  `json:"to"`
	Count      int        `json:"rounds"` // number of observations
	RMSE       float64    `json:"rmse"`   // of estimating each monitor from the others; the form with the lowest is chosen
}

// ScaleModel predicts the scale² of an hour from the mean concentration, and weighs the prediction against the
// hour's own values.
type ScaleModel struct {
	Base             float64 `json:"base"`      // ln scale² = Base + Slope · ln mean
	Slope            float64 `json:"slope"`     //
	DegreesOfFreedom float64 `json:"freedom"`   // of the prediction: its weight, in values of the hour itself
	Inflation        float64 `json:"inflation"` // ratio of squared errors to their predicted variance
}

// minMean is the mean below which all air counts as equally clean, in the unit of the quantity.
const minMean = 1

// Scale2 returns the scale² of an hour: the prediction from its mean, combined with the estimate from its own
// values and their degrees of freedom.
func (l *ScaleModel) Scale2(mean, own float64, freedom int) float64 {
	predicted := math.Exp(l.Base + l.Slope*math.Log(max(mean, minMean)))
	return l.Inflation * (l.DegreesOfFreedom*predicted + float64(freedom)*own) / (l.DegreesOfFreedom + float64(freedom))
}

// validate applies the model to observations. It fits the scale model and computes the errors. It returns false
// if too few observations can be solved.
func (m *Model) validate(observations []*Observations) bool {
	m.ScaleModel = ScaleModel{Inflation: 1}
	type solved struct {
		obs      *Observations
		solution *Solution
	}
	var all []solved
	systems := systemCache{}
	for _, r := range observations {
		if n := systems.of(m.Variogram, r.Sites); n != nil {
			all = append(all, solved{r, n.Solve(r.Values)})
		}
	}
	if len(all) < minObservations/2 {
		return false
	}
	means, scales := make([]float64, len(all)), make([]float64, len(all))
	for i, c := range all {
		means[i] = math.Log(max(Mean(c.obs.Values), minMean))
		scales[i] = math.Log(max(c.solution.Scale2(), 1e-9))
	}
	m.ScaleModel.fit(means, scales, len(observations[0].Sites)-1)
	squares, ratios, count := 0.0, 0.0, 0
	for _, c := range all {
		for i, loo := range c.solution.LeaveOneOut(c.obs.Values, 0) {
			residual := c.obs.Values[i] - max(0, loo.Value)
			squares += residual * residual
			ratios += residual * residual / (loo.Variance * m.ScaleModel.Scale2(othersMean(c.obs.Values, i), loo.Scale2,
				len(c.obs.Values)-2))
			count++
		}
	}
	m.RMSE = math.Sqrt(squares / float64(count))
	m.ScaleModel.Inflation = ratios / float64(count)
	return m.ScaleModel.Inflation > 0
}

// othersMean returns the mean of all values except values[but].
func othersMean(values []float64, but int) float64 {
	n := float64(len(values))
	return (Mean(values)*n - values[but]) / (n - 1)
}

// fit fits the regression line. The scatter of the observations around it determines the degrees of freedom.
func (l *ScaleModel) fit(means, scales []float64, freedom int) {
	n := float64(len(means))
	mx, my := Mean(means), Mean(scales)
	var xx, xy float64
	for i := range means {
		xx += (means[i] - mx) * (means[i] - mx)
		xy += (means[i] - mx) * (scales[i] - my)
	}
	if xx > 0 {
		l.Slope = min(max(xy/xx, -maxSlope), maxSlope)
	}
	var rest float64
	for i := range means {
		d := scales[i] - my - l.Slope*(means[i]-mx)
		rest += d * d
	}
	// The logarithm of χ²/ν has a mean of about −1/ν and a variance of about 2/ν. The remaining variance is that of
	// the scale itself, and an inverse gamma distribution of that variance has 2/variance degrees of freedom.
	own := 2 / float64(freedom)
	l.Base = my - l.Slope*mx + 1/float64(freedom)
	l.DegreesOfFreedom = min(max(2/max(rest/n-own, 1e-9), minFreedom), maxFreedom)
}

const (
	maxSlope               = 3.0 // deviation ∝ mean^±1.5 at most; ozone varies most where it is low
	minFreedom, maxFreedom = 1.0, 100.0
)

// systemCache caches the systems of sets of sites, which repeat from hour to hour.
type systemCache map[string]*KrigingSystem

func (c systemCache) of(v Variogram, sites []Site) *KrigingSystem {
	key := siteKey(sites)
	if n, known := c[key]; known {
		return n
	}
	n, err := NewKrigingSystem(v, slices.Clone(sites))
	if err != nil {
		n = nil
	}
	c[key] = n
	return n
}

// siteKey returns a key that identifies a list of sites.
func siteKey(sites []Site) string {
	b := make([]byte, 0, len(sites)*25)
	for i := range sites {
		s := &sites[i]
		for _, v := range [...]float64{s.Point[0], s.Point[1], s.Extra} {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		b = append(b, byte(s.Class))
		b = append(b, s.ID...)
		b = append(b, 0)
	}
	return string(b)
}
