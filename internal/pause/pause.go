// Package pause waits in a way that a stop can interrupt.
package pause

import (
	"context"
	"time"
)

// For waits for d, not at all when d is not positive, and reports whether ctx still runs.
func For(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
