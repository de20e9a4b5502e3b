package live

import (
	"time"

	"nhip"
	"nhip/geo/network"
	"nhip/geo/track"
)

// Bounds of the tracking of late positions. The timetable in use says little of what was driven long ago.
const (
	maxLateAge   = 72 * time.Hour   // of a position
	maxLateBuses = 5_000            // tracked at once; positions of further ones stay in the history without arrivals
	lateIdle     = 10 * time.Minute // without a late position, after which a bus is forgotten
)

// lateTracker finds the arrivals of buses whose positions come hours after they were measured, such as those that a
// device has kept while it had no connection, or those of a file of yesterday. It tracks them apart from the current
// state, which they do not change, and its arrivals go to the database only. Nothing of it is in the snapshot: after a
// start, a bus is tracked from its next late position on. It must be used under the State's lock, in the journal's
// order.
type lateTracker struct {
	*busTracker
	buses map[string]*lateBus // by topic
}

// lateBus is what is known of a bus with late positions.
type lateBus struct {
	device int64     // time of the last position, Unix ms
	heard  time.Time // when it came
}

func newLateTracker(n *network.Network, arrivals *ArrivalWriter) *lateTracker {
	t := &busTracker{
		tracker: track.New(n), put: arrivals.putLate, lastArrival: make(map[string]time.Time),
	}
	return &lateTracker{busTracker: t, buses: make(map[string]*lateBus)}
}

// follow tracks a late position. Positions of a bus that go back in time are left to the history.
func (t *lateTracker) follow(topic string, b *lastPosition, lines *fleetLines, now time.Time) {
	if now.Sub(time.UnixMilli(b.time)) > maxLateAge {
		return
	}
	bus := t.buses[topic]
	switch {
	case bus == nil && len(t.buses) >= maxLateBuses:
		return
	case bus == nil:
		bus = &lateBus{}
		t.buses[topic] = bus
	case b.device <= bus.device:
		return
	}
	bus.device, bus.heard = b.device, now
	t.track(topic, b, lines)
}

// sweep forgets buses without late positions lately.
func (t *lateTracker) sweep(now time.Time) {
	for topic, bus := range t.buses {
		if now.Sub(bus.heard) > lateIdle {
			delete(t.buses, topic)
			t.forget(topic)
		}
	}
}

// followLate tracks a position that is too late for the current state.
func (s *State) followLate(topic string, b *lastPosition, now time.Time) {
	if s.tracker == nil || s.arrivals == nil {
		return
	}
	if s.late == nil {
		s.late = newLateTracker(s.tracker.tracker.Network(), s.arrivals)
	}
	s.late.follow(topic, b, &s.fleetLines, now)
}

// sweepLate frees the tracking of late positions once it holds no bus.
func (s *State) sweepLate(now time.Time) {
	if s.late == nil {
		return
	}
	if s.late.sweep(now); len(s.late.buses) == 0 {
		s.late = nil
	}
}

// putLate queues an arrival of the past for the database only: nobody waits for it. It never blocks.
func (w *ArrivalWriter) putLate(a nhip.Arrival) {
	w.metrics.arrivals.Inc()
	w.enqueue(a)
}
