package gateway

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"nhip/internal/mqtt"

	"golang.org/x/time/rate"
)

// Limits keep what one client or address takes within bounds. Zero is no limit. What goes beyond is
// slowed where that is enough, else cut, and counted by class.
type Limits struct {
	Connections int // open at a time
	PerAddress  int // open at a time from one address (of IPv6, from one /64)
	ConnectRate int // a second from one address
	MessageRate int // publications a second of one device; it is slowed
	ByteRate    int // bytes a second of one device; it is slowed
}

// Bounds that need no setting.
const (
	burstSeconds     = 5                // a device may say this many seconds' worth at once: it was in a tunnel
	maxPacket        = mqtt.MaxPacket   // bytes
	maxLevels        = 32               // of a topic; HFP has 19, and more where a headsign holds slashes
	maxSubscriptions = 4                // of a device
	minKeepAlive     = 10               // s
	maxKeepAlive     = 20 * 60          // s; without it a connection whose line is cut would stay for ever
	failedBurst      = 10               // log-ins that may fail at once from an address; then one a second
	failedPause      = 5 * time.Second  // that a failing log-in waits for its answer beyond that
	forgetAfter      = 10 * time.Minute // an address that nobody comes from
	maxAddresses     = 100_000          // that are remembered before the quiet ones are looked for
)

// The classes of what is limited, as metrics name them.
const (
	classConnections   = "connections"
	classAddress       = "address"
	classConnectRate   = "connect_rate"
	classLogin         = "login"
	classMessageRate   = "message_rate"
	classByteRate      = "byte_rate"
	classPacket        = "packet"
	classTopic         = "topic"
	classSubscriptions = "subscriptions"
	classKeepAlive     = "keep_alive"
)

// addresses is what is known of where connections come from.
type addresses struct {
	limits Limits
	mu     sync.Mutex
	known  map[netip.Addr]*address
	open   int // in all
}

type address struct {
	open     int
	connects *rate.Limiter
	failures *rate.Limiter
	last     time.Time
}

func newAddresses(l Limits) *addresses {
	return &addresses{limits: l, known: make(map[netip.Addr]*address)}
}

// key is what counts as one address: whoever has an IPv6 network has 2^64 of them.
func key(remote net.Addr) netip.Addr {
	at, err := netip.ParseAddrPort(remote.String())
	if err != nil {
		return netip.Addr{}
	}
	return prefix(at.Addr())
}

func prefix(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		p, _ := addr.Prefix(64) // never fails
		return p.Addr()
	}
	return addr
}

// of returns what is known of an address. It is called with mu held.
func (a *addresses) of(at netip.Addr, now time.Time) *address {
	one := a.known[at]
	if one == nil {
		if len(a.known) >= maxAddresses {
			a.forget(now)
		}
		connects := rate.Inf
		if a.limits.ConnectRate > 0 {
			connects = rate.Limit(a.limits.ConnectRate)
		}
		one = &address{connects: rate.NewLimiter(connects, max(2*a.limits.ConnectRate, 1)), failures: rate.NewLimiter(1, failedBurst)}
		a.known[at] = one
	}
	one.last = now
	return one
}

func (a *addresses) forget(now time.Time) {
	for at, one := range a.known {
		if one.open == 0 && now.Sub(one.last) > forgetAfter {
			delete(a.known, at)
		}
	}
}

// enter counts a connection, or tells the class of the limit that it would break.
func (a *addresses) enter(at netip.Addr, now time.Time) (refused string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	one := a.of(at, now)
	switch {
	case !one.connects.AllowN(now, 1):
		return classConnectRate
	case a.limits.PerAddress > 0 && one.open >= a.limits.PerAddress:
		return classAddress
	case a.limits.Connections > 0 && a.open >= a.limits.Connections:
		return classConnections
	}
	one.open++
	a.open++
	return ""
}

// leave counts a connection out.
func (a *addresses) leave(at netip.Addr, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.of(at, now).open--
	a.open--
}

// failed notes a log-in that failed, and reports whether there were too many from that address.
func (a *addresses) failed(at netip.Addr, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.of(at, now).failures.AllowN(now, 1)
}
