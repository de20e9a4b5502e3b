package surface

import (
	"math"
	"slices"
	"time"
)

// TrainingWindow is how long observations are used for fitting.
const TrainingWindow = 42 * 24 * time.Hour

const (
	// minSites is the minimum number of sites of an observation.
	minSites = 5
	// minObservations is the minimum number of observations for a model.
	minObservations = 12
	// maxPairs limits the pairs of sites from which a variogram is fitted. If there are more, some observations are
	// skipped at regular intervals.
	maxPairs = 400_000
	// maxValidation is the number of observations with which the forms are compared.
	maxValidation = 240
)

// Observations holds the values of a network at one time, one per site.
type Observations struct {
	Time   time.Time
	Sites  []Site
	Values []float64
	Silent []Site // without a value; a surface fills those that usually report
}

// VariogramFitter collects observations and fits models to them. The zero value is ready to use.
type VariogramFitter struct {
	observations []Observations // in the order of their times
}

// Add adds observations, which must be later than all before. Observations with few sites or without any variance
// are ignored.
func (l *VariogramFitter) Add(r Observations) {
	first := 0
	for first < len(l.observations) && !l.observations[first].Time.After(r.Time.Add(-TrainingWindow)) {
		first++
	}
	l.observations = l.observations[first:]
	if len(r.Sites) < minSites || variance(r.Values) == 0 {
		return
	}
	if n := len(l.observations); n > 0 && slices.Equal(l.observations[n-1].Sites, r.Sites) {
		r.Sites = l.observations[n-1].Sites // share the slice instead of keeping one per hour
	}
	l.observations = append(l.observations, r)
}

// variance returns the sample variance.
func variance(values []float64) float64 {
	m := Mean(values)
	sum := 0.0
	for _, v := range values {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(values)-1)
}

// Mean returns the mean of values, NaN without any.
func Mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// Fit fits a model. ok is false if there are too few observations.
func (l *VariogramFitter) Fit() (m *Model, ok bool) {
	if len(l.observations) < minObservations {
		return nil, false
	}
	pairs := l.pairs()
	bins := lagsOf(pairs)
	extra := lowCostVariance(pairs)
	var best *Model
	for _, kind := range Kinds() {
		v, ok := fitVariogram(kind, bins)
		if !ok {
			continue
		}
		v.LowCost = extra
		v.Nugget = max(0, v.Nugget-extra*lowCostShare(pairs))
		m := &Model{
			Variogram: v, From: l.observations[0].Time, To: l.observations[len(l.observations)-1].Time,
			Count: len(l.observations),
		}
		if m.validate(l.sample(maxValidation)) && (best == nil || m.RMSE < best.RMSE) {
			best = m
		}
	}
	if best == nil {
		return nil, false
	}
	return best, true
}

// lowCostShare returns the share of low-cost monitors among all monitors of the pairs.
func lowCostShare(pairs []pair) float64 {
	low := 0
	for _, p := range pairs {
		low += p.low
	}
	return float64(low) / float64(2*len(pairs))
}

// pairs returns the differences between all pairs of sites, each divided by the standard deviation of its hour,
// so that polluted hours do not dominate.
func (l *VariogramFitter) pairs() []pair {
	total := 0
	for i := range l.observations {
		total += len(l.observations[i].Sites) * (len(l.observations[i].Sites) - 1) / 2
	}
	var out []pair
	for _, r := range l.sample(len(l.observations) * maxPairs / max(total, maxPairs)) {
		plane, deviation := planeOf(r.Sites), math.Sqrt(variance(r.Values))
		for i := range r.Sites {
			xi, yi := plane.XY(r.Sites[i].Point)
			for j := range i {
				xj, yj := plane.XY(r.Sites[j].Point)
				out = append(out, pair{
					distance: math.Round(math.Hypot(xi-xj, yi-yj)),
					root:     math.Sqrt(math.Abs(r.Values[i]-r.Values[j]) / deviation),
					low:      int(r.Sites[i].Class + r.Sites[j].Class),
				})
			}
		}
	}
	return out
}

// sample returns up to n observations at regular intervals.
func (l *VariogramFitter) sample(n int) []*Observations {
	n = max(1, min(n, len(l.observations)))
	out := make([]*Observations, n)
	for i := range out {
		out[i] = &l.observations[i*len(l.observations)/n]
	}
	return out
}
