// Package task owns goroutines: a Group starts them, ends them and waits for them.
package task

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Group owns goroutines that share one context. The zero Group is not usable; make one with NewGroup.
type Group struct {
	ctx    context.Context // of every goroutine; ends with Stop
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	running map[string]int // goroutines by name
	errs    []error
}

// NewGroup returns a Group without goroutines.
func NewGroup() *Group {
	ctx, cancel := context.WithCancel(context.Background())
	return &Group{ctx: ctx, cancel: cancel, running: make(map[string]int)}
}

// Context returns the context of the group's goroutines.
func (g *Group) Context() context.Context { return g.ctx }

// Go starts run in a new goroutine. run must return soon after its context has ended. Stop and Wait return its error
// with the name, unless it is context.Canceled. Go must not be called after Stop.
func (g *Group) Go(name string, run func(ctx context.Context) error) {
	g.mu.Lock()
	g.running[name]++
	g.mu.Unlock()
	g.wg.Go(func() {
		err := run(g.ctx)
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.running[name]--; g.running[name] == 0 {
			delete(g.running, name)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			g.errs = append(g.errs, fmt.Errorf("%s: %w", name, err))
		}
	})
}

// Cancel ends the context of the goroutines without waiting for them.
func (g *Group) Cancel() { g.cancel() }

// Stop ends the context of the goroutines and waits until all have returned or ctx has ended. It returns the errors of
// the goroutines and, if ctx ended first, an error that names those that are still running. It may be called again.
func (g *Group) Stop(ctx context.Context) error {
	g.cancel()
	return g.Wait(ctx)
}

// Wait is Stop for goroutines that end by themselves: it does not end their context.
func (g *Group) Wait(ctx context.Context) error {
	ended := make(chan struct{})
	go func() { defer close(ended); g.wg.Wait() }()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.running) > 0 {
		names := slices.Sorted(maps.Keys(g.running))
		return errors.Join(append(g.errs, fmt.Errorf("still running: %s: %w", strings.Join(names, ", "), ctx.Err()))...)
	}
	return errors.Join(g.errs...)
}
