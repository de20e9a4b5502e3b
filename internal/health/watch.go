package health

import (
	"context"
	"sync/atomic"
	"time"
)

// Timing of a watch.
const (
	watchEvery   = 2 * time.Second
	watchTimeout = 2 * time.Second // of one check
)

// Watch checks a part at an interval, so that OK can answer at once.
type Watch struct {
	check func(context.Context) error
	ok    atomic.Bool
}

// NewWatch returns a watch. check returns nil while the part is available. Nothing is checked before Run.
func NewWatch(check func(context.Context) error) *Watch { return &Watch{check: check} }

// OK reports whether the last check succeeded; false before the first.
func (w *Watch) OK() bool { return w.ok.Load() }

// Run checks the part until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		one, cancel := context.WithTimeout(ctx, watchTimeout)
		w.ok.Store(w.check(one) == nil)
		cancel()
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
