package influx

import (
	"context"
	"time"
)

// Marker is a row that a collector leaves in the database, to notice when the database is another one.
type Marker struct {
	Collector string
	ID        string // random
	Time      time.Time
}

// AppendMarker appends m as one line of line protocol, including the newline, and returns the extended slice.
func AppendMarker(dst []byte, m *Marker) []byte {
	dst = append(dst, MarkerMeasurement...)
	dst = appendTag(dst, colCollector, m.Collector)
	dst = appendReceived(dst, m.Time)
	dst = appendText(dst, colID, m.ID)
	return appendTime(dst, m.Time)
}

// HasMarker reports whether a marker is in the database. Errors are those of Readings.
func (h History) HasMarker(ctx context.Context, m Marker) (bool, error) {
	found := false
	s := &Selection{
		Measurement: MarkerMeasurement, Columns: columnsOf(markerSchema(), colID), From: millis(m.Time), To: after(m.Time),
		Where: []TagCondition{where(colCollector, m.Collector)},
	}
	err := h.Source.Select(ctx, s, func(row *Row) error {
		found = found || row.Text(0) == m.ID
		return nil
	})
	return found, err
}
