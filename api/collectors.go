package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"nhip"
	"nhip/internal/rpc"
	"nhip/internal/wait"
)

// Timing of the watch on the collectors, by the machine's clock.
const (
	collectorPoll   = 5 * time.Second  // between two questions; also the time limit of one
	collectorSilent = 15 * time.Second // without an answer, until a collector counts as dead
)

// collectorWatch asks each collector that has published a census whether it is alive. The census of one that was killed
// stays on the broker, and the last state with it.
type collectorWatch struct {
	names     func() []string // collectors with a census
	connected func() bool     // to the broker
	ask       func(ctx context.Context, collector string) error

	mu      sync.Mutex
	alive   map[string]time.Time // last answer, or when the collector was first seen, by name
	checked time.Time            // when there was a census last, or the first check on this connection
}

func newCollectorWatch(names func() []string, connected func() bool, calls *rpc.Client) *collectorWatch {
	return &collectorWatch{
		names: names, connected: connected, alive: make(map[string]time.Time),
		ask: func(ctx context.Context, collector string) error {
			return calls.Call(ctx, collector, rpc.MethodStatus, struct{}{}, nil)
		},
	}
}

// run asks until ctx ends.
func (w *collectorWatch) run(ctx context.Context) error {
	for {
		w.check(ctx, time.Now())
		if err := wait.Sleep(ctx, collectorPoll); err != nil {
			return err
		}
	}
}

// check asks all collectors at once.
func (w *collectorWatch) check(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, collectorPoll)
	defer cancel()
	names := w.begin(now)
	var group sync.WaitGroup
	for _, name := range names {
		group.Go(func() {
			// An error that the collector returns is an answer, too: an older version does not have the method.
			if err := w.ask(ctx, name); nhip.ErrorCode(err) != nhip.CodeUnavailable {
				w.answered(name, now)
			}
		})
	}
	group.Wait()
}

// begin returns the collectors to ask, and forgets those without a census.
func (w *collectorWatch) begin(now time.Time) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.connected() {
		clear(w.alive)
		w.checked = time.Time{}
		return nil
	}
	names := w.names()
	if len(names) > 0 || w.checked.IsZero() {
		w.checked = now
	}
	for name := range w.alive {
		if !slices.Contains(names, name) {
			delete(w.alive, name)
		}
	}
	for _, name := range names {
		if w.alive[name].IsZero() {
			w.alive[name] = now
		}
	}
	return names
}

func (w *collectorWatch) answered(name string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alive[name] = now
}

// fault returns which collectors are dead, or "". Without a connection to the broker nothing is known.
func (w *collectorWatch) fault(now time.Time) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.checked.IsZero():
		return ""
	case len(w.alive) == 0 && now.Sub(w.checked) >= collectorSilent:
		return "no collector has published a census"
	}
	var dead []string
	for name, at := range w.alive {
		if now.Sub(at) >= collectorSilent {
			dead = append(dead, fmt.Sprintf("%q does not answer", name))
		}
	}
	slices.Sort(dead)
	return strings.Join(dead, ", ")
}
