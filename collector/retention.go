package collector

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"nhip"
	"nhip/collector/air"
	"nhip/internal/influx"
)

// Retention is how long each stream of the history is kept; 0: for ever.
type Retention struct {
	Position, Reading, Arrival time.Duration
}

// RetentionStore is the database that a Retention applies to.
type RetentionStore interface {
	Oldest(ctx context.Context, measurement string, until time.Time) (time.Time, bool, error)
	Count(ctx context.Context, measurement string, from, to time.Time) (int, error)
	Delete(ctx context.Context, measurement string, until time.Time) error
	Write(ctx context.Context, lines []byte) error
}

// streams returns the streams of the history.
func (r *Retention) streams() []stream {
	return []stream{
		{"position", r.Position, []string{influx.PositionMeasurement, influx.PositionRevision}},
		{readingStream, r.Reading, []string{influx.ReadingMeasurement, influx.ReadingRevision}},
		{"arrival", r.Arrival, []string{influx.ArrivalMeasurement}},
	}
}

const readingStream = "reading"

// stream is a part of the history with its own retention.
type stream struct {
	name         string
	keep         time.Duration
	measurements []string
}

// countSpan is the time range of one count query.
const countSpan = 30 * 24 * time.Hour

var errNoRetention = nhip.Errorf(nhip.CodeNotFound, "collector", "this collector can't delete from its database")

// retention applies a policy. Nothing else deletes from the database.
type retention struct {
	policy Retention
	store  RetentionStore // nil: nothing can be deleted
	air    *air.Processor // nil if readings are not aggregated
	clock  nhip.Clock
	log    *slog.Logger

	mu sync.Mutex // held by apply
}

// apply returns what the policy would delete and, if q.Apply is set, deletes it. It deletes readings only if their
// roll-ups are stored.
func (r *retention) apply(ctx context.Context, q nhip.RetentionQuery) ([]nhip.Retention, error) {
	if r.store == nil {
		return nil, errNoRetention
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []nhip.Retention
	for _, s := range r.policy.streams() {
		result, err := r.applyTo(ctx, &s, q.Apply)
		if err != nil {
			return nil, err
		}
		out = append(out, result)
	}
	return out, nil
}

func (r *retention) applyTo(ctx context.Context, s *stream, apply bool) (nhip.Retention, error) {
	result := nhip.Retention{Stream: s.name, Keep: s.keep.Hours() / 24}
	now := r.clock.Now()
	oldest, found, err := r.store.Oldest(ctx, s.measurements[0], now.Add(nhip.FutureTolerance))
	if err != nil || !found {
		return result, err
	}
	result.Oldest = oldest
	if s.keep == 0 {
		return result, nil
	}
	result.Until = now.Add(-s.keep).Truncate(24 * time.Hour) // deletes whole days only
	if oldest.After(result.Until) {
		result.Next, result.Until = oldest.Add(s.keep), time.Time{}
		return result, nil
	}
	for _, m := range s.measurements {
		n, err := r.count(ctx, m, oldest, result.Until)
		if err != nil {
			return result, err
		}
		result.Rows += n
	}
	if s.name == readingStream {
		if result.Held, err = r.readingsHeld(ctx, result.Until); err != nil {
			return result, err
		}
	}
	if !apply || result.Held != "" {
		return result, nil
	}
	if err := r.recordDeletion(ctx, s, result.Until, now); err != nil {
		return result, err
	}
	for _, m := range s.measurements {
		if err := r.store.Delete(ctx, m, result.Until); err != nil {
			return result, err
		}
	}
	result.Deleted = true
	r.log.Warn("history deleted by the retention policy", "stream", s.name, "until", result.Until, "rows", result.Rows)
	return result, nil
}

// recordDeletion writes to the database up to which time rows are about to be deleted. It precedes the deletion, so
// that a crash leaves no deletion without its record.
func (r *retention) recordDeletion(ctx context.Context, s *stream, until, now time.Time) error {
	var lines []byte
	for _, m := range s.measurements {
		lines = influx.AppendDeletion(lines, &influx.Deletion{Measurement: m, Until: until, Time: now})
	}
	return r.store.Write(ctx, lines)
}

// count counts the rows of a measurement with one query per countSpan.
func (r *retention) count(ctx context.Context, measurement string, from, to time.Time) (int, error) {
	total := 0
	for from = from.Add(-time.Millisecond); from.Before(to); from = from.Add(countSpan) {
		until := from.Add(countSpan)
		if until.After(to) {
			until = to
		}
		n, err := r.store.Count(ctx, measurement, from, until)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// readingsHeld returns why raw readings up to a time must not be deleted, or "" if deletion is allowed.
func (r *retention) readingsHeld(ctx context.Context, until time.Time) (string, error) {
	if r.air == nil {
		return "this collector does not aggregate readings", nil
	}
	return r.air.Verify(ctx, until)
}
