package influx

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"nhip"

	"github.com/influxdata/influxdb-client-go/v2/api/query"
)

// errStalled ends a query whose answer stopped coming.
var errStalled = errors.New("no more of the answer came in time")

// query runs Flux and calls yield for each row as it comes. yield's own error is returned as it is.
func (db *DB) query(ctx context.Context, name, flux string, yield func(*query.FluxRecord) error) error {
	began := time.Now()
	// The limit is on InfluxDB's silence, not on the whole: yield may write to a slow client.
	stalled, cancel := context.WithCancelCause(ctx)
	defer cancel(nil) // before Close could read the rest of a long answer that nobody wants
	limit := time.AfterFunc(db.opts.Timeout, func() { cancel(errStalled) })
	defer limit.Stop()
	rows, err := db.reader.Query(stalled, flux)
	if err == nil {
		for rows.Next() {
			limit.Stop()
			if err := yield(rows.Record()); err != nil {
				db.metrics.observe(name, "ok", time.Since(began))
				return err
			}
			limit.Reset(db.opts.Timeout)
		}
		err = rows.Err()
	}
	if err == nil {
		db.metrics.observe(name, "ok", time.Since(began))
		return nil
	}
	db.metrics.observe(name, "error", time.Since(began))
	return db.explainQuery(ctx, stalled, err)
}

// explainQuery tells whose doing a failed query is: the caller's who went away, ours, or InfluxDB's.
func (db *DB) explainQuery(caller, stalled context.Context, err error) error {
	if caller.Err() != nil {
		return caller.Err()
	}
	if cause := context.Cause(stalled); cause != nil {
		err = cause
	}
	return db.explain(err)
}

// checkInterval refuses what is no span of time. The error is an *nhip.Error with the code Invalid.
func checkInterval(from, to time.Time) error {
	switch {
	case from.IsZero():
		return nhip.Errorf(nhip.Invalid, "from", "is required")
	case to.IsZero():
		return nhip.Errorf(nhip.Invalid, "to", "is required")
	case to.Before(from):
		return nhip.Errorf(nhip.Invalid, "from", "must not be after to")
	}
	return nil
}

// millis cuts t to the millisecond that it lies in. No row lies between the two.
func millis(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }

// fluxRange writes the range (from, to]. Flux's own is [start, stop), but 1.8 answers with the row
// at stop, too. So both ends are moved to where no row can be: between two milliseconds. Flux takes
// an empty range for an error.
func fluxRange(from, to time.Time) string {
	between := func(t time.Time) string {
		return millis(t).Add(time.Millisecond / 2).Format("2006-01-02T15:04:05.0000Z")
	}
	return fmt.Sprintf("range(start: %s, stop: %s)", between(from), between(to))
}

// fluxEscapes are what ends or interrupts a Flux string: its quote, its escape, and in newer
// versions the start of an expression, ${.
var fluxEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\x24`, "\n", `\n`, "\r", `\r`)

// quoteFlux writes a text as a Flux string.
func quoteFlux(text string) string { return `"` + fluxEscapes.Replace(text) + `"` }
