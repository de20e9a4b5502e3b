package aqi

import "math"

// NowCast returns the weighted mean of the last 12 hours. The more the concentration changes, the more weight the
// latest hours get. At least two of the last three hours must be present. The result is always normalised: the
// form that the Decision gives for w = ½ has no denominator and would fall with every missing hour.
func NowCast(hours []float64) (float64, bool) {
	hours = latest(hours, nowCastHours)
	if countPresent(latest(hours, 3)) < 2 {
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

// mean returns the mean of the latest n hours and the share of them that is present. ok is false if the share is
// below completeness.
func mean(hours []float64, n int, completeness float64) (m, share float64, ok bool) {
	sum, count := 0.0, 0
	for _, c := range latest(hours, n) {
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

// maxMean returns the highest n-hour mean among those that end in the latest length hours, and the share of these
// means that exists. ok is false if the share is below completeness.
func maxMean(hours []float64, n, length int, completeness float64) (m, share float64, ok bool) {
	top, count := math.Inf(-1), 0
	for i := range min(length, len(hours)) {
		if v, _, ok := mean(hours[i:], n, completeness); ok {
			top = max(top, v)
			count++
		}
	}
	share = float64(count) / float64(length)
	return top, share, count > 0 && share >= completeness
}

func latest(hours []float64, n int) []float64 { return hours[:min(n, len(hours))] }

// countPresent returns the number of hours that have a mean.
func countPresent(hours []float64) int {
	n := 0
	for _, c := range hours {
		if !math.IsNaN(c) {
			n++
		}
	}
	return n
}
