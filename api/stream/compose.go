package stream

import (
	"math"
	"strconv"
	"time"

	"nhip/api/encode"

	"github.com/paulmach/orb"
)

// part is the name of this package in the metric of panics.
const part = "stream"

// compose appends to b what a stream's client needs next, and reports whether more follows. h.mu is held.
func (h *Hub) compose(s *stream, b []byte, at time.Duration) (frame []byte, more bool) {
	start := len(b)
	b = h.appendInbox(s, b, at)
	if s.closing {
		return b, false
	}
	if !s.begun {
		b = h.appendBeginning(s, b)
	}
	beat := at >= s.beat
	if beat {
		b = h.appendBeat(s, b, at)
	}
	if s.behind {
		h.rows = h.rows[:0]
		b, more = h.appendChanges(s, b, at)
		b = s.appendMoves(b, h.rows)
		s.behind = more
	}
	ready := !s.ready && (!more || s.cursor >= s.snapshot)
	if ready {
		b = s.appendEvent(b, "ready", emptyObject)
		s.ready = true
	}
	if !more && len(b) > start && (s.form != formShort || beat || ready || at-s.ids >= idEvery) {
		b = h.appendMark(s, b, at)
	}
	return b, more
}

var emptyObject = []byte("{}")

// idEvery is how often a stream of the short form gets an id.
const idEvery = 5 * time.Second

// appendMark gives the last event the id after which the client has everything.
func (h *Hub) appendMark(s *stream, b []byte, at time.Duration) []byte {
	s.ids = at
	h.scratch = h.appendID(h.scratch[:0], s, h.log.last)
	return s.appendID(b, h.scratch)
}

// appendBeginning appends the events with which a stream begins.
func (h *Hub) appendBeginning(s *stream, b []byte) []byte {
	s.begun = true
	if s.reset != "" {
		b = s.appendEvent(b, "reset", append(encode.Text([]byte(`{"reason":`), s.reset), '}'))
	}
	name := "hello"
	if s.resumed {
		name = "resumed"
	}
	return s.appendEvent(b, name, h.appendTime(h.scratch[:0], s.form))
}

// appendBeat appends the events of a heartbeat. The first clients knew it as time.
func (h *Hub) appendBeat(s *stream, b []byte, at time.Duration) []byte {
	s.beat = at + h.o.heartbeat
	h.scratch = h.appendTime(h.scratch[:0], formPlain)
	if !s.socket && s.form != formShort {
		b = s.appendEvent(b, "time", h.scratch)
	}
	b = s.appendEvent(b, "beat", h.scratch)
	if !s.socket {
		return b
	}
	s.dead = at-s.heard > silentBeats*h.o.heartbeat
	return append(b, pingFrame...)
}

// appendChanges appends the changes that a stream's client lacks, or as many as fit, and reports whether more follow.
// Rows go to h.rows.
func (h *Hub) appendChanges(s *stream, b []byte, at time.Duration) (frame []byte, more bool) {
	now := h.o.Clock.Now()
	if b, more = h.appendPending(s, b, now, at); more || s.narrow && s.filled {
		return b, more
	}
	for i, c := range h.log.after(s.cursor) {
		if i == frameScan || h.full(b) {
			return b, true
		}
		s.cursor = c.number
		if o := h.objects[c.slot]; o != nil && o.concerns(c, s.form != formPlain) {
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
	visible := o.present() && !o.aged(now) && s.shows(o)
	shown := s.shown.has(o.slot)
	switch {
	case visible && shown && moved && s.form != formPlain && o.bus != nil:
		h.rows = append(append(h.rows, ','), o.row(s.form, h.base, h.zero, now, at)...)
	case visible:
		if !shown {
			s.shown.add(o.slot, len(h.objects))
			o.shownBy++
		}
		name, data := o.event(s.form, h.zero, now, at)
		return s.appendEvent(b, name, data)
	case shown:
		s.shown.remove(o.slot)
		o.shownBy--
		h.scratch = o.appendGone(h.scratch[:0], s.form)
		return s.appendEvent(b, "gone", h.scratch)
	}
	return b
}

// appendTime appends the city's time and how many city seconds pass in a real one, and that to which rows refer.
func (h *Hub) appendTime(b []byte, f form) []byte {
	rate := 1.0
	if r, ok := h.o.Clock.(interface{ Rate() float64 }); ok {
		rate = r.Rate()
	}
	b = append(b, `{"rate":`...)
	b = strconv.AppendFloat(b, rate, 'g', -1, 64)
	b = encode.TimeField(b, h.o.Clock.Now())
	switch f {
	case formCompact:
		b = append(b, `,"base":"`...)
		b = h.base.AppendFormat(b, time.RFC3339Nano)
		b = append(b, '"')
	case formShort:
		zero := h.origin()
		b = encode.Float(append(b, `,"origin":[`...), zero[0])
		b = append(encode.Float(append(b, ','), zero[1]), ']')
	}
	return append(b, '}')
}

// originSteps is the precision of the origin, in steps per degree.
const originSteps = 10

// origin returns the point to which places in the short form refer: near the first object that has a place, so that
// numbers are short. It never changes once a client may know it. h.mu is held.
func (h *Hub) origin() orb.Point {
	if h.zeroKnown {
		return h.zero
	}
	h.zeroKnown = true
	for _, o := range h.objects {
		if o != nil && o.placed {
			h.zero = orb.Point{encode.Round(o.point[0], originSteps), encode.Round(o.point[1], originSteps)}
			break
		}
	}
	return h.zero
}
