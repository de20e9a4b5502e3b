package gateway

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// quota limits what a device sends, over all its connections and pushes.
type quota struct {
	messages *rate.Limiter // nil: unlimited
	bytes    *rate.Limiter // nil: unlimited
	rate     int           // messages a second, as the fleet file sets it; 0: the default limit
}

// unlimited is the operator's quota.
var unlimited = new(quota)

func newQuota(l Limits) *quota {
	q := new(quota)
	if l.MessageRate > 0 {
		q.messages = rate.NewLimiter(rate.Limit(l.MessageRate), burstSeconds*l.MessageRate)
	}
	if l.ByteRate > 0 {
		q.bytes = rate.NewLimiter(rate.Limit(l.ByteRate), max(burstSeconds*l.ByteRate, maxPush+maxPacket))
	}
	return q
}

// AllowN reports whether a message of size bytes is within the quota now.
func (q *quota) AllowN(now time.Time, size int) bool {
	return (q.messages == nil || q.messages.AllowN(now, 1)) && (q.bytes == nil || q.bytes.AllowN(now, size))
}

// quotas holds the quotas of devices by id. They outlive connections: reconnecting does not refill a quota.
type quotas struct {
	mu  sync.Mutex
	all map[string]*quota
}

// of returns the quota of a device. It makes a new one if the fleet file has changed the device's rate.
func (a *quotas) of(d *device, l Limits) *quota {
	if d.rate > 0 {
		if l.MessageRate > 0 {
			l.ByteRate = l.ByteRate / l.MessageRate * d.rate
		}
		l.MessageRate = d.rate
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.all[d.id]
	if q == nil || q.rate != d.rate {
		q = newQuota(l)
		q.rate = d.rate
		if a.all == nil {
			a.all = make(map[string]*quota)
		}
		a.all[d.id] = q
	}
	return q
}

// prune removes the quotas of devices that are not in the directory.
func (a *quotas) prune(known directory) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.all {
		if known[id] == nil {
			delete(a.all, id)
		}
	}
}
