package broker

import (
	"strings"
	"sync"
	"sync/atomic"
)

// subscription is a session's subscription to a filter.
type subscription struct {
	session *session
	options atomic.Pointer[subscriptionOptions]
	removed atomic.Bool
}

type subscriptionOptions struct {
	ids         []int // the subscription id, if it has one
	qos         byte
	noLocal     bool
	asPublished bool
}

// subscriptionTree finds the subscriptions to a topic. Each node is a level of filters.
type subscriptionTree struct {
	mu   sync.RWMutex
	root subscriptionNode
	n    atomic.Int64
}

type subscriptionNode struct {
	children map[string]*subscriptionNode // by level, also "+" and "#"
	subs     []*subscription              // appended to, and replaced when many are removed: readers may keep it
	removed  int                          // of subs
}

func (t *subscriptionTree) len() int { return int(t.n.Load()) }

func (t *subscriptionTree) add(filter string, sub *subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	node := &t.root
	for more := true; more; {
		var level string
		level, filter, more = strings.Cut(filter, "/")
		next := node.children[level]
		if next == nil {
			next = new(subscriptionNode)
			if node.children == nil {
				node.children = make(map[string]*subscriptionNode)
			}
			node.children[strings.Clone(level)] = next
		}
		node = next
	}
	node.subs = append(node.subs, sub)
	t.n.Add(1)
}

// remove removes a subscription that was added with the filter.
func (t *subscriptionTree) remove(filter string, sub *subscription) {
	if sub.removed.Swap(true) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.root.remove(filter, true)
	t.n.Add(-1)
}

// remove counts a removed subscription at the end of the filter, and drops nodes without subscriptions.
func (n *subscriptionNode) remove(rest string, more bool) {
	if !more {
		n.removed++
		n.compact()
		return
	}
	level, rest, more := strings.Cut(rest, "/")
	next := n.children[level]
	if next == nil {
		return
	}
	next.remove(rest, more)
	if len(next.subs) == 0 && len(next.children) == 0 {
		delete(n.children, level)
		if len(n.children) == 0 {
			n.children = nil
		}
	}
}

// compact makes a new list when half of the present one is removed, so that a removal takes constant time on average.
func (n *subscriptionNode) compact() {
	if n.removed*2 < len(n.subs) {
		return
	}
	var left []*subscription
	for _, s := range n.subs {
		if !s.removed.Load() {
			left = append(left, s)
		}
	}
	n.subs, n.removed = left, 0
}

// match appends the lists of subscriptions to a topic. Some of them may be removed.
func (t *subscriptionTree) match(topic string, lists [][]*subscription) [][]*subscription {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.root.match(topic, true, strings.HasPrefix(topic, "$"), lists)
}

// match is subscriptionTree.match for the levels below a node; hidden topics don't match a wildcard in the first level.
func (n *subscriptionNode) match(rest string, more, hidden bool, lists [][]*subscription) [][]*subscription {
	if !hidden {
		if all := n.children["#"]; all != nil && len(all.subs) > 0 {
			lists = append(lists, all.subs)
		}
	}
	if !more {
		if len(n.subs) > 0 {
			lists = append(lists, n.subs)
		}
		return lists
	}
	level, rest, more := strings.Cut(rest, "/")
	if next := n.children[level]; next != nil {
		lists = next.match(rest, more, false, lists)
	}
	if hidden {
		return lists
	}
	if next := n.children["+"]; next != nil {
		lists = next.match(rest, more, false, lists)
	}
	return lists
}
