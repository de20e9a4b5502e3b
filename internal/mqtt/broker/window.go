package broker

import (
	"time"

	"nhip/internal/mqtt/packet"
)

// window holds the messages of a client that have no outcome yet, in the order in which they came, so that they are
// acknowledged in that order (MQTT 5 §4.6).
type window struct {
	slots  deque[slot]
	first  uint64 // number of the first slot
	acks   int    // slots with QoS > 0
	bytes  int
	exact  map[uint16]struct{} // packet ids with QoS 2
	failed bool                // a message will never be acknowledged, and so no later one
}

type slot struct {
	size   int32
	id     uint16
	qos    byte
	reason packet.Reason
	done   bool
	silent bool // without an acknowledgement
}

// reserve waits until the window has space for a message and returns the number of its slot. A client of MQTT 5 knows
// the window, and must not exceed it; others wait, because nothing is read in the meantime.
func (c *Client) reserve(id uint16, qos byte, size int) (number uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.ending {
		full := qos > 0 && c.window.acks >= c.limits.Window
		if full && c.version >= packet.V5 {
			c.server.observer.limited(c, LimitedWindow)
			return 0, packet.ReceiveMaximumExceeded
		}
		if !full && c.hasRoom(size) {
			return c.window.add(slot{size: int32(size), id: id, qos: qos}), nil
		}
		c.changed.Wait()
	}
	return 0, errDisconnected
}

// hasRoom reports whether a message of any QoS may be handed over. Unwritten acknowledgements count too, because a
// client that does not read them would make the server collect them. The caller holds mu.
func (c *Client) hasRoom(size int) bool {
	w := &c.window
	return (w.bytes+size <= c.limits.WindowBytes || w.slots.len() == 0) && w.slots.len() < 2*c.limits.Window &&
		len(c.control) <= maxControl
}

// drain waits, for a short time, until the client's messages have an outcome: it may have sent all that it has, and
// still read acknowledgements.
func (c *Client) drain() {
	late := false
	timer := time.AfterFunc(closeTimeout, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		late = true
		c.changed.Broadcast()
	})
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.window.slots.len() > 0 && !c.window.failed && !c.ending && !late {
		c.changed.Wait()
	}
}

func (w *window) add(s slot) (number uint64) {
	w.slots.push(s)
	w.bytes += int(s.size)
	if s.qos > 0 {
		w.acks++
	}
	if s.qos == 2 {
		if w.exact == nil {
			w.exact = make(map[uint16]struct{})
		}
		w.exact[s.id] = struct{}{}
	}
	return w.first + uint64(w.slots.len()) - 1
}

// isPending reports whether a message with QoS 2 and this packet id has no outcome yet. If it were handed over again,
// its second PUBREC could come after the PUBREL, and the next message with the id would count as a duplicate.
func (c *Client) isPending(id uint16) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, pending := c.window.exact[id]
	return pending
}

// complete records the outcome of a message and acknowledges those at the front of the window that have one.
func (c *Client) complete(number uint64, reason packet.Reason, silent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := number - c.window.first
	if i >= uint64(c.window.slots.len()) {
		return // completed twice
	}
	s := c.window.slots.at(int(i))
	s.done, s.reason, s.silent = true, reason, silent
	if i == 0 {
		c.acknowledge()
	}
}

// fail records that a message can't be acknowledged, and disconnects the client.
func (c *Client) fail() {
	c.mu.Lock()
	c.window.failed = true
	c.mu.Unlock()
	c.end(packet.ServerUnavailable)
}

// acknowledge removes the completed messages at the front of the window. The caller holds mu.
func (c *Client) acknowledge() {
	w := &c.window
	for w.slots.len() > 0 && w.slots.at(0).done && !w.failed {
		s := *w.slots.at(0)
		w.slots.pop()
		w.first++
		w.bytes -= int(s.size)
		if s.qos > 0 {
			w.acks--
		}
		if s.qos == 2 {
			delete(w.exact, s.id)
		}
		c.appendAck(s)
	}
	c.startWriting()
	c.changed.Broadcast()
}

func (c *Client) appendAck(s slot) {
	if s.qos == 0 || s.silent || c.ending {
		return
	}
	t := packet.TypePuback
	if s.qos == 2 {
		t = packet.TypePubrec
		if !s.reason.IsError() {
			c.session.receive(s.id)
		}
	}
	c.control = packet.AppendAck(c.control, t, c.version, s.id, s.reason)
}
