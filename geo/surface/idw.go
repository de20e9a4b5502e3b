package surface

import (
	"math"
	"slices"
)

// IDW is inverse distance weighting: the mean of the values weighted by 1/distance^Power.
type IDW struct {
	Power   float64
	Nearest int // number of nearest sites to use; 0 uses all
}

// Estimate returns the weighted mean. distances are in metres and correspond to values. It is NaN without values.
func (w IDW) Estimate(distances, values []float64) float64 {
	farthest := math.Inf(1)
	if w.Nearest > 0 && w.Nearest < len(distances) {
		farthest = slices.Sorted(slices.Values(distances))[w.Nearest-1]
	}
	sum, weights := 0.0, 0.0
	for i, d := range distances {
		if d > farthest {
			continue
		}
		// Distances below one metre count as one metre. Weights are in km^-Power to avoid overflow.
		k := math.Pow(max(d, 1)/1000, -w.Power)
		sum += k * values[i]
		weights += k
	}
	return sum / weights
}
