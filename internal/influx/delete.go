package influx

import (
	"context"
	"fmt"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/query"
)

// Oldest returns the time of a measurement's oldest row; false where there is none.
func (db *DB) Oldest(ctx context.Context, measurement string, until time.Time) (oldest time.Time, ok bool, err error) {
	flux := fmt.Sprintf("from(bucket: %s)\n|> %s\n|> filter(fn: (r) => r._measurement == %s and r._field == %s)\n|> first()\n|> group()\n|> sort(columns: [\"_time\"])\n|> limit(n: 1)",
		quoteFlux(db.dialect.bucket()), fluxRange(beginning, until), quoteFlux(measurement), quoteFlux(colReceived))
	err = db.query(ctx, "oldest", flux, func(rec *query.FluxRecord) error {
		oldest, ok = rec.Time().UTC(), true
		return nil
	})
	return oldest, ok, err
}

// Delete removes a measurement's rows up to a time, inclusive, for good.
func (db *DB) Delete(ctx context.Context, measurement string, until time.Time) error {
	began := time.Now()
	err := db.dialect.delete(ctx, measurement, millis(until))
	if err != nil {
		db.metrics.observe("delete", "error", time.Since(began))
		return db.explain(err)
	}
	db.metrics.observe("delete", "ok", time.Since(began))
	return nil
}
