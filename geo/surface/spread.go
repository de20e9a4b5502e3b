package surface

import (
	"math"
)

// Uncertainty of the estimates, from what recent ones were off. Errors are divided by a first guess of their
// deviation and counted in histograms; quantiles of these give the range.
const (
	levels = 3 // by the city's mean: clean, middle, polluted
	// The histograms have bins of equal width in asinh(z · zFine): about 6 % of z beyond 1/zFine.
	zBins     = 441
	zFine     = 50.0
	zWidth    = 0.06
	meanBins  = 256
	meanWidth = 0.1 // of ln(mean), from minLogMean on
	// The numbers of errors from which quantiles are used, and at which a level counts as much as all levels.
	minErrors   = 40
	mixedErrors = 100
)

// minLogMean is the lower end of the histogram of means: e⁻¹² µg/m³.
const minLogMean = -12.0

// spread holds the standardised errors of the estimates.
type spread struct {
	Kinds [skips]spreadKind `json:"kinds"`
	Means []float64         `json:"means"` // histogram of ln(mean + offset) of the hours
	// Shares of the errors below and above the range, by level, as differences from tailShare. They follow how many
	// errors were outside lately, so that the range holds while the air changes (Gibbs & Candès 2021).
	Tails [levels][2]float64 `json:"tails"`
}

const (
	tailShare = 0.1  // of the errors below, and above, the range
	tailRate  = 0.02 // how fast the shares follow, per hour
	maxTail   = 0.08 // the greatest difference from tailShare
)

// follow adapts the shares of a level to the errors of an hour.
func (s *spread) follow(all []zError, grown float64) {
	var merged [skips]mergedErrors
	s.merge(&merged)
	bounds := s.tertiles()
	var knots [levels][]knot
	var below, above, count [levels]float64
	for _, x := range all {
		level := levelOf(bounds, x.logMean)
		if knots[level] == nil {
			knots[level] = s.levelKnots(level, grown, &merged)
		}
		k := knotAt(knots[level], x.logUnit)
		count[level]++
		if x.z < k.low {
			below[level]++
		} else if x.z > k.high {
			above[level]++
		}
	}
	for level, n := range count {
		if n == 0 || len(knots[level]) == 0 {
			continue
		}
		rate := tailRate * n / float64(len(all))
		for side, outside := range [2]float64{below[level], above[level]} {
			t := &s.Tails[level][side]
			*t = max(-maxTail, min(maxTail, *t+rate*(tailShare-outside/n)))
		}
	}
}

// spreadKind holds the errors of one kind of leave-one-out estimates.
type spreadKind struct {
	Count   float64          `json:"count"`
	LogUnit weightedMean     `json:"log_unit"` // mean of the logarithms of the unit variances
	Levels  [levels]zHistory `json:"levels"`
}

// zHistory holds weighted errors of one level.
type zHistory struct {
	Count   float64      `json:"count"`
	Squares weightedMean `json:"squares"`
	Bins    []float64    `json:"bins"`
}

// zError is a standardised error.
type zError struct {
	z, logUnit, logMean float64
}

// standardised returns the errors of the weighted estimates, divided by the first guess of their deviation.
func (s *Stack) standardised(e *estimates, weights *[members]float64, values []float64) []zError {
	out, c := make([]zError, len(values)), s.offset(values)
	for i := range out {
		v := weigh(weights, &e.by[i])
		out[i] = zError{
			z:       (values[i] - v) / guess(v, c, e.scale2[i], e.unit[i]),
			logUnit: e.logs[i], logMean: math.Log(max(0, e.means[i]) + c),
		}
	}
	return out
}

// guess returns the first guess of the deviation of an estimate.
func guess(v, offset, scale2, unit float64) float64 {
	return math.Sqrt(math.Pow(v+offset, 0.7) * math.Sqrt(scale2) * unit)
}

// add adds the errors of an hour.
func (s *spread) add(kind int, all []zError, weight float64) {
	if s.Means == nil {
		s.Means = make([]float64, meanBins)
	}
	k := &s.Kinds[kind]
	bounds := s.tertiles()
	for _, x := range all {
		l := &k.Levels[levelOf(bounds, x.logMean)]
		if l.Bins == nil {
			l.Bins = make([]float64, zBins)
		}
		l.Bins[zBin(x.z)] += weight
		l.Squares.add(x.z*x.z, weight)
		l.Count++
		k.Count++
		k.LogUnit.add(x.logUnit, weight)
	}
	if kind == 0 {
		for _, x := range all {
			s.Means[min(max(int((x.logMean-minLogMean)/meanWidth), 0), meanBins-1)] += weight
		}
	}
}

func zBin(z float64) int {
	return min(max(int(math.Round(math.Asinh(z*zFine)/zWidth))+zBins/2, 0), zBins-1)
}

// tertiles returns the two bounds between the levels of the logarithm of the mean.
func (s *spread) tertiles() [levels - 1]float64 {
	var out [levels - 1]float64
	total := sumOf(s.Means)
	for i := range out {
		out[i] = minLogMean + meanWidth*quantileBin(s.Means, total, float64(i+1)/levels)
	}
	return out
}

func levelOf(bounds [levels - 1]float64, logMean float64) int {
	level := 0
	for _, b := range bounds {
		if logMean > b {
			level++
		}
	}
	return level
}

// quantileBin returns the fractional bin below which a share of the weight lies, NaN without weight. total is the sum
// of the bins.
func quantileBin(bins []float64, total, share float64) float64 {
	rest := share * total
	for i, w := range bins {
		if w > 0 && rest <= w {
			return float64(i) + rest/w
		}
		rest -= w
	}
	return math.NaN()
}

// knot is the uncertainty at one unit variance, as multiples of the first guess of the deviation.
type knot struct{ logUnit, low, high, deviation float64 }

// mergedErrors are the errors of all levels of a kind.
type mergedErrors struct {
	squares weightedMean
	bins    [zBins]float64 // empty with fewer than minErrors
	total   float64        // sum of the bins
}

// merge sets out to the errors of all levels of each kind that has any.
func (s *spread) merge(out *[skips]mergedErrors) {
	for i := range s.Kinds {
		k, m := &s.Kinds[i], &out[i]
		if k.LogUnit.Weight == 0 {
			continue
		}
		for j := range k.Levels {
			l := &k.Levels[j]
			m.squares.Sum, m.squares.Weight = m.squares.Sum+l.Squares.Sum, m.squares.Weight+l.Squares.Weight
			if k.Count < minErrors {
				continue
			}
			for b, w := range l.Bins {
				m.bins[b] += w
			}
		}
		m.total = sumOf(m.bins[:])
	}
}

// levelKnots returns the uncertainty in a level, by rising unit variance. It is empty if nothing was learned.
func (s *spread) levelKnots(level int, grown float64, all *[skips]mergedErrors) []knot {
	var out []knot
	for i := range s.Kinds {
		k := &s.Kinds[i]
		if k.LogUnit.Weight == 0 {
			continue
		}
		n := k.knot(level, grown, s.Tails[level], &all[i])
		if n.logUnit = k.LogUnit.Sum / k.LogUnit.Weight; len(out) == 0 || n.logUnit > out[len(out)-1].logUnit {
			out = append(out, n)
		}
	}
	return out
}

// knots returns the uncertainty for an hour with a mean of other sites; see levelKnots.
func (s *Stack) knots(logMean float64) []knot {
	if s.frozen != nil {
		return s.frozen.knots[levelOf(s.frozen.bounds, logMean)]
	}
	var merged [skips]mergedErrors
	s.Spread.merge(&merged)
	return s.Spread.levelKnots(levelOf(s.Spread.tertiles(), logMean), s.grown(errorHalfLife), &merged)
}

// knot returns the uncertainty in a level.
func (k *spreadKind) knot(level int, grown float64, tails [2]float64, all *mergedErrors) knot {
	here := &k.Levels[level]
	general := all.squares.Sum / all.squares.Weight
	deviation := math.Sqrt((here.Squares.Sum + mixedErrors*grown*general) / (here.Squares.Weight + mixedErrors*grown))
	if k.Count < minErrors {
		return knot{low: -z90 * math.Sqrt(general), high: z90 * math.Sqrt(general), deviation: deviation}
	}
	below, above := tailShare+tails[0], 1-tailShare-tails[1]
	low, high := zQuantile(all.bins[:], all.total, below), zQuantile(all.bins[:], all.total, above)
	if n := here.Squares.Weight / grown; n > 0 {
		mix, total := n/(n+mixedErrors), sumOf(here.Bins)
		low += mix * (zQuantile(here.Bins, total, below) - low)
		high += mix * (zQuantile(here.Bins, total, above) - high)
	}
	return knot{low: low, high: high, deviation: deviation}
}

// z90 is the 90th percentile of the standard normal distribution.
const z90 = 1.2816

// zQuantile returns a quantile of the errors in bins, of which total is the sum.
func zQuantile(bins []float64, total, share float64) float64 {
	return math.Sinh((quantileBin(bins, total, share)-0.5-zBins/2)*zWidth) / zFine
}

// knotAt returns the uncertainty at a unit variance, interpolated between the knots.
func knotAt(all []knot, logUnit float64) knot {
	if len(all) == 0 {
		return knot{low: math.NaN(), high: math.NaN(), deviation: math.NaN()}
	}
	for i := 1; i < len(all); i++ {
		if a, b := all[i-1], all[i]; logUnit < b.logUnit {
			f := max(0, (logUnit-a.logUnit)/(b.logUnit-a.logUnit))
			return knot{
				logUnit, a.low + f*(b.low-a.low), a.high + f*(b.high-a.high), a.deviation + f*(b.deviation-a.deviation),
			}
		}
	}
	return all[len(all)-1]
}
