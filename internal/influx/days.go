package influx

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"nhip"
)

// DayQuery selects the days of many stations, and their hours.
type DayQuery struct {
	MeanQuery // without Period. Hours are those after From, days those that contain any of them

	Hourly   []nhip.Quantity // those whose hours are needed; a part of Quantities
	Known    time.Time       // what has a month that ended after it has a series, even without days and hours
	Unsummed time.Time       // hours after it may belong to days that have no roll-up yet, and are read by themselves
}

// DaySeries are the days of one quantity at one station, and its hours, if they were selected.
type DaySeries struct {
	Station  string
	Quantity nhip.Quantity
	Days     []MeanAt // sorted by END
	Hours    []MeanAt // sorted by END

	// ENDs of the first and the last day whose roll-up lacks its hours, because an earlier version wrote it; 0: none
	bareFrom, bareTo int64
}

// dayColumns are what is read of a day.
var dayColumns = columnsOf(rollupSchema(), colMean, colFlag, colHours)

// Days calls yield for each quantity of each station, sorted by quantity, then station. Hours come from the roll-ups of
// their days; where these lack them, from their own. One series is held in memory at a time, beside the reviewed days
// and the recent hours. Errors are those of Readings.
func (h History) Days(ctx context.Context, q DayQuery, yield func(*DaySeries) error) error {
	if err := checkInterval(q.From, q.To); err != nil {
		return err
	}
	m := dayMerger{recent: make(map[stationQuantity][]MeanAt), yield: yield}
	if err := h.readRecent(ctx, &q, m.recent); err != nil {
		return err
	}
	m.left = slices.SortedFunc(maps.Keys(m.recent), stationQuantity.compare)
	reviewed := make(map[stationQuantity]*DaySeries)
	quality := q.Quality
	if quality == nhip.QualityReviewed {
		err := h.days(ctx, &q, quality, func(s *DaySeries) error {
			reviewed[s.key()] = s
			return nil
		})
		if err != nil {
			return err
		}
		quality = nhip.QualityAutomatic // a reviewed roll-up stands beside an automatic one
	}
	err := h.days(ctx, &q, quality, func(s *DaySeries) error {
		if r := reviewed[s.key()]; r != nil {
			s.supersede(r)
		}
		if err := h.fillBare(ctx, &q, s); err != nil {
			return err
		}
		return m.add(s)
	})
	if err != nil {
		return err
	}
	return m.yieldBefore(nil)
}

// dayMerger merges series with recent hours, and yields those that have nothing else, too.
type dayMerger struct {
	recent map[stationQuantity][]MeanAt
	left   []stationQuantity // of recent, sorted, still to be yielded
	yield  func(*DaySeries) error
}

// add yields a series, and first those before it that have no days.
func (m *dayMerger) add(s *DaySeries) error {
	k := s.key()
	if err := m.yieldBefore(&k); err != nil {
		return err
	}
	if len(m.left) > 0 && m.left[0] == k {
		m.left = m.left[1:]
	}
	s.Hours = supersede(s.Hours, m.recent[k])
	return m.yield(s)
}

// yieldBefore yields the series without days before a key, or all that are left.
func (m *dayMerger) yieldBefore(until *stationQuantity) error {
	for len(m.left) > 0 && (until == nil || m.left[0].compare(*until) < 0) {
		k := m.left[0]
		m.left = m.left[1:]
		if err := m.yield(&DaySeries{Station: k.station, Quantity: k.quantity, Hours: m.recent[k]}); err != nil {
			return err
		}
	}
	return nil
}

// compare orders keys as a database does: by what it has stored.
func (a stationQuantity) compare(b stationQuantity) int {
	return cmp.Or(cmp.Compare(a.quantity, b.quantity), cmp.Compare(tagValue(a.station), tagValue(b.station)))
}

func (s *DaySeries) key() stationQuantity { return stationQuantity{s.Station, s.Quantity} }

// readRecent reads what has a series without any day: hours of days that may have no roll-up yet, and what was known
// before.
func (h History) readRecent(ctx context.Context, q *DayQuery, recent map[stationQuantity][]MeanAt) error {
	if !q.Known.IsZero() {
		of := q.MeanQuery
		of.Period, of.From = nhip.PeriodMonth, q.Known
		err := h.Means(ctx, of, func(s MeanSeries) error {
			recent[stationQuantity{s.Station, s.Quantity}] = nil
			return nil
		})
		if err != nil {
			return err
		}
	}
	of := q.MeanQuery
	of.Period, of.Quantities = nhip.PeriodHour, q.Hourly
	if q.Unsummed.After(of.From) {
		of.From = q.Unsummed
	}
	if len(of.Quantities) == 0 || of.From.After(of.To) {
		return nil
	}
	return h.Means(ctx, of, func(s MeanSeries) error {
		recent[stationQuantity{s.Station, s.Quantity}] = s.Means
		return nil
	})
}

// days calls yield for the days of one quality.
func (h History) days(ctx context.Context, q *DayQuery, quality nhip.Quality, yield func(*DaySeries) error) error {
	of := q.MeanQuery
	of.Period, of.To = nhip.PeriodDay, of.To.Add(maxDay)
	s := of.selection(quality)
	s.Columns = dayColumns
	var current *DaySeries
	finish := func() error {
		if current == nil {
			return nil
		}
		return yield(current)
	}
	err := h.Source.Select(ctx, s, func(row *Row) error {
		quantity, station := nhip.Quantity(row.Tags[0]), tagText(row.Tags[1])
		if current == nil || station != current.Station || quantity != current.Quantity {
			if err := finish(); err != nil {
				return err
			}
			current = &DaySeries{Station: station, Quantity: quantity}
		}
		current.add(row, slices.Contains(q.Hourly, quantity))
		return nil
	})
	if err != nil {
		return err
	}
	return finish()
}

// maxDay is longer than any day and the hour that ends after it: clocks are set back by an hour at most.
const maxDay = 26 * time.Hour

// add adds a day, and its hours if they are needed.
func (s *DaySeries) add(row *Row, hourly bool) {
	s.Days = append(s.Days, MeanAt{row.Time, completeMean(row)})
	if !hourly {
		return
	}
	before := len(s.Hours)
	hours, ok := unpackHours(s.Hours, row.Text(2), row.Time)
	if ok && before > 0 && hours[before].End <= hours[before-1].End { // days of two time zones, of which one was given up
		hours = supersede(hours[:before], hours[before:])
	}
	if s.Hours = hours; ok {
		return
	}
	if s.bareFrom == 0 {
		s.bareFrom = row.Time
	}
	s.bareTo = row.Time
}

// supersede replaces days and hours by the reviewed ones.
func (s *DaySeries) supersede(reviewed *DaySeries) {
	s.Days = supersede(s.Days, reviewed.Days)
	s.Hours = supersede(s.Hours, reviewed.Hours)
	if reviewed.bareFrom == 0 {
		return
	}
	if s.bareFrom == 0 || reviewed.bareFrom < s.bareFrom {
		s.bareFrom = reviewed.bareFrom
	}
	s.bareTo = max(s.bareTo, reviewed.bareTo)
}

// fillBare reads the hours of days whose roll-ups lack them, and of all days between.
func (h History) fillBare(ctx context.Context, q *DayQuery, s *DaySeries) error {
	if s.bareFrom == 0 {
		return nil
	}
	of := q.MeanQuery
	of.Period, of.Stations, of.Quantities = nhip.PeriodHour, []string{s.Station}, []nhip.Quantity{s.Quantity}
	of.From, of.To = time.UnixMilli(s.bareFrom).Add(-maxDay), time.UnixMilli(s.bareTo).Add(time.Hour)
	return h.Means(ctx, of, func(m MeanSeries) error {
		s.Hours = supersede(s.Hours, m.Means)
		return nil
	})
}
