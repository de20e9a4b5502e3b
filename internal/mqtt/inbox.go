package mqtt

import (
	"sync"

	"nhip"
)

// maxInbox is how many messages of a connection may wait for the door. There are 65,535 packet ids,
// so a broker that keeps to them never fills it; one that does not is slowed down by its connection.
const maxInbox = 1 << 16

// delivery is a message as the broker delivered it.
type delivery struct {
	nhip.Message
	id       uint16 // the packet's; 0 with QoS 0
	retained bool   // a copy that the broker kept
}

// inbox holds what arrived on a connection, in order, until the door has time for it.
type inbox struct {
	mu      sync.Mutex
	changed *sync.Cond // waiting grew or was taken, or the end came
	waiting []delivery
	most    int
	closed  bool
}

func newInbox(most int) *inbox {
	b := &inbox{most: most}
	b.changed = sync.NewCond(&b.mu)
	return b
}

// put adds a message. It waits while the inbox is full; after close it drops the message.
func (b *inbox) put(d delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) >= b.most && !b.closed {
		b.changed.Wait()
	}
	if b.closed {
		return
	}
	b.waiting = append(b.waiting, d)
	if len(b.waiting) == 1 {
		b.changed.Broadcast()
	}
}

// take waits for messages and swaps the list of all that wait for an empty one. It reports false
// after close, whatever was waiting.
func (b *inbox) take(empty []delivery) ([]delivery, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) == 0 && !b.closed {
		b.changed.Wait()
	}
	if b.closed {
		return nil, false
	}
	full := b.waiting
	clear(empty) // it holds on to payloads
	b.waiting = empty[:0]
	b.changed.Broadcast()
	return full, true
}

func (b *inbox) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.waiting = nil
	b.changed.Broadcast()
}
