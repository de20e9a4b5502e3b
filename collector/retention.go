package collector

import (
	"context"
	"sync"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// Retention is how long each stream of the history is kept; 0 for ever.
type Retention struct {
	Position, Reading, Arrival time.Duration
}

// Keeping is the database as retention needs it.
type Keeping interface {
	Oldest(ctx context.Context, measurement string, until time.Time) (time.Time, bool, error)
	Count(ctx context.Context, measurement string, from, to time.Time) (int, error)
	Delete(ctx context.Context, measurement string, until time.Time) error
}

// streams are what a policy is about, with the measurements that hold it.
func (r *Retention) streams() []stream {
	return []stream{
		{"position", r.Position, []string{influx.PositionMeasurement, influx.PositionRevision}},
		{"reading", r.Reading, []string{influx.ReadingMeasurement, influx.ReadingRevision}},
		{"arrival", r.Arrival, []string{influx.ArrivalMeasurement}},
	}
}

type stream struct {
	name         string
	keep         time.Duration
	measurements []string
}

// countedAtOnce is how much time one count covers.
const countedAtOnce = 30 * 24 * time.Hour

// errNoKeeping is the answer of a collector that can't delete.
var errNoKeeping = nhip.Errorf(nhip.NotFound, "collector", "this one does not know its database")

// Retention tells what of the history is older than the policy keeps, and with Apply deletes it: readings only when
// all hours up to there are summed up, and the roll-ups are there. Nothing else ever deletes from the database.
func (c *Collector) Retention(ctx context.Context, q nhip.RetentionQuery) ([]nhip.Retention, error) {
	if c.keeping == nil {
		return nil, errNoKeeping
	}
	c.retaining.Lock()
	defer c.retaining.Unlock()
	var out []nhip.Retention
	for _, s := range c.retention.streams() {
		r, err := c.retain(ctx, &s, q.Apply)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (c *Collector) retain(ctx context.Context, s *stream, apply bool) (nhip.Retention, error) {
	r := nhip.Retention{Stream: s.name, Keep: s.keep.Hours() / 24}
	now := c.clock.Now()
	oldest, known, err := c.keeping.Oldest(ctx, s.measurements[0], now.Add(nhip.FutureTolerance))
	if err != nil || !known {
		return r, err
	}
	r.Oldest = oldest
	if s.keep == 0 {
		return r, nil
	}
	r.Until = now.Add(-s.keep).Truncate(24 * time.Hour) // whole days go
	if oldest.After(r.Until) {
		r.Next, r.Until = oldest.Add(s.keep), time.Time{}
		return r, nil
	}
	for _, m := range s.measurements {
		n, err := c.count(ctx, m, oldest, r.Until)
		if err != nil {
			return r, err
		}
		r.Rows += n
	}
	if s.name == "reading" {
		if r.Held, err = c.unsummed(ctx, r.Until); err != nil {
			return r, err
		}
	}
	if !apply || r.Held != "" {
		return r, nil
	}
	for _, m := range s.measurements {
		if err := c.keeping.Delete(ctx, m, r.Until); err != nil {
			return r, err
		}
	}
	r.Deleted = true
	c.log.Warn("the retention policy deleted a part of the history", "stream", s.name, "until", r.Until, "rows", r.Rows)
	return r, nil
}

// count counts a long time piece by piece.
func (c *Collector) count(ctx context.Context, measurement string, from, to time.Time) (int, error) {
	total := 0
	for from = from.Add(-time.Millisecond); from.Before(to); from = from.Add(countedAtOnce) {
		until := from.Add(countedAtOnce)
		if until.After(to) {
			until = to
		}
		n, err := c.keeping.Count(ctx, measurement, from, until)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// unsummed tells why raw readings up to a time may not go yet; "" when all of them are in roll-ups.
func (c *Collector) unsummed(ctx context.Context, until time.Time) (string, error) {
	if c.air == nil {
		return "this collector does not sum readings up", nil
	}
	return c.air.Verify(ctx, until)
}

// retentionState is what a collector has for it.
type retentionState struct {
	retention Retention
	keeping   Keeping // nil: it can't delete
	retaining sync.Mutex
}
