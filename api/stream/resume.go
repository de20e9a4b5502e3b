package stream

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// epochLength is the length of an epoch. A client can resume for at least one epoch, and at most two, after the last
// event that it has had.
const epochLength = time.Minute

// beginEpochIfDue begins an epoch if the last one has its length. h.mu is held.
func (h *Hub) beginEpochIfDue(at time.Duration) {
	if at-h.epochs.began >= epochLength {
		h.beginEpoch(at)
	}
}

func (h *Hub) beginEpoch(at time.Duration) {
	h.epochs = epochs{earliest: h.epochs.current, current: h.log.last, began: at}
	for _, o := range h.objects {
		if o != nil {
			o.earlier, o.recent = o.recent, trail{}
			o.recent.add(&o.place)
		}
	}
}

// maxEventID is the length of the longest id of an event that is read.
const maxEventID = 32

// digits is the base of the numbers in ids of events.
const digits = 36

// appendID appends the id of an event after which a client has everything up to a change. It begins with what the
// number depends on: the hub, and what the client asked for.
func (h *Hub) appendID(b []byte, s *stream, change uint64) []byte {
	if s.tag == "" {
		s.tag = h.tag(&s.view)
	}
	b = append(append(b, s.tag...), '-')
	return strconv.AppendUint(b, change, digits)
}

func (h *Hub) tag(v *view) string {
	hash := fnv.New32a()
	_, _ = fmt.Fprintf(hash, "%d %v %v %q %q %q %q %v %v", h.seed, v.box, v.boxed, v.lines, v.stops, v.stations, v.zones,
		v.alerts, v.form) // never fails
	_, _ = fmt.Fprintf(hash, "%q", audienceOf(v.sees))
	return strconv.FormatUint(uint64(hash.Sum32()), digits)
}

// resumeOrReset makes a new stream continue after the event with an id, if there is one. If that can't be, the stream
// tells its client why. h.mu is held.
func (h *Hub) resumeOrReset(s *stream, lastID string) {
	if lastID == "" {
		return
	}
	number, reset := h.resumable(&s.view, lastID)
	if reset != "" {
		s.reset = reset
		h.metrics.resumed.WithLabelValues(reset).Inc()
		return
	}
	h.metrics.resumed.WithLabelValues("resumed").Inc()
	s.resumed, s.ready, s.filled, s.cursor = true, true, true, h.log.last
	for _, o := range h.objects {
		if o == nil || !s.maySee(o) {
			continue
		}
		missed := o.changed > number
		if missed && (!s.mayHaveCovered(o) || o.pending()) || !missed && (!o.present() || o.expired || !s.shows(o)) {
			continue // the client has it neither before nor now
		}
		s.shown.add(o.slot, len(h.objects))
		o.shownBy++
		if missed { // whether the client knows its description is not known
			s.pending.add(2*o.slot+1, 2*len(h.objects))
		}
	}
}

// resumable returns the number in the id of an event, or why a stream can't continue after it.
func (h *Hub) resumable(v *view, id string) (number uint64, reset string) {
	tag, text, ok := strings.Cut(id, "-")
	if !ok || len(id) > maxEventID || tag != h.tag(v) {
		return 0, resetUnknown
	}
	number, err := strconv.ParseUint(text, digits, 64)
	switch {
	case err != nil || number > h.log.last:
		return 0, resetUnknown
	case number < h.epochs.earliest:
		return 0, resetOld
	}
	return number, ""
}
