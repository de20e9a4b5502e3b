// Package report computes what environment agencies report about hours and days: exceedances of limits, monthly
// profiles, and data gaps.
package report

import (
	"math"
	"time"

	"nhip"
	"nhip/geo/limits"
)

// Exceedance compares one average of one quantity at one station with its limit over a period.
type Exceedance struct {
	Quantity  nhip.Quantity  `json:"quantity"`
	Average   limits.Average `json:"average"`
	Limit     float64        `json:"limit"` // in force at the last mean; it may have changed within the period
	Unit      string         `json:"unit"`
	Number    int            `json:"number"`    // means above the limit of their own day
	Evaluated int            `json:"evaluated"` // means that exist
	Capture   float64        `json:"capture_pct"`
	Hours     float64        `json:"hours"`         // covered by the means above the limit
	Longest   float64        `json:"longest_hours"` // longest consecutive exceedance
	Max       float64        `json:"max"`
	MaxTime   time.Time      `json:"max_time"` // END of the highest mean
}

// Series holds the complete means of one quantity, sorted by END. ENDs are in UTC.
type Series struct {
	Hours []Mean
	Days  []Mean
}

// Mean is one complete mean.
type Mean struct {
	End   time.Time
	Value float64
}

// Exceedances compares the means of a quantity with its limits. from is exclusive and to is inclusive; both are
// local times. Averages without any mean are left out. The annual mean is evaluated for each calendar year that
// lies entirely within the period.
func Exceedances(q nhip.Quantity, s Series, from, to time.Time, completeness float64) []Exceedance {
	var out []Exceedance
	for _, a := range limits.Averages(q) {
		means, each := s.means(a, from, to, completeness)
		if len(means) == 0 {
			continue
		}
		out = append(out, evaluate(q, a, means, each, from, to))
	}
	return out
}

// means returns the means of an average and the time that each of them adds to a duration: an hour for a running
// 8-hour mean.
func (s *Series) means(a limits.Average, from, to time.Time, completeness float64) (means []Mean, each time.Duration) {
	switch a {
	case limits.AverageHour:
		return within(s.Hours, from, to), time.Hour
	case limits.Average8h:
		return within(runningMeans(s.Hours, 8, completeness), from, to), time.Hour
	case limits.AverageDay:
		return within(s.Days, from, to), day
	}
	return annualMeans(s.Days, from, to, completeness), 366 * day
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

// runningMeans returns the mean of the last n hours at each END in hours, if enough of them exist.
func runningMeans(hours []Mean, n int, completeness float64) []Mean {
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

// annualMeans returns the means of the calendar years that lie entirely within a period, in the time zone of from.
func annualMeans(days []Mean, from, to time.Time, completeness float64) []Mean {
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

func evaluate(q nhip.Quantity, a limits.Average, means []Mean, each time.Duration, from, to time.Time) Exceedance {
	e := Exceedance{Quantity: q, Average: a, Unit: q.Unit(), Evaluated: len(means), Max: math.Inf(-1)}
	could := float64(to.Sub(from) / each)
	if a == limits.AverageYear {
		could = float64(len(means))
	}
	e.Capture = math.Round(1000*min(float64(len(means))/max(could, 1), 1)) / 10
	row, last := 0.0, time.Time{}
	for _, m := range means {
		begin := m.End.Add(-time.Nanosecond).In(from.Location()) // the day that the mean belongs to
		e.Limit, _ = limits.InForce(q, a, begin)
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
