package gateway

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// allowance is what a device may say, however it says it.
type allowance struct {
	messages *rate.Limiter // nil: as many as it likes
	bytes    *rate.Limiter
	rate     int // that the fleet gave the device
}

// unbounded is the operator's.
var unbounded = new(allowance)

func newAllowance(l Limits) *allowance {
	a := new(allowance)
	if l.MessageRate > 0 {
		a.messages = rate.NewLimiter(rate.Limit(l.MessageRate), burstSeconds*l.MessageRate)
	}
	if l.ByteRate > 0 {
		a.bytes = rate.NewLimiter(rate.Limit(l.ByteRate), max(burstSeconds*l.ByteRate, maxPush+maxPacket))
	}
	return a
}

// AllowN reports whether a message of so many bytes may come now.
func (a *allowance) AllowN(now time.Time, size int) bool {
	return (a.messages == nil || a.messages.AllowN(now, 1)) && (a.bytes == nil || a.bytes.AllowN(now, size))
}

// allowances are those of the devices, by id. They outlive connections: who comes again has not got more.
type allowances struct {
	mu  sync.Mutex
	all map[string]*allowance
}

// of returns a device's.
func (a *allowances) of(d *device, l Limits) *allowance {
	if d.rate > 0 {
		if l.MessageRate > 0 {
			l.ByteRate = l.ByteRate / l.MessageRate * d.rate
		}
		l.MessageRate = d.rate
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	one := a.all[d.id]
	if one == nil || one.rate != d.rate {
		one = newAllowance(l)
		one.rate = d.rate
		if a.all == nil {
			a.all = make(map[string]*allowance)
		}
		a.all[d.id] = one
	}
	return one
}

// keep forgets those of devices that are not known any more.
func (a *allowances) keep(known directory) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id := range a.all {
		if known[id] == nil {
			delete(a.all, id)
		}
	}
}
