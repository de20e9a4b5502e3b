package transit

import (
	"context"
	"slices"
	"time"

	"nhip"
	"nhip/geo/predict"
	"nhip/geo/track"
	"nhip/internal/topics"
	"nhip/internal/wait"
)

// Limits of the training with stored arrivals.
const (
	// trainingWindow is the age of the oldest stored arrival: those of the day before tell the rest of a segment's day,
	// and how long buses take at this hour.
	trainingWindow = 24 * time.Hour
	trainingBatch  = 500              // arrivals observed at a time, so that requests wait for no more than some ms
	trainingRetry  = 10 * time.Second // after an error of the history
	maxDeferred    = 200_000          // arrivals received while the stored ones are read; later ones are dropped
)

// History is the part of the history database that a Model reads.
type History interface {
	// Arrivals yields all arrivals from a time up to another, the oldest first.
	Arrivals(ctx context.Context, from, to time.Time, yield func(nhip.Arrival) error) error
}

// Train trains the predictor of the timetable in use with the stored arrivals of the last day, and then with those
// that were received meanwhile. It retries until the history answers, from where it broke off, and returns nil then;
// its only error is ctx's.
func (m *Model) Train(ctx context.Context) error {
	t := m.inUse.Load()
	if t.Network == nil {
		return nil
	}
	now := t.tracker.clock.Now()
	from := now.Add(-trainingWindow)
	for {
		newest, err := t.tracker.trainStored(ctx, m.o.History, from, now)
		if err == nil {
			t.tracker.trainDeferred(newest)
			return nil
		}
		from = newest
		m.o.Logger.Warn("stored arrivals not read; predictions follow the timetable", "error", err)
		if err := wait.Sleep(ctx, trainingRetry); err != nil {
			return err
		}
	}
}

// trainStored observes the stored arrivals from a time up to another, in batches. It returns the time of the newest one
// that was observed, from if there was none.
func (t *tracker) trainStored(ctx context.Context, h History, from, to time.Time) (newest time.Time, err error) {
	batch := make([]nhip.Arrival, 0, trainingBatch)
	newest = from
	observe := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		for i := range batch {
			t.observe(&batch[i], false)
			newest = batch[i].Time
		}
		batch = batch[:0]
	}
	err = h.Arrivals(ctx, from, to, func(a nhip.Arrival) error {
		if len(batch) >= trainingBatch && a.Time.After(batch[len(batch)-1].Time) {
			observe() // all arrivals of one time are in one batch, so that newest divides them
		}
		batch = append(batch, a)
		return nil
	})
	if n := len(batch); err != nil && n > 0 { // others of the last time may be missing
		last := batch[n-1].Time
		batch = slices.DeleteFunc(batch, func(a nhip.Arrival) bool { return a.Time.Equal(last) })
	}
	observe()
	return newest, err
}

// trainDeferred observes the arrivals that were received while the stored ones were read. newest is the time of the
// latest of those.
func (t *tracker) trainDeferred(newest time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.deferred {
		if t.deferred[i].Time.After(newest) { // otherwise it was stored, too
			t.observe(&t.deferred[i], true)
		}
	}
	t.deferred, t.trained = nil, true
}

// arrival observes a received arrival, or defers it until the stored ones are read.
func (t *tracker) arrival(a *nhip.Arrival) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.trained {
		t.observe(a, true)
		return
	}
	if len(t.deferred) < maxDeferred {
		t.deferred = append(t.deferred, *a)
	}
}

// observe passes an arrival to the predictor, unless it belongs to another timetable. A received arrival also verifies
// the predictions. The caller must hold the lock.
func (t *tracker) observe(a *nhip.Arrival, received bool) {
	p := t.net.Pattern(a.Pattern)
	if p == nil || a.Index < 0 || a.Index > p.Last() || p.Stops[a.Index].ID != a.Stop {
		return
	}
	x := predict.Arrival{
		Vehicle: topics.BusDevice(a.Agency, a.Vehicle), Pattern: p, Stop: a.Index, Departed: a.Departed,
		Instance: track.FindTripInstance(t.net, p, a.Trip, a.StartDate, a.StartTime),
	}
	if a.Index > 0 {
		x.Arrived = a.Time
	} else {
		x.Departed = a.Time
	}
	if received {
		t.score.Arrived(&x)
		t.boards.arrived(&x)
	}
	t.fleet.Observe(&x)
}
