package transit

import (
	"context"

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
