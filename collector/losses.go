package collector

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// lossShownFor is how long a loss degrades the collector's readiness, unless the collector is restarted before. The
// ledger shows it for ever.
const lossShownFor = 24 * time.Hour

// losses tracks what the collector lost of acknowledged messages, and what it found out of step on its disk.
type losses struct {
	log     *slog.Logger
	metrics *metrics
	last    atomic.Int64 // Unix time of the last one in ns; 0 if there was none

	// outbox counts the findings after which the ledger's counts of queued rows may be wrong.
	outbox atomic.Uint64
	// lost is true once outbox records were lost that are not known to be in the database.
	lost atomic.Bool
}

// note logs an error and degrades the readiness.
func (l *losses) note(message string, args ...any) {
	l.last.Store(time.Now().UnixNano())
	l.log.Error(message, args...)
}

// recent reports whether there was a loss within lossShownFor.
func (l *losses) recent() bool {
	last := l.last.Load()
	return last != 0 && time.Since(time.Unix(0, last)) < lossShownFor
}

// loseIntake counts messages that are lost.
func (l *losses) loseIntake(from, to uint64, messages int64) {
	l.note("acknowledged messages are lost: the intake does not have their records",
		"messages", messages, "first_seq", from, "last_seq", to)
	l.metrics.lost.WithLabelValues("intake").Add(float64(messages))
}

// loseOutbox notes that outbox records are missing. The reconciliation counts their rows. Records up to written are
// known to be in the database.
func (l *losses) loseOutbox(from, to, written uint64) {
	defer l.outbox.Add(1) // after lost is set
	if to <= written {
		l.note("the ledger is older than the outbox: records that it counts as pending are in the database",
			"first_seq", from, "last_seq", to)
		return
	}
	l.lost.Store(true)
	l.note("records of the outbox are lost; their rows are counted in the ledger",
		"records", to+1-from, "first_seq", from, "last_seq", to)
}

// The values of reconcileMark.
const (
	reconcileLost    = "lost"
	reconcileWritten = "written"
)

// reconcileValue returns the value of reconcileMark.
func (l *losses) reconcileValue() string {
	if l.lost.Load() {
		return reconcileLost
	}
	return reconcileWritten
}

// resume continues with a reconciliation that a stop or crash prevented.
func (l *losses) resume(mark []byte) {
	if len(mark) == 0 {
		return
	}
	l.lost.Store(string(mark) == reconcileLost)
	l.outbox.Add(1)
}
