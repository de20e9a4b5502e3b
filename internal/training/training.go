// Package training feeds a predictor of arrivals: with the stored ones of the last day, and then with those that were
// received meanwhile and come later. Every role that predicts uses it.
package training

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"nhip"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
	"nhip/internal/topics"
	"nhip/internal/wait"
)

// Limits of the training with stored arrivals.
const (
	// window is the age of the oldest stored arrival: those of the day before tell the rest of a segment's day, and how
	// long buses take at this hour.
	window      = 24 * time.Hour
	batchSize   = 500              // arrivals observed at a time, so that requests wait for no more than some ms
	retryAfter  = 10 * time.Second // after an error of the history
	maxDeferred = 200_000          // arrivals received while the stored ones are read; later ones are dropped
)

// History is the part of the history database that a Trainer reads.
type History interface {
	// Arrivals yields all arrivals from a time up to another, the oldest first.
	Arrivals(ctx context.Context, from, to time.Time, yield func(nhip.Arrival) error) error
}

// Trainer passes arrivals on in their order. It calls its functions while it holds Lock, which those who predict hold,
// too.
type Trainer struct {
	Lock    sync.Locker
	Observe func(a *nhip.Arrival, received bool) // received: it is not one of the stored ones

	trained  bool           // whether the stored arrivals were read
	deferred []nhip.Arrival // arrivals received before that
}

// Train observes the stored arrivals of the last day, and then those that were received meanwhile. It retries until the
// history answers, from where it broke off, and returns nil then; its only error is ctx's.
func (t *Trainer) Train(ctx context.Context, h History, now time.Time, log *slog.Logger) error {
	from := now.Add(-window)
	for {
		newest, err := t.trainStored(ctx, h, from, now)
		if err == nil {
			t.trainDeferred(newest)
			return nil
		}
		from = newest
		log.Warn("stored arrivals not read; predictions follow the timetable", "error", err)
		if err := wait.Sleep(ctx, retryAfter); err != nil {
			return err
		}
	}
}

// trainStored observes the stored arrivals from a time up to another, in batches. It returns the time of the newest one
// that was observed, from if there was none.
func (t *Trainer) trainStored(ctx context.Context, h History, from, to time.Time) (newest time.Time, err error) {
	batch := make([]nhip.Arrival, 0, batchSize)
	newest = from
	observe := func() {
		t.Lock.Lock()
		defer t.Lock.Unlock()
		for i := range batch {
			t.Observe(&batch[i], false)
			newest = batch[i].Time
		}
		batch = batch[:0]
	}
	err = h.Arrivals(ctx, from, to, func(a nhip.Arrival) error {
		if len(batch) >= batchSize && a.Time.After(batch[len(batch)-1].Time) {
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
func (t *Trainer) trainDeferred(newest time.Time) {
	t.Lock.Lock()
	defer t.Lock.Unlock()
	for i := range t.deferred {
		if t.deferred[i].Time.After(newest) { // otherwise it was stored, too
			t.Observe(&t.deferred[i], true)
		}
	}
	t.deferred, t.trained = nil, true
}

// Received observes a received arrival, or defers it until the stored ones are read.
func (t *Trainer) Received(a *nhip.Arrival) {
	t.Lock.Lock()
	defer t.Lock.Unlock()
	if t.trained {
		t.Observe(a, true)
		return
	}
	if len(t.deferred) < maxDeferred {
		t.deferred = append(t.deferred, *a)
	}
}

// Arrival returns an arrival as the predictor of a network observes it; false if it belongs to another timetable.
func Arrival(n *network.Network, a *nhip.Arrival) (predict.Arrival, bool) {
	p := n.Pattern(a.Pattern)
	if p == nil || a.Index < 0 || a.Index > p.Last() || p.Stops[a.Index].ID != a.Stop {
		return predict.Arrival{}, false
	}
	x := predict.Arrival{
		Vehicle: topics.BusDevice(a.Agency, a.Vehicle), Pattern: p, Stop: a.Index, Departed: a.Departed,
		Instance: track.FindTripInstance(n, p, a.Trip, a.StartDate, a.StartTime),
	}
	if a.Index > 0 {
		x.Arrived = a.Time
	} else {
		x.Departed = a.Time
	}
	return x, true
}
