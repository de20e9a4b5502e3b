package surface

import (
	"cmp"
	"math"
	"slices"
)

// lag is a bin of pairs of sites with similar distances.
type lag struct {
	distance float64 // mean, m
	gamma    float64 // robust semivariance, in scale²
	pairs    float64
}

// pair is a pair of simultaneous values.
type pair struct {
	distance float64 // m
	root     float64 // √|difference|, in √scale
	low      int     // number of low-cost monitors in the pair, 0 to 2
}

const (
	maxLags = 15
	// minPairs is the minimum number of pairs in a bin.
	minPairs = 30
)

// lagsOf returns semivariances by distance, in bins of equally many pairs (Cressie & Hawkins 1980).
func lagsOf(pairs []pair) []lag {
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.distance, b.distance) })
	count := min(maxLags, len(pairs)/minPairs)
	out := make([]lag, 0, count)
	for at, i := 0, 0; i < count; i++ {
		end := (i + 1) * len(pairs) / count
		// Pairs with the same distance come from the same two places and must stay in one bin.
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
	n, sum, distance := float64(len(pairs)), 0.0, 0.0
	for _, p := range pairs {
		sum += p.root
		distance += p.distance
	}
	return lag{distance: distance / n, gamma: math.Pow(sum/n, 4) / (0.457 + 0.494/n) / 2, pairs: n}
}

// lowCostVariance returns the additional error variance of a low-cost monitor. It compares the semivariances of
// pairs with low-cost monitors with those of reference monitors at similar distances. It returns 0 if all
// monitors have the same class.
func lowCostVariance(pairs []pair) float64 {
	var by [3][]pair
	for _, p := range pairs {
		by[p.low] = append(by[p.low], p)
	}
	references := lagsOf(by[0])
	sum, weight := 0.0, 0.0
	for low := 1; low <= 2; low++ {
		for _, l := range lagsOf(by[low]) {
			if r, ok := nearLag(references, l.distance); ok {
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

// nearLag returns the bin nearest to a distance, if it is within a third of it.
func nearLag(all []lag, distance float64) (lag, bool) {
	best, found := lag{}, false
	for _, l := range all {
		if math.Abs(l.distance-distance) <= distance/3 &&
			(!found || math.Abs(l.distance-distance) < math.Abs(best.distance-distance)) {
			best, found = l, true
		}
	}
	return best, found
}

// Candidate ranges lie between these multiples of the longest distance. Each is rangeStep times the previous one.
const (
	minRange, maxRange = 0.05, 4
	rangeStep          = 1.15
)

// fitVariogram returns the variogram of a form that fits the bins best, by Cressie's weights: errors are relative
// to the semivariance. ok is false if there are fewer than three bins or no fit has a positive sill.
func fitVariogram(kind Kind, bins []lag) (v Variogram, ok bool) {
	if len(bins) < 3 {
		return Variogram{}, false
	}
	longest := bins[len(bins)-1].distance
	best, least := Variogram{}, math.Inf(1)
	from, to := minRange*longest, maxRange*longest
	if kind == KindLinear {
		from, to = longest, longest // the range of a linear variogram is only a unit
	}
	for distance := from; distance <= to; distance *= rangeStep {
		v := Variogram{Kind: kind, Range: distance}
		v.Nugget, v.Sill = fitLine(bins, func(h float64) float64 { return kind.shape(h / distance) })
		if sum := weightedError(&v, bins); v.Sill > 0 && sum < least {
			best, least = v, sum
		}
	}
	return best, !math.IsInf(least, 1)
}

// fitLine returns a, b ≥ 0 for which a + b·shape fits the bins best.
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

func weightedError(v *Variogram, bins []lag) float64 {
	sum := 0.0
	for _, l := range bins {
		d := l.gamma - v.Semivariance(l.distance)
		sum += weightOf(&l) * d * d
	}
	return sum
}

func weightOf(l *lag) float64 { return l.pairs / (l.gamma*l.gamma + 1e-12) }
