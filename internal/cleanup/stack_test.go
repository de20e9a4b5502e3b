package cleanup

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestRunExecutesAllInReverse(t *testing.T) {
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
		t.Errorf("order %q, want cba", got)
	}
	if err == nil || err.Error() != "stopping b: stuck" {
		t.Errorf("error %v", err)
	}
	if err := s.Run(time.Second, slog.New(slog.DiscardHandler)); err != nil || len(order) != 3 {
		t.Errorf("second run: %v, %v", order, err)
	}
}

func TestHangingStepTakesNoTimeFromOthers(t *testing.T) {
	var s Stack
	var left time.Duration
	s.Push("a", func(ctx context.Context) error {
		deadline, _ := ctx.Deadline()
		left = time.Until(deadline)
		return nil
	})
	s.Push("b", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	if err := s.Run(50*time.Millisecond, slog.New(slog.DiscardHandler)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hanging step: %v", err)
	}
	if left <= 0 {
		t.Error("no time was left for the next step")
	}
}
