package air

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/limits"
	"nhip/geo/rollup"
	"nhip/internal/influx"
)

// hourlyStats holds the statistics of hours by quality, quantity and hour.
type hourlyStats map[nhip.Quality]map[nhip.Quantity]map[int64]nhip.RollupStats

// dueMonth is a month of one station with a due day, or a due month.
type dueMonth struct {
	station *station
	results
	month period
	dueHours
}

// sumPeriods sums up the due days of a month of one station, and the month itself if it is over, from the hours in the
// database.
func (p *Processor) sumPeriods(ctx context.Context) error {
	d, ok := p.takeMonth()
	if !ok {
		return nil
	}
	var err error
	p.guard("month", d.id, func() { err = p.sumDue(ctx, d) }, func() { d.station.summing = dueHours{} })
	return err
}

// sumDue reads the hours of a month and sums up what is due.
func (p *Processor) sumDue(ctx context.Context, d *dueMonth) error {
	s := d.station
	hours, err := p.readHours(ctx, d.id, d.month)
	if err == nil {
		p.sumMonth(d, hours)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		s.days, s.months = s.days.addAll(s.summing.days), s.months.addAll(s.summing.months)
		s.summing = dueHours{}
		return fmt.Errorf("can't read the hours of station %s: %w", d.id, err)
	}
	// Rows of days and months that are lost are made again with the hours of the days.
	s.sending = s.sending.addAll(d.days).addAll(d.months)
	s.days, s.months = s.days.addAll(s.summing.days.without(d.days)), s.months.addAll(s.summing.months.without(d.months))
	s.summing = dueHours{}
	p.keep(s, &d.results)
	return nil
}

// takeMonth takes a month with a due day, or a due month.
func (p *Processor) takeMonth() (*dueMonth, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.stations {
		if !p.hasDuePeriod(s) {
			continue
		}
		now := p.o.Clock.Now()
		d := &dueMonth{station: s, month: s.monthOf(s.firstDueHour(now))}
		d.view, d.now = s.view(), now
		from, to := d.month.hours()
		s.summing = dueHours{s.days.within(from, to), s.months.within(from, to)}
		s.days, s.months = s.days.remove(from, to), s.months.remove(from, to)
		d.dueHours = s.summing
		return d, true
	}
	return nil, false
}

// readHours reads the hours of a month, and those before it that the 8-hour means of its first day need.
func (p *Processor) readHours(ctx context.Context, station string, month period) (hourlyStats, error) {
	hours := make(hourlyStats)
	for _, quality := range []nhip.Quality{nhip.QualityRaw, nhip.QualityAutomatic, nhip.QualityReviewed} {
		byQuantity := make(map[nhip.Quantity]map[int64]nhip.RollupStats)
		q := influx.RollupQuery{
			Station: station, Period: nhip.PeriodHour, Quality: quality,
			From: month.from.Add(-dayLookback), To: month.to,
		}
		err := p.o.History.Rollups(ctx, q, func(r influx.RollupRow) error {
			if byQuantity[r.Quantity] == nil {
				byQuantity[r.Quantity] = make(map[int64]nhip.RollupStats)
			}
			byQuantity[r.Quantity][hourOf(r.Time.UnixMilli())] = r.RollupStats
			return nil
		})
		if err != nil {
			return nil, err
		}
		hours[quality] = byQuantity
	}
	return hours, nil
}

// dayLookback is the time before a day that its first 8-hour mean needs.
const dayLookback = aqi.EarlierHours * time.Hour

// period is a local day or month: the time after from, up to and including to.
type period struct{ from, to time.Time }

// hours returns the hours of the period: from is inclusive, to is exclusive.
func (p period) hours() (from, to int64) {
	return hourOf(p.from.UnixMilli()) + 1, hourOf(p.to.UnixMilli()) + 1
}

// monthOf returns the local month that contains the start of an hour: the hour that ends at midnight is the last one
// of its month.
func (s *setup) monthOf(h int64) period {
	y, m, _ := time.UnixMilli(startOf(h)).In(s.zone).Date()
	from := time.Date(y, m, 1, 0, 0, 0, 0, s.zone)
	return period{from.UTC(), from.AddDate(0, 1, 0).UTC()}
}

// dayOf returns the local day that contains the start of an hour.
func (s *setup) dayOf(h int64) period {
	y, m, d := time.UnixMilli(startOf(h)).In(s.zone).Date()
	return period{
		from: time.Date(y, m, d, 0, 0, 0, 0, s.zone).UTC(),
		to:   time.Date(y, m, d+1, 0, 0, 0, 0, s.zone).UTC(),
	}
}

// hasDuePeriod reports whether a day or a month of a station is over and still to be summed up. All hours of that
// month must be in the database, and none of them may be waiting to be recomputed.
func (p *Processor) hasDuePeriod(s *station) bool {
	now := p.o.Clock.Now()
	h := s.firstDueHour(now)
	if h == 0 {
		return false
	}
	from, to := s.monthOf(h).hours()
	today, _ := s.dayOf(hourOf(now.UnixMilli())).hours()
	to = min(to, today)
	unstored := s.sending.addAll(s.inFlight).addAll(s.refilling)
	return len(unstored.within(from, to)) == 0 && len(s.dirty.addAll(s.working).within(from, min(to, p.recentHour()))) == 0
}

// firstDueHour returns an hour whose day or month is over and still to be summed up, or 0 if there is none.
func (s *station) firstDueHour(now time.Time) int64 {
	for _, due := range []struct {
		hours    spans
		periodOf func(int64) period
	}{{s.days, s.dayOf}, {s.months, s.monthOf}} {
		if len(due.hours) > 0 && !due.periodOf(due.hours[0].From).to.After(now) {
			return due.hours[0].From
		}
	}
	return 0
}

// sumMonth sums up the due days of a month, and the month if it is due. d.days and d.months are then the hours of
// those.
func (p *Processor) sumMonth(d *dueMonth, hours hourlyStats) {
	from, to := d.month.hours()
	var days, months spans
	for h := from; h < to; {
		day := d.dayOf(h)
		_, next := day.hours()
		if len(d.days.within(h, next)) > 0 && !day.to.After(d.now) {
			p.sumPeriod(&d.results, nhip.PeriodDay, day, hours)
			days = days.add(h, next)
		}
		h = next
	}
	if len(d.months) > 0 && !d.month.to.After(d.now) {
		p.sumPeriod(&d.results, nhip.PeriodMonth, d.month, hours)
		months = months.add(from, to)
	}
	d.days, d.months = days, months
}

// sumPeriod sums up a day or a month at each quality. The reviewed quality is written only if a review applies to one
// of the hours.
func (p *Processor) sumPeriod(s *results, name string, of period, hours hourlyStats) {
	from, to := of.hours()
	for quality, byQuantity := range hours {
		for q, all := range byQuantity {
			if quality == nhip.QualityReviewed && !reviewed(s.reviews, q, from, to) {
				continue
			}
			var some []nhip.RollupStats
			for h := from; h < to; h++ {
				if stats, ok := all[h]; ok {
					some = append(some, stats)
				}
			}
			stats, ok := rollup.FromHours(some, int(to-from), p.completeness)
			if !ok {
				continue
			}
			if name == nhip.PeriodDay {
				addMaxima(&stats, all, from, to, p.completeness)
			}
			r := nhip.Rollup{
				Station: s.id, Quantity: q, Period: name, Quality: quality, Time: of.to, RollupStats: stats,
			}
			var means []float64
			if name == nhip.PeriodDay && slices.Contains(hourlyQuantities, q) {
				means = meansOf(all, from, to)
			}
			s.lines = influx.AppendRollupHours(s.lines, &r, means, s.now)
			s.rows++
			p.metrics.rollups.WithLabelValues(name).Inc()
		}
	}
}

// hourlyQuantities are those whose days are stored with their hours, because reports compare these with limits.
var hourlyQuantities = limits.Hourly()

// meansOf returns the means of the hours from, inclusive, to to, exclusive; NaN for those that are not complete.
func meansOf(hours map[int64]nhip.RollupStats, from, to int64) []float64 {
	means := make([]float64, to-from)
	for i := range means {
		means[i] = math.NaN()
		if stats, ok := hours[from+int64(i)]; ok && stats.Complete() {
			means[i] = stats.Mean
		}
	}
	return means
}

// addMaxima adds the highest hourly mean and the highest 8-hour mean of the day with the hours from, inclusive, to to,
// exclusive: 24, or another number where clocks are changed.
func addMaxima(day *nhip.RollupStats, hours map[int64]nhip.RollupStats, from, to int64, completeness float64) {
	aqi.SetMaxima(day, int(to-from), completeness, func(back int) (nhip.RollupStats, bool) {
		stats, ok := hours[to-1-int64(back)]
		return stats, ok
	})
}
