package gateway

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// acceptPause is how long the listener rests after an error that may pass, such as having run out
// of file descriptors.
const acceptPause = 100 * time.Millisecond

// listener wraps a net.Listener for the broker library, which ends for good at the first error of
// Accept and waits for ever for a client's first packet. The deadline set here is replaced by the
// keep-alive's once the client has logged in.
type listener struct {
	net.Listener
	timeout time.Duration
	log     *slog.Logger
	metrics *metrics
	closed  chan struct{}
	once    sync.Once
}

func newListener(l net.Listener, timeout time.Duration, log *slog.Logger, m *metrics) *listener {
	return &listener{Listener: l, timeout: timeout, log: log, metrics: m, closed: make(chan struct{})}
}

// Accept returns the next connection; only a closed listener makes it fail.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err == nil {
			return l.admit(conn)
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

func (l *listener) admit(conn net.Conn) (net.Conn, error) {
	if err := conn.SetDeadline(time.Now().Add(l.timeout)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	l.metrics.connections.Inc()
	return &countedConn{Conn: conn, closed: l.metrics.connections.Dec}, nil
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
	closed func()
}

func (c *countedConn) Close() error {
	c.once.Do(c.closed)
	return c.Conn.Close()
}
