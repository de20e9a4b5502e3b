package audit

import (
	"fmt"
	"math"
	"time"

	"nhip"
	"nhip/geo/limits"
	"nhip/geo/report"
)

// compareExceedances compares the exceedances of the whole span.
func (r *Report) compareExceedances(s *Station, served *Served, hours hourly, days periodic) {
	type key struct {
		quantity nhip.Quantity
		average  limits.Average
	}
	got := make(map[key]*report.Exceedance)
	for i := range served.Exceedances {
		x := &served.Exceedances[i]
		got[key{x.Quantity, x.Average}] = x
	}
	for q := range hours {
		for _, a := range limits.Averages(q) {
			want, ok := s.exceedance(q, a, hours, days)
			x := got[key{q, a}]
			delete(got, key{q, a})
			if !ok && x == nil {
				continue
			}
			r.Exceedances++
			d := Difference{Kind: "exceedance", Quality: served.Quality, Quantity: q, Time: s.To}
			if x != nil {
				r.compareExceedance(d, x, &want)
			} else if want.evaluated > 0 {
				d.What, d.Served, d.Computed = string(a)+" row", none, fmt.Sprint(want.number)
				r.add(d)
			}
		}
	}
	for k, x := range got { // served, but without readings: a station that was silent
		r.Exceedances++
		limit, _ := limits.InForce(k.quantity, k.average, s.To.Add(-1).In(s.Zone))
		r.compareExceedance(Difference{
			Kind: "exceedance", Quality: served.Quality, Quantity: k.quantity, Time: s.To,
		}, x, &exceedance{limit: limit})
	}
}

// compareExceedance compares the exceedances of one limit. d says of what.
func (r *Report) compareExceedance(d Difference, got *report.Exceedance, want *exceedance) {
	differ := func(what, served, computed string) {
		d.What, d.Served, d.Computed = string(got.Average)+" "+what, served, computed
		r.add(d)
	}
	if got.Number != want.number || got.Evaluated != want.evaluated {
		differ("number of evaluated", fmt.Sprint(got.Number, " of ", got.Evaluated),
			fmt.Sprint(want.number, " of ", want.evaluated))
	}
	for _, f := range []struct {
		name                 string
		got, want, tolerance float64
	}{
		{"limit", got.Limit, want.limit, 1e-9},
		{"hours", got.Hours, want.hours, 1e-6},
		{"longest_hours", got.Longest, want.longest, 1e-6},
		{"capture_pct", got.Capture, want.capture, twentieth},
	} {
		if apart(f.got, f.want, f.tolerance) {
			differ(f.name, text(f.got), text(f.want))
		}
	}
	top, known := got.Max.Get()
	switch at := got.MaxTime.Or(time.Time{}); {
	case want.evaluated == 0 && known:
		differ("max", text(top), none)
	case want.evaluated == 0:
	case !known || apart(top, want.max, thousandth):
		differ("max", text(got.Max.Or(math.NaN())), text(want.max))
	case apart(want.at(at), want.max, 1e-6): // of equal means, either may be the highest
		differ("max_time", at.UTC().Format(time.RFC3339), want.maxTime.UTC().Format(time.RFC3339))
	}
}
