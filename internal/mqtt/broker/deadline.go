package broker

import (
	"container/heap"
	"sync"
	"time"
)

// deadlines calls the funcs of its entries at their times. Setting and removing one takes O(log n).
type deadlines struct {
	mu     sync.Mutex
	all    deadlineHeap
	timer  *time.Timer
	closed bool
}

// deadline is the time at which a session or a retained message ends.
type deadline struct {
	at      time.Time
	index   int    // in the heap plus 1; 0: not in it
	expired func() // called at the time, without the lock of deadlines
}

// set adds a deadline, or changes its time.
func (d *deadlines) set(one *deadline, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one.at = at
	if one.index > 0 {
		heap.Fix(&d.all, one.index-1)
	} else {
		heap.Push(&d.all, one)
	}
	d.arm()
}

// remove removes a deadline, which may be absent or nil.
func (d *deadlines) remove(one *deadline) {
	if one == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if one.index > 0 {
		heap.Remove(&d.all, one.index-1)
	}
}

// pending reports whether a deadline is still to come.
func (d *deadlines) pending(one *deadline) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return one.index > 0
}

// arm sets the timer to the first deadline. The caller holds mu.
func (d *deadlines) arm() {
	if len(d.all) == 0 || d.closed {
		return
	}
	wait := max(time.Until(d.all[0].at), 0)
	if d.timer == nil {
		d.timer = time.AfterFunc(wait, d.run)
	} else {
		d.timer.Reset(wait)
	}
}

// run fires the deadlines that have come.
func (d *deadlines) run() {
	for _, one := range d.due() {
		one.expired()
	}
}

func (d *deadlines) due() (due []*deadline) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	for len(d.all) > 0 && !d.all[0].at.After(now) {
		due = append(due, heap.Pop(&d.all).(*deadline))
	}
	d.arm()
	return due
}

func (d *deadlines) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.timer != nil {
		d.timer.Stop()
	}
}

// deadlineHeap implements heap.Interface.
type deadlineHeap []*deadline

func (h deadlineHeap) Len() int           { return len(h) }
func (h deadlineHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h deadlineHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}

// Push implements heap.Interface.
func (h *deadlineHeap) Push(x any) {
	one := x.(*deadline)
	*h = append(*h, one)
	one.index = len(*h)
}

// Pop implements heap.Interface.
func (h *deadlineHeap) Pop() any {
	last := len(*h) - 1
	one := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	one.index = 0
	return one
}
