package amqp

import (
	"fmt"
	"sync"
)

// outcome is what became of a message.
type outcome int8

const (
	pending outcome = iota
	stored          // to be acknowledged
	refused         // to be rejected without requeueing
)

// window holds the outcomes of the messages that were delivered and not acknowledged yet, in the order of their
// delivery tags.
type window struct {
	mu       sync.Mutex
	first    uint64 // delivery tag of outcomes[0]
	outcomes []outcome
	changed  chan struct{} // receives after the first message was settled
}

func newWindow() *window { return &window{first: 1, changed: make(chan struct{}, 1)} }

// add adds a message. The tags of a channel count from 1 (AMQP 0-9-1 §1.8.3.9.delivery-tag); another one would make us
// acknowledge the wrong message.
func (w *window) add(tag uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if next := w.first + uint64(len(w.outcomes)); tag != next {
		return fmt.Errorf("the broker sent delivery tag %d, want %d", tag, next)
	}
	w.outcomes = append(w.outcomes, pending)
	return nil
}

// settle sets the outcome of a message. It does not block.
func (w *window) settle(tag uint64, o outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outcomes[tag-w.first] = o
	if tag != w.first {
		return
	}
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// next removes settled messages from the front: either all up to a tag that were stored, or one that was refused. n is
// their number; 0: the first message is not settled.
func (w *window) next() (tag uint64, o outcome, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.outcomes) == 0 || w.outcomes[0] == pending {
		return 0, pending, 0
	}
	o, n = w.outcomes[0], 1
	for o == stored && n < len(w.outcomes) && w.outcomes[n] == stored {
		n++
	}
	w.outcomes = w.outcomes[n:]
	w.first += uint64(n)
	return w.first - 1, o, n
}

func (w *window) len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.outcomes)
}
