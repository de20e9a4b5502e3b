package influx

import (
	"context"
	"time"
)

// Oldest returns the time of a measurement's oldest row up to until. ok is false if there is no row.
func (h History) Oldest(
	ctx context.Context, measurement string, until time.Time,
) (oldest time.Time, ok bool, err error) {
	s := &Selection{
		Measurement: measurement, Columns: receivedColumn, From: epoch, To: after(until), Function: First,
	}
	err = h.Source.Select(ctx, s, func(row *Row) error {
		oldest, ok = row.At(), true
		return nil
	})
	return oldest, ok, err
}

// Delete removes a measurement's rows up to until, inclusive.
func (db *DB) Delete(ctx context.Context, measurement string, until time.Time) error {
	began := time.Now()
	err := db.dialect.delete(ctx, measurement, epoch, millis(until))
	if err != nil {
		db.metrics.observe("delete", "error", time.Since(began))
		return db.explain(err)
	}
	db.metrics.observe("delete", "ok", time.Since(began))
	return nil
}
