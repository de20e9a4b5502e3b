package cleanup

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
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
	err := s.Run(context.Background(), slog.New(slog.DiscardHandler))
	if got := strings.Join(order, ""); got != "cba" {
		t.Errorf("undone in the order %q, want cba", got)
	}
	if err == nil || err.Error() != "stopping b: stuck" {
		t.Errorf("error %v", err)
	}
	if err := s.Run(context.Background(), slog.New(slog.DiscardHandler)); err != nil || len(order) != 3 {
		t.Errorf("a second run does something: %v, %v", order, err)
	}
}
