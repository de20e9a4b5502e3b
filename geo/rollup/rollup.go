// Package rollup sums values up over hours, days and months, with how much of each was captured.
package rollup

import (
	"math"
	"slices"

	"nhip"
)

// UsualCompleteness is the share of values that must be there for their mean to stand for the whole.
const UsualCompleteness = 0.75

// suspectShare is the part of suspect values from which the sum of all is suspect, too.
const suspectShare = 0.25

// Value is one of those that are summed up.
type Value struct {
	Value float64
	Flag  nhip.Flag
}

// Hour sums up the values of an hour, of which expected were to come. What failed does not count; what is suspect
// does, and taints the whole where it is much. It is false where there are no values.
func Hour(values []Value, expected, completeness float64) (nhip.Stats, bool) {
	if len(values) == 0 {
		return nhip.Stats{}, false
	}
	good := make([]float64, 0, len(values))
	suspect := 0
	for _, v := range values {
		if v.Flag == nhip.Fail || v.Flag == nhip.MissingValue {
			continue
		}
		if v.Flag == nhip.Suspect {
			suspect++
		}
		good = append(good, v.Value)
	}
	return stats(good, suspect, expected, completeness), true
}

// Hours sums up a day or a month of so many hours. Only complete hours count. It is false where there are none at
// all.
func Hours(hours []nhip.Stats, n int, completeness float64) (nhip.Stats, bool) {
	if len(hours) == 0 {
		return nhip.Stats{}, false
	}
	means := make([]float64, 0, len(hours))
	suspect := 0
	low, high := math.Inf(1), math.Inf(-1)
	for i := range hours {
		h := &hours[i]
		if !h.Complete() {
			continue
		}
		if h.Flag == nhip.Suspect {
			suspect++
		}
		means = append(means, h.Mean)
		low, high = min(low, h.Min), max(high, h.Max)
	}
	s := stats(means, suspect, float64(n), completeness)
	if s.Count > 0 {
		s.Min, s.Max = low, high // of the values, not of their means
	}
	return s, true
}

// stats makes the numbers of what counts. It sorts values.
func stats(values []float64, suspect int, expected, completeness float64) nhip.Stats {
	s := nhip.Stats{Count: len(values), Flag: nhip.Fail}
	if s.Count == 0 {
		return s
	}
	slices.Sort(values)
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	share := min(float64(s.Count)/expected, 1)
	s.Mean, s.Min, s.Max = sum/float64(s.Count), values[0], values[s.Count-1]
	s.Median, s.P98 = percentile(values, 0.5), percentile(values, 0.98)
	s.Capture = 100 * share
	switch {
	case share < completeness:
		s.Flag = nhip.NotEvaluated
	case float64(suspect) > suspectShare*float64(s.Count):
		s.Flag = nhip.Suspect
	default:
		s.Flag = nhip.Good
	}
	return s
}

// percentile is the least of sorted values that so great a part of them does not exceed (nearest rank).
func percentile(sorted []float64, part float64) float64 {
	rank := int(math.Ceil(part * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}
