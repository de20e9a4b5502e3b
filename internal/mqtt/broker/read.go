package broker

import (
	"io"
	"time"

	"nhip/internal/mqtt/packet"
)

// Deadlines of packets. A packet that has begun must arrive within packetTimeout and the time that the rest of it takes
// at minRate, so that it does not occupy a buffer for long.
const (
	packetTimeout = 15 * time.Second
	minRate       = 1 << 10 // bytes/s
)

// read handles the client's packets until the connection ends.
func (c *Client) read() error {
	for {
		b, err := c.waitBytes()
		if err != nil {
			return err
		}
		err = c.consume(b)
		b.release()
		if err != nil {
			return err
		}
		c.refreshDeadline()
	}
}

// consume handles the packets in b. It reads on while the last one is not complete.
func (c *Client) consume(b *buffer) error {
	const none = -1
	for begun := none; ; { // the size for which the deadline is set; 0 while the header is not complete
		h, err := packet.ParseHeader(b.unread(), c.version)
		if err != nil {
			return err
		}
		size := h.Size + h.Remaining
		switch {
		case h.Size > 0 && size > c.maxPacket:
			c.server.observer.limited(c, LimitedPacket)
			return packet.TooLarge
		case h.Size > 0 && b.w-b.r >= size:
			body := b.data[b.r+h.Size : b.r+size]
			b.r += size
			begun = none
			if err := c.handle(h, body); err != nil {
				return err
			}
			continue
		case b.r == b.w:
			return nil
		}
		if begun != size {
			begun = size
			c.setPacketDeadline(size)
		}
		b.makeRoom(size)
		n, err := c.conn.Read(b.data[b.w:])
		b.w += n
		if n == 0 && err != nil {
			return err
		}
	}
}

// waitBytes waits until bytes have arrived and returns them in a buffer.
func (c *Client) waitBytes() (*buffer, error) {
	if c.raw != nil {
		return c.raw.wait()
	}
	return c.waitByte()
}

// waitByte is waitBytes for connections that can't wait without a buffer: it waits for one byte.
func (c *Client) waitByte() (*buffer, error) {
	if _, err := io.ReadFull(c.conn, c.first[:]); err != nil {
		return nil, err
	}
	b := getBuffer()
	b.data[0], b.w = c.first[0], 1
	return b, nil
}

// setPacketDeadline sets the deadline for the rest of a packet of size bytes. Before CONNECT the earlier deadline
// holds.
func (c *Client) setPacketDeadline(size int) {
	if c.session == nil {
		return
	}
	c.deadlineSet = time.Time{}
	c.setReadDeadline(time.Now().Add(packetTimeout + time.Duration(size)*time.Second/minRate))
}

// refreshDeadline sets the deadline of the keep-alive: one and a half times as long (MQTT 5 §3.1.2.10). It does so only
// if some of that time has passed.
func (c *Client) refreshDeadline() {
	now := time.Now()
	if c.session == nil || now.Sub(c.deadlineSet) < c.keepAlive/8 {
		return
	}
	c.deadlineSet = now
	var at time.Time
	if c.keepAlive > 0 {
		at = now.Add(c.keepAlive + c.keepAlive/2)
	}
	c.setReadDeadline(at)
}
