package audit

import (
	"math"
	"slices"
	"time"

	"nhip"
)

// stats are the statistics of an hour, a day or a month, as the audit computes them.
type stats struct {
	count    int
	mean     float64
	low      float64
	high     float64
	p98      float64
	possible float64
	capture  float64 // percent
	flag     nhip.Flag
}

func (s *stats) complete() bool { return s.flag == nhip.FlagGood || s.flag == nhip.FlagSuspect }

// hourly are the hours of each quantity by their END. The END of an hour is a full hour of UTC.
type hourly map[nhip.Quantity]map[time.Time]*stats

// hours computes all hours at a quality.
func (s *Station) hours(quality nhip.Quality) hourly {
	type slot struct {
		quantity nhip.Quantity
		end      time.Time
	}
	bySlot := make(map[slot][]*Reading)
	for i := range s.Readings {
		x := &s.Readings[i]
		if x.Period > time.Hour || x.Quantity.Circular() {
			continue
		}
		end := x.Time.UTC().Truncate(time.Hour)
		if end.Before(x.Time) {
			end = end.Add(time.Hour)
		}
		bySlot[slot{x.Quantity, end}] = append(bySlot[slot{x.Quantity, end}], x)
	}
	out := make(hourly)
	for at, readings := range bySlot {
		if out[at.quantity] == nil {
			out[at.quantity] = make(map[time.Time]*stats)
		}
		out[at.quantity][at.end] = s.hour(readings, quality)
	}
	return out
}

// hour computes an hour from the readings of one averaging period: the one that covers most of it, of equals the
// shortest.
func (s *Station) hour(readings []*Reading, quality nhip.Quality) *stats {
	byPeriod := make(map[time.Duration][]*Reading)
	for _, x := range readings {
		byPeriod[x.Period] = append(byPeriod[x.Period], x)
	}
	var best []*Reading
	var possible, covered float64
	for period, of := range byPeriod {
		due := time.Hour.Seconds() / max(period, s.ReportEvery).Seconds()
		share := min(float64(len(of))/due, 1)
		if share > covered || share == covered && len(best) > 0 && period < best[0].Period {
			best, possible, covered = of, due, share
		}
	}
	var good []float64
	suspect := 0
	for _, x := range best {
		value, flag := nhip.Some(x.Raw), nhip.FlagGood
		switch quality {
		case nhip.QualityAutomatic:
			value, flag = x.Corrected, x.Flag
		case nhip.QualityReviewed:
			value, flag = x.Final, x.FinalFlag
		}
		v, ok := value.Get()
		if !ok || flag == nhip.FlagFail || flag == nhip.FlagMissing {
			continue
		}
		if flag == nhip.FlagSuspect {
			suspect++
		}
		good = append(good, v)
	}
	return s.describe(good, suspect, possible)
}

// describe computes the statistics of values, by their definitions.
func (s *Station) describe(values []float64, suspect int, possible float64) *stats {
	out := &stats{count: len(values), flag: nhip.FlagFail, possible: possible}
	if out.count == 0 {
		return out
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	n := float64(out.count)
	out.mean, out.low, out.high = sum/n, slices.Min(values), slices.Max(values)
	out.p98 = math.Inf(1)
	for _, v := range values { // the smallest value that 98 % of all do not exceed
		notAbove := 0
		for _, w := range values {
			if w <= v {
				notAbove++
			}
		}
		if float64(notAbove) >= 0.98*n {
			out.p98 = min(out.p98, v)
		}
	}
	out.capture = min(100*n/possible, 100)
	switch {
	case n < s.Completeness*possible:
		out.flag = nhip.FlagNotEvaluated
	case float64(suspect) > 0.25*n:
		out.flag = nhip.FlagSuspect
	default:
		out.flag = nhip.FlagGood
	}
	return out
}

// local is the local day or month of the hour with an END, in a layout: the one in which the hour begins.
func (s *Station) local(end time.Time, layout string) string {
	return end.Add(-time.Hour).In(s.Zone).Format(layout)
}

// periodic are the days or months of each quantity by their name.
type periodic map[nhip.Quantity]map[string]*stats

// periods computes the days or the months, of which layout is the name, from the complete hours.
func (s *Station) periods(hours hourly, layout string) periodic {
	out := make(periodic)
	for q, byEnd := range hours {
		names := make(map[string][]time.Time)
		for end := range byEnd {
			name := s.local(end, layout)
			names[name] = append(names[name], end)
		}
		out[q] = make(map[string]*stats)
		for name, ends := range names {
			var means []float64
			suspect := 0
			low, high := math.Inf(1), math.Inf(-1)
			for _, end := range ends {
				h := byEnd[end]
				if !h.complete() {
					continue
				}
				if h.flag == nhip.FlagSuspect {
					suspect++
				}
				means = append(means, h.mean)
				low, high = min(low, h.low), max(high, h.high)
			}
			of := s.describe(means, suspect, float64(len(s.ends(ends[0], layout))))
			if of.count > 0 {
				of.low, of.high = low, high
			}
			out[q][name] = of
		}
	}
	return out
}

// ends returns the ENDs of all hours of the day or month to which the hour with an END belongs.
func (s *Station) ends(end time.Time, layout string) []time.Time {
	name := s.local(end, layout)
	first := end
	for s.local(first.Add(-time.Hour), layout) == name {
		first = first.Add(-time.Hour)
	}
	var out []time.Time
	for at := first; s.local(at, layout) == name; at = at.Add(time.Hour) {
		out = append(out, at)
	}
	return out
}
