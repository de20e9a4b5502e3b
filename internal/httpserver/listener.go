package httpserver

import (
	"crypto/tls"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// Listener returns a listener with the server's limits and TLS around l.
func (o Options) Listener(l net.Listener) net.Listener {
	a := &admission{
		limits: o.Limits, work: o.Work, refused: refusals(&o), byAddress: make(map[netip.Addr][]*conn),
		stopping: make(chan struct{}),
	}
	a.overload = newOverload(o.Overload, a.refused.WithLabelValues(reasonOverload))
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "nhip_http_connections", Help: "Open connections, by server.",
		ConstLabels: prometheus.Labels{"server": o.Name},
	})
	a.open = register(o.Registry, gauge)
	pace := rate.NewLimiter(rate.Limit(acceptsPerCPU*runtime.NumCPU()), acceptBurst)
	var out net.Listener = &limitedListener{Listener: l, admission: a, pace: pace}
	if o.TLS != nil {
		out = tls.NewListener(out, withHTTP2(o.TLS))
	}
	return out
}

// withHTTP2 returns a TLS configuration that offers HTTP/2.
func withHTTP2(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.NextProtos = []string{"h2", "http/1.1"}
	if inner := c.GetConfigForClient; inner != nil {
		c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			one, err := inner(hello)
			if one != nil {
				one = one.Clone()
				one.NextProtos = c.NextProtos
			}
			return one, err
		}
	}
	return c
}

// limitedListener closes connections beyond the limits at once.
type limitedListener struct {
	net.Listener
	admission *admission
	pace      *rate.Limiter
	closing   sync.Once
}

// Close implements net.Listener. Refusals that are held back are told at once.
func (l *limitedListener) Close() error {
	l.closing.Do(func() { close(l.admission.stopping) })
	return l.Listener.Close()
}

// New connections that a server accepts a second for each processor, and at once. Setting one up takes 0.1 ms;
// without a pace, some thousand clients that come back together would stop everything else for a moment. Others wait
// in the queue of the system.
const (
	acceptsPerCPU = 1_000
	acceptBurst   = 50
)

// Accept returns the next connection within the limits.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		if pause := l.pace.Reserve().Delay(); pause > 0 {
			time.Sleep(pause)
		}
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.admission.admit(c); c != nil {
			return c, nil
		}
	}
}

// admission knows the open connections of a server.
type admission struct {
	limits   Limits
	work     *WorkSlots
	overload *overload // nil: handlers refuse
	refused  *prometheus.CounterVec
	open     prometheus.Gauge
	stopping chan struct{} // closed with the listener

	mu        sync.Mutex
	all       []*conn
	byAddress map[netip.Addr][]*conn // addresses with an open connection
}

// sampled is how many connections are compared to find one that has been idle for long, so that a new connection
// costs the same however many are open.
const sampled = 16

// minIdle is how long a connection must be idle before it is closed for a new one.
const minIdle = time.Second

// admit counts a connection and wraps it. Beyond a limit it closes a connection that has been idle for long, or else
// the new one, and then returns nil. The connections of a trusted proxy have no share of an address.
func (a *admission) admit(raw net.Conn) net.Conn {
	from := parseAddr(raw.RemoteAddr().String())
	c := &conn{Conn: raw, admission: a, from: Prefix(from), work: a.work}
	c.idleSince.Store(now())
	shared := !a.limits.Proxies.Contains(from)
	a.mu.Lock()
	var closed *conn
	reason := ""
	if mine := a.byAddress[c.from]; shared && a.limits.PerAddress > 0 && len(mine) >= a.limits.PerAddress {
		if closed = longestIdle(mine); closed == nil {
			reason = reasonAddress
		}
	} else if a.limits.Connections > 0 && len(a.all) >= a.limits.Connections {
		if closed = longestIdle(a.all); closed == nil {
			reason = reasonConnections
		}
	}
	if closed != nil {
		a.remove(closed)
	}
	if reason == "" {
		a.add(c)
	}
	a.mu.Unlock()
	if closed != nil {
		a.refused.WithLabelValues(reasonIdle).Inc()
		_ = closed.Conn.Close()
	}
	if reason != "" {
		a.refused.WithLabelValues(reason).Inc()
		_ = raw.Close()
		return nil
	}
	return c
}

// longestIdle returns a connection that has been idle for long, nil if the sample has none.
func longestIdle(of []*conn) *conn {
	var found *conn
	limit := now() - int64(minIdle)
	for range sampled {
		c := of[rand.IntN(len(of))]
		if since := c.idleSince.Load(); since != 0 && since < limit {
			found, limit = c, since
		}
	}
	return found
}

// add lists a connection. The caller holds mu.
func (a *admission) add(c *conn) {
	c.open = true
	c.index, a.all = len(a.all), append(a.all, c)
	mine := a.byAddress[c.from]
	c.ownIndex, a.byAddress[c.from] = len(mine), append(mine, c)
	a.open.Set(float64(len(a.all)))
}

// remove removes a connection from the lists. The caller holds mu.
func (a *admission) remove(c *conn) {
	if !c.open {
		return
	}
	c.open = false
	last := len(a.all) - 1
	a.all[c.index] = a.all[last]
	a.all[c.index].index = c.index
	a.all[last] = nil
	a.all = a.all[:last]
	mine := a.byAddress[c.from]
	last = len(mine) - 1
	mine[c.ownIndex] = mine[last]
	mine[c.ownIndex].ownIndex = c.ownIndex
	mine[last] = nil
	if last == 0 {
		delete(a.byAddress, c.from)
	} else {
		a.byAddress[c.from] = mine[:last]
	}
	a.open.Set(float64(len(a.all)))
}

// WriteStall is how long a client may read nothing of an answer before its connection is closed. In each WriteStall
// it must read writeChunk bytes, or the rest.
const (
	WriteStall = time.Minute
	writeChunk = 64 << 10
)

// conn is a connection within the limits.
type conn struct {
	net.Conn
	admission       *admission
	from            netip.Addr
	open            bool // listed; guarded by admission.mu, like the indices
	index, ownIndex int
	idleSince       atomic.Int64 // see now; 0 while a request runs

	work *WorkSlots               // nil: none
	slot atomic.Pointer[workSlot] // the work slot that the connection holds
	late atomic.Bool              // see Late

	refused bool // the last request was refused before net/http had it; used by Read only
	partial bool // net/http has got something else than whole simple GETs, see wholeGet; used by Read only

	mu       sync.Mutex // guards the deadlines of writes
	explicit time.Time  // as the handler set it
	armed    time.Time  // as the connection has it
}

var started = time.Now()

// now returns the nanoseconds since the start of the process, and never 0.
func now() int64 { return int64(time.Since(started)) + 1 }

// Close implements net.Conn.
func (c *conn) Close() error {
	c.admission.mu.Lock()
	c.admission.remove(c)
	c.admission.mu.Unlock()
	c.yield()
	return c.Conn.Close()
}

// NetConn returns the connection within, for those who have taken it over from net/http.
func (c *conn) NetConn() net.Conn { return c.Conn }

// CloseWrite ends the answers of a connection. net/http does so before it closes one with unread bytes, because
// otherwise the client might not receive the last answer.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Write implements net.Conn. Each part of p has a deadline.
func (c *conn) Write(p []byte) (n int, err error) {
	for {
		c.arm()
		part := p[n:min(len(p), n+writeChunk)]
		m, err := c.Conn.Write(part)
		if n += m; err != nil || n == len(p) {
			return n, err
		}
	}
}

// arm moves the deadline of writes forward, unless more than half of it is left.
func (c *conn) arm() {
	t := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.explicit.IsZero() || c.armed.Sub(t) > WriteStall/2 {
		return // a handler's own deadline is shorter
	}
	c.armed = t.Add(WriteStall)
	_ = c.Conn.SetWriteDeadline(c.armed) // a broken connection fails in Write
}

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if limit := time.Now().Add(WriteStall); t.After(limit) {
		t = time.Time{}
	}
	c.explicit, c.armed = t, time.Time{}
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	if err := c.Conn.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// followState notes when a connection is idle. The deadline of a handler's writes ends with its request.
func followState(c net.Conn, state http.ConnState) {
	own := ownConn(c)
	if own == nil {
		return
	}
	switch state {
	case http.StateActive:
		own.idleSince.Store(0)
	case http.StateHijacked:
		own.yield() // its new owner works on its own account
	case http.StateIdle:
		own.idleSince.Store(now())
		own.yield()
		own.mu.Lock()
		if !own.explicit.IsZero() {
			own.explicit, own.armed = time.Time{}, time.Time{}
		}
		own.mu.Unlock()
	}
}

// ownConn returns the connection below c, which may have TLS on top; nil if it is foreign.
func ownConn(c net.Conn) *conn {
	if secured, ok := c.(*tls.Conn); ok {
		c = secured.NetConn()
	}
	own, _ := c.(*conn)
	return own
}

// connState is what is known of a connection beyond one request.
type connState struct {
	refusals atomic.Int64
	conn     *conn // nil on a foreign listener
}

type connKey struct{}

// Refusals counts a refused request of a connection, and returns how many there were.
func Refusals(r *http.Request) int64 {
	c, ok := r.Context().Value(connKey{}).(*connState)
	if !ok {
		return 0
	}
	return c.refusals.Add(1)
}
