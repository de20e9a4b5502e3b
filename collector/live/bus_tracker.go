package live

import (
	"slices"
	"time"

	"nhip"
	"nhip/geo/network"
	"nhip/geo/track"
)

// busTracker tracks buses along a timetable. It must be used under the State's lock, in the journal's order.
type busTracker struct {
	tracker     *track.Tracker
	put         func(nhip.Arrival)   // receives the arrivals
	lastArrival map[string]time.Time // by topic; keeps the times of a bus's arrivals distinct
	position    nhip.Position        // reused
}

func newBusTracker(n *network.Network, arrivals *ArrivalWriter) *busTracker {
	return &busTracker{tracker: track.New(n), put: arrivals.put, lastArrival: make(map[string]time.Time)}
}

// lateTracker finds the arrivals of buses whose positions come hours after they were measured, such as those that a
// device has kept while it had no connection, or those of a file of yesterday. It tracks them apart from the current
// state, which they do not change, and its arrivals go to the database only. Nothing of it is in the snapshot: after a
// start, a bus is tracked from its next late position on.
type lateTracker struct {
	*busTracker
	buses lateBuses
}

func newLateTracker(n *network.Network, arrivals *ArrivalWriter) *lateTracker {
	t := &busTracker{tracker: track.New(n), put: arrivals.putLate, lastArrival: make(map[string]time.Time)}
	return &lateTracker{busTracker: t, buses: make(lateBuses)}
}

// track adds a position and returns the resulting state of the bus along its trip.
func (t *busTracker) track(topic string, b *lastPosition, lines *fleetLines) *nhip.Track {
	t.position = b.position()
	p := &t.position
	usual := p.Line
	if usual == "" {
		usual = p.Route
	}
	if usual == "" {
		usual = lines.line(p.Agency, p.Vehicle)
	}
	s := t.tracker.Update(topic, p, usual)
	for i := range s.StopEvents {
		t.addArrival(topic, p, &s, &s.StopEvents[i])
	}
	return s.Encode()
}

// addArrival queues the arrival of a stop event. A departure counts as an arrival at the first stop only.
func (t *busTracker) addArrival(topic string, p *nhip.Position, s *track.State, e *track.StopEvent) {
	at := e.Arrived
	if at.IsZero() {
		if e.Stop > 0 {
			return // the arrival at this stop was queued before
		}
		at = e.Departed
	}
	if last := t.lastArrival[topic]; !at.After(last) && last.Sub(at) < time.Second {
		at = last.Add(time.Millisecond)
	}
	t.lastArrival[topic] = at
	a := nhip.Arrival{
		Agency: p.Agency, Vehicle: p.Vehicle, Time: at.UTC(), Departed: e.Departed.UTC(), Pattern: e.Pattern.ID,
		Route: e.Pattern.Route.ID, Stop: e.Pattern.Stops[e.Stop].ID, Index: e.Stop,
		Inferred: s.Inferred, Origin: p.Origin,
	}
	if trip := e.Instance; trip != nil {
		a.Trip, a.StartDate, a.StartTime = trip.Trip.ID, trip.Day.String(), trip.Start.String()
		if !trip.HeadwayBased && s.TripHolds() {
			a.Delay = nhip.Some(int(at.Add(-s.Shift).Unix() - trip.Arrives(e.Stop)))
		}
	}
	t.put(a)
}

// restore continues tracking a bus from a snapshot or another timetable.
func (t *busTracker) restore(topic string, b *lastPosition, served []track.RouteService) {
	p := b.position()
	t.tracker.Restore(topic, &p, b.track)
	t.tracker.RestoreServed(topic, served)
}

func (t *busTracker) forget(topic string) {
	t.tracker.Remove(topic)
	delete(t.lastArrival, topic)
}

// enrichBus adds the tracked state to a bus and fills in the trip attributes that the bus does not report. It
// replaces them if the tracker inferred another trip than the one reported.
func enrichBus(b *nhip.Bus, t *nhip.Track, n *network.Network) {
	if n == nil || t == nil {
		return
	}
	b.Track = t
	s := track.Decode(n, t, b.Time)
	if s.Pattern == nil {
		return
	}
	if s.Inferred {
		b.Route, b.Line, b.Trip, b.Headsign, b.NextStop, b.StartDate, b.StartTime = "", "", "", "", "", "", ""
		b.Direction = nhip.Opt[int]{}
		if slices.Contains(s.Flags, track.FlagWrongSignOn) {
			b.Delay = nhip.Opt[int]{} // that of another trip
		}
	}
	if !s.Inferred && s.Instance != nil && b.Trip != s.Instance.Trip.ID { // of a merged timetable, which renamed its ids
		b.Trip, b.Route, b.NextStop = s.Instance.Trip.ID, s.Pattern.Route.ID, ""
	}
	fill := func(to *string, value string) {
		if *to == "" {
			*to = value
		}
	}
	fill(&b.Route, s.Pattern.Route.ID)
	fill(&b.Line, s.Pattern.Route.ShortName)
	fill(&b.Headsign, s.Pattern.Headsign)
	fill(&b.Trip, t.Trip)
	if t.StartDate != "" {
		b.StartDate, b.StartTime = "", "" // what the bus reports may be the calendar's day
	}
	fill(&b.StartDate, t.StartDate)
	fill(&b.StartTime, t.StartTime)
	if !b.Direction.Known() {
		b.Direction = s.Pattern.Direction
	}
	if s.Status == track.StatusDeadhead && s.Next == 1 {
		fill(&b.NextStop, s.Pattern.Stops[0].ID)
	} else if s.Next <= s.Pattern.Last() {
		fill(&b.NextStop, s.Pattern.Stops[s.Next].ID)
	}
	if delay, known := t.Deviation.Get(); known && !b.Delay.Known() && s.Status == track.StatusInService {
		b.Delay = nhip.Some(int(delay))
	}
}
