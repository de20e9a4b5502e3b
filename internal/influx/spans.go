package influx

import (
	"context"
	"maps"
	"slices"
	"time"

	"nhip"
)

// endOfTime is later than all rows: the database counts nanoseconds in 64 bits.
var endOfTime = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// StationSpans calls yield for each station, ordered by id, with the times of its first and its last reading. Where a
// retention policy has deleted readings, the hours that were computed from them count: the first one in any case, the
// last one if no reading is left. Errors are those of Readings.
func (h History) StationSpans(ctx context.Context, yield func(nhip.StationSpan) error) error {
	values, counts := columnsOf(readingSchema(), colValue), columnsOf(rollupSchema(), colCount)
	hours := []TagCondition{where(colPeriod, nhip.PeriodHour)}
	var times [4]map[string]time.Time // by station
	for i, s := range []*Selection{
		{Measurement: ReadingMeasurement, Columns: values, Function: First},
		{Measurement: ReadingMeasurement, Columns: values, Function: Last},
		{Measurement: RollupMeasurement, Columns: counts, Where: hours, Function: First},
		{Measurement: RollupMeasurement, Columns: counts, Where: hours, Function: Last},
	} {
		var err error
		if times[i], err = h.stationTimes(ctx, s); err != nil {
			return err
		}
	}
	spans := make(map[string]nhip.StationSpan)
	for id, first := range times[2] {
		spans[id] = nhip.StationSpan{Station: id, First: first, Last: times[3][id]}
	}
	for id, first := range times[0] {
		if hour, ok := times[2][id]; ok && hour.Before(first) {
			first = hour
		}
		spans[id] = nhip.StationSpan{Station: id, First: first, Last: times[1][id]}
	}
	for _, id := range slices.Sorted(maps.Keys(spans)) {
		if err := yield(spans[id]); err != nil {
			return err
		}
	}
	return nil
}

// stationTimes returns the times of the rows of a selection without a time span, by station.
func (h History) stationTimes(ctx context.Context, s *Selection) (map[string]time.Time, error) {
	s.From, s.To, s.GroupBy = epoch, endOfTime, []string{colStation}
	out := make(map[string]time.Time)
	err := h.Source.Select(ctx, s, func(row *Row) error {
		out[tagText(row.Tags[0])] = row.At()
		return nil
	})
	return out, err
}

// AgencySpans calls yield for each agency with rows of a measurement, ordered by id, with the times of its first and
// its last row. Errors are those of Readings and of yield.
func (h History) AgencySpans(ctx context.Context, measurement string, yield func(nhip.AgencySpan) error) error {
	spans := make(map[string]nhip.AgencySpan)
	for _, f := range []Function{First, Last} {
		s := &Selection{
			Measurement: measurement, Columns: receivedColumn, Function: f, From: epoch, To: endOfTime,
			GroupBy: []string{colAgency},
		}
		err := h.Source.Select(ctx, s, func(row *Row) error {
			id := tagText(row.Tags[0])
			span := spans[id]
			if span.Agency, span.Last = id, row.At(); f == First {
				span.First = row.At()
			}
			spans[id] = span
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(spans)) {
		if err := yield(spans[id]); err != nil {
			return err
		}
	}
	return nil
}
