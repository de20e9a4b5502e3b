package audit

import (
	"time"

	"nhip"
	"nhip/geo/aqi"
)

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
	compare := func(scale nhip.Scale, rule string, end time.Time, want index, ok bool) {
		k := key{scale, rule, end.Unix()}
		r.compareIndex(served.Quality, scale, rule, end, got[k], want, ok)
		delete(got, k)
	}
	ends := s.hourEnds()
	for _, scale := range aqi.Scales() {
		for _, end := range ends {
			want, ok := s.hourlyIndex(scale, hours, end)
			compare(scale, aqi.RuleHourly, end, want, ok)
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
			compare(scale, aqi.RuleDaily, end, want, ok)
			begin = end
		}
	}
	for _, x := range got { // of no hour and no day, or of no scale
		begin := x.Time.Add(-time.Hour)
		if !begin.Before(s.From) && begin.Before(s.To) && !x.Time.After(s.Until) {
			r.compareIndex(served.Quality, x.Scale, x.Rule, x.Time, x, index{}, false)
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
	name := string(scale) + " " + rule
	d := Difference{
		Kind: "index", Quality: quality, Quantity: want.top, Time: end, What: name, Served: none, Computed: none,
	}
	if ok {
		d.Computed = text(want.value)
	}
	if got != nil {
		d.Quantity, d.Served = got.Dominant, text(got.Value)
	}
	if got == nil || !ok {
		r.add(d)
		return
	}
	differ := func(what, served, computed string) {
		d.What, d.Served, d.Computed = name+what, served, computed
		r.add(d)
	}
	if !rounds(scale, want.value, got.Value) {
		differ("", d.Served, d.Computed)
	}
	if n := categoryOf(scale, got.Value); got.Category.Number != n {
		differ(" category", text(float64(got.Category.Number)), text(float64(n)))
	}
	subs := make(map[subKey]bool)
	for _, x := range got.Sub {
		k := subKey{x.Quantity, x.Average}
		subs[k] = true
		d.Quantity = x.Quantity
		if v, known := want.subs[k]; !known {
			differ(" "+x.Average, text(x.Value), none)
		} else if !rounds(scale, v, x.Value) {
			differ(" "+x.Average, text(x.Value), text(v))
		}
	}
	dominant := false // of several that round to the same, either may be
	for k, v := range want.subs {
		dominant = dominant || k.quantity == got.Dominant && rounds(scale, v, got.Value)
		if d.Quantity = k.quantity; !subs[k] {
			differ(" "+k.average, none, text(v))
		}
	}
	if d.Quantity = got.Dominant; !dominant {
		differ(" dominant", string(got.Dominant), string(want.top))
	}
}

// categoryOf returns the number of the category of a published index.
func categoryOf(scale nhip.Scale, published float64) int {
	all := aqi.Categories(scale)
	for _, c := range all {
		if published <= c.To {
			return c.Number
		}
	}
	return 0
}
