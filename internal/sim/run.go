package sim

import (
	"context"
	"time"

	"nhip"
)

// The backlog goes out at 500 messages a second, 4,000 values: a day of 40 monitors takes 23 s and
// leaves the pipeline most of what it can do.
const (
	backlogBatch = 10
	backlogPause = 20 * time.Millisecond
)

// The least and the most that Run sleeps: it need not hit a bus's moment by less than the least, and
// a clock that stands still must be looked at now and then.
const (
	shortestPause = 5 * time.Millisecond
	longestPause  = time.Second
)

// Run publishes the city until ctx ends, which is no error. The error is an *nhip.Error when the
// clock leaves the feed's calendar.
func (s *Simulator) Run(ctx context.Context) error {
	if s.opt.Publish == nil {
		return nhip.Errorf(nhip.Invalid, "publish", "is required to run")
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
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
		past := s.Backlog(backlogBatch)
		s.publish(ctx, past)
		timer.Reset(s.pause(len(past) > 0))
	}
}

// publish sends messages in order until ctx ends.
func (s *Simulator) publish(ctx context.Context, list []nhip.Message) {
	for _, m := range list {
		err := s.opt.Publish(m.Topic, m.Payload)
		if ctx.Err() != nil { // an error at the stop is no news
			return
		}
		s.note(err)
	}
}

// note logs when publishing begins to fail and when it works again, not every message.
func (s *Simulator) note(err error) {
	switch {
	case err != nil && !s.failing:
		s.opt.Logger.Warn("simulated message not published", "err", err)
	case err == nil && s.failing:
		s.opt.Logger.Info("simulated messages are published again")
	}
	s.failing = err != nil
}

// pause returns how long to sleep on the machine's clock until the next device is due.
func (s *Simulator) pause(backlog bool) time.Duration {
	most := longestPause
	if backlog {
		most = backlogPause
	}
	next := s.Next()
	if next.IsZero() { // there are no devices
		return most
	}
	ahead := float64(next.Sub(s.opt.Clock.Now())) / rate(s.opt.Clock)
	return min(max(time.Duration(ahead), shortestPause), most)
}

// rate is how many seconds pass on a clock in one of the machine's.
func rate(c nhip.Clock) float64 {
	if r, ok := c.(interface{ Rate() float64 }); ok && r.Rate() > 0 {
		return r.Rate()
	}
	return 1
}
