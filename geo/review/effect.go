// Package review computes what a review of readings, or another calibration of them, would change: means, indices and
// exceedances, before and after.
package review

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/limits"
	"nhip/geo/report"
	"nhip/geo/rollup"
)

// Windows before and after the hours that a review touches which its effect needs: the index of an hour looks back 24
// hours, and the first 8-hour mean of a day seven.
const (
	LookBack  = 24 * time.Hour
	LookAhead = 24 * time.Hour
)

// Input is what an effect is computed from, all of one station.
type Input struct {
	Reviews []nhip.Review // that were decided, in their order
	Change  nhip.Review   // what may be decided next; of another calibration, an annotation of the span
	// Corrected returns the corrected value of a reading as it is now or, with after, as it would be. nil: as stored.
	Corrected func(r *nhip.AssessedReading, after bool) float64
	// Readings of the hours that Change touches, and of no others.
	Readings []nhip.AssessedReading
	// Stored are the reviewed roll-ups of hours: from LookBack before the local days that Change touches up to LookAhead
	// after them.
	Stored       []nhip.Rollup
	Zone         *time.Location // of the local days
	Every        time.Duration  // the report interval; 0: the averaging period
	Completeness float64        // least share of a complete mean, 0 to 1
	Now          time.Time      // days that are not over have no mean
}

// Effect is what a review would change. Before and after are empty where there is, or would be, no complete mean.
type Effect struct {
	Values      int                `json:"values"` // readings whose flag or corrected value would change
	Means       []MeanChange       `json:"means"`
	Indices     []IndexChange      `json:"indices"`
	Exceedances []ExceedanceChange `json:"exceedances"`
}

// MeanChange is a mean that would change.
type MeanChange struct {
	Quantity nhip.Quantity     `json:"quantity"`
	Average  limits.Average    `json:"average"`
	Time     time.Time         `json:"time"` // END
	Before   nhip.Opt[float64] `json:"before"`
	After    nhip.Opt[float64] `json:"after"`
	Unit     string            `json:"unit"`
	Limit    nhip.Opt[float64] `json:"limit,omitzero"` // in force for this average, if there is one
	// Above says of the means before and after whether they exceed the limit.
	AboveBefore bool `json:"above_before"`
	AboveAfter  bool `json:"above_after"`
}

// IndexChange is an index that would change.
type IndexChange struct {
	Scale  nhip.Scale        `json:"scale"`
	Rule   string            `json:"rule"` // aqi.RuleHourly or aqi.RuleDaily
	Time   time.Time         `json:"time"` // END
	Before nhip.Opt[float64] `json:"before"`
	After  nhip.Opt[float64] `json:"after"`
}

// ExceedanceChange is the comparison with one limit over the local days that would change.
type ExceedanceChange struct {
	Before report.Exceedance `json:"before"`
	After  report.Exceedance `json:"after"`
}

// Touched returns the hours, by their first begin and last END, and the local days that a review touches.
func Touched(r *nhip.Review, zone *time.Location) (hoursFrom, hoursTo, daysFrom, daysTo time.Time) {
	first, last := hourOf(r.From.Add(time.Nanosecond)), hourOf(r.To)
	hoursFrom, hoursTo = endOf(first-1), endOf(last)
	a, b := hoursFrom.In(zone), endOf(last-1).In(zone)
	daysFrom = time.Date(a.Year(), a.Month(), a.Day(), 0, 0, 0, 0, zone)
	daysTo = time.Date(b.Year(), b.Month(), b.Day()+1, 0, 0, 0, 0, zone)
	return hoursFrom, hoursTo, daysFrom, daysTo
}

// Of returns the effect of a review.
func Of(in *Input) Effect {
	after := append(slices.Clone(in.Reviews), in.Change)
	e := Effect{Means: []MeanChange{}, Indices: []IndexChange{}, Exceedances: []ExceedanceChange{}}
	for i := range in.Readings {
		r := &in.Readings[i]
		_, flag := r.At(nhip.QualityAutomatic)
		was, _ := nhip.Decide(in.Reviews, r.Quantity, r.Time, flag)
		is, _ := nhip.Decide(after, r.Quantity, r.Time, flag)
		if is != was || in.value(r, true) != in.value(r, false) {
			e.Values++
		}
	}
	if e.Values == 0 {
		return e
	}
	c := &comparison{
		in: in, before: stateOf(in, sumHours(in, in.Reviews, false)), after: stateOf(in, sumHours(in, after, true)),
	}
	c.first, c.last, c.daysFrom, c.daysTo = Touched(&in.Change, in.Zone)
	for _, s := range []*state{c.before, c.after} {
		c.sumDays(s)
	}
	c.means(&e)
	c.hourlyIndices(&e)
	c.dailyIndices(&e)
	c.exceedances(&e)
	return e
}

// value returns the corrected value of a reading, now or after the change.
func (in *Input) value(r *nhip.AssessedReading, after bool) float64 {
	if in.Corrected != nil {
		return in.Corrected(r, after)
	}
	v, _ := r.At(nhip.QualityAutomatic)
	return v
}

// state is the station's means under some reviews.
type state struct {
	hours hours
	days  map[nhip.Quantity]map[int64]nhip.RollupStats // by END, Unix s
}

// stateOf returns the stored hours with those that were summed up in their places.
func stateOf(in *Input, summed hours) *state {
	s := &state{hours: make(hours), days: make(map[nhip.Quantity]map[int64]nhip.RollupStats)}
	for i := range in.Stored {
		r := &in.Stored[i]
		s.hours.set(r.Quantity, hourOf(r.Time), r.RollupStats)
	}
	for q, all := range summed {
		for h, stats := range all {
			s.hours.set(q, h, stats)
		}
	}
	return s
}

func (s *state) quantities() []nhip.Quantity { return slices.Sorted(maps.Keys(s.hours)) }

// series returns the complete means of a quantity.
func (s *state) series(q nhip.Quantity) report.Series {
	var out report.Series
	for _, h := range slices.Sorted(maps.Keys(s.hours[q])) {
		if mean, ok := s.hours.mean(q, h); ok {
			out.Hours = append(out.Hours, report.Mean{End: endOf(h), Value: mean})
		}
	}
	for _, end := range slices.Sorted(maps.Keys(s.days[q])) {
		if d := s.days[q][end]; d.Complete() {
			out.Days = append(out.Days, report.Mean{End: time.Unix(end, 0).UTC(), Value: d.Mean})
		}
	}
	return out
}

// comparison compares the states before and after the change.
type comparison struct {
	in               *Input
	before, after    *state
	first, last      time.Time // of the hours that the review touches
	daysFrom, daysTo time.Time
}

// days calls use with the begin and the end of each day that the review touches and that is over.
func (c *comparison) days(use func(from, to time.Time)) {
	for from := c.daysFrom; from.Before(c.daysTo); {
		to := time.Date(from.Year(), from.Month(), from.Day()+1, 0, 0, 0, 0, c.in.Zone)
		if !to.After(c.in.Now) {
			use(from, to)
		}
		from = to
	}
}

// sumDays sums up the days of a state, as the collector does.
func (c *comparison) sumDays(s *state) {
	c.days(func(from, to time.Time) {
		first, last := hourOf(from)+1, hourOf(to)
		for q, all := range s.hours {
			var some []nhip.RollupStats
			for h := first; h <= last; h++ {
				if stats, ok := all[h]; ok {
					some = append(some, stats)
				}
			}
			length := int(last - first + 1)
			day, ok := rollup.FromHours(some, length, c.in.Completeness)
			if !ok {
				continue
			}
			aqi.SetMaxima(&day, length, c.in.Completeness, func(back int) (nhip.RollupStats, bool) {
				stats, ok := all[last-int64(back)]
				return stats, ok
			})
			if s.days[q] == nil {
				s.days[q] = make(map[int64]nhip.RollupStats)
			}
			s.days[q][to.Unix()] = day
		}
	})
}

// means adds the means that differ: of hours, running means of eight hours where there is a limit, and days.
func (c *comparison) means(e *Effect) {
	for _, q := range c.after.quantities() {
		before, after := c.before.series(q), c.after.series(q)
		c.compare(e, q, limits.AverageHour, before.Hours, after.Hours)
		if slices.Contains(limits.Averages(q), limits.Average8h) {
			c.compare(e, q, limits.Average8h, report.Running8h(before.Hours), report.Running8h(after.Hours))
		}
		c.compare(e, q, limits.AverageDay, before.Days, after.Days)
	}
}

// compare adds the means of one average that differ.
func (c *comparison) compare(e *Effect, q nhip.Quantity, a limits.Average, before, after []report.Mean) {
	type pair struct{ before, after nhip.Opt[float64] }
	all := make(map[int64]pair)
	for _, m := range before {
		all[m.End.Unix()] = pair{before: nhip.Some(m.Value)}
	}
	for _, m := range after {
		p := all[m.End.Unix()]
		p.after = nhip.Some(m.Value)
		all[m.End.Unix()] = p
	}
	for _, end := range slices.Sorted(maps.Keys(all)) {
		p := all[end]
		if p.before == p.after {
			continue
		}
		row := MeanChange{
			Quantity: q, Average: a, Time: time.Unix(end, 0).UTC(), Before: rounded(p.before), After: rounded(p.after),
			Unit: q.Unit(),
		}
		if limit, ok := limits.InForce(q, a, row.Time.Add(-time.Nanosecond).In(c.in.Zone)); ok {
			row.Limit = nhip.Some(limit)
			row.AboveBefore = p.before.Known() && report.Above(p.before.Or(0), limit)
			row.AboveAfter = p.after.Known() && report.Above(p.after.Or(0), limit)
		}
		e.Means = append(e.Means, row)
	}
}

// hourlyIndices adds the hourly indices that differ. The index of an hour looks back LookAhead at most.
func (c *comparison) hourlyIndices(e *Effect) {
	for h := hourOf(c.first) + 1; h <= hourOf(c.last.Add(LookAhead)); h++ {
		if end := endOf(h); !end.After(c.in.Now) {
			before, after := c.before.hourlyIndex(h), c.after.hourlyIndex(h)
			c.addIndex(e, aqi.RuleHourly, end, before, after)
		}
	}
}

// hourlyIndex returns the VN_AQI of an hour.
func (s *state) hourlyIndex(h int64) nhip.Opt[float64] {
	window := make(aqi.Hours, len(s.hours))
	for q := range s.hours {
		window[q] = s.lastHours(q, h)
	}
	return valueOf(aqi.HourlyIndex(nhip.ScaleVNAQI, endOf(h), window))
}

func (c *comparison) dailyIndices(e *Effect) {
	c.days(func(_, to time.Time) {
		c.addIndex(e, aqi.RuleDaily, to.UTC(), c.before.dailyIndex(to), c.after.dailyIndex(to))
	})
}

// dailyIndex returns the VN_AQI of the day that ends at a time.
func (s *state) dailyIndex(end time.Time) nhip.Opt[float64] {
	sums := make(map[nhip.Quantity]nhip.RollupStats, len(s.days))
	for q, days := range s.days {
		if day, ok := days[end.Unix()]; ok {
			sums[q] = day
		}
	}
	return valueOf(aqi.DailyIndexOfStats(nhip.ScaleVNAQI, end, sums))
}

func (c *comparison) addIndex(e *Effect, rule string, end time.Time, before, after nhip.Opt[float64]) {
	if before != after {
		e.Indices = append(e.Indices, IndexChange{nhip.ScaleVNAQI, rule, end, before, after})
	}
}

// exceedances adds the comparisons with limits over the days that differ.
func (c *comparison) exceedances(e *Effect) {
	to := c.daysTo
	if c.in.Now.Before(to) {
		to = c.in.Now
	}
	if !c.daysFrom.Before(to) {
		return
	}
	for _, q := range c.after.quantities() {
		before := report.Exceedances(q, c.before.series(q), c.daysFrom, to, rollup.DefaultCompleteness)
		after := report.Exceedances(q, c.after.series(q), c.daysFrom, to, rollup.DefaultCompleteness)
		for i := range min(len(before), len(after)) {
			if before[i] != after[i] {
				e.Exceedances = append(e.Exceedances, ExceedanceChange{before[i], after[i]})
			}
		}
	}
	slices.SortStableFunc(e.Exceedances, func(a, b ExceedanceChange) int {
		return cmp.Compare(a.Before.Quantity, b.Before.Quantity)
	})
}
