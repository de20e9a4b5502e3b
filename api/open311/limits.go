package open311

import (
	"net/netip"
	"sync"
	"time"

	"nhip"
	"nhip/api/senders"

	"golang.org/x/time/rate"
)

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
	senders senders.Hourly
}

func newLimiter(l Limits) *limiter {
	return &limiter{limits: l, all: senders.PerHour(l.PerHour)}
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
	address := l.senders.Of("address "+from.String(), l.limits.PerAddress, now)
	var ofApp *rate.Limiter
	if app != "" {
		ofApp = l.senders.Of("app "+app, (l.limits.PerHour+1)/2, now)
	}
	switch {
	case senders.Spent(address, now):
		return errSender
	case senders.Spent(ofApp, now):
		return errApp
	case senders.Spent(l.all, now):
		return errAll
	}
	for _, one := range []*rate.Limiter{address, ofApp, l.all} {
		if one != nil {
			one.AllowN(now, 1)
		}
	}
	return nil
}
