package collector

import (
	"context"
	"log/slog"
	"time"

	"nhip"
	"nhip/collector/deadletter"
	"nhip/collector/live"
	"nhip/collector/photos"
)

// Intervals of housekeeping, by the machine's clock.
const (
	sweepEvery    = 5 * time.Second
	snapshotEvery = 30 * time.Second
)

// housekeeper removes expired live states, saves snapshots and deletes old dead letters and photos.
type housekeeper struct {
	state        *live.State
	budget       *budget
	refused      *deadletter.Refused
	deadDir      string
	maxDeadBytes int64
	late         time.Duration // maximum age of facts, and of dead letters
	photos       *photos.Store
	clock        nhip.Clock
	log          *slog.Logger
}

// run does so until ctx ends.
func (h *housekeeper) run(ctx context.Context) error {
	sweep, save := time.NewTicker(sweepEvery), time.NewTicker(snapshotEvery)
	defer sweep.Stop()
	defer save.Stop()
	h.countRefused()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-sweep.C:
			h.state.Sweep(h.clock.Now())
			h.countRefused()
		case <-save.C:
			h.saveSnapshot()
			h.budget.save(h.log)
			h.pruneDeadLetters()
			h.prunePhotos()
		}
	}
}

// saveSnapshot saves the live state, so that the journal records before it can be released.
func (h *housekeeper) saveSnapshot() {
	if err := h.state.Save(); err != nil {
		h.log.Error("can't save the live snapshot", "error", err)
	}
}

// countRefused updates the number of refused rows that are not replayed.
func (h *housekeeper) countRefused() {
	if err := h.refused.Count(); err != nil {
		h.log.Error("can't count the refused rows", "error", err)
	}
}

// pruneDeadLetters deletes dead letters that are older than facts may be, or that exceed the maximum size.
func (h *housekeeper) pruneDeadLetters() {
	deleted, err := deadletter.Prune(h.deadDir, h.clock.Now().Add(-h.late), h.maxDeadBytes, h.refused.Replayed)
	if len(deleted) > 0 {
		h.log.Warn("old dead letters deleted", "days", deleted, "max_bytes", h.maxDeadBytes)
	}
	if err != nil {
		h.log.Error("can't prune the dead letters", "error", err)
	}
}

// prunePhotos deletes the photos that are older than they are kept.
func (h *housekeeper) prunePhotos() {
	days, err := h.photos.Prune()
	if len(days) > 0 {
		h.log.Info("old photos of reports deleted", "days", days)
	}
	if err != nil {
		h.log.Error("can't delete old photos", "error", err)
	}
}
