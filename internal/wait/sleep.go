// Package wait sleeps until a time has passed or a context ends.
package wait

import (
	"context"
	"time"
)

// Sleep waits for d or until ctx ends; it does not wait if d is not positive. It returns ctx.Err().
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
