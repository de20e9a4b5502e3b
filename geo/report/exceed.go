// Package report makes what the agency reports of hours and days: where and how often limits were exceeded, how a
// month was, and when a monitor said nothing.
package report

import (
	"math"
	"time"

	"nhip"
	"nhip/geo/limits"
)

// Exceedance is how one mean of one quantity at one station was against its limit over a span.
type Exceedance struct {
	Quantity  nhip.Quantity  `json:"quantity"`
	Average   limits.Average `json:"average"`
	Limit     float64        `json:"limit"` // of the last mean; it may have changed within the span
	Unit      string         `json:"unit"`
	Number    int            `json:"number"`    // means above the limit of their day
	Evaluated int            `json:"evaluated"` // means that there are
	Capture   float64        `json:"capture_pct"`
	Hours     float64        `json:"hours"`         // that those above it stand for
	Longest   float64        `json:"longest_hours"` // of them in a row
	Max       float64        `json:"max"`
	MaxTime   time.Time      `json:"max_time"` // its END
}

// Series are the complete means of one quantity, by their END in UTC, rising.
type Series struct {
	Hours []Mean
	Days  []Mean
}

// Mean is one complete mean.
type Mean struct {
	End   time.Time
	Value float64
}

// Exceedances holds the means of a quantity from one local time, exclusive, to another, inclusive, against its
// limits. Averages of which there is no mean are left out. The year's is there for each whole calendar year of the
// span.
func Exceedances(q nhip.Quantity, s Series, from, to time.Time, completeness float64) []Exceedance {
	var out []Exceedance
	for _, a := range limits.Averages(q) {
		means, each := s.of(a, from, to, completeness)
		if len(means) == 0 {
			continue
		}
		out = append(out, exceedance(q, a, means, each, from, to))
	}
	return out
}

// of returns the means of an average and how long each stands for alone: a running mean of 8 hours for one.
func (s *Series) of(a limits.Average, from, to time.Time, completeness float64) (means []Mean, each time.Duration) {
	switch a {
	case limits.Hour:
		return within(s.Hours, from, to), time.Hour
	case limits.Eight:
		return within(running(s.Hours, 8, completeness), from, to), time.Hour
	case limits.Day:
		return within(s.Days, from, to), day
	}
	return years(s.Days, from, to, completeness), 366 * day
}

const day = 24 * time.Hour

func within(all []Mean, from, to time.Time) []Mean {
	var out []Mean
	for _, m := range all {
		if m.End.After(from) && !m.End.After(to) {
			out = append(out, m)
		}
	}
	return out
}

// running returns the means of n hours, at each hour that there is, where enough of them are there.
func running(hours []Mean, n int, completeness float64) []Mean {
	var out []Mean
	first, sum := 0, 0.0
	for i, h := range hours {
		sum += h.Value
		for h.End.Sub(hours[first].End) >= time.Duration(n)*time.Hour {
			sum -= hours[first].Value
			first++
		}
		if count := i - first + 1; float64(count) >= completeness*float64(n) {
			out = append(out, Mean{h.End, sum / float64(count)})
		}
	}
	return out
}

// years returns the means of the calendar years that lie wholly in a span, by the zone of from.
func years(days []Mean, from, to time.Time, completeness float64) []Mean {
	var out []Mean
	for y := from.Year(); y <= to.In(from.Location()).Year(); y++ {
		begin, end := time.Date(y, 1, 1, 0, 0, 0, 0, from.Location()), time.Date(y+1, 1, 1, 0, 0, 0, 0, from.Location())
		if begin.Before(from) || end.After(to) {
			continue
		}
		of := within(days, begin, end)
		if float64(len(of)) < completeness*math.Round(end.Sub(begin).Hours()/24) {
			continue
		}
		sum := 0.0
		for _, d := range of {
			sum += d.Value
		}
		out = append(out, Mean{end, sum / float64(len(of))})
	}
	return out
}

func exceedance(q nhip.Quantity, a limits.Average, means []Mean, each time.Duration, from, to time.Time) Exceedance {
	e := Exceedance{Quantity: q, Average: a, Unit: q.Unit(), Evaluated: len(means), Max: math.Inf(-1)}
	could := float64(to.Sub(from) / each)
	if a == limits.Year {
		could = float64(len(means))
	}
	e.Capture = math.Round(1000*min(float64(len(means))/max(could, 1), 1)) / 10
	row, last := 0.0, time.Time{}
	for _, m := range means {
		begin := m.End.Add(-time.Nanosecond).In(from.Location()) // whose day it is
		e.Limit, _ = limits.On(q, a, begin)
		if m.Value > e.Max {
			e.Max, e.MaxTime = m.Value, m.End
		}
		if m.Value <= e.Limit {
			row = 0
			continue
		}
		if m.End.Sub(last) > each {
			row = 0
		}
		row, last = row+each.Hours(), m.End
		e.Number++
		e.Hours += each.Hours()
		e.Longest = max(e.Longest, row)
	}
	e.Max = math.Round(1000*e.Max) / 1000
	return e
}
