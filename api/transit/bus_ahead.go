package transit

import (
	"cmp"
	"time"

	"nhip"
	"nhip/geo/board"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"
)

// StopAhead is a stop that a bus has not reached on its present trip. Its times are those that boards tell: without
// them, nothing is offered there.
type StopAhead struct {
	StopRef
	Sequence  int         `json:"index"` // of the stop on its pattern, from 0
	State     string      `json:"state,omitempty"`
	Pickup    string      `json:"pickup,omitempty"`
	DropOff   string      `json:"drop_off,omitempty"`
	Scheduled *time.Time  `json:"scheduled,omitempty"`
	Expected  *time.Time  `json:"expected,omitempty"`
	Early     *time.Time  `json:"early,omitempty"`
	Late      *time.Time  `json:"late,omitempty"`
	Basis     board.Basis `json:"basis,omitempty"`
	// see Departure
	PredictedBy nhip.Predictions `json:"predicted_by,omitempty"`
	Other       *time.Time       `json:"expected_other,omitempty"`
	Minutes     *float64         `json:"minutes,omitempty"` // until the expected or scheduled time
	StopsAway   nhip.Opt[int]    `json:"stops_away,omitzero"`
}

// BusAhead is where a bus is on its trip.
type BusAhead struct {
	Pattern  string      `json:"pattern,omitempty"`
	OffRoute bool        `json:"off_route"` // away from the path of its trip
	Layover  bool        `json:"layover"`   // waits at the first stop of its next trip, or after the last one
	Stops    []StopAhead `json:"stops_ahead"`
}

// Ahead returns where a bus, by its live topic, is on its trip, and the stops that it has not reached. There are none
// without a timetable, and of a bus whose line is not known.
func (m *Model) Ahead(topic string) BusAhead {
	t := m.inUse.Load()
	out := BusAhead{Stops: []StopAhead{}}
	if t.Network == nil {
		return out
	}
	t.tracker.mu.RLock()
	defer t.tracker.mu.RUnlock()
	b := t.tracker.buses[topic]
	if b == nil {
		return out
	}
	out.OffRoute, out.Layover = b.State.Status == track.StatusOffRoute, b.State.Status == track.StatusLayover
	if b.State.Pattern == nil {
		return out
	}
	out.Pattern, out.Stops = b.State.Pattern.ID, t.stopsAhead(b, m.o.Clock.Now())
	return out
}

// stopsAhead returns the stops ahead of a bus with a pattern. The caller must hold the tracker's lock.
func (t *Timetable) stopsAhead(b *TrackedBus, now time.Time) []StopAhead {
	if inst := b.State.Instance; inst != nil {
		if state := t.services.of(inst, now); state.hasOtherStops() {
			return t.otherStopsAhead(&state, now)
		}
	}
	p, out := b.State.Pattern, []StopAhead{}
	for i := b.nextCall(); i <= p.Last(); i++ {
		c := network.Call{Pattern: p, At: i}
		s := StopAhead{StopRef: t.StopRef(p.Stops[i]), Sequence: i, StopsAway: nhip.Some(max(i-b.State.Next, 0))}
		s.Pickup, s.DropOff = boardingNames[pickupAt(c, tripOf(b.State.Instance))],
			boardingNames[dropOffAt(c, tripOf(b.State.Instance))]
		if d, ok := t.announcedBus(b, c, now); ok {
			s.setTimes(&d)
		}
		out = append(out, s)
	}
	return out
}

func (s *StopAhead) setTimes(d *Departure) {
	s.State, s.Scheduled, s.Basis = d.State, d.Scheduled, d.Basis
	s.Expected, s.Early, s.Late = d.Expected, d.Early, d.Late
	s.PredictedBy, s.Other = d.PredictedBy, d.Other
	if d.Expected != nil || d.Scheduled != nil {
		s.Minutes = &d.Minutes
	}
}

// otherStopsAhead returns the stops that the operator's feed gives a trip instead of those of the timetable, as far as
// they are to come.
func (t *Timetable) otherStopsAhead(state *tripState, now time.Time) []StopAhead {
	u, out := state.update, []StopAhead{}
	fresh := u.ForecastsAt(now, state.feed)
	for k := range u.Stops {
		stop := t.Network.Feed.Stop(cmp.Or(u.Stops[k].Assigned, u.Stops[k].Stop))
		at, ok := stopTime(&u.Stops[k], k == len(u.Stops)-1)
		if !ok || stop == nil || stop.LocationType != gtfs.LocationPlatform || at.Before(now.Add(-dueGrace)) {
			continue
		}
		d := Departure{Minutes: MinutesUntil(at, now)}
		if d.setForecast(at, fresh); u.Stops[k].Relationship == nhip.StopSkipped {
			d.skip()
		}
		s := StopAhead{StopRef: t.StopRef(stop), Sequence: k}
		s.setTimes(&d)
		out = append(out, s)
	}
	return out
}
