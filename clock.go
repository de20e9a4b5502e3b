package nhip

import (
	"sync/atomic"
	"time"
)

// Clock is the time by which checks, staleness, service days and schedules are computed. TLS, tokens and timeouts use
// the machine's clock.
type Clock interface {
	Now() time.Time
}

// WallClock is the machine's clock.
type WallClock struct{}

// Now returns the time in UTC.
func (WallClock) Now() time.Time { return time.Now().UTC() }

// ReplayClock runs through a past day: it stands at its start until Begin is called (on the first device message) and
// then runs at rate times the speed of the machine's clock.
type ReplayClock struct {
	start time.Time
	rate  float64
	began atomic.Pointer[time.Time]
}

// NewReplayClock returns a clock that stands at start. The rate must be positive.
func NewReplayClock(start time.Time, rate float64) *ReplayClock {
	return &ReplayClock{start: start.UTC(), rate: rate}
}

// Begin starts the clock. Later calls have no effect. It is safe for concurrent use.
func (c *ReplayClock) Begin() {
	if c.began.Load() != nil {
		return
	}
	now := time.Now()
	c.began.CompareAndSwap(nil, &now)
}

// Now returns the replayed time in UTC.
func (c *ReplayClock) Now() time.Time {
	began := c.began.Load()
	if began == nil {
		return c.start
	}
	return c.start.Add(time.Duration(float64(time.Since(*began)) * c.rate))
}

// Rate returns how many seconds the clock advances per second of the machine's clock.
func (c *ReplayClock) Rate() float64 { return c.rate }

// StoppedClock always returns the same time.
type StoppedClock time.Time

// Now returns the time.
func (c StoppedClock) Now() time.Time { return time.Time(c) }
