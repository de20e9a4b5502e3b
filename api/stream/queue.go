package stream

import (
	"container/heap"
	"time"
)

// queue is a heap of streams by when they are to be served.
type queue []*stream

// Len implements heap.Interface.
func (q queue) Len() int { return len(q) }

// Less implements heap.Interface.
func (q queue) Less(i, j int) bool { return q[i].at < q[j].at }

// Swap implements heap.Interface.
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].queued, q[j].queued = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	s := x.(*stream)
	s.queued = len(*q)
	*q = append(*q, s)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	s := (*q)[last]
	s.queued = -1
	(*q)[last] = nil
	*q = (*q)[:last]
	return s
}

// queues holds the streams that workers serve and that no worker is serving now. Narrow streams go first:
// they are cheap, and nobody's view of the whole city may delay a phone. The others together get half of one core.
type queues struct {
	narrow, wide queue
	wideBusy     bool          // whether a worker is serving a wide stream
	wideFrom     time.Duration // when the next wide stream may be served
}

// of returns the queue of a stream.
func (q *queues) of(s *stream) *queue {
	if s.narrow {
		return &q.narrow
	}
	return &q.wide
}

// add adds a stream and reports whether it is the first in its queue.
func (q *queues) add(s *stream) bool {
	heap.Push(q.of(s), s)
	return s.queued == 0
}

// fix restores the order after a change of s.at, and reports whether s is the first in its queue.
func (q *queues) fix(s *stream) bool {
	heap.Fix(q.of(s), s.queued)
	return s.queued == 0
}

// remove removes a stream that is in a queue or in none.
func (q *queues) remove(s *stream) {
	if s.queued >= 0 {
		heap.Remove(q.of(s), s.queued)
	}
}

// idle is how long a worker without any stream sleeps.
const idle = time.Minute

// next removes and returns the stream that is to be served now, or returns nil and how long there is none.
func (q *queues) next(at time.Duration) (*stream, time.Duration) {
	wait := idle
	if len(q.narrow) > 0 {
		if wait = q.narrow[0].at - at; wait <= 0 {
			return heap.Pop(&q.narrow).(*stream), 0
		}
	}
	if len(q.wide) == 0 || q.wideBusy {
		return nil, wait
	}
	if wide := max(q.wide[0].at, q.wideFrom) - at; wide > 0 {
		return nil, min(wait, wide)
	}
	q.wideBusy = true
	s := heap.Pop(&q.wide).(*stream)
	s.wideTurn = true
	return s, 0
}

// served records how long serving a stream took.
func (q *queues) served(s *stream, from, to time.Duration) {
	if s.wideTurn {
		q.wideBusy, s.wideTurn = false, false
		q.charge(from, to)
	}
}

// charge delays the next wide stream by as long as one took.
func (q *queues) charge(from, to time.Duration) { q.wideFrom = to + (to - from) }
