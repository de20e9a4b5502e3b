// Package rollup aggregates values over hours, days and months and records the data capture.
package rollup

import (
	"math"
	"slices"

	"nhip"
)

// DefaultCompleteness is the share of values that must exist for their mean to represent the whole period.
const DefaultCompleteness = 0.75

// suspectShare is the share of suspect values above which the aggregate is suspect, too.
const suspectShare = 0.25

// Value is one value to be aggregated.
type Value struct {
	Value float64
	Flag  nhip.Flag
}

// FromValues aggregates the values of an hour in which expected values were due. Failed and missing values are
// ignored; suspect values count, and make the aggregate suspect if there are many. ok is false if values is
// empty.
func FromValues(values []Value, expected, completeness float64) (s nhip.RollupStats, ok bool) {
	if len(values) == 0 {
		return nhip.RollupStats{}, false
	}
	good := make([]float64, 0, len(values))
	suspect := 0
	for _, v := range values {
		if v.Flag == nhip.FlagFail || v.Flag == nhip.FlagMissing {
			continue
		}
		if v.Flag == nhip.FlagSuspect {
			suspect++
		}
		good = append(good, v.Value)
	}
	return stats(good, suspect, expected, completeness), true
}

// FromHours aggregates the hours of a day or a month that has n hours. Only complete hours count. ok is false if
// hours is empty.
func FromHours(hours []nhip.RollupStats, n int, completeness float64) (s nhip.RollupStats, ok bool) {
	if len(hours) == 0 {
		return nhip.RollupStats{}, false
	}
	means := make([]float64, 0, len(hours))
	suspect := 0
	low, high := math.Inf(1), math.Inf(-1)
	for i := range hours {
		h := &hours[i]
		if !h.Complete() {
			continue
		}
		if h.Flag == nhip.FlagSuspect {
			suspect++
		}
		means = append(means, h.Mean)
		low, high = min(low, h.Min), max(high, h.Max)
	}
	s = stats(means, suspect, float64(n), completeness)
	if s.Count > 0 {
		s.Min, s.Max = low, high // extremes of the values, not of the hourly means
	}
	return s, true
}

// stats computes the statistics of the values that count. It sorts values.
func stats(values []float64, suspect int, expected, completeness float64) nhip.RollupStats {
	s := nhip.RollupStats{Count: len(values), Flag: nhip.FlagFail}
	if s.Count == 0 {
		return s
	}
	slices.Sort(values)
	var sum Sum
	for _, v := range values {
		sum.Add(v)
	}
	share := min(float64(s.Count)/expected, 1)
	s.Mean, s.Min, s.Max = sum.Value()/float64(s.Count), values[0], values[s.Count-1]
	s.Median, s.P98 = percentile(values, 0.5), percentile(values, 0.98)
	s.Capture = 100 * share
	switch {
	case share < completeness:
		s.Flag = nhip.FlagNotEvaluated
	case float64(suspect) > suspectShare*float64(s.Count):
		s.Flag = nhip.FlagSuspect
	default:
		s.Flag = nhip.FlagGood
	}
	return s
}

// percentile returns the nearest-rank percentile: the smallest value that is at least as great as that part of
// all values.
func percentile(sorted []float64, part float64) float64 {
	rank := int(math.Ceil(part * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}
