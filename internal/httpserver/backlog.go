package httpserver

import (
	"sync"
	"time"
)

// Backlog counts requests that wait for slots, and tells a burst from an overload: in an overload some have always
// been waiting for busyAfter, or very many wait; it ends calmAfter the last time that too many did. Then few may wait,
// or all would be late. A burst is a page with all its tiles.
type Backlog struct {
	Slots int // that they wait for

	mu      sync.Mutex
	waiting int
	since   time.Time // when waiting became more than 0
	busy    time.Time // end of the overload
}

// Bounds of an overload.
const (
	busyAfter      = 500 * time.Millisecond
	calmAfter      = 2 * time.Second
	waitersPerSlot = 3 // in an overload, and at least:
	leastWaiters   = 5 // a browser has at most six connections, of which one is served

	surgePerSlot = 64 // so many that wait are an overload at once: the last of them would be served late
)

// Add counts n more, or fewer, that wait. It returns their number, and whether these are too many in an overload.
func (b *Backlog) Add(n int, now time.Time) (waiting int, tooMany bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == 0 {
		b.since = now
	}
	b.waiting += n
	if b.waiting <= max(waitersPerSlot*b.Slots, leastWaiters) {
		return b.waiting, false
	}
	if now.Sub(b.since) > busyAfter || now.Before(b.busy) || b.waiting > surgePerSlot*b.Slots {
		b.busy = now.Add(calmAfter)
		return b.waiting, true
	}
	return b.waiting, false
}

// Waiting returns how many wait.
func (b *Backlog) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting
}
