package surface

import (
	"cmp"
	"math"
	"slices"
)

// lag is a bin of pairs of sites at about one distance.
type lag struct {
	distance float64 // mean, m
	gamma    float64 // robust semivariance, in scale²
	pairs    float64
}

// pair are two values of one moment.
type pair struct {
	distance float64 // m
	root     float64 // √|difference|, in √scale
	low      int     // how many of the two monitors are low-cost
}

const (
	lags = 15
	// leastPairs is how many pairs a bin needs to say anything.
	leastPairs = 30
)

// binned returns semivariances by distance, in bins of as many pairs each (Cressie & Hawkins 1980).
func binned(pairs []pair) []lag {
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.distance, b.distance) })
	count := min(lags, len(pairs)/leastPairs)
	out := make([]lag, 0, count)
	for at, i := 0, 0; i < count; i++ {
		end := (i + 1) * len(pairs) / count
		// Pairs at one distance are of the same two places: they stay together.
		for end < len(pairs) && end > at && pairs[end].distance == pairs[end-1].distance {
			end++
		}
		if end > at {
			out = append(out, lagOf(pairs[at:end]))
			at = end
		}
	}
	return out
}

func lagOf(pairs []pair) lag {
	n, sum, way := float64(len(pairs)), 0.0, 0.0
	for _, p := range pairs {
		sum += p.root
		way += p.distance
	}
	return lag{distance: way / n, gamma: math.Pow(sum/n, 4) / (0.457 + 0.494/n) / 2, pairs: n}
}

// extraOfLowCost returns what a low-cost monitor's error variance adds to a reference's: how much more unlike two
// low-cost ones are than two references at the same distance. It is 0 where the network is all of one class.
func extraOfLowCost(pairs []pair) float64 {
	var by [3][]pair
	for _, p := range pairs {
		by[p.low] = append(by[p.low], p)
	}
	references := binned(by[0])
	sum, weight := 0.0, 0.0
	for low := 1; low <= 2; low++ {
		for _, l := range binned(by[low]) {
			if r, ok := near(references, l.distance); ok {
				sum += l.pairs * (l.gamma - r.gamma) * 2 / float64(low)
				weight += l.pairs
			}
		}
	}
	if weight == 0 {
		return 0
	}
	return max(0, sum/weight)
}

// near returns the bin at about a distance: within a third of it.
func near(all []lag, distance float64) (lag, bool) {
	best, found := lag{}, false
	for _, l := range all {
		if math.Abs(l.distance-distance) <= distance/3 && (!found || math.Abs(l.distance-distance) < math.Abs(best.distance-distance)) {
			best, found = l, true
		}
	}
	return best, found
}

// The ranges that are tried lie between these parts of the longest distance, each rangeStep times the last.
const (
	leastRange, mostRange = 0.05, 4
	rangeStep             = 1.15
)

// fit returns the variogram of a form that comes nearest to the bins, by Cressie's weights: a miss counts by its
// part of the semivariance. It is false of fewer than three bins.
func fit(kind Kind, bins []lag) (Variogram, bool) {
	if len(bins) < 3 {
		return Variogram{}, false
	}
	longest := bins[len(bins)-1].distance
	best, least := Variogram{}, math.Inf(1)
	from, to := leastRange*longest, mostRange*longest
	if kind == Linear {
		from, to = longest, longest // its range is but a unit
	}
	for reach := from; reach <= to; reach *= rangeStep {
		v := Variogram{Kind: kind, Range: reach}
		v.Nugget, v.Sill = fitLine(bins, func(h float64) float64 { return kind.shape(h / reach) })
		if miss := missOf(&v, bins); v.Sill > 0 && miss < least {
			best, least = v, miss
		}
	}
	return best, !math.IsInf(least, 1)
}

// fitLine returns a and b ≥ 0 so that a + b·shape comes nearest to the bins.
func fitLine(bins []lag, shape func(float64) float64) (a, b float64) {
	var w, ws, wss, wg, wsg float64
	for _, l := range bins {
		k, s := weightOf(&l), shape(l.distance)
		w, ws, wss, wg, wsg = w+k, ws+k*s, wss+k*s*s, wg+k*l.gamma, wsg+k*s*l.gamma
	}
	det := w*wss - ws*ws
	if det > 0 {
		a, b = (wss*wg-ws*wsg)/det, (w*wsg-ws*wg)/det
	}
	switch {
	case det <= 0, b <= 0:
		return wg / w, 0
	case a < 0:
		return 0, wsg / wss
	}
	return a, b
}

func missOf(v *Variogram, bins []lag) float64 {
	sum := 0.0
	for _, l := range bins {
		d := l.gamma - v.At(l.distance)
		sum += weightOf(&l) * d * d
	}
	return sum
}

func weightOf(l *lag) float64 { return l.pairs / (l.gamma*l.gamma + 1e-12) }
