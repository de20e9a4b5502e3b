package httpserver

import (
	"errors"
	"net/netip"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Limits bounds what all clients of a server, and one address, may hold; 0 is no limit.
type Limits struct {
	Connections int // open at a time
	PerAddress  int // open at a time from one address
	Bodies      int // requests of one address at a time whose body is not read yet
	Proxies     Proxies
}

// bounds is the state of a server's limits besides its connections.
type bounds struct {
	o       Options
	bodies  Shares
	blocked blockedBytes
	refused *prometheus.CounterVec
}

type boundsKey struct{}

func newBounds(o *Options) *bounds {
	return &bounds{o: *o, bodies: Shares{Limit: o.Limits.Bodies}, refused: refusals(o)}
}

// Reasons of refusals, as metrics name them.
const (
	reasonConnections = "connections"  // too many in all
	reasonAddress     = "address"      // too many of one address
	reasonIdle        = "idle"         // an idle connection, closed for a new one
	reasonBodies      = "bodies"       // too many open bodies of one address
	reasonSlowBody    = "slow_body"    // a body slower than MinBodyRate
	reasonSlowReader  = "slow_reader"  // an answer that its client does not read
	reasonHandler     = "handler_fell" // a handler that panicked
	reasonOverload    = "overload"     // too many requests wait for the processors
)

// refusals returns the counter of refusals of a server, which its listener and its handler share.
func refusals(o *Options) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name:        "nhip_http_refused_total",
		Help:        "Connections and requests that a limit of the server ended or refused, by reason.",
		ConstLabels: prometheus.Labels{"server": o.Name},
	}, []string{"reason"})
	return register(o.Registry, c)
}

// register registers a collector and returns it, or the equal one that is registered already.
func register[C prometheus.Collector](r prometheus.Registerer, c C) C {
	if r == nil {
		return c
	}
	var known prometheus.AlreadyRegisteredError
	if errors.As(r.Register(c), &known) {
		return known.ExistingCollector.(C)
	}
	return c
}

// Shares counts what addresses hold at a time. It knows only addresses that hold something.
type Shares struct {
	Limit int // 0: none
	mu    sync.Mutex
	held  map[netip.Addr]int
}

// Take counts one more of an address. It reports false, and counts nothing, if the address has its share already.
func (s *Shares) Take(at netip.Addr) bool {
	if s.Limit <= 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[at] >= s.Limit {
		return false
	}
	if s.held == nil {
		s.held = make(map[netip.Addr]int)
	}
	s.held[at]++
	return true
}

// Release counts one less of an address.
func (s *Shares) Release(at netip.Addr) {
	if s.Limit <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[at]--; s.held[at] <= 0 {
		delete(s.held, at)
	}
}
