package transit

import (
	"cmp"
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/realtime"
)

// extraDepartures appends the departures at a stop of trips that run beside the timetable, or the arrivals, unordered.
func (t *Timetable) extraDepartures(dst []Departure, s *gtfs.Stop, q *BoardQuery) []Departure {
	now := q.Now
	t.services.mu.RLock()
	defer t.services.mu.RUnlock()
	for _, u := range t.services.extra {
		f := t.services.feed(u.Feed)
		if !u.HoldsAt(now, f) {
			continue
		}
		for _, d := range t.extraCalls(u, f, s, now, q.arrivals) {
			if !d.at.Before(now.Add(-dueGrace)) && q.wants(&d) {
				d.Minutes = MinutesUntil(d.at, now)
				dst = append(dst, d)
			}
		}
	}
	return dst
}

// extraCalls returns the departures of an extra trip at a stop.
func (t *Timetable) extraCalls(
	u *nhip.TripUpdate, f *nhip.ServiceFeed, s *gtfs.Stop, now time.Time, ends bool,
) []Departure {
	if u.Relationship == nhip.TripDuplicated {
		if inst := t.duplicate(u); inst != nil {
			return t.duplicateCalls(u, f, inst, s, now, ends)
		}
	}
	var out []Departure
	for k := range u.Stops {
		stop, last := &u.Stops[k], k == len(u.Stops)-1
		if cmp.Or(stop.Assigned, stop.Stop) != s.ID || last && !ends || stop.Relationship == nhip.StopNoData {
			continue
		}
		at, ok := stopTime(stop, last)
		if !ok {
			continue
		}
		d := t.extraDeparture(u, s)
		d.setForecast(at, u.ForecastsAt(now, f))
		if stop.Relationship == nhip.StopSkipped {
			d.skip()
		}
		out = append(out, d)
	}
	return out
}

// stopTime returns when a trip without a timetable leaves a stop, or reaches its last one.
func stopTime(s *nhip.StopUpdate, last bool) (time.Time, bool) {
	at, ok := s.Departure.Get()
	if arrival, arrives := s.Arrival.Get(); arrives && (last || !ok) {
		at, ok = arrival, true
	}
	return time.Unix(at, 0).UTC(), ok
}

// setForecast sets the time of an extra trip: a forecast, or what was announced if that is too old for one.
func (d *Departure) setForecast(at time.Time, fresh bool) {
	d.at = at
	if fresh {
		d.State, d.Expected, d.Basis, d.PredictedBy = stateForecast, &at, basisOperator, predictedByThem
		return
	}
	d.State, d.Scheduled = stateScheduled, &at
}

// extraDeparture returns the departure of an extra trip without its time.
func (t *Timetable) extraDeparture(u *nhip.TripUpdate, s *gtfs.Stop) Departure {
	d := Departure{
		Route: u.Route, Line: u.Route, Headsign: u.Headsign, Direction: u.Direction, Stop: s.ID,
		Trip: cmp.Or(u.NewTrip, u.Trip), Relationship: u.Relationship,
	}
	route := t.Network.Feed.Route(u.Route)
	if trip := t.Network.Feed.Trip(u.Trip); trip != nil {
		route, d.Headsign = trip.Route, cmp.Or(d.Headsign, trip.Headsign)
		if !d.Direction.Known() {
			d.Direction = trip.Direction
		}
	}
	if route != nil {
		d.Route, d.Line = route.ID, LineOf(route)
	}
	if d.Headsign == "" && len(u.Stops) > 0 {
		if last := t.Network.Feed.Stop(u.Stops[len(u.Stops)-1].Stop); last != nil {
			d.Headsign = last.Name
		}
	}
	return d
}

// duplicate returns the run of a trip that is run once more, nil if the timetable does not have the trip.
func (t *Timetable) duplicate(u *nhip.TripUpdate) *network.TripInstance {
	trip := t.Network.Feed.Trip(u.Trip)
	if trip == nil || len(trip.StopTimes) == 0 {
		return nil
	}
	pattern := t.Network.PatternOf(trip)
	day, err := gtfs.ParseDate(cmp.Or(u.NewDate, u.StartDate))
	start, wrong := realtime.ParseStart(u.NewStart)
	if pattern == nil || err != nil || wrong != nil {
		return nil
	}
	return &network.TripInstance{
		TripInstance: gtfs.TripInstance{Trip: trip, Day: day, Start: start}, Pattern: pattern,
		Zero: day.At(0, t.Network.Location()).Unix(),
	}
}

// duplicateCalls returns the departures of a trip that is run once more.
func (t *Timetable) duplicateCalls(
	u *nhip.TripUpdate, f *nhip.ServiceFeed, inst *network.TripInstance, s *gtfs.Stop, now time.Time, ends bool,
) []Departure {
	state := tripState{update: u, feed: f, stops: realtime.StopIndexes(u, inst.Trip)}
	var out []Departure
	for _, c := range t.Network.CallsAt(s) {
		if c.Pattern != inst.Pattern || c.At == c.Pattern.Last() && !ends {
			continue
		}
		due := time.Unix(inst.Departs(c.At), 0).UTC()
		d := t.extraDeparture(u, s)
		d.State, d.Scheduled, d.at = stateScheduled, &due, due
		if at, ok := state.expected(inst, c.At, now); ok {
			d.State, d.Expected, d.at, d.Basis, d.PredictedBy = stateForecast, &at, at, basisOperator, predictedByThem
		}
		if state.skips(c.At) {
			d.skip()
		}
		out = append(out, d)
	}
	return out
}
