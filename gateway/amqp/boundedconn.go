package amqp

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// The parts of a frame of AMQP 0-9-1 (§4.2.3): a type, a channel, the length of the payload, the payload and an end
// byte. The payload of a content header (§4.2.6.1) has the size of the message's body at an offset.
const (
	frameHeader     = 7
	frameLengthAt   = 3
	frameEnd        = 1
	typeHeader      = 2
	typeBody        = 3
	bodySizeAt      = frameHeader + 4
	minHeaderLength = 12
)

// boundedConn is a connection to a broker that shortens the messages it receives: of one with more than max bytes, it
// passes on max+1 and drops the rest. The client would hold all of it, and brokers allow 128 MB. The channel is always
// the same.
type boundedConn struct {
	net.Conn
	in    *bufio.Reader
	max   uint64
	frame []byte // the current frame
	out   []byte // what is left of it to read
	drop  bool   // the current message is too long
	left  uint64 // bytes of it that may still pass

	mu    sync.Mutex
	sizes []uint64 // of the messages that were shortened and not taken yet
}

func newBoundedConn(conn net.Conn, most int) *boundedConn {
	return &boundedConn{Conn: conn, in: bufio.NewReader(conn), max: uint64(most)}
}

// Read implements net.Conn.
func (c *boundedConn) Read(p []byte) (int, error) {
	for len(c.out) == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.out)
	c.out = c.out[n:]
	return n, nil
}

// next reads a frame.
func (c *boundedConn) next() error {
	c.frame = append(c.frame[:0], make([]byte, frameHeader)...)
	if _, err := io.ReadFull(c.in, c.frame); err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(c.frame[frameLengthAt:])
	if length > maxFrame {
		return fmt.Errorf("the broker sent a frame of %d bytes; the maximum is %d", length, maxFrame)
	}
	c.frame = append(c.frame, make([]byte, length+frameEnd)...)
	if _, err := io.ReadFull(c.in, c.frame[frameHeader:]); err != nil {
		return err
	}
	c.out = c.frame
	switch c.frame[0] {
	case typeHeader:
		c.begin(length)
	case typeBody:
		c.shorten(uint64(length))
	}
	return nil
}

// begin bounds the size that a content header announces.
func (c *boundedConn) begin(length uint32) {
	c.drop = false
	if length < minHeaderLength {
		return // the client reports it
	}
	size := binary.BigEndian.Uint64(c.frame[bodySizeAt:])
	if size <= c.max {
		return
	}
	c.drop, c.left = true, c.max+1
	binary.BigEndian.PutUint64(c.frame[bodySizeAt:], c.left)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sizes = append(c.sizes, size)
}

// shorten drops the part of a body frame that is beyond the bound.
func (c *boundedConn) shorten(length uint64) {
	if !c.drop || length <= c.left {
		c.left -= min(length, c.left)
		if c.drop && length == 0 {
			c.out = nil
		}
		return
	}
	end := c.frame[len(c.frame)-frameEnd]
	keep := c.left
	c.left = 0
	if keep == 0 {
		c.out = nil
		return
	}
	binary.BigEndian.PutUint32(c.frame[frameLengthAt:], uint32(keep))
	c.frame = append(c.frame[:frameHeader+keep], end)
	c.out = c.frame
}

// takeSize returns the size of the next message that was shortened.
func (c *boundedConn) takeSize() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sizes) == 0 {
		return c.max + 1
	}
	size := c.sizes[0]
	c.sizes = c.sizes[1:]
	return size
}
