package broker

import (
	"errors"
	"os"
	"time"
)

// Sizes of writes, in bytes.
const (
	fillUntil     = bufferSize - 2<<10 // how much is gathered for one write
	directPayload = 8 << 10            // payloads that are written without being copied
	maxControl    = 64 << 10           // unwritten answers beyond which nothing more is read
	keptControl   = 128                // kept by an idle connection
)

// wake starts the writing goroutine if there may be something to write.
func (c *Client) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		c.startWriting()
	}
}

// startWriting starts the writing goroutine unless it runs. It ends when nothing is left to write. The caller holds mu.
func (c *Client) startWriting() {
	if !c.writing && c.session != nil {
		c.writing = true
		go c.write()
	}
}

// send appends a packet to control. It waits while too much of it is unwritten.
func (c *Client) send(appendTo func(b []byte) []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.control) > maxControl && !c.ending {
		c.changed.Wait()
	}
	if !c.ending {
		c.control = appendTo(c.control)
		c.startWriting()
	}
}

// write writes until nothing is left.
func (c *Client) write() {
	defer c.catchWrite()
	b := getBuffer()
	defer b.release()
	for {
		out, payload, again := c.nextOutput(b.data[:0])
		switch {
		case len(out) > 0:
		case again:
			continue
		default:
			if c.ended.Load() {
				_ = c.conn.Close() // everything is sent; the reader may wait for something else than bytes
			}
			return
		}
		if err := c.writeOut(out, payload); err != nil {
			c.writeFailed(err)
			return
		}
	}
}

// catchWrite ends the connection after a panic in the writing goroutine.
func (c *Client) catchWrite() {
	if value := recover(); value != nil {
		c.panicked(value)
		c.writeFailed(nil)
	}
}

// nextOutput returns what is to be written next: out and then payload. If there is nothing, and again is false, it ends
// writing.
func (c *Client) nextOutput(b []byte) (out, payload []byte, again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out = append(b, c.control...)
	if c.control = c.control[:0]; len(out) > maxControl {
		c.control = nil
	}
	if !c.ending {
		out, payload, again = c.session.fill(c, out)
	}
	if len(out) == 0 && !again {
		c.writing = false
		if cap(c.control) > keptControl {
			c.control = nil
		}
	}
	c.changed.Broadcast()
	return out, payload, again
}

func (c *Client) writeOut(out, payload []byte) error {
	c.extendWriteDeadline()
	if _, err := c.conn.Write(out); err != nil || len(payload) == 0 {
		return err
	}
	_, err := c.conn.Write(payload)
	return err
}

// extendWriteDeadline gives the next writes at least three quarters of the write timeout.
func (c *Client) extendWriteDeadline() {
	timeout := c.server.options.WriteTimeout
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending && now.Sub(c.deadlined) > timeout/4 {
		c.deadlined = now
		_ = c.conn.SetWriteDeadline(now.Add(timeout))
	}
}

// writeFailed ends a connection to which nothing can be written.
func (c *Client) writeFailed(err error) {
	if !c.ended.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		c.server.observer.limited(c, LimitedSlowRead)
	}
	_ = c.conn.Close() // ends the reader
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = false
	if !c.ending {
		c.ending = true
		c.ended.Store(true)
		close(c.endBegan)
	}
	c.changed.Broadcast()
}
