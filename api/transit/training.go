package transit

import (
	"context"
	"time"

	"nhip"
	"nhip/geo/predict"
	"nhip/geo/track"
	"nhip/internal/topics"
	"nhip/internal/wait"
)

// Limits of the training with stored arrivals.
const (
	trainingWindow = 3 * time.Hour    // age of the oldest stored arrival; older ones have no weight
	trainingRetry  = 10 * time.Second // after an error of the history
	maxDeferred    = 200_000          // arrivals received while the stored ones are read; later ones are dropped
)

// History is the part of the history database that a Model reads.
type History interface {
	// Arrivals yields all arrivals from a time up to another, the oldest first.
	Arrivals(ctx context.Context, from, to time.Time, yield func(nhip.Arrival) error) error
}

// Train trains the predictor of the timetable in use with the stored arrivals of the last 3 hours, and then with those
// that were received meanwhile. It retries until the history answers and returns nil then; its only error is ctx's.
func (m *Model) Train(ctx context.Context) error {
	t := m.inUse.Load()
	if t.Network == nil {
		return nil
	}
	for {
		stored, err := t.tracker.readStored(ctx, m.o.History)
		if err == nil {
			t.tracker.train(stored)
			return nil
		}
		m.o.Logger.Warn("recent arrivals not read; predictions follow the timetable", "error", err)
		if err := wait.Sleep(ctx, trainingRetry); err != nil {
			return err
		}
	}
}

func (t *tracker) readStored(ctx context.Context, h History) ([]nhip.Arrival, error) {
	var out []nhip.Arrival
	now := t.clock.Now()
	err := h.Arrivals(ctx, now.Add(-trainingWindow), now, func(a nhip.Arrival) error {
		out = append(out, a)
		return nil
	})
	return out, err
}

func (t *tracker) train(stored []nhip.Arrival) {
	t.mu.Lock()
	defer t.mu.Unlock()
	newest := time.Time{}
	for i := range stored {
		t.observe(&stored[i], false)
		newest = stored[i].Time
	}
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
		Instance: track.FindTripInstance(t.net, a.Trip, a.StartDate, a.StartTime),
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
