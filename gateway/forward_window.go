package gateway

import (
	"context"
	"sync"
	"time"
)

// windowSize is how many records may be on their way: twice what all lanes together hold, so that a
// lane that is stuck does not stop the others at once.
const windowSize = 1 << 12

// window knows which records are on their way upstream, whose acknowledgements come in any order,
// and up to where none is missing.
type window struct {
	room chan struct{} // holds one for each record in the window

	mu    sync.Mutex
	slots [windowSize]slot // by ticket
	first uint64           // ticket of the oldest record that is not acknowledged
	next  uint64           // ticket of the next
	done  uint64           // seq up to which all is acknowledged
}

type slot struct {
	seq      uint64
	received time.Time
	acked    bool
}

// newWindow returns an empty window; all up to seq done is acknowledged.
func newWindow(done uint64) *window {
	return &window{room: make(chan struct{}, windowSize), done: done}
}

// enter takes a record in, later ones after earlier ones, and returns its ticket. It waits while the
// window is full, and is false when ctx ends first.
func (w *window) enter(ctx context.Context, seq uint64, received time.Time) (ticket uint64, ok bool) {
	select {
	case w.room <- struct{}{}:
	case <-ctx.Done():
		return 0, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	ticket = w.next
	w.slots[ticket%windowSize] = slot{seq: seq, received: received}
	w.next++
	return ticket, true
}

// leave notes the acknowledgement of a record.
func (w *window) leave(ticket uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slots[ticket%windowSize].acked = true
	for w.first < w.next && w.slots[w.first%windowSize].acked {
		w.done = w.slots[w.first%windowSize].seq
		w.first++
		<-w.room
	}
}

// position returns the seq up to which all is acknowledged.
func (w *window) position() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done
}

// oldest returns when the oldest record that is not acknowledged was received; false when there is
// none.
func (w *window) oldest() (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.slots[w.first%windowSize].received, w.first < w.next
}
