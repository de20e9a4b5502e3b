package cleanup

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestLastFirstAndAll(t *testing.T) {
	var s Stack
	var order []string
	for _, name := range []string{"a", "b", "c"} {
		s.Push(name, func(context.Context) error {
			order = append(order, name)
			if name == "b" {
				return errors.New("stuck")
			}
			return nil
		})
	}
	err := s.Run(time.Second, slog.New(slog.DiscardHandler))
	if got := strings.Join(order, ""); got != "cba" {
		t.Errorf("undone in the order %q, want cba", got)
	}
	if err == nil || err.Error() != "stopping b: stuck" {
		t.Errorf("error %v", err)
	}
	if err := s.Run(time.Second, slog.New(slog.DiscardHandler)); err != nil || len(order) != 3 {
		t.Errorf("a second run does something: %v, %v", order, err)
	}
}

func TestAStepThatHangsCostsOnlyItsOwnTime(t *testing.T) {
	var s Stack
	var left time.Duration
	s.Push("a", func(ctx context.Context) error {
		end, _ := ctx.Deadline()
		left = time.Until(end)
		return nil
	})
	s.Push("b", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	if err := s.Run(50*time.Millisecond, slog.New(slog.DiscardHandler)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the step that hangs: %v", err)
	}
	if left <= 0 {
		t.Error("no time was left for the next step")
	}
}
