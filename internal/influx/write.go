package influx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	ihttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// Kind says what to do about a write that failed.
type Kind string

// The kinds of failed writes.
const (
	// Retry: the rows are good as far as anyone knows and InfluxDB did not take them: it is away,
	// busy, or does not let us in. Keep them and try again, for ever.
	Retry Kind = "retry"
	// Rejected: at least one row is bad. The versions differ on whether the good ones are stored,
	// so halve and write again until the bad one stands alone; a row written twice is one row.
	Rejected Kind = "rejected"
	// TooLarge: the request is; halve it.
	TooLarge Kind = "too_large"
)

// WriteError is a write that failed, and the only error that DB.Write returns.
type WriteError struct {
	Kind       Kind
	Status     int           // of HTTP; 0 when there was no answer
	RetryAfter time.Duration // at least, when InfluxDB says so
	Err        error
}

// Error says what InfluxDB said.
func (e *WriteError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("InfluxDB did not answer a write: %v", e.Err)
	}
	return fmt.Sprintf("InfluxDB answered a write with status %d: %v", e.Status, e.Err)
}

// Unwrap returns the cause.
func (e *WriteError) Unwrap() error { return e.Err }

// Write stores lines of line protocol, with times in milliseconds, in one request. When it returns
// nil they are on InfluxDB's disk; else the error is a *WriteError. It never tries again: that,
// splitting and batching are the caller's. lines may be reused when it returns.
func (db *DB) Write(ctx context.Context, lines []byte) error {
	if len(lines) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, db.opts.Timeout)
	defer cancel()
	began := time.Now()
	err := db.writer.WriteRecord(ctx, string(lines))
	if err == nil {
		db.metrics.observe("write", "ok", time.Since(began))
		return nil
	}
	failed := newWriteError(err)
	db.metrics.observe("write", string(failed.Kind), time.Since(began))
	if failed.Status == http.StatusNotFound {
		db.recreateBucket(ctx)
	}
	if failed.Status == http.StatusInternalServerError && strings.Contains(failed.Err.Error(), walError) {
		db.reportStuck(time.Now())
	}
	return failed
}

// walError is in what 1.8 says while its write-ahead log takes nothing, and stuckEvery how often a
// restart is asked for at the most.
const (
	walError   = "error writing WAL entry"
	stuckEvery = time.Minute
)

func (db *DB) reportStuck(now time.Time) {
	last := db.stuckAt.Load()
	if db.opts.Stuck == nil || now.Unix()-last < int64(stuckEvery/time.Second) || !db.stuckAt.CompareAndSwap(last, now.Unix()) {
		return
	}
	db.opts.Stuck()
}

func newWriteError(err error) *WriteError {
	status, message := statusOf(err)
	failed := &WriteError{Kind: kindOf(status), Status: status, Err: err}
	var answer *ihttp.Error
	switch {
	case errors.As(err, &answer) && status != 0:
		failed.RetryAfter = time.Duration(answer.RetryAfter) * time.Second
		failed.Err = errors.New(cmp.Or(message, answer.Error()))
	case status == 0:
		failed.Err = reason(err)
	}
	return failed
}

// kindOf knows no status that loses rows: what is not plainly about the rows is tried again. 1.8
// says 404 for a missing database and 500 for a missing retention policy.
func kindOf(status int) Kind {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return Rejected
	case http.StatusRequestEntityTooLarge:
		return TooLarge
	}
	return Retry
}

// recreateBucket is for a bucket that went missing while we run, as when the embedded InfluxDB's
// folder was emptied: the next try of the rows that wait finds it.
func (db *DB) recreateBucket(ctx context.Context) {
	if err := db.ensureBucket(ctx); err != nil {
		db.opts.Logger.Warn("the bucket is missing and can't be created", "bucket", db.opts.Bucket, "error", err)
	}
}
