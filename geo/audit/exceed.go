package audit

import (
	"math"
	"time"

	"nhip"
	"nhip/geo/limits"
)

// exceedance is the comparison of one average with its limit, as the audit computes it.
type exceedance struct {
	limit             float64 // of the last mean
	number, evaluated int
	hours, longest    float64
	max               float64
	maxTime           time.Time
	capture           float64 // percent

	means []averaged
}

// at returns the mean with an END, NaN if there is none.
func (e *exceedance) at(end time.Time) float64 {
	for _, m := range e.means {
		if m.end.Equal(end) {
			return m.value
		}
	}
	return math.NaN()
}

// averaged is a mean with the time for which it counts.
type averaged struct {
	begin, end time.Time
	value      float64
}

// exceedance compares the means of a quantity in the whole span with their limits. ok is false if none is possible.
func (s *Station) exceedance(q nhip.Quantity, a limits.Average, hours hourly, days periodic) (e exceedance, ok bool) {
	means, possible, present := s.means(q, a, hours, days)
	if possible == 0 {
		return e, false
	}
	e.max, e.means = math.Inf(-1), means
	e.limit, _ = limits.InForce(q, a, s.until().Add(-1).In(s.Zone))
	var row float64     // hours above the limit without a break
	var until time.Time // their end
	for _, m := range means {
		limit, _ := limits.InForce(q, a, m.begin.In(s.Zone))
		e.limit = limit
		e.evaluated++
		if m.value > e.max {
			e.max, e.maxTime = m.value, m.end
		}
		if m.value > limit*(1+1e-9) {
			e.number++
			length := m.end.Sub(m.begin).Hours()
			e.hours += length
			if !m.begin.Equal(until) {
				row = 0
			}
			row, until = row+length, m.end
			e.longest = max(e.longest, row)
		}
	}
	e.capture = min(100*float64(present)/float64(possible), 100)
	return e, true
}

// means returns all means of an average in the span, how much data is possible, and how much there is.
func (s *Station) means(q nhip.Quantity, a limits.Average, hours hourly, days periodic) (
	out []averaged, possible, present int,
) {
	if a == limits.AverageYear {
		return s.years(q, days)
	}
	if a == limits.AverageDay {
		for begin := s.From; begin.Before(s.until()); {
			y, m, d := begin.In(s.Zone).Date()
			end := time.Date(y, m, d+1, 0, 0, 0, 0, s.Zone)
			if end.After(s.until()) {
				break
			}
			possible++
			if day := days[q][begin.In(s.Zone).Format(time.DateOnly)]; day != nil && day.complete() {
				out = append(out, averaged{begin, end, day.mean})
			}
			begin = end
		}
		return out, possible, len(out)
	}
	n := map[limits.Average]int{limits.AverageHour: 1, limits.Average8h: 8}[a]
	for _, end := range s.hourEnds() {
		possible++
		mean, count := hours.meanOver(q, end, n)
		if count > 0 && float64(count) >= s.Completeness*float64(n) {
			out = append(out, averaged{end.Add(-time.Hour), end, mean})
		}
	}
	return out, possible, len(out)
}

// years returns the means of the calendar years in the span.
func (s *Station) years(q nhip.Quantity, days periodic) (out []averaged, possible, present int) {
	for y := s.From.In(s.Zone).Year(); y <= s.To.In(s.Zone).Year(); y++ {
		begin, end := time.Date(y, 1, 1, 0, 0, 0, 0, s.Zone), time.Date(y+1, 1, 1, 0, 0, 0, 0, s.Zone)
		if begin.Before(s.From) || end.After(s.until()) {
			continue
		}
		length, known, sum := 0, 0, 0.0
		for d := time.Date(y, 1, 1, 12, 0, 0, 0, s.Zone); d.Year() == y; d = d.AddDate(0, 0, 1) {
			length++
			if day := days[q][d.Format(time.DateOnly)]; day != nil && day.complete() {
				known++
				sum += day.mean
			}
		}
		possible, present = possible+length, present+known
		if known > 0 && float64(known) >= s.Completeness*float64(length) {
			out = append(out, averaged{begin, end, sum / float64(known)})
		}
	}
	return out, possible, present
}

// until returns the end of what can be computed.
func (s *Station) until() time.Time {
	if s.Until.Before(s.To) {
		return s.Until
	}
	return s.To
}

// hourEnds returns the ENDs of the hours that begin in the span and have ended.
func (s *Station) hourEnds() []time.Time {
	var out []time.Time
	end := s.From.UTC().Truncate(time.Hour)
	for ; end.Add(-time.Hour).Before(s.From); end = end.Add(time.Hour) {
	}
	for ; end.Add(-time.Hour).Before(s.To) && !end.After(s.Until); end = end.Add(time.Hour) {
		out = append(out, end)
	}
	return out
}
