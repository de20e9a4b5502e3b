package stream

import (
	"math"
	"net/netip"
	"strconv"
	"time"

	"nhip/api/encode"
)

// stream is the stream of one client. The mutex of its hub guards it, except connection, which belongs to the goroutine
// that serves the stream.
type stream struct {
	view
	from   netip.Prefix // where the client is
	narrow bool         // whether it is in the grid

	begun    bool    // whether hello was sent
	ready    bool    // whether ready was sent
	behind   bool    // whether there may be changes that the client lacks
	cursor   uint64  // number of the last change that was read in the log
	filled   bool    // whether it has read the log to its end
	snapshot uint64  // number of the last change when the stream was opened
	pending  slotSet // changes of a narrow box since then, as Hub.concern notes them
	shown    slotSet

	at   time.Duration // when it is to be served
	sent time.Duration // when it was served
	beat time.Duration // when the next heartbeat is due

	place int  // in its queue; -1: in none
	left  bool // whether it has ended

	wake        chan struct{} // for the goroutine that serves it; nil: workers do
	*connection               // nil: the goroutine that serves it has its own
}

// part is the name of this package in the metric of panics.
const part = "stream"

// Bounds of what a stream is given at a time. More follows at once.
const (
	frameBytes = 64 << 10 // from which no event is added
	frameScan  = 8192     // changes that are read
)

// compose appends to b what a stream's client needs next, and reports whether more follows. h.mu is held.
func (h *Hub) compose(s *stream, b []byte, at time.Duration) (frame []byte, more bool) {
	if !s.begun {
		b = h.appendTime(b, "hello", s.compact)
		s.begun = true
	}
	if at >= s.beat {
		b = h.appendTime(b, "time", false)
		s.beat = at + h.o.heartbeat
	}
	if s.behind {
		h.rows = h.rows[:0]
		b, more = h.appendChanges(s, b, at)
		b = appendMoves(b, h.rows)
		s.behind = more
	}
	if !s.ready && s.cursor >= s.snapshot {
		b = append(b, "event: ready\ndata: {}\n\n"...)
		s.ready = true
	}
	return b, more
}

// appendChanges appends the changes that a stream's client lacks, or as many as fit, and reports whether more follow.
// Rows go to h.rows.
func (h *Hub) appendChanges(s *stream, b []byte, at time.Duration) (frame []byte, more bool) {
	now := h.o.Clock.Now()
	if s.narrow && s.filled {
		return h.appendPending(s, b, now, at)
	}
	for i, c := range h.log.after(s.cursor) {
		if i == frameScan || h.full(b) {
			return b, true
		}
		s.cursor = c.number
		if o := h.objects[c.slot]; o != nil && o.concerns(c, s.compact) {
			b = h.appendObject(s, b, o, o.described < c.number, now, at)
		}
	}
	s.cursor, s.filled = h.log.last, true
	if !s.narrow {
		h.resting = append(h.resting, s)
	}
	return b, false
}

// appendPending is appendChanges for the changes that Hub.concern has noted.
func (h *Hub) appendPending(s *stream, b []byte, now time.Time, at time.Duration) (frame []byte, more bool) {
	described := uint32(math.MaxUint32) // the slot whose description was sent last
	for !h.full(b) {
		key, ok := s.pending.pop()
		if !ok {
			return b, false
		}
		slot, moved := key/2, key%2 == 0
		if moved && slot == described {
			continue // what it needs was sent with the description, whose key is higher
		}
		if !moved {
			described = slot
		}
		if o := h.objects[slot]; o != nil {
			b = h.appendObject(s, b, o, moved, now, at)
		}
	}
	return b, true
}

// full reports whether a frame that is being composed has reached its size.
func (h *Hub) full(b []byte) bool { return len(b)+len(h.rows) >= frameBytes }

// appendObject appends the event of a changed object, or its row to h.rows, unless the client does not need it. moved
// says that the client knows the object's description.
func (h *Hub) appendObject(
	s *stream, b []byte, o *object, moved bool, now time.Time, at time.Duration,
) (out []byte) {
	rows := len(h.rows)
	defer h.o.Guard.Recover(part, func() { out, h.rows = b, h.rows[:rows] }) // others need the rest of the frame
	visible := o.present() && !o.aged(now) && (!s.boxed || o.placed && s.box.Contains(o.point)) && o.in(s.sees)
	shown := s.shown.has(o.slot)
	switch {
	case visible && shown && moved && s.compact && o.bus != nil:
		h.rows = o.appendRow(append(h.rows, ','), h.base)
	case visible:
		if !shown {
			s.shown.add(o.slot, len(h.objects))
			o.shownBy++
		}
		return o.appendEvent(b, s.compact, now, at)
	case shown:
		s.shown.remove(o.slot)
		o.shownBy--
		return o.appendGone(b)
	}
	return b
}

// appendMoves appends an event with rows, each of which has a comma before it.
func appendMoves(b, rows []byte) []byte {
	if len(rows) == 0 {
		return b
	}
	b = append(appendEventHead(b, "moves"), '[')
	b = append(b, rows[1:]...)
	return append(b, "]\n\n"...)
}

// appendTime appends an event with the city's time and how many city seconds pass in a real one; with base also the
// time to which rows refer.
func (h *Hub) appendTime(b []byte, name string, base bool) []byte {
	rate := 1.0
	if r, ok := h.o.Clock.(interface{ Rate() float64 }); ok {
		rate = r.Rate()
	}
	b = append(appendEventHead(b, name), `{"rate":`...)
	b = strconv.AppendFloat(b, rate, 'g', -1, 64)
	b = encode.TimeField(b, h.o.Clock.Now())
	if base {
		b = append(b, `,"base":"`...)
		b = h.base.AppendFormat(b, time.RFC3339Nano)
		b = append(b, '"')
	}
	return append(b, "}\n\n"...)
}
