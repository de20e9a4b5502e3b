package audit

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"nhip"
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

const (
	thousandth = 0.0005 + 1e-6 // by which numbers that are published in thousandths may differ
	twentieth  = 0.05 + 1e-6   // by which those that are published in tenths may
)

// apart reports whether two numbers differ by more than a tolerance. One that is no number differs from all.
func apart(a, b, tolerance float64) bool { return !(math.Abs(a-b) <= tolerance) }

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
	if apart(got.Capture, want.capture, twentieth) {
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
		if apart(f.got, f.want, thousandth) {
			differ(f.name, text(f.got), text(f.want))
		}
	}
}

func text(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
