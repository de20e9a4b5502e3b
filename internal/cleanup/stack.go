// Package cleanup undoes what was started, last first.
package cleanup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Stack is a list of named steps that are undone in the opposite order: at a stop, and just the
// same when a start fails half way. The zero Stack is empty and ready.
type Stack struct {
	mu    sync.Mutex
	steps []step
}

type step struct {
	name string
	undo func(context.Context) error
}

// Push adds a step.
func (s *Stack) Push(name string, undo func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, step{name, undo})
}

// Run undoes every step, also after one has failed, and joins the errors, each with its step's
// name. Each step has so much time of its own: one that hangs must not cost the others theirs. A
// second Run does nothing.
func (s *Stack) Run(each time.Duration, log *slog.Logger) error {
	var errs []error
	for {
		st, ok := s.pop()
		if !ok {
			return errors.Join(errs...)
		}
		began := time.Now()
		if err := st.run(each); err != nil {
			errs = append(errs, fmt.Errorf("stopping %s: %w", st.name, err))
		}
		log.Debug("stopped", "what", st.name, "took", time.Since(began).Round(time.Millisecond))
	}
}

func (st step) run(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return st.undo(ctx)
}

func (s *Stack) pop() (step, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.steps) == 0 {
		return step{}, false
	}
	last := s.steps[len(s.steps)-1]
	s.steps = s.steps[:len(s.steps)-1]
	return last, true
}
