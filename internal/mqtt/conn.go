package mqtt

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// Buffer sizes of a connection, in bytes.
const (
	readBuffer = 64 << 10
	maxPending = 1 << 20 // unwritten bytes above which Write blocks
)

// closeTimeout is how long Close tries to write the pending bytes.
const closeTimeout = time.Second

// bufferedConn is a connection with buffers in both directions. paho reads a packet in three system calls and writes
// each PUBACK in one; with the buffers it handles four times as many messages per second. One goroutine writes the
// pending bytes as soon as the previous write has returned, so no write waits for a timer.
type bufferedConn struct {
	net.Conn
	r *bufio.Reader

	mu      sync.Mutex
	changed *sync.Cond // pending or err changed
	pending []byte
	err     error // why Write fails; nil while the connection is open
	done    chan struct{}
}

// newBufferedConn takes over c: only the returned connection may use c from now on. The caller must close it.
func newBufferedConn(c net.Conn) *bufferedConn {
	b := &bufferedConn{Conn: c, r: bufio.NewReaderSize(c, readBuffer), done: make(chan struct{})}
	b.changed = sync.NewCond(&b.mu)
	go b.writePending()
	return b
}

// Read implements net.Conn.
func (b *bufferedConn) Read(p []byte) (int, error) { return b.r.Read(p) }

// Write copies p and returns; it blocks only while more than maxPending bytes are unwritten. It returns the error of an
// earlier write if that failed.
func (b *bufferedConn) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.pending) > maxPending && b.err == nil {
		b.changed.Wait()
	}
	if b.err != nil {
		return 0, b.err
	}
	b.pending = append(b.pending, p...)
	b.changed.Broadcast()
	return len(p), nil
}

// Close writes the pending bytes, unless the connection is lost, and closes the connection.
func (b *bufferedConn) Close() error {
	b.fail(net.ErrClosed)
	_ = b.Conn.SetWriteDeadline(time.Now().Add(closeTimeout)) // the peer may have stopped reading
	<-b.done
	return b.Conn.Close()
}

// fail makes later writes return err. The first error is kept.
func (b *bufferedConn) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
	b.changed.Broadcast()
}

// writePending runs until the connection is closed or lost.
func (b *bufferedConn) writePending() {
	defer close(b.done)
	var out []byte
	for {
		var more bool
		if out, more = b.take(out); !more {
			return
		}
		if _, err := b.Conn.Write(out); err != nil {
			b.fail(err)
			_ = b.Conn.Close() // unblocks the reader, which reports the loss
			return
		}
	}
}

// take waits for pending bytes and swaps their buffer for the empty one. It returns false when the connection is closed
// or lost and no byte is pending.
func (b *bufferedConn) take(empty []byte) ([]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.pending) == 0 && b.err == nil {
		b.changed.Wait()
	}
	out := b.pending
	b.pending = empty[:0]
	b.changed.Broadcast()
	return out, len(out) > 0
}
