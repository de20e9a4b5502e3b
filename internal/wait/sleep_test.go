package wait

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestSleep(t *testing.T) {
	began := time.Now()
	if err := Sleep(t.Context(), 20*time.Millisecond); err != nil || time.Since(began) < 20*time.Millisecond {
		t.Errorf("Sleep returned %v after %s, want nil after 20ms", err, time.Since(began))
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, d := range []time.Duration{time.Hour, 0} {
		if err := Sleep(stopped, d); !errors.Is(err, context.Canceled) {
			t.Errorf("Sleep(%s) returned %v with an ended context, want context.Canceled", d, err)
		}
	}
}
