package stream

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// socketOf returns the socket of a connection without TLS, also of one that others have wrapped, or nil.
func socketOf(conn net.Conn) *net.TCPConn {
	for {
		if tcp, ok := conn.(*net.TCPConn); ok {
			return tcp
		}
		wrapper, ok := conn.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		conn = wrapper.NetConn()
	}
}

// prepareSocket bounds what the kernel holds for a client that does not read: otherwise it is megabytes of states that
// are no longer current. It returns what workers write to, or nil.
func prepareSocket(tcp *net.TCPConn) syscall.RawConn {
	if tcp == nil {
		return nil
	}
	_ = tcp.SetWriteBuffer(unsentLimit) // the kernel's default then holds more
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	limitSilence(raw)
	return raw
}

// writer writes to connections as much as they take without a wait.
type writer struct {
	b   []byte
	n   int
	err error
	try func(fd uintptr) bool // writes b; one function for all writes, because a new one would be on the heap
}

// shortWait is how long a connection without a raw socket may make a worker wait.
const shortWait = time.Millisecond

func (w *writer) write(c *connection, b []byte) (int, error) {
	if c.raw == nil || !rawWrites {
		return writeSoon(c.conn, b)
	}
	if w.try == nil {
		w.try = func(fd uintptr) bool {
			w.n, w.err = writeNow(fd, w.b)
			return true
		}
	}
	w.b, w.n, w.err = b, 0, nil
	err := c.raw.Write(w.try)
	w.b = nil
	return w.n, errors.Join(err, w.err)
}

func writeSoon(conn net.Conn, b []byte) (int, error) {
	if err := conn.SetWriteDeadline(time.Now().Add(shortWait)); err != nil {
		return 0, err
	}
	n, err := conn.Write(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return n, err
}
