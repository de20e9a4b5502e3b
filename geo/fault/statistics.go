package fault

import (
	"cmp"
	"math"
	"slices"
)

// madToDeviation converts a median absolute deviation to the standard deviation of a normal distribution.
const madToDeviation = 1.4826

var nan = math.NaN()

// selectNth partially sorts values so that values[k] is the one that a full sort would put there, and returns it.
func selectNth(values []float64, k int) float64 {
	low, high := 0, len(values)-1
	for low < high {
		pivot := middleOf(values[low], values[(low+high)/2], values[high])
		i, j := low, high
		for i <= j {
			for values[i] < pivot {
				i++
			}
			for values[j] > pivot {
				j--
			}
			if i <= j {
				values[i], values[j] = values[j], values[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			high = j
		case k >= i:
			low = i
		default:
			return values[k]
		}
	}
	return values[k]
}

func middleOf(a, b, c float64) float64 { return max(min(a, b), min(max(a, b), c)) }

// median returns the median of values, which it reorders; NaN without any.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return nan
	}
	upper := selectNth(values, n/2)
	if n%2 == 1 {
		return upper
	}
	return (upper + slices.Max(values[:n/2])) / 2
}

// quantile returns the value that a share of values is below, and reorders them; NaN without any.
func quantile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return nan
	}
	return selectNth(values, min(int(share*float64(len(values))), len(values)-1))
}

// deviation returns a robust standard deviation around 0: the greater of those that half and four fifths of the values
// lie within. It makes the values absolute.
func deviation(values []float64) float64 {
	const q80 = 1.2816 // of the absolute value of a standard normal variable
	for i, v := range values {
		values[i] = math.Abs(v)
	}
	return max(madToDeviation*median(values), quantile(values, 0.8)/q80)
}

// surprise is the negative logarithm of Student's density with four degrees of freedom, but for a constant.
func surprise(z float64) float64 { return 2.5 * math.Log1p(z*z/4) }

func clip(v, low, high float64) float64 { return max(low, min(high, v)) }

// weighted is a value and its weight.
type weighted struct{ value, weight float64 }

// weightedMedian returns the median of values by weight, and sorts them.
func weightedMedian(values []weighted) float64 {
	slices.SortFunc(values, func(a, b weighted) int { return cmp.Compare(a.value, b.value) })
	total := 0.0
	for _, v := range values {
		total += v.weight
	}
	sum := 0.0
	for i, v := range values {
		sum += v.weight
		if sum > total/2 || i == len(values)-1 {
			return v.value
		}
	}
	return nan
}

// nanSlice returns n times NaN.
func nanSlice(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = nan
	}
	return out
}

// runningMedian returns the median of the known values within half on either side, NaN where there are none.
func runningMedian(values []float64, half int) []float64 {
	out := make([]float64, len(values))
	buffer := make([]float64, 0, 2*half+1)
	for t := range values {
		buffer = buffer[:0]
		for k := max(t-half, 0); k <= min(t+half, len(values)-1); k++ {
			if v := values[k]; v == v {
				buffer = append(buffer, v)
			}
		}
		out[t] = median(buffer)
	}
	return out
}
