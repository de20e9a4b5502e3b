package gateway

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"nhip/internal/httpserver"

	"golang.org/x/time/rate"
)

// acceptRetry is the pause after an error of Accept that may pass, such as too many open files.
const acceptRetry = 100 * time.Millisecond

// listener wraps a net.Listener: it counts connections and keeps to the limits, adds TLS, and goes on after an error of
// Accept. The deadline that it sets holds until the broker sets its own; it bounds the TLS handshake, which begins with
// the first read, in the connection's own goroutine.
type listener struct {
	net.Listener
	tls       *tls.Config // nil: plain TCP
	timeout   time.Duration
	byteRate  int // bytes a second that a client may send; 0: no limit
	proxies   httpserver.Proxies
	addresses *addresses
	log       *slog.Logger
	metrics   *metrics
	closed    chan struct{}
	once      sync.Once
}

func newListener(l net.Listener, timeout time.Duration, from *addresses, log *slog.Logger, m *metrics) *listener {
	return &listener{Listener: l, timeout: timeout, addresses: from, log: log, metrics: m, closed: make(chan struct{})}
}

// Accept returns the next connection within the limits. It fails only when the listener is closed.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err == nil {
			if conn = l.admit(conn); conn != nil {
				return conn, nil
			}
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		l.metrics.refused.WithLabelValues("accept").Inc()
		l.log.Error("can't accept a connection; retrying", "error", err)
		select {
		case <-time.After(acceptRetry):
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
}

// fromProxy reports whether an address with a port is one of a trusted proxy.
func (l *listener) fromProxy(remote string) bool {
	at, err := netip.ParseAddrPort(remote)
	return err == nil && l.proxies.Contains(at.Addr())
}

// admit counts a connection and wraps it. If a limit is reached, admit closes the connection and returns nil. One of a
// trusted proxy counts for no address before its client is known.
func (l *listener) admit(conn net.Conn) net.Conn {
	from := addressKey(conn.RemoteAddr())
	admit, release := l.addresses.admit, l.addresses.release
	if l.fromProxy(conn.RemoteAddr().String()) {
		admit, release = l.addresses.admitProxy, l.addresses.releaseProxy
	}
	if class := admit(from, time.Now()); class != "" {
		l.metrics.limited.WithLabelValues(class).Inc()
		_ = conn.Close() // nothing was sent on it
		return nil
	}
	l.metrics.connections.Inc()
	counted := &countedConn{Conn: conn, onClose: func() {
		l.metrics.connections.Dec()
		release(from)
	}}
	if l.byteRate > 0 {
		counted.closed = make(chan struct{})
		counted.received = rate.NewLimiter(rate.Limit(l.byteRate), guestByteBurst)
	}
	if err := conn.SetDeadline(time.Now().Add(l.timeout)); err != nil {
		_ = counted.Close() // the connection is broken
		return nil
	}
	if l.tls != nil {
		return tls.Server(counted, l.tls)
	}
	return counted
}

// Close stops listening. It leaves open connections alone.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// countedConn calls onClose at its first Close.
type countedConn struct {
	net.Conn
	once    sync.Once
	onClose func()

	// Of a listener with a byteRate only.
	received *rate.Limiter // of bytes
	closed   chan struct{} // closed at the first Close
}

// Read reads at the client's rate: it delays its return, so that TCP slows the client down.
func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.received != nil && n > 0 {
		c.delay(n)
	}
	return n, err
}

// delay waits until n bytes are within the client's rate, or the connection is closed.
func (c *countedConn) delay(n int) {
	d := c.received.ReserveN(time.Now(), min(n, guestByteBurst)).Delay()
	if d == 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.closed:
	}
}

// Close closes the connection.
func (c *countedConn) Close() error {
	c.once.Do(func() {
		if c.closed != nil {
			close(c.closed)
		}
		c.onClose()
	})
	return c.Conn.Close()
}

// SyscallConn shows the socket to the broker, which waits for bytes without a buffer. It does not if Read counts them.
func (c *countedConn) SyscallConn() (syscall.RawConn, error) {
	if shown, ok := c.Conn.(syscall.Conn); ok && c.received == nil {
		return shown.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}
