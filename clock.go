package nhip

import (
	"sync/atomic"
	"time"
)

// Clock tells the city's time: what checks, staleness, service days and schedules go by. TLS,
// tokens and time-outs go by the machine's.
type Clock interface {
	Now() time.Time
}

// WallClock is the machine's clock.
type WallClock struct{}

// Now returns the time in UTC.
func (WallClock) Now() time.Time { return time.Now().UTC() }

// ReplayClock shows a past day: it stands at its start until Begin is called (the first device
// message does that) and then runs at rate times the machine's clock.
type ReplayClock struct {
	start time.Time
	rate  float64
	began atomic.Pointer[time.Time]
}

// NewReplayClock returns a clock that stands at start. The rate must be positive.
func NewReplayClock(start time.Time, rate float64) *ReplayClock {
	return &ReplayClock{start: start.UTC(), rate: rate}
}

// Begin sets the clock going. Only the first call counts; it is safe from any goroutine.
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

// Rate returns how many seconds pass on the clock in one second of the machine's.
func (c *ReplayClock) Rate() float64 { return c.rate }
