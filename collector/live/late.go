package live

import "time"

// Bounds of the tracking of late positions. The timetable in use says little of what was driven long ago.
const (
	maxLateAge   = 72 * time.Hour   // of a position
	maxLateBuses = 5_000            // tracked at once; positions of further ones stay in the history without arrivals
	lateIdle     = 10 * time.Minute // without a late position, after which a bus is forgotten
)

// lateBuses are the buses of which late positions are tracked, by topic.
type lateBuses map[string]*lateBus

// lateBus is what is known of a bus with late positions.
type lateBus struct {
	device int64     // time of the last position, Unix ms
	heard  time.Time // when it came
}

// admit notes a late position, and reports whether it is tracked. Positions of a bus that go back in time are left to
// the history.
func (l lateBuses) admit(topic string, device int64, now time.Time) bool {
	if now.Sub(time.UnixMilli(device)) > maxLateAge {
		return false
	}
	bus := l[topic]
	switch {
	case bus == nil && len(l) >= maxLateBuses:
		return false
	case bus == nil:
		bus = &lateBus{}
		l[topic] = bus
	case device <= bus.device:
		return false
	}
	bus.device, bus.heard = device, now
	return true
}

// sweep removes the buses without late positions lately, and calls forget for each.
func (l lateBuses) sweep(now time.Time, forget func(topic string)) {
	for topic, bus := range l {
		if now.Sub(bus.heard) > lateIdle {
			delete(l, topic)
			forget(topic)
		}
	}
}
