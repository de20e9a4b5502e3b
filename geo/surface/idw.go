package surface

import (
	"math"
	"slices"
)

// IDW is inverse distance weighting: the mean of values by 1/distance^Power.
type IDW struct {
	Power   float64
	Nearest int // of so many sites; 0 of all
}

// Estimate returns the mean at distances in metres; values and distances go together. NaN of none.
func (w IDW) Estimate(distances, values []float64) float64 {
	reach := math.Inf(1)
	if w.Nearest > 0 && w.Nearest < len(distances) {
		reach = slices.Sorted(slices.Values(distances))[w.Nearest-1]
	}
	sum, weights := 0.0, 0.0
	for i, d := range distances {
		if d > reach {
			continue
		}
		// A metre apart is the same place. Weights are of kilometres, so that no power runs over.
		k := math.Pow(max(d, 1)/1000, -w.Power)
		sum += k * values[i]
		weights += k
	}
	return sum / weights
}
