package consume

import (
	"sync"

	"nhip"
)

// maxInbox is how many received messages may wait for the acceptor. MQTT has 65,535 packet ids, so a broker that
// conforms to the standard never fills the inbox; for one that does not, the connection blocks.
const maxInbox = 1 << 16

// delivery is a message as the broker delivered it.
type delivery struct {
	nhip.Message
	id       uint16 // packet id; 0 with QoS 0
	retained bool
}

// inbox holds the received messages of a session, in order, until they are passed to the acceptor.
type inbox struct {
	mu      sync.Mutex
	changed *sync.Cond // waiting or closed changed
	waiting []delivery
	limit   int
	closed  bool
}

func newInbox(limit int) *inbox {
	b := &inbox{limit: limit}
	b.changed = sync.NewCond(&b.mu)
	return b
}

// put adds a message. It blocks while the inbox is full. After close it drops the message.
func (b *inbox) put(d delivery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) >= b.limit && !b.closed {
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

// take blocks until messages wait, and swaps their slice for the empty one. It returns false after close, also if
// messages were waiting.
func (b *inbox) take(empty []delivery) ([]delivery, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) == 0 && !b.closed {
		b.changed.Wait()
	}
	if b.closed {
		return nil, false
	}
	taken := b.waiting
	clear(empty) // releases the payloads to the garbage collector
	b.waiting = empty[:0]
	b.changed.Broadcast()
	return taken, true
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
