package influx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	ihttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// Kind says how to handle a failed write.
type Kind string

// The kinds of failed writes.
const (
	// Retry: InfluxDB is unavailable, busy, or denies access, and nothing is wrong with the rows. Keep them and retry
	// without a limit.
	Retry Kind = "retry"
	// Rejected: at least one row is bad. The versions differ in whether they store the good ones, so split the rows and
	// write each half until the bad row is isolated. A row that is written twice is stored once.
	Rejected Kind = "rejected"
	// TooLarge: the request is too large. Split the rows.
	TooLarge Kind = "too_large"
)

// WriteError is the error of a failed write, and the only type of error that DB.Write returns.
type WriteError struct {
	Kind       Kind
	Status     int           // HTTP status; 0 if there was no response
	RetryAfter time.Duration // minimum delay that InfluxDB asks for, at most MaxRetryAfter; 0 for none
	Dropped    int           // rows of the request that InfluxDB says it refused; 0 if it does not say
	Err        error
}

// MaxRetryAfter bounds the delay that a server can ask for. A proxy that asks for an hour, because it does not know
// better, must not delay the history by an hour.
const MaxRetryAfter = 30 * time.Second

// Error returns InfluxDB's message.
func (e *WriteError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("InfluxDB did not answer a write: %v", e.Err)
	}
	return fmt.Sprintf("InfluxDB answered a write with status %d: %v", e.Status, e.Err)
}

// Unwrap returns the cause.
func (e *WriteError) Unwrap() error { return e.Err }

// Write stores lines of line protocol, with times in milliseconds, in one request. When it returns nil, the rows are on
// InfluxDB's disk; otherwise the error is a *WriteError. Write does not retry: retrying, splitting and batching are up
// to the caller, who may reuse lines afterwards.
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
	failed := asWriteError(err)
	db.metrics.observe("write", string(failed.Kind), time.Since(began))
	if failed.Status == http.StatusNotFound {
		db.recreateBucket(ctx)
	}
	if failed.Status == http.StatusInternalServerError && strings.Contains(failed.Err.Error(), walError) {
		db.reportStuck(time.Now())
	}
	return failed
}

// walError is part of the message of 1.8 while its write-ahead log accepts nothing. stuckInterval is the minimum time
// between two calls of OnStuck.
const (
	walError      = "error writing WAL entry"
	stuckInterval = time.Minute
)

func (db *DB) reportStuck(now time.Time) {
	last := db.stuckAt.Load()
	if db.opts.OnStuck == nil || now.Unix()-last < int64(stuckInterval/time.Second) ||
		!db.stuckAt.CompareAndSwap(last, now.Unix()) {
		return
	}
	db.opts.OnStuck()
}

func asWriteError(err error) *WriteError {
	status, message := statusOf(err)
	failed := &WriteError{Kind: kindOf(status), Status: status, Err: err}
	var answer *ihttp.Error
	switch {
	case errors.As(err, &answer) && status != 0:
		failed.RetryAfter = time.Duration(min(answer.RetryAfter, uint(MaxRetryAfter/time.Second))) * time.Second
		failed.Err = errors.New(cmp.Or(message, answer.Error()))
	case status == 0:
		failed.Err = reason(err)
	}
	if failed.Kind == Rejected {
		failed.Dropped = droppedIn(failed.Err.Error())
	}
	return failed
}

// droppedIn returns the number at the end of "partial write: … dropped=5", the message of 1.8 and 2.x for a request
// that they stored in part, or 0 if there is none.
func droppedIn(message string) int {
	const mark = "dropped="
	at := strings.LastIndex(message, mark)
	if at < 0 {
		return 0
	}
	digits := message[at+len(mark):]
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// kindOf returns the Kind of a status. To lose no rows, every status that is not clearly about the rows means Retry.
// 1.8 returns 404 for a missing database and 500 for a missing retention policy.
func kindOf(status int) Kind {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return Rejected
	case http.StatusRequestEntityTooLarge:
		return TooLarge
	}
	return Retry
}

// recreateBucket creates a bucket that was dropped while the DB was open, for example because the embedded InfluxDB's
// folder was emptied. The next attempt to write succeeds.
func (db *DB) recreateBucket(ctx context.Context) {
	if err := db.ensureBucket(ctx); err != nil {
		db.opts.Logger.Warn("creation of the missing InfluxDB bucket failed", "bucket", db.opts.Bucket, "error", err)
	}
}
