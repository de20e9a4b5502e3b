package stream

import (
	"net/netip"
	"slices"

	"nhip"
)

// Errors of join.
var (
	errStopping   = nhip.Errorf(nhip.CodeUnavailable, "", "the server is stopping")
	errFull       = nhip.Errorf(nhip.CodeUnavailable, "", "there are too many live streams; try again later")
	errPerAddress = nhip.Errorf(nhip.CodeUnavailable, "", "there are too many live streams from this address")
)

// join opens a stream of a client at an address, which continues after the event with the id lastID if that is not "".
// It returns one of the errors above if that can't be.
func (h *Hub) join(v view, from netip.Prefix, lastID string) (*stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, errStopping
	case h.o.MaxStreams > 0 && len(h.streams) >= h.o.MaxStreams:
		h.metrics.refused.WithLabelValues("full").Inc()
		return nil, errFull
	case h.o.PerAddress > 0 && h.addresses[from] >= h.o.PerAddress:
		h.metrics.refused.WithLabelValues("address").Inc()
		return nil, errPerAddress
	}
	if err := h.watch(&v); err != nil {
		return nil, err
	}
	at := h.elapsed()
	s := &stream{
		view: v, from: from, narrow: v.subscription.narrow(), queued: -1,
		at: at, sent: at - v.period, beat: at + h.o.heartbeat, heard: at, behind: true, snapshot: h.log.last,
	}
	h.resumeOrReset(s, lastID)
	h.streams[s] = struct{}{}
	h.addresses[from]++
	if s.narrow {
		h.narrow.add(s)
	}
	h.metrics.open(s.transport(), 1)
	return s, nil
}

// leave ends a stream, and reports false if it has ended before.
func (h *Hub) leave(s *stream, reason string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.left {
		return false
	}
	s.left = true
	delete(h.streams, s)
	if h.addresses[s.from]--; h.addresses[s.from] == 0 {
		delete(h.addresses, s.from)
	}
	h.unsubscribe(s)
	h.unwatch(&s.view)
	h.queues.remove(s)
	s.shown.each(func(slot uint32) { h.objects[slot].shownBy-- })
	s.shown = slotSet{}
	h.metrics.open(s.transport(), -1)
	h.metrics.ended.WithLabelValues(reason).Inc()
	return true
}

// unsubscribe takes a stream out of those that are told of changes. h.mu is held.
func (h *Hub) unsubscribe(s *stream) {
	if s.narrow {
		h.narrow.remove(s)
	} else if i := slices.Index(h.resting, s); i >= 0 {
		h.resting = slices.Delete(h.resting, i, i+1)
	}
}
