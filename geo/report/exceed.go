// Package report computes what environment agencies report about hours and days: exceedances of limits, monthly
// profiles, and data gaps.
package report

import (
	"math"
	"sort"
	"time"

	"nhip"
	"nhip/geo/limits"
	"nhip/geo/rollup"
)

// Exceedance compares one average of one quantity at one station with its limit over a period.
type Exceedance struct {
	Quantity  nhip.Quantity       `json:"quantity"`
	Average   limits.Average      `json:"average"`
	Limit     float64             `json:"limit"` // in force at the last mean; it may have changed within the period
	Unit      string              `json:"unit"`
	Number    int                 `json:"number"`    // means above the limit of their own day
	Evaluated int                 `json:"evaluated"` // means that exist
	Capture   float64             `json:"capture_pct"`
	Hours     float64             `json:"hours"`         // covered by the means above the limit
	Longest   float64             `json:"longest_hours"` // longest consecutive exceedance
	Max       nhip.Opt[float64]   `json:"max"`           // unknown without any mean
	MaxTime   nhip.Opt[time.Time] `json:"max_time"`      // END of the highest mean, UTC
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

// Exceedances compares the means of a quantity with its limits. from is exclusive and to is inclusive; from is in the
// time zone of the station's days. An average without any mean is listed, with a capture of 0. Averages that are longer
// than the period are left out: the annual mean is evaluated for each calendar year that lies entirely within it.
//
// In a zone that is off by part of an hour, an hour belongs to the day in which it begins.
func Exceedances(q nhip.Quantity, s Series, from, to time.Time, completeness float64) []Exceedance {
	var out []Exceedance
	p := period{from, to.In(from.Location())}
	for _, a := range limits.Averages(q) {
		if e, ok := p.evaluate(q, a, &s, completeness); ok {
			out = append(out, e)
		}
	}
	return out
}

// period is a period of local time: from is exclusive, to is inclusive.
type period struct{ from, to time.Time }

// evaluated are the means of an average, each of the time that it adds to an exceedance.
type evaluated struct {
	means []covered
	could int     // means that were possible
	share float64 // of the data that the means could be based on, from 0 to 1
}

// covered is a mean and the begin of the time that it adds to an exceedance: of a running mean its last hour.
type covered struct {
	Mean
	begin time.Time
}

// means returns the means of an average.
func (p period) means(a limits.Average, s *Series, completeness float64) evaluated {
	switch a {
	case limits.AverageHour:
		return p.hourly(s.Hours)
	case limits.Average8h:
		return p.hourly(runningMeans(s.Hours, 8, completeness))
	case limits.AverageDay:
		return p.daily(s.Days)
	}
	return p.annual(s.Days, completeness)
}

// hourly returns the means that end at each hour of the period.
func (p period) hourly(all []Mean) evaluated {
	from, to := hourBound(p.from), hourBound(p.to)
	e := evaluated{could: int(to.Truncate(time.Hour).Sub(from.Truncate(time.Hour)) / time.Hour)}
	of := within(all, from, to)
	e.means = make([]covered, len(of))
	for i, m := range of {
		e.means[i] = covered{m, m.End.Add(-time.Hour)}
	}
	e.share = shareOf(len(e.means), e.could)
	return e
}

// hourBound returns the end of the hour that contains a local midnight and begins before it, because that hour belongs
// to the day before. It returns other times unchanged.
func hourBound(t time.Time) time.Time {
	if up := t.Truncate(time.Hour); up.Before(t) && t.Equal(midnight(t, 0)) {
		return up.Add(time.Hour)
	}
	return t
}

// midnight returns the begin of the local day of t, or of the day that is a number of days later.
func midnight(t time.Time, later int) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d+later, 0, 0, 0, 0, t.Location())
}

// daily returns the means of the days that end in the period.
func (p period) daily(all []Mean) evaluated {
	var e evaluated
	for !midnight(p.from, e.could+1).After(p.to) {
		e.could++
	}
	for _, m := range within(all, p.from, p.to) {
		last := m.End.Add(-time.Nanosecond).In(p.from.Location())
		e.means = append(e.means, covered{m, midnight(last, 0)})
	}
	e.share = shareOf(len(e.means), e.could)
	return e
}

// annual returns the means of the calendar years that lie entirely within the period, from the means of their days. The
// share is that of the days of all these years.
func (p period) annual(days []Mean, completeness float64) evaluated {
	var e evaluated
	known, possible := 0, 0
	for y := p.from.Year(); y <= p.to.Year(); y++ {
		begin, end := midnightOfYear(y, p.from.Location()), midnightOfYear(y+1, p.from.Location())
		if begin.Before(p.from) || end.After(p.to) {
			continue
		}
		of := within(days, begin, end)
		length := int(math.Round(end.Sub(begin).Hours() / 24))
		e.could++
		known, possible = known+len(of), possible+length
		if len(of) == 0 || float64(len(of)) < completeness*float64(length) {
			continue
		}
		var sum rollup.Sum
		for _, d := range of {
			sum.Add(d.Value)
		}
		e.means = append(e.means, covered{Mean{end.UTC(), sum.Value() / float64(len(of))}, begin})
	}
	e.share = shareOf(known, possible)
	return e
}

func midnightOfYear(y int, zone *time.Location) time.Time {
	return time.Date(y, 1, 1, 0, 0, 0, 0, zone)
}

func shareOf(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return min(float64(n)/float64(of), 1)
}

// within returns the means that end after from and up to to. They are a part of all.
func within(all []Mean, from, to time.Time) []Mean {
	after := func(t time.Time) int { // index of the first mean that ends after t
		return sort.Search(len(all), func(i int) bool { return all[i].End.After(t) })
	}
	first := after(from)
	return all[first:max(first, after(to))]
}

// runningMeans returns the mean of the last n hours at the end of each hour at which enough of them exist, whichever
// are missing. Each mean is summed up anew, so that no rounding of one is in the next.
func runningMeans(hours []Mean, n int, completeness float64) []Mean {
	out := make([]Mean, 0, len(hours))
	for i := range hours {
		until := hours[i].End.Add(time.Duration(n-1) * time.Hour) // the last mean that has this hour
		if i+1 < len(hours) && !hours[i+1].End.After(until) {
			until = hours[i+1].End.Add(-time.Hour)
		}
		first := max(0, i-n+1)
		for end := hours[i].End; !end.After(until); end = end.Add(time.Hour) {
			for end.Sub(hours[first].End) >= time.Duration(n)*time.Hour {
				first++
			}
			if count := i - first + 1; float64(count) >= completeness*float64(n) {
				out = append(out, Mean{end, meanOf(hours[first : i+1])})
			}
		}
	}
	return out
}

func meanOf(means []Mean) float64 {
	var sum rollup.Sum
	for _, m := range means {
		sum.Add(m.Value)
	}
	return sum.Value() / float64(len(means))
}

// exact is the relative difference up to which a mean equals its limit. It is far below the resolution of instruments,
// a thousandth, and far above the rounding of the sums of a year's values.
const exact = 1e-9

// Running8h returns the mean of the last eight hours at the end of each hour at which three quarters of them exist.
func Running8h(hours []Mean) []Mean { return runningMeans(hours, 8, rollup.DefaultCompleteness) }

// Above reports whether a mean exceeds a limit. A mean that is exactly the limit does not.
func Above(mean, limit float64) bool { return above(mean, limit) }

// above reports whether a mean exceeds a limit. A mean that is exactly the limit does not.
func above(mean, limit float64) bool { return mean-limit > exact*limit }

// evaluate compares the means of an average with its limit. ok is false if none was possible.
func (p period) evaluate(q nhip.Quantity, a limits.Average, s *Series, completeness float64) (e Exceedance, ok bool) {
	found := p.means(a, s, completeness)
	e = Exceedance{
		Quantity: q, Average: a, Unit: q.Unit(), Evaluated: len(found.means), Capture: math.Round(1000*found.share) / 10,
	}
	e.Limit, _ = limits.InForce(q, a, p.to.Add(-time.Nanosecond))
	highest, highestEnd := math.Inf(-1), time.Time{}
	row, last := 0.0, time.Time{}
	for _, m := range found.means {
		e.Limit, _ = limits.InForce(q, a, m.begin.In(p.from.Location()))
		if m.Value > highest {
			highest, highestEnd = m.Value, m.End
		}
		if !above(m.Value, e.Limit) {
			continue
		}
		if !m.begin.Equal(last) {
			row = 0
		}
		hours := m.End.Sub(m.begin).Hours()
		row, last = row+hours, m.End
		e.Number++
		e.Hours += hours
		e.Longest = max(e.Longest, row)
	}
	if e.Evaluated > 0 {
		e.Max, e.MaxTime = nhip.Some(math.Round(1000*highest)/1000), nhip.Some(highestEnd.UTC())
	}
	return e, found.could > 0
}
