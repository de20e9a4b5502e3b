// Package cleanup stops what was started, in reverse order.
package cleanup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Stack holds named steps that Run executes in reverse order, at a stop and also when a start fails. The zero Stack is
// empty and ready to use.
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

// Run executes all steps, even if one fails, and joins their errors with the names of the steps. The timeout each holds
// for each step alone, so that a step that hangs does not take time from the others. A second Run does nothing.
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
