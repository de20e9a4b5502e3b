package health

import (
	"context"
	"sync/atomic"
	"time"
)

// Timings of a watch.
const (
	watchEvery   = 2 * time.Second
	watchTimeout = 2 * time.Second // for one answer
)

// Watch keeps asking a part whether it is there, so that whoever wants to know need not wait.
type Watch struct {
	ask func(context.Context) error
	ok  atomic.Bool
}

// NewWatch returns a watch that asks once it runs; an error means that the part is away.
func NewWatch(ask func(context.Context) error) *Watch { return &Watch{ask: ask} }

// OK tells whether the part answered when it was last asked.
func (w *Watch) OK() bool { return w.ok.Load() }

// Run asks until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		one, cancel := context.WithTimeout(ctx, watchTimeout)
		w.ok.Store(w.ask(one) == nil)
		cancel()
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}
