package air

import (
	"context"
	"math"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/rollup"
	"nhip/internal/influx"
)

// sum sums up the days of a month of one station, and the month where it is over, from its hours in the database.
// It is false when that does not answer.
func (k *Keeper) sum(ctx context.Context) bool {
	k.mu.Lock()
	var s *station
	for _, x := range k.stations {
		if k.summable(x) {
			s = x
			break
		}
	}
	if s == nil {
		k.mu.Unlock()
		return true
	}
	month := s.monthOf(s.firstSummable(k.o.Clock.Now()))
	k.mu.Unlock()
	hours := make(map[nhip.Quality]map[nhip.Quantity]map[int64]nhip.Stats)
	for _, quality := range []nhip.Quality{nhip.Raw, nhip.Automatic, nhip.Reviewed} {
		hours[quality] = make(map[nhip.Quantity]map[int64]nhip.Stats)
		q := influx.RollupQuery{Station: s.id, Period: nhip.HourPeriod, Quality: quality, From: month.from.Add(-before), To: month.to}
		err := k.o.History.Rollups(ctx, q, func(r influx.Rolled) error {
			of := hours[quality]
			if of[r.Quantity] == nil {
				of[r.Quantity] = make(map[int64]nhip.Stats)
			}
			of[r.Quantity][hourOf(r.Time.UnixMilli())] = r.Stats
			return nil
		})
		if err != nil {
			k.complain(ctx, "can't read the hours of a month", err)
			return false
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = k.o.Clock.Now()
	k.sumMonth(s, month, hours)
	return true
}

// before is how far back the first 8-hour mean of a day reaches.
const before = (aqi.DayHours - 24) * time.Hour

// stretch is a local day or month, as the time after its begin up to its end.
type stretch struct{ from, to time.Time }

func (s stretch) hours() (from, to int64) {
	return hourOf(s.from.UnixMilli()) + 1, hourOf(s.to.UnixMilli()) + 1
}

// monthOf returns the local month of an hour, and dayOf the day: of the hour's begin, as an hour that ends at
// midnight is the day's last.
func (s *station) monthOf(h int64) stretch {
	y, m, _ := time.UnixMilli(startOf(h)).In(s.zone).Date()
	from := time.Date(y, m, 1, 0, 0, 0, 0, s.zone)
	return stretch{from.UTC(), from.AddDate(0, 1, 0).UTC()}
}

func (s *station) dayOf(h int64) stretch {
	y, m, d := time.UnixMilli(startOf(h)).In(s.zone).Date()
	return stretch{time.Date(y, m, d, 0, 0, 0, 0, s.zone).UTC(), time.Date(y, m, d+1, 0, 0, 0, 0, s.zone).UTC()}
}

// summable tells whether a day or a month of a station is over and to be summed up. Its hours must be in the
// database, and none of them due to be made.
func (k *Keeper) summable(s *station) bool {
	now := k.o.Clock.Now()
	h := s.firstSummable(now)
	if h == 0 {
		return false
	}
	from, to := s.monthOf(h).hours()
	return len(s.sending.within(from, to)) == 0 && len(s.dirty.within(from, min(to, k.recentHour()))) == 0
}

// firstSummable returns an hour whose day, or whose month, is over and to be summed up; 0 where there is none.
func (s *station) firstSummable(now time.Time) int64 {
	for _, due := range []struct {
		hours spans
		of    func(int64) stretch
	}{{s.days, s.dayOf}, {s.months, s.monthOf}} {
		if len(due.hours) > 0 && !due.of(due.hours[0].From).to.After(now) {
			return due.hours[0].From
		}
	}
	return 0
}

// sumMonth sums up the days of a month that are due, and the month.
func (k *Keeper) sumMonth(s *station, month stretch, hours map[nhip.Quality]map[nhip.Quantity]map[int64]nhip.Stats) {
	from, to := month.hours()
	for h := from; h < to; {
		day := s.dayOf(h)
		_, next := day.hours()
		if len(s.days.within(h, next)) > 0 && !day.to.After(k.now) {
			k.sumStretch(s, nhip.DayPeriod, day, hours)
			s.days = s.days.remove(h, next)
			s.sending = s.sending.add(h, next)
		}
		h = next
	}
	if len(s.months.within(from, to)) > 0 && !month.to.After(k.now) {
		k.sumStretch(s, nhip.MonthPeriod, month, hours)
		s.months = s.months.remove(from, to)
		s.sending = s.sending.add(from, to)
	}
}

// sumStretch sums up a day or a month at each quality. Reviewed is written where any of its hours is.
func (k *Keeper) sumStretch(s *station, period string, of stretch, hours map[nhip.Quality]map[nhip.Quantity]map[int64]nhip.Stats) {
	from, to := of.hours()
	for quality, byQuantity := range hours {
		for q, all := range byQuantity {
			if quality == nhip.Reviewed && !k.reviewedIn(s, q, from, to) {
				continue
			}
			var some []nhip.Stats
			for h := from; h < to; h++ {
				if stats, ok := all[h]; ok {
					some = append(some, stats)
				}
			}
			stats, ok := rollup.Hours(some, int(to-from), k.completeness)
			if !ok {
				continue
			}
			if period == nhip.DayPeriod {
				stats.Max1h, stats.Max8h = highestOf(all, to, k.completeness)
			}
			r := nhip.Rollup{Station: s.id, Quantity: q, Period: period, Quality: quality, Time: of.to, Stats: stats}
			k.lines = influx.AppendRollup(k.lines, &r, 0, k.now)
			k.rows++
			k.metrics.rollups.WithLabelValues(period).Inc()
		}
	}
}

// highestOf returns the highest hour and the highest 8 hours of the day that ends before an hour.
func highestOf(all map[int64]nhip.Stats, end int64, completeness float64) (hour, eight nhip.Opt[float64]) {
	means := make([]float64, aqi.DayHours)
	for i := range means {
		means[i] = aqi.Missing()
		if stats, ok := all[end-1-int64(i)]; ok && stats.Complete() {
			means[i] = stats.Mean
		}
	}
	one, many := aqi.MaxOfDay(means, completeness)
	if !math.IsNaN(one) {
		hour = nhip.Some(one)
	}
	if !math.IsNaN(many) {
		eight = nhip.Some(many)
	}
	return hour, eight
}

func (k *Keeper) reviewedIn(s *station, q nhip.Quantity, from, to int64) bool {
	for i := range s.reviews {
		r := &s.reviews[i]
		if r.Action != nhip.Annotate && (r.Quantity == "" || r.Quantity == q) && r.From.UnixMilli() < endOf(to-1) && r.To.UnixMilli() > startOf(from) {
			return true
		}
	}
	return false
}
