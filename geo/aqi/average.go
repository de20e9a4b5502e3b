package aqi

import "math"

// NowCast returns the weighted mean of the last 12 hours, which follows the air more closely than a plain one
// the more it changes. It needs two of the last three hours, and is always normalised: the Decision's own
// form for w = ½, without the denominator, would sink with every hour that is missing.
func NowCast(hours []float64) (float64, bool) {
	hours = first(hours, nowCastHours)
	if present(first(hours, 3)) < 2 {
		return 0, false
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range hours {
		if !math.IsNaN(c) {
			low, high = min(low, c), max(high, c)
		}
	}
	w := 1.0
	if high > 0 {
		w = max(low/high, 0.5)
	}
	sum, weights, weight := 0.0, 0.0, 1.0
	for _, c := range hours {
		if !math.IsNaN(c) {
			sum += weight * c
			weights += weight
		}
		weight *= w
	}
	return sum / weights, true
}

// mean returns the mean of n hours, where enough of them are there, and the share that is.
func mean(hours []float64, n int, completeness float64) (m, share float64, ok bool) {
	sum, count := 0.0, 0
	for _, c := range first(hours, n) {
		if !math.IsNaN(c) {
			sum += c
			count++
		}
	}
	share = float64(count) / float64(n)
	if count == 0 || share < completeness {
		return 0, share, false
	}
	return sum / float64(count), share, true
}

// highest returns the highest mean of n hours among those that end in the last 24, where enough of those
// means are there.
func highest(hours []float64, n int, completeness float64) (m, share float64, ok bool) {
	top, count := math.Inf(-1), 0
	for i := range min(dayHours, len(hours)) {
		if v, _, ok := mean(hours[i:], n, completeness); ok {
			top = max(top, v)
			count++
		}
	}
	share = float64(count) / dayHours
	return top, share, count > 0 && share >= completeness
}

func first(hours []float64, n int) []float64 { return hours[:min(n, len(hours))] }

// present counts the hours that are there.
func present(hours []float64) int {
	n := 0
	for _, c := range hours {
		if !math.IsNaN(c) {
			n++
		}
	}
	return n
}
