package broker

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"nhip/internal/topics"
)

const (
	// maxCollected is how many levels of topics are looked at for a filter at once. If there are more, the server goes
	// through all retained messages, step by step as the client reads, so that a slow client costs no memory.
	maxCollected = 512
	// scanStep is how many retained messages a step looks at.
	scanStep = 512
)

// retainedStore holds the retained messages.
type retainedStore struct {
	max    int
	expiry *deadlines

	mu    sync.RWMutex
	root  retainedNode
	slots []*retainedEntry // nil: free
	free  []int            // indices of free slots
}

// retainedNode is a level of topics.
type retainedNode struct {
	children map[string]*retainedNode
	entry    *retainedEntry
}

// retainedEntry is the retained message of a topic. The message of a known topic changes under the read lock.
type retainedEntry struct {
	message  atomic.Pointer[Message] // nil: deleted
	slot     int
	deadline *deadline // nil: never had one; guarded by expiryMu
	expiryMu sync.Mutex
}

func newRetainedStore(limit int, expiry *deadlines) *retainedStore {
	return &retainedStore{max: limit, expiry: expiry}
}

func (r *retainedStore) len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.slots) - len(r.free)
}

// put stores the message of a topic. An empty payload deletes it. It returns false if there are too many.
func (r *retainedStore) put(m *Message) bool {
	if len(m.Payload) == 0 {
		r.delete(m.Topic, nil)
		return true
	}
	if r.replace(m) {
		return true
	}
	return r.add(m)
}

// replace changes the message of a known topic.
func (r *retainedStore) replace(m *Message) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e := r.root.find(m.Topic)
	if e == nil {
		return false
	}
	e.message.Store(m)
	r.setDeadline(e, m)
	return true
}

func (r *retainedStore) add(m *Message) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.slots)-len(r.free) >= r.max {
		return false
	}
	n := r.root.grow(m.Topic)
	if n.entry == nil {
		n.entry = &retainedEntry{slot: r.takeSlot()}
		r.slots[n.entry.slot] = n.entry
	}
	n.entry.message.Store(m)
	r.setDeadline(n.entry, m)
	return true
}

func (r *retainedStore) takeSlot() int {
	if last := len(r.free) - 1; last >= 0 {
		slot := r.free[last]
		r.free = r.free[:last]
		return slot
	}
	r.slots = append(r.slots, nil)
	return len(r.slots) - 1
}

// setDeadline sets or removes the deadline of an entry.
func (r *retainedStore) setDeadline(e *retainedEntry, m *Message) {
	e.expiryMu.Lock()
	defer e.expiryMu.Unlock()
	if m.Expires.IsZero() {
		r.expiry.remove(e.deadline)
		return
	}
	if e.deadline == nil {
		e.deadline = &deadline{expired: func() { r.expire(e, time.Now()) }}
	}
	r.expiry.set(e.deadline, m.Expires)
}

// delete removes the message of a topic. If only is not nil, it does so only if that is the topic's entry.
func (r *retainedStore) delete(topic string, only *retainedEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.root.find(topic)
	if e == nil || only != nil && (e != only || !e.message.Load().expired()) {
		return
	}
	r.root.delete(topic, true)
	e.message.Store(nil)
	r.slots[e.slot] = nil
	r.free = append(r.free, e.slot)
	r.expiry.remove(e.deadline)
}

// expire removes an entry whose message has expired.
func (r *retainedStore) expire(e *retainedEntry, now time.Time) {
	if m := e.message.Load(); m != nil && !m.Expires.IsZero() && !m.Expires.After(now) {
		r.delete(m.Topic, e)
	}
}

// get returns the message of a topic, or nil.
func (r *retainedStore) get(topic string) *Message {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if e := r.root.find(topic); e != nil {
		return e.message.Load()
	}
	return nil
}

// find returns the entry of a topic, or nil.
func (n *retainedNode) find(topic string) *retainedEntry {
	for more := true; more; {
		var level string
		level, topic, more = strings.Cut(topic, "/")
		if n = n.children[level]; n == nil {
			return nil
		}
	}
	return n.entry
}

// grow returns the node of a topic, which it makes if necessary.
func (n *retainedNode) grow(topic string) *retainedNode {
	for more := true; more; {
		var level string
		level, topic, more = strings.Cut(topic, "/")
		next := n.children[level]
		if next == nil {
			next = new(retainedNode)
			if n.children == nil {
				n.children = make(map[string]*retainedNode)
			}
			n.children[level] = next
		}
		n = next
	}
	return n
}

// delete removes the entry of a topic and the nodes that lead only to it.
func (n *retainedNode) delete(rest string, more bool) {
	if !more {
		n.entry = nil
		return
	}
	level, rest, more := strings.Cut(rest, "/")
	next := n.children[level]
	if next == nil {
		return
	}
	next.delete(rest, more)
	if next.entry == nil && len(next.children) == 0 {
		delete(n.children, level)
	}
}

// retainedScan is a subscription whose retained messages are not all sent yet.
type retainedScan struct {
	filter  string
	qos     byte
	noLocal bool
	id      int              // subscription id; 0: none
	entries []*retainedEntry // to be sent next
	begun   bool             // entries were looked for
	done    bool             // no entries follow
	many    bool             // too many match for collecting them at once
	slot    int              // the next one to look at, if many
}

// next sets the scan's next entries, of which there may be none although more follow.
func (r *retainedStore) next(scan *retainedScan) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	scan.begun = true
	if !scan.many {
		c := collector{filter: scan.filter}
		if r.root.collect(scan.filter, true, &c) {
			scan.entries, scan.done = c.found, true
			return
		}
		scan.many = true
	}
	end := min(scan.slot+scanStep, len(r.slots))
	for _, e := range r.slots[min(scan.slot, end):end] {
		if e != nil && topics.Match(scan.filter, e.message.Load().Topic) {
			scan.entries = append(scan.entries, e)
		}
	}
	scan.slot, scan.done = end, end == len(r.slots)
}

// collector collects the entries that match a filter.
type collector struct {
	filter string
	nodes  int // looked at
	found  []*retainedEntry
}

// add adds a node's entry. A wildcard in the first level does not match topics that begin with "$".
func (c *collector) add(n *retainedNode) {
	if n.entry != nil && topics.Match(c.filter, n.entry.message.Load().Topic) {
		c.found = append(c.found, n.entry)
	}
}

// collect collects the entries that match the rest of a filter below a node. It gives up, and returns false, when it
// has looked at too many nodes.
func (n *retainedNode) collect(rest string, more bool, c *collector) bool {
	if c.nodes++; c.nodes > maxCollected {
		return false
	}
	if !more {
		c.add(n)
		return true
	}
	level, rest, more := strings.Cut(rest, "/")
	switch level {
	case "#":
		c.add(n)
		return n.collectChildren("#", true, c)
	case "+":
		return n.collectChildren(rest, more, c)
	}
	if next := n.children[level]; next != nil {
		return next.collect(rest, more, c)
	}
	return true
}

// collectChildren is collect for all children.
func (n *retainedNode) collectChildren(rest string, more bool, c *collector) bool {
	for _, next := range n.children {
		if !next.collect(rest, more, c) {
			return false
		}
	}
	return true
}
