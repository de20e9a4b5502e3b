package task

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestStopEndsEveryGoroutine(t *testing.T) {
	g := NewGroup()
	ended := make(chan string, 2)
	for _, name := range []string{"reader", "writer"} {
		g.Go(name, func(ctx context.Context) error {
			<-ctx.Done()
			ended <- name
			return ctx.Err()
		})
	}
	if err := g.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(ended) != 2 {
		t.Errorf("%d goroutines ended before Stop returned, want 2", len(ended))
	}
}

func TestStopReturnsErrors(t *testing.T) {
	g := NewGroup()
	cause := errors.New("disk full")
	g.Go("writer", func(context.Context) error { return cause })
	if err := g.Stop(t.Context()); !errors.Is(err, cause) || !strings.Contains(err.Error(), "writer") {
		t.Errorf("Stop returned %v, want the cause and the name writer", err)
	}
}

func TestStopNamesRunningGoroutines(t *testing.T) {
	g := NewGroup()
	release := make(chan struct{})
	g.Go("reader", func(context.Context) error { <-release; return nil })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := g.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "reader") {
		t.Errorf("Stop returned %v, want DeadlineExceeded and the name reader", err)
	}
	close(release)
	if err := g.Wait(t.Context()); err != nil {
		t.Errorf("Wait returned %v after the goroutine ended", err)
	}
}

func TestWaitDoesNotEndContext(t *testing.T) {
	g := NewGroup()
	g.Go("job", func(ctx context.Context) error { return ctx.Err() })
	if err := g.Wait(t.Context()); err != nil || g.Context().Err() != nil {
		t.Errorf("Wait returned %v and the context has ended with %v", err, g.Context().Err())
	}
	g.Cancel()
}
