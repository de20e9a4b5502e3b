package transit

import (
	"slices"

	"nhip"
	"nhip/geo/board"
	"nhip/geo/network"
	"nhip/geo/remind"
	"nhip/internal/topics"
)

// Remind returns what becomes of a reminder now, by the buses on the timetable. c is what else is known.
func (m *Model) Remind(r *nhip.Reminder, c remind.City) remind.Decision {
	t := m.inUse.Load()
	if t.Network == nil {
		return remind.Decide(r, &c)
	}
	alerts := append(m.services.alertsAt(c.Now), m.toldWritten()...)
	t.tracker.mu.RLock()
	defer t.tracker.mu.RUnlock()
	now := c.Now
	bus := func(b *TrackedBus) *remind.Bus {
		if b == nil {
			return nil
		}
		return &remind.Bus{Vehicle: b.vehicle, Agency: b.Bus.Agency, ID: b.Bus.ID, Reports: b.reports(now)}
	}
	c.Network, c.Fleet = t.Network, t.tracker.fleet
	c.On = func(p *network.Pattern) (out []*remind.Bus) {
		for _, b := range t.tracker.onPattern[p] {
			out = append(out, bus(b))
		}
		return out
	}
	c.Of = func(v *board.Vehicle) *remind.Bus { return bus(t.tracker.byID[v.ID]) }
	c.Bus = func(agency, vehicle string) *remind.Bus {
		return bus(t.tracker.buses[topics.LiveBusTopic(agency, vehicle)])
	}
	c.Off = func(trip *network.TripInstance, stop int) bool {
		state := m.services.of(trip, now)
		return !state.runs() || state.skips(stop)
	}
	c.Alerts = func() []*nhip.ServiceAlert { return alerts }
	return remind.Decide(r, &c)
}

// RoutesNamed returns the ids of the routes with a route_id or, if there is none, with a public number. With a stop,
// they are those that call there, in a direction if that is known.
func (t *Timetable) RoutesNamed(line, stop string, direction nhip.Opt[int]) (ids []string) {
	serves := func(id string) bool {
		if stop == "" {
			return true
		}
		s := t.FindStop(stop)
		return s != nil && slices.ContainsFunc(t.Network.CallsAt(s), func(c network.Call) bool {
			return c.Pattern.Route.ID == id && c.At < c.Pattern.Last() &&
				(!direction.Known() || c.Pattern.Direction == direction)
		})
	}
	if r := t.Network.Feed.Route(line); r != nil {
		if serves(r.ID) {
			return []string{r.ID}
		}
		return nil
	}
	for _, r := range t.Network.Feed.Routes {
		if LineOf(r) == line && serves(r.ID) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// CallsAhead reports whether a bus has a stop ahead of it on its present trip; known is false if its trip is not.
func (b *TrackedBus) CallsAhead(stop string) (ahead, known bool) {
	p := b.State.Pattern
	if p == nil || b.State.Confidence < board.MinConfidence {
		return false, false
	}
	for i := b.nextCall(); i < len(p.Stops); i++ {
		if p.Stops[i].ID == stop {
			return true, true
		}
	}
	return false, true
}
