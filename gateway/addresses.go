package gateway

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"
)

// maxAddresses is the size of the table of addresses: 20 MB. When it is full, the address that has been without a
// connection for longest is forgotten, with what it has used of its rates.
const maxAddresses = 100_000

// addresses counts connections and failed log-ins by remote address. Every operation takes the same time however many
// addresses are known, because all new connections wait for it.
type addresses struct {
	limits Limits
	size   int // maximum of known

	mu    sync.Mutex
	known map[netip.Addr]*address
	idle  list.List // the netip.Addr without a connection, the one that was used last at the back
	open  int       // connections from all addresses
}

// address is the state of one address.
type address struct {
	open     int
	idle     *list.Element // in addresses.idle, while open is 0
	connects bucket
	failures bucket
}

func newAddresses(l Limits) *addresses {
	return &addresses{limits: l, size: maxAddresses, known: make(map[netip.Addr]*address)}
}

// addressKey returns the address that a connection counts for.
func addressKey(remote net.Addr) netip.Addr {
	at, err := netip.ParseAddrPort(remote.String())
	if err != nil {
		return netip.Addr{}
	}
	return addressPrefix(at.Addr())
}

// addressPrefix returns an IPv4 address as it is and the /64 of an IPv6 address: one customer has 2^64 of those.
func addressPrefix(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		p, _ := addr.Prefix(64) // never fails
		return p.Addr()
	}
	return addr
}

// of returns the state of an address; nil if it is not known and the table is full of addresses with connections. The
// caller holds mu.
func (a *addresses) of(at netip.Addr, now time.Time) *address {
	one := a.known[at]
	if one == nil {
		if len(a.known) >= a.size && !a.forgetOldest() {
			return nil
		}
		one = &address{
			connects: newBucket(a.limits.ConnectRate, 2*a.limits.ConnectRate, now), failures: newBucket(1, failedBurst, now),
		}
		one.idle = a.idle.PushBack(at)
		a.known[at] = one
	}
	if one.idle != nil {
		a.idle.MoveToBack(one.idle)
	}
	return one
}

// forgetOldest reports whether there was an address without a connection.
func (a *addresses) forgetOldest() bool {
	oldest := a.idle.Front()
	if oldest == nil {
		return false
	}
	delete(a.known, a.idle.Remove(oldest).(netip.Addr))
	return true
}

// admit counts a new connection. If the connection would break a limit, admit does not count it and returns the
// limit's class.
func (a *addresses) admit(at netip.Addr, now time.Time) (class string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	one := a.of(at, now)
	if class = a.fault(one, now); class == "" {
		class = a.faultInAll()
	}
	if class == "" {
		a.hold(one)
		a.open++
	}
	return class
}

// admitProxy counts a new connection of a proxy, which has no share of an address.
func (a *addresses) admitProxy(netip.Addr, time.Time) (class string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if class = a.faultInAll(); class == "" {
		a.open++
	}
	return class
}

// admitClient counts a connection that admitProxy has admitted for the address of its client.
func (a *addresses) admitClient(at netip.Addr, now time.Time) (class string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	one := a.of(at, now)
	if class = a.fault(one, now); class == "" {
		a.hold(one)
	}
	return class
}

// fault returns the class of the limit that one more connection of an address would break. The caller holds mu.
func (a *addresses) fault(one *address, now time.Time) (class string) {
	switch {
	case one == nil:
		return classAddressTable
	case a.limits.ConnectRate > 0 && !one.connects.take(now):
		return classConnectRate
	case a.limits.PerAddress > 0 && one.open >= a.limits.PerAddress:
		return classAddress
	}
	return ""
}

// faultInAll returns the class of the limit of all addresses that one more connection would break. The caller holds mu.
func (a *addresses) faultInAll() (class string) {
	if a.limits.Connections > 0 && a.open >= a.limits.Connections {
		return classConnections
	}
	return ""
}

// hold counts one more connection of an address. The caller holds mu.
func (a *addresses) hold(one *address) {
	if one.idle != nil {
		a.idle.Remove(one.idle)
		one.idle = nil
	}
	one.open++
}

// release counts the end of a connection that admit has admitted.
func (a *addresses) release(at netip.Addr) {
	a.releaseProxy(at)
	a.releaseClient(at)
}

// releaseProxy counts the end of a connection that admitProxy has admitted.
func (a *addresses) releaseProxy(netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open--
}

// releaseClient counts the end of a connection that admitClient has admitted.
func (a *addresses) releaseClient(at netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	one := a.known[at] // it is never forgotten while it has a connection
	if one.open--; one.open == 0 {
		one.idle = a.idle.PushBack(at)
	}
}

// loginFailed records a failed log-in. It reports whether there were too many from the address.
func (a *addresses) loginFailed(at netip.Addr, now time.Time) (tooMany bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	one := a.of(at, now)
	return one == nil || !one.failures.take(now)
}

// bucket is a token bucket. It is smaller than a rate.Limiter, of which the table would need two for each address. Its
// owner's lock guards it.
type bucket struct {
	rate, burst float32 // a second; tokens
	tokens      float32
	at          int64 // of tokens, in Unix nanoseconds
}

func newBucket(rate, burst int, now time.Time) bucket {
	return bucket{float32(rate), float32(burst), float32(burst), now.UnixNano()}
}

// take takes a token and reports whether there was one.
func (b *bucket) take(now time.Time) bool {
	if t := now.UnixNano(); t > b.at {
		b.tokens = min(b.burst, b.tokens+float32(float64(t-b.at)/1e9)*b.rate)
		b.at = t
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
