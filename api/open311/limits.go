package open311

import (
	"net/netip"
	"sync"
	"time"

	"nhip"

	"golang.org/x/time/rate"
)

// maxSenders bounds the senders in memory. Beyond it those that have sent nothing for an hour are forgotten, and then
// any other.
const maxSenders = 20_000

// Limits bound the reports that an api takes. 0 is no limit.
type Limits struct {
	PerAddress int // in an hour from one address
	PerHour    int // in an hour in all; one app has half of it
}

// limiter counts reports by sender and in all. A sender is an address or the key of an app. It is safe for concurrent
// use.
type limiter struct {
	limits Limits

	mu      sync.Mutex
	all     *rate.Limiter
	senders map[string]*rate.Limiter
}

func newLimiter(l Limits) *limiter {
	return &limiter{limits: l, all: hourly(l.PerHour), senders: make(map[string]*rate.Limiter)}
}

// hourly returns a limiter of so many in an hour; nil for 0.
func hourly(n int) *rate.Limiter {
	if n == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Every(time.Hour/time.Duration(n)), n)
}

var (
	errSender = nhip.Errorf(nhip.CodeTooMany, "", "too many reports of your address within an hour; try again later")
	errApp    = nhip.Errorf(nhip.CodeTooMany, "api_key", "too many reports of this app within an hour; try again later")
	errAll    = nhip.Errorf(nhip.CodeTooMany, "", "too many reports within an hour; try again later")
)

// take counts a report of an address and, if it is not "", of an app. It counts nothing if any limit is reached.
func (l *limiter) take(from netip.Addr, app string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	address := l.sender("address "+from.String(), l.limits.PerAddress, now)
	var ofApp *rate.Limiter
	if app != "" {
		ofApp = l.sender("app "+app, (l.limits.PerHour+1)/2, now)
	}
	switch {
	case empty(address, now):
		return errSender
	case empty(ofApp, now):
		return errApp
	case empty(l.all, now):
		return errAll
	}
	for _, one := range []*rate.Limiter{address, ofApp, l.all} {
		if one != nil {
			one.AllowN(now, 1)
		}
	}
	return nil
}

func empty(l *rate.Limiter, now time.Time) bool { return l != nil && l.TokensAt(now) < 1 }

// sender returns the limiter of a sender. The caller holds mu.
func (l *limiter) sender(name string, n int, now time.Time) *rate.Limiter {
	one := l.senders[name]
	if one != nil || n == 0 {
		return one
	}
	if len(l.senders) >= maxSenders {
		for other, idle := range l.senders {
			if idle.TokensAt(now) >= float64(idle.Burst()) {
				delete(l.senders, other)
			}
		}
		for other := range l.senders {
			if len(l.senders) < maxSenders {
				break
			}
			delete(l.senders, other)
		}
	}
	one = hourly(n)
	l.senders[name] = one
	return one
}
