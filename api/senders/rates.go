package senders

import (
	"time"

	"golang.org/x/time/rate"
)

// maxSenders bounds the senders in memory. Beyond it those that have sent nothing for an hour are forgotten, and then
// any other.
const maxSenders = 20_000

// Hourly counts by sender. The caller has a lock.
type Hourly struct{ senders map[string]*rate.Limiter }

// PerHour returns a limiter of so many in an hour; nil for 0.
func PerHour(n int) *rate.Limiter {
	if n == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Every(time.Hour/time.Duration(n)), n)
}

// Spent reports whether a limiter has nothing left.
func Spent(l *rate.Limiter, now time.Time) bool { return l != nil && l.TokensAt(now) < 1 }

// Of returns the limiter of a sender, of n in an hour; nil for 0.
func (h *Hourly) Of(name string, n int, now time.Time) *rate.Limiter {
	one := h.senders[name]
	if one != nil || n == 0 {
		return one
	}
	if h.senders == nil {
		h.senders = make(map[string]*rate.Limiter)
	}
	if len(h.senders) >= maxSenders {
		h.forget(now)
	}
	one = PerHour(n)
	h.senders[name] = one
	return one
}

func (h *Hourly) forget(now time.Time) {
	for other, idle := range h.senders {
		if idle.TokensAt(now) >= float64(idle.Burst()) {
			delete(h.senders, other)
		}
	}
	for other := range h.senders {
		if len(h.senders) < maxSenders {
			return
		}
		delete(h.senders, other)
	}
}
