package stream

import (
	"slices"
	"time"

	"nhip"
)

// Bus implements live.Observer.
func (h *Hub) Bus(topic string, b *nhip.Bus) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.object(topic, kindBus, b.Agency, b.ID)
	moved := o.bus != nil && sameDescription(o.reference, b)
	o.bus = b
	if !moved {
		o.reference = b
	}
	now := place{point: b.Point(), placed: true, lines: o.lines}
	if !moved || now.lines == nil {
		now.lines = linesOf(b)
	}
	h.move(o, now, b.Time.Add(nhip.BusExpiresAfter), !moved)
}

// linesOf returns the names under which clients subscribe to the line of a bus.
func linesOf(b *nhip.Bus) []string {
	lines := []string{}
	for _, name := range [...]string{b.Line, b.Route} {
		if name != "" && !slices.Contains(lines, name) {
			lines = append(lines, name)
		}
	}
	return lines
}

// Station implements live.Observer.
func (h *Hub) Station(topic string, s *nhip.Station) {
	var now place
	if now.point, now.placed = s.Point(); now.placed && h.o.Watch.ZonesAt != nil {
		now.zones = h.o.Watch.ZonesAt(now.point)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.object(topic, kindAir, "", s.ID)
	same := o.station != nil && sameStation(o.station, s) && slices.Equal(o.zones, now.zones)
	if o.station, o.last = s, s; same {
		return // a collector publishes a station after each step of its assessment
	}
	h.move(o, now, s.Time.Add(nhip.StationExpiresAfter), true)
}

// BusGone implements live.Observer.
func (h *Hub) BusGone(topic, _, _ string) { h.gone(topic) }

// StationGone implements live.Observer.
func (h *Hub) StationGone(topic, _ string) { h.gone(topic) }

func (h *Hub) gone(topic string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.byTopic[topic]
	if o == nil || !o.present() {
		return
	}
	o.bus, o.station, o.reference = nil, nil, nil
	h.touch(o, o.place, true)
}

// object returns the object of a topic, which it makes if there is none.
func (h *Hub) object(topic, kind, agency, id string) *object {
	if o := h.byTopic[topic]; o != nil {
		return o
	}
	o := &object{topic: topic, kind: kind, agency: agency, id: id}
	if last := len(h.unused) - 1; last >= 0 {
		o.slot, h.unused = h.unused[last], h.unused[:last]
		h.objects[o.slot] = o
	} else {
		o.slot = uint32(len(h.objects))
		h.objects = append(h.objects, o)
	}
	h.byTopic[topic] = o
	return o
}

// move sets the place of an object that has changed. described says that more changed than a row holds.
func (h *Hub) move(o *object, now place, expires time.Time, described bool) {
	was := o.place
	o.place, o.expires, o.expired = now, expires, false
	h.touch(o, was, described)
}

// touch logs a change of an object and schedules the streams that it concerns: those whose subscription covers its
// place or the place where it was, and all whose subscription is not narrow. h.mu is held.
func (h *Hub) touch(o *object, was place, described bool) {
	o.outdate()
	o.changed = h.log.add(o.slot)
	if described {
		o.described = o.changed
	}
	o.recent.add(&o.place)
	at := h.elapsed()
	h.narrow.each(o, &o.place, func(s *stream) {
		entered := !described && !s.covers(o, &was) // its description may have changed outside
		h.concern(s, o, described || entered, at)
	})
	if was.placed && (was.point != o.point || !o.placed) || described {
		h.narrow.each(o, &was, func(s *stream) { h.concern(s, o, described, at) })
	}
	for _, s := range h.resting {
		s.behind, s.cursor = true, o.changed-1
		h.reschedule(s, at)
	}
	h.resting = h.resting[:0]
	if len(h.log.changes) > 3*len(h.byTopic)+compactMargin {
		h.compact()
	}
}

// concern notes a change for a stream of a narrow box: twice the slot of an object, and one more if its description has
// to be sent.
func (h *Hub) concern(s *stream, o *object, describe bool, at time.Duration) {
	if !s.filled {
		return // it will find the change in the log
	}
	key := 2 * o.slot
	if describe {
		key++
	}
	s.pending.add(key, 2*len(h.objects))
	if !s.behind {
		s.behind = true
		h.reschedule(s, at)
	}
}

// compactMargin is how many outdated changes the log may hold beyond three for each object, so that small logs are not
// compacted at every change. Of each object up to two changes are kept.
const compactMargin = 1024

// compact removes outdated changes from the log, and objects that have left and are on no client's map.
func (h *Hub) compact() {
	h.log.compact(func(c change) bool {
		o := h.objects[c.slot]
		if o == nil || !o.concerns(c, true) {
			return false
		}
		if o.present() || o.shownBy > 0 || o.inUse() || c.number > h.epochs.earliest {
			return true // of what has gone lately, clients that resume are told
		}
		h.remove(o)
		return false
	})
}

// remove removes an object that no client has. h.mu is held.
func (h *Hub) remove(o *object) {
	delete(h.byTopic, o.topic)
	h.objects[o.slot] = nil
	h.unused = append(h.unused, o.slot)
}

// sweep tells the streams about the objects that have expired since the last sweep, and about those that no longer
// have, because the clock was set back.
func (h *Hub) sweep() {
	now := h.o.Clock.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.beginEpochIfDue(h.elapsed())
	for _, o := range h.objects {
		if o != nil && o.present() && o.aged(now) != o.expired {
			o.expired = !o.expired
			h.touch(o, o.place, true)
		}
	}
}
