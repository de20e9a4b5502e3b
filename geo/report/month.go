package report

import (
	"math"
	"time"
)

// Profile is the mean of each part of a cycle: the hours of a day, or the days of a week from Monday. Parts
// without values are NaN.
type Profile []float64

// Diurnal returns the mean of each local hour of the day; index 0 is 00:00 to 01:00. In a zone that is off by part of
// an hour, an hour counts where it begins.
func Diurnal(hours []Mean, zone *time.Location) Profile {
	return profile(hours, 24, func(begin time.Time) int { return begin.In(zone).Hour() })
}

// Weekdays returns the mean of each day of the week; index 0 is Monday.
func Weekdays(hours []Mean, zone *time.Location) Profile {
	return profile(hours, 7, func(begin time.Time) int { return (int(begin.In(zone).Weekday()) + 6) % 7 })
}

func profile(hours []Mean, n int, part func(time.Time) int) Profile {
	sums, counts := make([]float64, n), make([]int, n)
	for _, h := range hours {
		i := part(h.End.Add(-time.Hour))
		sums[i] += h.Value
		counts[i]++
	}
	for i := range sums {
		sums[i] /= float64(counts[i]) // NaN if the part has no values
	}
	return sums
}

// Max returns the highest part, or 0 if there is none.
func (p Profile) Max() float64 {
	top := 0.0
	for _, v := range p {
		if !math.IsNaN(v) {
			top = max(top, v)
		}
	}
	return top
}

// Gap is a period without complete hours.
type Gap struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Hours float64   `json:"hours"`
}

// Gaps returns the periods between from and to without complete hours. ends are the sorted ENDs of the complete
// hours.
func Gaps(ends []time.Time, from, to time.Time) []Gap {
	var out []Gap
	last := from
	add := func(until time.Time) {
		if until.Sub(last) >= time.Hour {
			out = append(out, Gap{last.UTC(), until.UTC(), until.Sub(last).Hours()})
		}
	}
	for _, end := range ends {
		if !end.After(from) || end.After(to) {
			continue
		}
		add(end.Add(-time.Hour))
		last = end
	}
	add(to)
	return out
}

// Calendar returns the days of a month in weeks from Monday. Days of other months are zero.
func Calendar(month time.Time) [][7]time.Time {
	var out [][7]time.Time
	first := time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, month.Location())
	for d := first; d.Month() == first.Month(); d = d.AddDate(0, 0, 1) {
		i := (int(d.Weekday()) + 6) % 7
		if i == 0 || len(out) == 0 {
			out = append(out, [7]time.Time{})
		}
		out[len(out)-1][i] = d
	}
	return out
}
