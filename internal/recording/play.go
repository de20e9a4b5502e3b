package recording

import (
	"context"
	"errors"
	"io"
	"time"

	"nhip/internal/wait"
)

// Play calls yield with each message at the pace of the time stamps, the first at once. speed is the recorded seconds
// per second; with 0 Play does not wait. It returns how many messages yield has taken, and the first error: that of
// yield, of a file, or of ctx.
func (m *Merge) Play(ctx context.Context, speed float64, yield func(Entry) error) (int, error) {
	var first time.Time
	began := time.Now()
	for n := 0; ; n++ {
		e, err := m.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if n == 0 {
			first = e.Time
		}
		if speed > 0 {
			due := began.Add(time.Duration(float64(e.Time.Sub(first)) / speed))
			if err := wait.Sleep(ctx, time.Until(due)); err != nil {
				return n, err
			}
		}
		if err := yield(e); err != nil {
			return n, err
		}
	}
}
