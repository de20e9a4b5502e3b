package gateway

import (
	"context"
	"sync"
	"time"
)

// windowSize is how many records may be in flight: twice what all queues of the publisher hold, so that one stuck
// queue does not stop the others at once.
const windowSize = 1 << 12

// window tracks the records in flight to upstream, which are acknowledged in any order. It tracks the seq up to which
// all are acknowledged.
type window struct {
	tokens chan struct{} // holds one element for each record in the window

	mu    sync.Mutex
	slots [windowSize]slot // by ticket modulo windowSize
	first uint64           // ticket of the oldest record that is not acknowledged
	next  uint64           // ticket of the next record
	done  uint64           // seq up to which all records are acknowledged
}

type slot struct {
	seq      uint64
	received time.Time
	acked    bool
}

// newWindow returns an empty window. All records up to seq done are acknowledged.
func newWindow(done uint64) *window {
	return &window{tokens: make(chan struct{}, windowSize), done: done}
}

// add adds a record and returns its ticket. Records must be added in the order of seq. add waits while the window is
// full, and returns ctx.Err() if ctx ends first.
func (w *window) add(ctx context.Context, seq uint64, received time.Time) (ticket uint64, err error) {
	select {
	case w.tokens <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	ticket = w.next
	w.slots[ticket%windowSize] = slot{seq: seq, received: received}
	w.next++
	return ticket, nil
}

// ack records the acknowledgement of a record.
func (w *window) ack(ticket uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slots[ticket%windowSize].acked = true
	for w.first < w.next && w.slots[w.first%windowSize].acked {
		w.done = w.slots[w.first%windowSize].seq
		w.first++
		<-w.tokens
	}
}

// reset empties the window. Records that were acknowledged behind one that was not are forgotten, too.
func (w *window) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ; w.first < w.next; w.first++ {
		<-w.tokens
	}
}

// position returns the seq up to which all records are acknowledged.
func (w *window) position() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done
}

// oldest returns when the oldest record that is not acknowledged was received; ok is false if there is none.
func (w *window) oldest() (received time.Time, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.slots[w.first%windowSize].received, w.first < w.next
}
