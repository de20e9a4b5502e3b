package live

import (
	"time"

	"nhip"
)

// signOnHolds is how long a sign-on counts that is not followed by another or by a sign-off, as when the driver forgets
// it: longer than any trip of a city bus.
const signOnHolds = 4 * time.Hour

// signOn is the trip to which a bus has signed on. Boxes of some systems report it once, at the start of the trip, and
// their positions have neither line nor trip. It is evidence of the line for the tracker, as if each position had it.
// An empty line and trip are a sign-off, which is kept so that an older sign-on that arrives later does not count.
type signOn struct {
	Time int64  `json:"time_ms"` // of the device
	Line string `json:"line,omitempty"`
	Trip string `json:"trip,omitempty"`
}

// signOnOf returns the sign-on of an event, or nil if it is none. A sign-off has no line and no trip.
func signOnOf(p *nhip.Position) *signOn {
	switch p.Event {
	case nhip.EventSignOn:
		return &signOn{Time: p.Time.UnixMilli(), Line: p.Line, Trip: p.Trip}
	case nhip.EventSignOff:
		return &signOn{Time: p.Time.UnixMilli()}
	}
	return nil
}

// after reports whether it replaces another. At the end of a trip and the start of the next in one second, the start
// counts.
func (s *signOn) after(other *signOn) bool {
	return other == nil || s.Time > other.Time || s.Time == other.Time && s.Line+s.Trip != ""
}

// at returns the sign-on if it counts for a position of that device time (Unix ms), or nil.
func (s *signOn) at(device int64) *signOn {
	if s == nil || device < s.Time || device-s.Time > signOnHolds.Milliseconds() {
		return nil
	}
	return s
}

// complete adds the line and the trip to a position that has none of its own.
func (s *signOn) complete(p *nhip.Position) {
	if s != nil && p.Line == "" && p.Route == "" && p.Trip == "" {
		p.Line, p.Trip = s.Line, s.Trip
	}
}

// noteSignOn keeps the latest sign-on of a bus.
func (s *State) noteSignOn(topic string, on *signOn) {
	if s.clock.Now().UnixMilli()-on.Time <= signOnHolds.Milliseconds() && on.after(s.signOns[topic]) {
		s.signOns[topic] = on
	}
}

// sweepSignOns removes those that count no more.
func (s *State) sweepSignOns(now time.Time) {
	for topic, on := range s.signOns {
		if now.UnixMilli()-on.Time > signOnHolds.Milliseconds() {
			delete(s.signOns, topic)
		}
	}
}
