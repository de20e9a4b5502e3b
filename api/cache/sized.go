package cache

import (
	"container/list"
	"sync"

	"nhip"
)

// Sized caches values by key. When their total cost exceeds a limit, it evicts the least recently used ones. A value
// never changes: a key must identify its content.
type Sized[K comparable, V any] struct {
	limit int
	cost  func(V) int

	mu    sync.Mutex
	slots map[K]*list.Element // of *slot
	order *list.List          // the most recently used first
	stats Stats
}

// Stats are the counts of a Sized cache.
type Stats struct {
	Hits  int // calls of Get that found an entry
	Built int // values that were built
	Cost  int // sum over all entries, in the unit of the cost function
}

type slot[K comparable, V any] struct {
	key   K
	ready chan struct{} // closed once value or err is set
	value V
	err   error

	counted bool // in Stats.Cost
}

// NewSized returns an empty cache. cost returns the cost of a value, such as its bytes, after it is built.
func NewSized[K comparable, V any](limit int, cost func(V) int) *Sized[K, V] {
	return &Sized[K, V]{limit: limit, cost: cost, slots: make(map[K]*list.Element), order: list.New()}
}

// errPanicked is the error of callers that waited for a value when its build panicked.
var errPanicked = nhip.Errorf(nhip.CodeInternal, "", "the answer can't be built")

// Get returns the value of a key and builds it if it is not cached. Concurrent callers of a key wait for one build. The
// error of a failed build is not cached.
func (c *Sized[K, V]) Get(key K, build func() (V, error)) (V, error) {
	c.mu.Lock()
	if e := c.slots[key]; e != nil {
		c.order.MoveToFront(e)
		c.stats.Hits++
		c.mu.Unlock()
		s := e.Value.(*slot[K, V])
		<-s.ready
		return s.value, s.err
	}
	s := &slot[K, V]{key: key, ready: make(chan struct{}), err: errPanicked}
	e := c.order.PushFront(s)
	c.slots[key] = e
	c.stats.Built++
	c.mu.Unlock()
	defer c.settle(e)
	defer close(s.ready)
	s.value, s.err = build()
	return s.value, s.err
}

// settle adds the cost of a built value and evicts others if necessary. It removes the slot of a failed build.
func (c *Sized[K, V]) settle(e *list.Element) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := e.Value.(*slot[K, V])
	if s.err != nil {
		c.order.Remove(e)
		delete(c.slots, s.key)
		return
	}
	c.stats.Cost += c.cost(s.value)
	s.counted = true
	for back := c.order.Back(); c.stats.Cost > c.limit && back != nil; {
		old, before := back.Value.(*slot[K, V]), back.Prev()
		if old.counted { // otherwise it is being built
			c.stats.Cost -= c.cost(old.value)
			c.order.Remove(back)
			delete(c.slots, old.key)
		}
		back = before
	}
}

// Stats returns the counts.
func (c *Sized[K, V]) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// Len returns the number of entries.
func (c *Sized[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.order.Len()
}
