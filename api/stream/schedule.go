package stream

import "time"

// reschedule plans a stream that has fallen behind: at the end of its period, or at its heartbeat. h.mu is held.
func (h *Hub) reschedule(s *stream, at time.Duration) {
	s.at = min(s.beat, max(at, s.sent+s.period))
	h.plan(s)
}

// plan tells the one that serves a stream when it is to be served. h.mu is held.
func (h *Hub) plan(s *stream) {
	switch {
	case s.wake != nil:
		select {
		case s.wake <- struct{}{}:
		default:
		}
	case s.queued >= 0 && h.queues.fix(s):
		h.signal()
	}
}

// signal wakes a worker.
func (h *Hub) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}
