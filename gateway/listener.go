package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// acceptPause is how long the listener rests after an error that may pass, such as having run out
// of file descriptors.
const acceptPause = 100 * time.Millisecond

// listener wraps a net.Listener for the broker library, which ends for good at the first error of
// Accept and waits for ever for a client's first packet. The deadline set here is replaced by the
// keep-alive's once the client has logged in; until then it bounds the TLS handshake, too, which begins
// with the first read, in the connection's own goroutine.
type listener struct {
	net.Listener
	tls       *tls.Config // nil: plain
	timeout   time.Duration
	addresses *addresses
	log       *slog.Logger
	metrics   *metrics
	closed    chan struct{}
	once      sync.Once
}

func newListener(l net.Listener, timeout time.Duration, from *addresses, log *slog.Logger, m *metrics) *listener {
	return &listener{Listener: l, timeout: timeout, addresses: from, log: log, metrics: m, closed: make(chan struct{})}
}

// Accept returns the next connection; only a closed listener makes it fail.
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
		l.log.Error("can't accept a connection; trying again", "error", err)
		select {
		case <-time.After(acceptPause):
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
}

// admit lets a connection in, or closes it and returns nil where there are too many.
func (l *listener) admit(conn net.Conn) net.Conn {
	from := key(conn.RemoteAddr())
	if class := l.addresses.enter(from, time.Now()); class != "" {
		l.metrics.limited.WithLabelValues(class).Inc()
		_ = conn.Close() // nobody is waiting for it
		return nil
	}
	l.metrics.connections.Inc()
	open, end := context.WithCancel(context.Background())
	counted := &countedConn{Conn: conn, open: open, closed: func() {
		end()
		l.metrics.connections.Dec()
		l.addresses.leave(from, time.Now())
	}}
	if err := conn.SetDeadline(time.Now().Add(l.timeout)); err != nil {
		_ = counted.Close() // it is broken
		return nil
	}
	if l.tls != nil {
		return tls.Server(counted, l.tls)
	}
	return counted
}

// Close stops listening.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// countedConn reports its first Close.
type countedConn struct {
	net.Conn
	once   sync.Once
	open   context.Context        // until the first Close
	named  atomic.Pointer[func()] // runs when the remote address is asked for next
	closed func()
}

func (c *countedConn) Close() error {
	c.once.Do(c.closed)
	return c.Conn.Close()
}

// RemoteAddr returns the address of the other end.
func (c *countedConn) RemoteAddr() net.Addr {
	if f := c.named.Swap(nil); f != nil {
		(*f)()
	}
	return c.Conn.RemoteAddr()
}

// countedOf returns the connection that was let in, which TLS may lie over.
func countedOf(conn net.Conn) *countedConn {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	counted, _ := conn.(*countedConn)
	return counted
}
