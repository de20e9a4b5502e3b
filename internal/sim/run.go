package sim

import (
	"context"
	"time"

	"nhip"
)

// The backlog is published at 500 messages a second, which are 4,000 values: a day of 40 stations takes 23 s and uses
// only a small part of the pipeline's capacity.
const (
	backlogBatch = 10
	backlogPause = 20 * time.Millisecond
)

// Limits of Run's sleep: the minimum is its precision, and the maximum makes it check a clock that stands still.
const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// Run publishes the devices' messages until ctx ends; then it returns nil. The error is an *nhip.Error if the clock
// leaves the feed's calendar.
func (s *Simulator) Run(ctx context.Context) error {
	if s.opt.Publish == nil {
		return nhip.Errorf(nhip.CodeInvalid, "publish", "is required by Run")
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for first := true; ; first = false {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		now := s.opt.Clock.Now()
		if s.opt.Buses > 0 {
			if err := s.world.dispatch.check(now.Unix()); err != nil {
				return err
			}
		}
		s.publish(ctx, s.Step(now))
		if first && s.opt.OnStart != nil {
			s.opt.OnStart()
		}
		past := s.Backlog(backlogBatch)
		s.publish(ctx, past)
		timer.Reset(s.pause(len(past) > 0))
	}
}

// publish publishes messages in order until ctx ends.
func (s *Simulator) publish(ctx context.Context, list []nhip.Message) {
	for _, m := range list {
		err := s.opt.Publish(m.Topic, m.Payload)
		if ctx.Err() != nil { // errors during the stop are expected
			return
		}
		s.logOutcome(err)
	}
}

// logOutcome logs the first failure and the first success after failures.
func (s *Simulator) logOutcome(err error) {
	switch {
	case err != nil && !s.failing:
		s.opt.Logger.Warn("publishing of simulated messages failed", "err", err)
	case err == nil && s.failing:
		s.opt.Logger.Info("publishing of simulated messages succeeds again")
	}
	s.failing = err != nil
}

// pause returns the real time to sleep until the next device is due.
func (s *Simulator) pause(backlog bool) time.Duration {
	limit := maxPause
	if backlog {
		limit = backlogPause
	}
	next := s.Next()
	if next.IsZero() { // without devices
		return limit
	}
	ahead := float64(next.Sub(s.opt.Clock.Now())) / rate(s.opt.Clock)
	return min(max(time.Duration(ahead), minPause), limit)
}

// rate returns the number of a clock's seconds per real second.
func rate(c nhip.Clock) float64 {
	if r, ok := c.(interface{ Rate() float64 }); ok && r.Rate() > 0 {
		return r.Rate()
	}
	return 1
}
