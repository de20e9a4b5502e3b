package influx

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"nhip"
)

// Series is a quantity at a station.
type Series struct {
	Station  string
	Quantity nhip.Quantity
}

// compareSeries orders series by station, then quantity.
func compareSeries(a, b Series) int {
	return cmp.Or(strings.Compare(a.Station, b.Station), strings.Compare(string(a.Quantity), string(b.Quantity)))
}

// SeriesSpan is the time span of the readings of a series.
type SeriesSpan struct {
	Series
	First, Last time.Time
}

// SeriesSpans calls yield for each series with readings, ordered by station, then quantity. Errors are those of
// Readings and of yield.
func (h History) SeriesSpans(ctx context.Context, yield func(SeriesSpan) error) error {
	spans := make(map[Series]SeriesSpan)
	for _, f := range []Function{First, Last} {
		s := &Selection{
			Measurement: ReadingMeasurement, Columns: columnsOf(readingSchema(), colValue), Function: f, From: epoch,
			To: endOfTime, GroupBy: []string{colStation, colQuantity},
		}
		err := h.Source.Select(ctx, s, func(row *Row) error {
			key := Series{tagText(row.Tags[0]), nhip.Quantity(tagText(row.Tags[1]))}
			span := spans[key]
			at := row.At()
			// Several groups may be of one series: of different periods.
			if span.Series = key; f == First && (span.First.IsZero() || at.Before(span.First)) {
				span.First = at
			}
			if at.After(span.Last) {
				span.Last = at
			}
			spans[key] = span
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(spans), compareSeries) {
		if err := yield(spans[key]); err != nil {
			return err
		}
	}
	return nil
}

// SeriesQuery selects readings of several stations.
type SeriesQuery struct {
	Stations   []string        // nil for all
	Quantities []nhip.Quantity // nil for all
	From, To   time.Time       // exclusive, inclusive
	Newest     bool            // the newest first
}

func (q *SeriesQuery) validate() error {
	for _, id := range q.Stations {
		var broken *nhip.Error
		if errors.As(nhip.CheckID("station", id), &broken) {
			return nhip.Errorf(nhip.CodeInvalid, broken.Field, "%s", broken.Rule)
		}
	}
	for _, quantity := range q.Quantities {
		if !quantity.Known() {
			return nhip.Errorf(nhip.CodeInvalid, "quantity", "%q is not a known quantity", string(quantity))
		}
	}
	return checkInterval(q.From, q.To)
}

// seriesColumns are those of a reading with its station behind them.
var seriesColumns = append(slices.Clip(readingColumns), columnsOf(readingSchema(), colStation)...)

func (q *SeriesQuery) selection() *Selection {
	s := &Selection{
		Measurement: ReadingMeasurement, Columns: seriesColumns, From: after(q.From), To: after(q.To), Newest: q.Newest,
	}
	if q.Stations != nil {
		s.Where = append(s.Where, where(colStation, q.Stations...))
	}
	if q.Quantities != nil {
		names := make([]string, len(q.Quantities))
		for i, quantity := range q.Quantities {
			names[i] = string(quantity)
		}
		s.Where = append(s.Where, where(colQuantity, names...))
	}
	return s
}

// SeriesReadings calls yield for each selected reading as it arrives, sorted by time in the order that the query asks
// for, then station, quantity and the text of the period. Errors are those of Readings.
func (h History) SeriesReadings(ctx context.Context, q SeriesQuery, yield func(nhip.AssessedReading) error) error {
	if err := q.validate(); err != nil {
		return err
	}
	group := timeGroup[assessedRow]{
		compare: func(a, b *assessedRow) int {
			return cmp.Or(strings.Compare(a.Station, b.Station), compareReadings(a, b))
		},
		yield: func(r *assessedRow) error { return yield(r.AssessedReading) },
	}
	err := h.Source.Select(ctx, q.selection(), func(row *Row) error {
		r, ok, err := readingOf(row, row.TagText(readingEnd))
		if err != nil || !ok {
			return err
		}
		return group.add(row.Time, &r)
	})
	if err != nil {
		return err
	}
	return group.flush()
}

// CountReadings returns the number of selected readings; the database counts. Errors are those of Readings.
func (h History) CountReadings(ctx context.Context, q SeriesQuery) (int, error) {
	if err := q.validate(); err != nil {
		return 0, err
	}
	s := q.selection()
	s.Columns, s.Function, s.Newest = columnsOf(readingSchema(), colValue), Count, false
	return h.count(ctx, s)
}
