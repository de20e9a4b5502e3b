package collector

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"nhip/internal/influx"
)

// faultGrace is how long writes may fail until WriteFault reports it: a database that restarts is not worth a warning.
const faultGrace = 5 * time.Second

// maxFault bounds the text of a fault, in bytes.
const maxFault = 300

// lane is the state of one of the two readers of the outbox.
type lane struct{ fault atomic.Pointer[writeFault] }

// writeFault is why a lane does not make progress.
type writeFault struct {
	since  time.Time // by the machine's clock
	reason string
	held   bool // the database answers, but rows are kept; see heldError
}

// fault records that a lane does not make progress, and logs the first time in a row. The end of ctx is no fault.
func (w *dbWriter) fault(ctx context.Context, l *lane, err error) {
	if ctx.Err() != nil {
		return
	}
	var held *heldError
	f := &writeFault{since: time.Now(), reason: faultReason(err), held: errors.As(err, &held)}
	before := l.fault.Load()
	if before != nil {
		f.since = before.since
	}
	l.fault.Store(f)
	switch {
	case before != nil && before.held == f.held:
	case f.held:
		w.log.Error("database writer stopped; rows wait on disk", "pending_records", w.pending(), "reason", err)
	default:
		w.log.Warn("database write failed; rows wait on disk", "pending_records", w.pending(), "error", err)
	}
}

// answered records that the database has accepted rows of a lane, of a batch that may still be held.
func (w *dbWriter) answered(l *lane) {
	if f := l.fault.Load(); f != nil && !f.held {
		w.progressed(l)
	}
}

// progressed records that a lane has finished a batch, and logs the recovery.
func (w *dbWriter) progressed(l *lane) {
	if l.fault.Swap(nil) != nil {
		w.log.Info("database writable again", "pending_records", w.pending())
	}
}

// failing reports whether a lane does not make progress.
func (w *dbWriter) failing() bool {
	return w.fresh.fault.Load() != nil || w.backlog.fault.Load() != nil
}

// writeFault returns why rows do not reach the database for longer than grace, in its own words, or "" if they do.
func (w *dbWriter) writeFault(now time.Time, grace time.Duration) string {
	for _, l := range []*lane{w.fresh, w.backlog} {
		if f := l.fault.Load(); f != nil && now.Sub(f.since) >= grace {
			return f.reason
		}
	}
	return ""
}

// faultReason returns the text of an error for /readyz, without the addresses that a network error contains.
func faultReason(err error) string {
	var writeErr *influx.WriteError
	if errors.As(err, &writeErr) && writeErr.Status == 0 {
		return "InfluxDB does not answer writes"
	}
	text := err.Error()
	if len(text) > maxFault {
		text = text[:maxFault]
		for !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
	}
	return text
}
