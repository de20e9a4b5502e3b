package pause

import (
	"context"
	"testing"
	"time"
)

func TestFor(t *testing.T) {
	began := time.Now()
	if !For(t.Context(), 20*time.Millisecond) || time.Since(began) < 20*time.Millisecond {
		t.Error("it does not wait")
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if For(stopped, time.Hour) || For(stopped, 0) {
		t.Error("a stop does not interrupt it")
	}
}
