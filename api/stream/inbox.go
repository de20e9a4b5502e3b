package stream

import (
	"math"
	"time"

	"nhip/api/encode"
)

// Limits of what waits for a client.
const (
	maxControl = 1024 // bytes; pongs beyond are omitted
	maxNotices = 16
)

// wishRest is how many times as long as a new subscription takes no other one is served: thousands of clients that
// change theirs every second must not delay what the others are sent.
const wishRest = 4

// appendInbox appends what waits for a client, and serves its wish. h.mu is held.
func (h *Hub) appendInbox(s *stream, b []byte, at time.Duration) []byte {
	if !s.hasMail() {
		return b
	}
	if s.wish != nil && !s.closing && at >= h.wishFrom {
		began := h.elapsed()
		h.resubscribe(s, s.wish)
		s.wish = nil
		h.wishFrom = at + wishRest*(h.elapsed()-began)
	}
	for _, n := range s.notices {
		b = s.appendEvent(b, n.name, n.data)
	}
	b = append(b, s.control...)
	s.notices, s.control = nil, nil
	return b
}

// resubscribe gives a stream another subscription. What its client lacks then, or has and no longer wants, waits in
// s.pending. h.mu is held, and s is in no queue.
func (h *Hub) resubscribe(s *stream, to *view) {
	h.unsubscribe(s)
	h.unwatch(&s.view)
	followed := !s.narrow // the log, up to s.cursor
	s.view, s.tag, s.narrow = *to, "", to.subscription.narrow()
	if s.narrow {
		h.narrow.add(s)
	}
	s.behind, s.ready, s.snapshot = true, false, math.MaxUint64
	if !s.filled {
		s.cursor = 0
		return
	}
	var moved []uint32 // whose description may have changed outside the old subscription
	s.pending.each(func(key uint32) { moved = append(moved, key|1) })
	for _, key := range moved {
		s.pending.add(key, 2*len(h.objects))
	}
	for _, o := range h.objects {
		if o == nil {
			continue
		}
		if s.shown.has(o.slot) != (o.present() && s.shows(o)) || followed && o.changed > s.cursor {
			s.pending.add(2*o.slot+1, 2*len(h.objects))
		}
	}
	s.cursor = h.log.last
}

// wishFor notes that a client wants another subscription. ref is its name for that; "" is none.
func (h *Hub) wishFor(s *stream, to view, ref string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.left {
		return nil
	}
	if err := h.watch(&to); err != nil {
		return h.tell(s, errorNotice(err, ref))
	}
	if s.wish != nil {
		h.unwatch(s.wish)
	}
	s.wish = &to
	h.metrics.messages.WithLabelValues("subscribed").Inc()
	data := []byte("{")
	if ref != "" {
		data = encode.Text(append(data, `"ref":`...), ref)
	}
	return h.tell(s, notice{"subscribed", append(data, '}')})
}

// notify sends an event to one client. The error is a *closing if the client does not read.
func (h *Hub) notify(s *stream, n notice) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tell(s, n)
}

// tell is notify. h.mu is held.
func (h *Hub) tell(s *stream, n notice) error {
	if len(s.notices) == maxNotices {
		return &closing{statusPolicy, "the answers are not read"}
	}
	s.notices = append(s.notices, n)
	h.prod(s)
	return nil
}

// control sends a frame that the protocol asks for. closing says that it is the last one.
func (h *Hub) control(s *stream, frame []byte, closing bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.closing || s.left || !closing && len(s.control)+len(frame) > maxControl {
		return
	}
	s.control, s.closing = append(s.control, frame...), closing
	h.prod(s)
}

// heardFrom notes that a client is there.
func (h *Hub) heardFrom(s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.heard = h.elapsed()
}

// prod makes a stream be served soon. h.mu is held.
func (h *Hub) prod(s *stream) {
	at := h.elapsed()
	s.at = min(s.beat, max(at, s.sent+min(s.period, narrowPeriod)))
	h.plan(s)
}
