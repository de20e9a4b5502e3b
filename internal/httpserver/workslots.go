package httpserver

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// WorkSlots lets so many requests work at a time as there are processors. The others wait in their order: thousands
// of requests that are ready at once would keep the goroutines that acknowledge messages of devices waiting. A
// request that holds its slot for longer than maxWork waits for something, or its cost is bounded elsewhere; its slot
// is then free.
type WorkSlots struct {
	slots []atomic.Int64 // since when each is held, see now; 0: free
	free  chan int

	backlog Backlog

	mu    sync.Mutex
	watch *time.Timer // runs while requests wait
}

// Timing of work slots.
const (
	maxWork      = 10 * time.Millisecond
	reclaimEvery = 5 * time.Millisecond
)

// NewWorkSlots returns the slots of this machine.
func NewWorkSlots() *WorkSlots { return newWorkSlots(runtime.NumCPU()) }

func newWorkSlots(slots int) *WorkSlots {
	w := &WorkSlots{slots: make([]atomic.Int64, slots), free: make(chan int, slots), backlog: Backlog{Slots: slots}}
	for i := range slots {
		w.free <- i
	}
	return w
}

// workSlot is a slot that a request holds.
type workSlot struct {
	index int
	since int64 // identifies the holder
	late  bool  // too many others wait
}

// enter waits for a slot. It reports false if ctx ends first.
func (w *WorkSlots) enter(ctx context.Context) (workSlot, bool) {
	select {
	case i := <-w.free:
		return w.hold(i), true
	default:
	}
	w.countWaiting(1)
	return w.await(ctx)
}

// idle reports whether a slot is free.
func (w *WorkSlots) idle() bool { return len(w.free) > 0 }

// enterUnlessLate is enter for a request that is better refused than served late: it reports false if too many others
// wait, at once or when its turn comes.
func (w *WorkSlots) enterUnlessLate() (workSlot, bool) {
	select {
	case i := <-w.free:
		return w.hold(i), true
	default:
	}
	if w.countWaiting(1) {
		w.countWaiting(-1)
		return workSlot{}, false
	}
	s, _ := w.await(context.Background()) // always true
	if s.late {
		w.leave(s)
		return workSlot{}, false
	}
	return s, true
}

// await takes the next free slot for a request that is counted as waiting.
func (w *WorkSlots) await(ctx context.Context) (workSlot, bool) {
	select {
	case i := <-w.free:
		s := w.hold(i)
		s.late = w.countWaiting(-1)
		return s, true
	case <-ctx.Done():
		w.countWaiting(-1)
		return workSlot{}, false
	}
}

func (w *WorkSlots) hold(i int) workSlot {
	since := now()
	w.slots[i].Store(since)
	return workSlot{index: i, since: since}
}

// leave gives a slot back, once.
func (w *WorkSlots) leave(s workSlot) {
	if s.since != 0 && w.slots[s.index].CompareAndSwap(s.since, 0) {
		w.free <- s.index
	}
}

// countWaiting counts n more that wait, and reports whether too many do.
func (w *WorkSlots) countWaiting(n int) (tooMany bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	waiting, tooMany := w.backlog.Add(n, time.Now())
	switch {
	case waiting == 1 && n > 0 && w.watch == nil:
		w.watch = time.AfterFunc(reclaimEvery, w.reclaim)
	case waiting == 1 && n > 0:
		w.watch.Reset(reclaimEvery)
	case waiting == 0:
		w.watch.Stop()
	}
	return tooMany
}

// reclaim frees the slots that have been held for too long, while requests wait.
func (w *WorkSlots) reclaim() {
	limit := now() - int64(maxWork)
	for i := range w.slots {
		if since := w.slots[i].Load(); since != 0 && since < limit {
			w.leave(workSlot{index: i, since: since})
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.backlog.Waiting() > 0 {
		w.watch.Reset(reclaimEvery)
	}
}

// Yield gives up the work slot of a request, because it will wait.
func Yield(r *http.Request) {
	if c, ok := r.Context().Value(connKey{}).(*connState); ok && c.conn != nil && r.ProtoMajor == 1 {
		c.conn.yield()
	}
}

// Late reports whether so many requests wait for the processors that this one should be refused: it has waited, too,
// and what is served after it would come late.
func Late(r *http.Request) bool {
	c, ok := r.Context().Value(connKey{}).(*connState)
	return ok && c.conn != nil && c.conn.late.Load()
}

// yield gives back the work slot that the connection holds, if any.
func (c *conn) yield() {
	if p := c.slot.Swap(nil); p != nil {
		c.work.leave(*p)
	}
}

// Read implements net.Conn. What a client sends between two requests, or for a handshake, is worked on only with a
// work slot: thousands of connections may become readable at once. While a handler runs, net/http reads in another
// goroutine to notice that the client has gone.
func (c *conn) Read(to []byte) (int, error) {
	if c.work == nil || c.idleSince.Load() == 0 {
		n, err := c.Conn.Read(to)
		c.partial = c.partial || n > 0
		return n, err
	}
	c.yield()
	for {
		n, err := c.Conn.Read(to)
		if n == 0 {
			return n, err
		}
		c.endRefusal()
		g, whole := c.wholeGet(to[:n], err)
		if o := c.admission.overload; o == nil || !whole || c.work.idle() || o.isExempt(g) {
			c.hold(c.work.enter(context.Background()))
			return n, err
		}
		if s, ok := c.work.enterUnlessLate(); ok {
			c.hold(s, ok)
			return n, nil
		}
		if err := c.refuse(g); err != nil {
			return 0, err
		}
	}
}

// hold notes the work slot of the connection, if it has got one.
func (c *conn) hold(s workSlot, ok bool) {
	if ok {
		c.slot.Store(&s)
		c.late.Store(s.late)
	}
}

// work runs a handler. In HTTP/2, where a connection has several requests, each of them needs a work slot.
func (b *bounds) work(next http.Handler, w *Response, r *http.Request) {
	if b.o.Work == nil || r.ProtoMajor == 1 {
		next.ServeHTTP(w, r)
		return
	}
	p, ok := b.o.Work.enter(r.Context())
	if !ok {
		return // the client is gone
	}
	defer b.o.Work.leave(p)
	if c, ok := r.Context().Value(connKey{}).(*connState); ok && c.conn != nil {
		c.conn.late.Store(p.late) // of the latest request of the connection
	}
	next.ServeHTTP(w, r)
}
