package transit

import (
	"context"

	"nhip"
	"nhip/internal/training"
)

// History is the part of the history database that a Model reads.
type History = training.History

// Train trains the predictor of the timetable in use with the stored arrivals of the last day, and then with those
// that were received meanwhile. It retries until the history answers, and returns nil then; its only error is ctx's.
func (m *Model) Train(ctx context.Context) error {
	t := m.inUse.Load()
	if t.Network == nil {
		return nil
	}
	return t.tracker.trainer.Train(ctx, m.o.History, t.tracker.clock.Now(), m.o.Logger)
}

// arrival observes a received arrival, or defers it until the stored ones are read.
func (t *tracker) arrival(a *nhip.Arrival) { t.trainer.Received(a) }

// observe passes an arrival to the predictor, unless it belongs to another timetable. A received arrival also verifies
// the predictions. The caller must hold the lock.
func (t *tracker) observe(a *nhip.Arrival, received bool) {
	x, ok := training.Arrival(t.net, a)
	if !ok {
		return
	}
	if received {
		t.score.Arrived(&x)
		t.boards.arrived(&x)
	}
	t.fleet.Observe(&x)
}
