package influx

import (
	"context"
	"errors"
	"slices"
	"time"

	"nhip"
)

// epoch is before every stored row.
var epoch = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

// explainQuery returns the cause of a failed query: the end of the caller's context, a stalled result, or InfluxDB's
// error.
func (db *DB) explainQuery(caller, stalled context.Context, err error) error {
	if caller.Err() != nil {
		return caller.Err()
	}
	if cause := context.Cause(stalled); cause != nil {
		err = cause
	}
	var failed *failedError
	if errors.As(err, &failed) {
		return nhip.Errorf(nhip.CodeUnavailable, "", "InfluxDB at %s can't answer: %s", db.opts.URL, failed.message)
	}
	return db.explain(err)
}

// checkInterval reports a missing or reversed interval as an *nhip.Error with the code Invalid.
func checkInterval(from, to time.Time) error {
	switch {
	case from.IsZero():
		return nhip.Errorf(nhip.CodeInvalid, "from", "is required")
	case to.IsZero():
		return nhip.Errorf(nhip.CodeInvalid, "to", "is required")
	case to.Before(from):
		return nhip.Errorf(nhip.CodeInvalid, "from", "must not be after to")
	}
	return nil
}

// millis truncates t to milliseconds, the resolution of rows.
func millis(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }

// after returns the first moment after t, in the resolution of rows. It turns the interval (from, to] of the callers
// into the [from, to) of a Selection.
func after(t time.Time) time.Time { return millis(t).Add(time.Millisecond) }

// timeGroup collects the values of one time, which have no order among themselves, and yields them sorted.
type timeGroup[T any] struct {
	at      int64 // ms since 1970
	values  []T
	compare func(a, b *T) int
	yield   func(*T) error
}

// add adds a value, and first yields those of the time before.
func (g *timeGroup[T]) add(at int64, v *T) error {
	if at != g.at {
		if err := g.flush(); err != nil {
			return err
		}
		g.at = at
	}
	g.values = append(g.values, *v)
	return nil
}

// flush yields the collected values.
func (g *timeGroup[T]) flush() error {
	slices.SortFunc(g.values, func(a, b T) int { return g.compare(&a, &b) })
	values := g.values
	g.values = g.values[:0]
	for i := range values {
		if err := g.yield(&values[i]); err != nil {
			return err
		}
	}
	return nil
}
