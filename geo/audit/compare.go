package audit

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/limits"
)

const none = "none"

// compareRollups compares the hours, days and months in the span.
func (r *Report) compareRollups(s *Station, served *Served, hours hourly, days, months periodic) {
	type key struct {
		quantity nhip.Quantity
		period   string
		at       string
	}
	got := make(map[key]*nhip.Rollup)
	for i := range served.Rollups {
		x := &served.Rollups[i]
		at := x.Time.UTC().Format(time.RFC3339)
		if x.Period == nhip.PeriodDay {
			at = x.Time.Add(-time.Second).In(s.Zone).Format(time.DateOnly)
		} else if x.Period == nhip.PeriodMonth {
			at = x.Time.Add(-time.Second).In(s.Zone).Format("2006-01")
		}
		got[key{x.Quantity, x.Period, at}] = x
	}
	compare := func(q nhip.Quantity, period, at string, end time.Time, want *stats) {
		r.Rollups++
		k := key{q, period, at}
		r.compareStats(Difference{Kind: period, Quality: served.Quality, Quantity: q, Time: end}, got[k], want)
		delete(got, k)
	}
	for q, byEnd := range hours {
		for _, end := range s.hourEnds() {
			if want := byEnd[end]; want != nil {
				compare(q, nhip.PeriodHour, end.Format(time.RFC3339), end, want)
			}
		}
		for name, want := range days[q] {
			begin, end := s.named(name, time.DateOnly)
			if !begin.Before(s.From) && !end.After(s.until()) {
				compare(q, nhip.PeriodDay, name, end, want)
			}
		}
		for name, want := range months[q] {
			begin, end := s.named(name, "2006-01")
			if !begin.Before(s.From) && !end.After(s.until()) {
				compare(q, nhip.PeriodMonth, name, end, want)
			}
		}
	}
	for _, x := range got { // served, but without readings
		begin := x.Time.Add(-time.Hour)
		if x.Period == nhip.PeriodMonth {
			begin, _ = s.named(x.Time.Add(-time.Second).In(s.Zone).Format("2006-01"), "2006-01")
		}
		if !begin.Before(s.From) && !x.Time.After(s.until()) {
			r.Rollups++
			r.compareStats(Difference{Kind: x.Period, Quality: served.Quality, Quantity: x.Quantity, Time: x.Time}, x, nil)
		}
	}
}

// named returns the begin and the end of the local day or month with a name.
func (s *Station) named(name, layout string) (begin, end time.Time) {
	t, _ := time.Parse(layout, name) // it was formatted so
	y, m, d := t.Date()
	if layout == time.DateOnly {
		return time.Date(y, m, d, 0, 0, 0, 0, s.Zone), time.Date(y, m, d+1, 0, 0, 0, 0, s.Zone)
	}
	return time.Date(y, m, 1, 0, 0, 0, 0, s.Zone), time.Date(y, m+1, 1, 0, 0, 0, 0, s.Zone)
}

// thousandth is the difference by which numbers that are published in thousandths may differ.
const thousandth = 0.0005 + 1e-6

// compareStats compares a roll-up. d says which.
func (r *Report) compareStats(d Difference, got *nhip.Rollup, want *stats) {
	differ := func(what, served, computed string) {
		d.What, d.Served, d.Computed = what, served, computed
		r.add(d)
	}
	switch {
	case got == nil:
		differ("row", none, fmt.Sprintf("mean %v of %d", want.mean, want.count))
		return
	case want == nil:
		differ("row", fmt.Sprintf("mean %v of %d", got.Mean, got.Count), none)
		return
	}
	if got.Count != want.count {
		differ("count", strconv.Itoa(got.Count), strconv.Itoa(want.count))
	}
	if got.Flag != want.flag {
		differ("flag", fmt.Sprint(got.Flag), fmt.Sprint(want.flag))
	}
	if math.Abs(got.Capture-want.capture) > 0.05+1e-6 {
		differ("capture_pct", text(got.Capture), text(want.capture))
	}
	if want.count == 0 || got.Count == 0 {
		return
	}
	for _, f := range []struct {
		name      string
		got, want float64
	}{
		{"mean", got.Mean, want.mean},
		{"min", got.Min, want.low},
		{"max", got.Max, want.high},
		{"p98", got.P98, want.p98},
	} {
		if math.Abs(f.got-f.want) > thousandth {
			differ(f.name, text(f.got), text(f.want))
		}
	}
}

func text(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// compareIndices compares the index of every hour and every day of the span on every scale.
func (r *Report) compareIndices(s *Station, served *Served, hours hourly, days periodic) {
	type key struct {
		scale nhip.Scale
		rule  string
		end   int64
	}
	got := make(map[key]*nhip.AQI)
	for i := range served.Indices {
		x := &served.Indices[i]
		got[key{x.Scale, x.Rule, x.Time.Unix()}] = x
	}
	ends := s.hourEnds()
	for _, scale := range aqi.Scales() {
		for _, end := range ends {
			want, ok := s.hourlyIndex(scale, hours, end)
			r.compareIndex(served.Quality, scale, aqi.RuleHourly, end, got[key{scale, aqi.RuleHourly, end.Unix()}], want, ok)
		}
		for begin := s.From; begin.Before(s.until()); {
			name := begin.In(s.Zone).Format(time.DateOnly)
			_, end := s.named(name, time.DateOnly)
			if end.After(s.until()) {
				break
			}
			last := end.UTC().Truncate(time.Hour)
			if last.Before(end) {
				last = last.Add(time.Hour) // of the hour that begins before midnight
			}
			want, ok := s.dailyIndex(scale, hours, days, last)
			r.compareIndex(served.Quality, scale, aqi.RuleDaily, end, got[key{scale, aqi.RuleDaily, end.Unix()}], want, ok)
			begin = end
		}
	}
}

func (r *Report) compareIndex(quality nhip.Quality, scale nhip.Scale, rule string, end time.Time, got *nhip.AQI,
	want index, ok bool,
) {
	if got == nil && !ok {
		return
	}
	r.Indices++
	d := Difference{
		Kind: "index", Quality: quality, Quantity: want.top, Time: end, What: string(scale) + " " + rule, Served: none,
		Computed: none,
	}
	if ok {
		d.Computed = text(want.value)
	}
	if got != nil {
		d.Quantity, d.Served = got.Dominant, text(got.Value)
	}
	if got == nil || !ok || !want.rounds(scale, got.Value) {
		r.add(d)
	}
}

// compareExceedances compares the exceedances of the whole span.
func (r *Report) compareExceedances(s *Station, served *Served, hours hourly, days periodic) {
	got := make(map[string]int)
	for i, x := range served.Exceedances {
		got[string(x.Quantity)+" "+string(x.Average)] = i
	}
	for q := range hours {
		for _, a := range limits.Averages(q) {
			want, ok := s.exceedance(q, a, hours, days)
			i, known := got[string(q)+" "+string(a)]
			if !ok && !known {
				continue
			}
			r.Exceedances++
			differ := func(what, old, again string) {
				r.add(Difference{
					Kind: "exceedance", Quality: served.Quality, Quantity: q, Time: s.To, What: string(a) + " " + what,
					Served: old, Computed: again,
				})
			}
			if !known {
				if want.evaluated > 0 {
					differ("row", none, fmt.Sprint(want.number))
				}
				continue
			}
			x := &served.Exceedances[i]
			if x.Number != want.number || x.Evaluated != want.evaluated {
				differ("number of evaluated", fmt.Sprint(x.Number, " of ", x.Evaluated),
					fmt.Sprint(want.number, " of ", want.evaluated))
			}
			if math.Abs(x.Hours-want.hours) > 1e-6 {
				differ("hours", text(x.Hours), text(want.hours))
			}
			if math.Abs(x.Capture-want.capture) > 0.05+1e-6 {
				differ("capture_pct", text(x.Capture), text(want.capture))
			}
			if want.evaluated > 0 && math.Abs(x.Max.Or(math.NaN())-want.max) > thousandth {
				differ("max", text(x.Max.Or(math.NaN())), text(want.max))
			}
		}
	}
}
