package transit

import (
	"time"

	"nhip"
	"nhip/geo/board"
	"nhip/geo/network"
)

// How far the operator's forecast of a trip may be from the timetable to be shown, late and early.
const (
	maxForecastDelay = 6 * time.Hour
	maxForecastLead  = time.Hour
)

// announcedTrip returns the departure of a trip without a reporting bus, by what the operator's feed says of it or else
// as tripDeparture does. It returns false if the trip is over or not to be shown.
func (t *Timetable) announcedTrip(c network.Call, trip *network.TripInstance, due, now time.Time) (Departure, bool) {
	state := t.services.of(trip, now)
	var bus *board.Bus
	if b := t.tracker.on(trip); b != nil && (state.runs() || !b.State.Inferred) { // else it is on another trip
		bus = b.vehicle.OnBoard(b.reports(now))
	}
	calledOff := !state.runs() || state.skips(c.At)
	if state.replaced() || bus != nil && (calledOff || bus.Holds(c.At, now)) {
		return Departure{}, false
	}
	d, ok := t.tripDeparture(c, trip, bus, due, now)
	switch {
	case calledOff:
		d = scheduled(c, trip, due, now)
		d.callOff(&state)
		return d, !due.Before(now.Add(-reportGrace))
	case ok && d.Vehicle != "":
		t.choose(&d, &state, trip, c.At, now)
		return d, ok // a bus is known to come
	}
	if at, known := state.expected(trip, c.At, now); known {
		if at.Before(now.Add(-dueGrace)) {
			return d, false // it has left, also if the timetable says that it is still to come
		}
		d = scheduled(c, trip, due, now)
		d.State, d.Expected, d.at, d.Minutes = stateForecast, &at, at, MinutesUntil(at, now)
		d.Basis, d.PredictedBy = basisOperator, predictedByThem
		return d, true
	}
	return d, ok
}

// announcedBus returns the departure of a bus at a call as departure does, unless the operator's feed says that its
// trip does not run or does not call there: then there is nothing to expect. A bus whose trip is only inferred is on
// another one.
func (t *Timetable) announcedBus(b *TrackedBus, c network.Call, now time.Time) (Departure, bool) {
	d, ok := b.departure(c, now)
	trip := b.State.Instance
	if trip == nil {
		return d, ok
	}
	state := t.services.of(trip, now)
	switch {
	case state.hasOtherStops():
		return d, false // extraDepartures tells its stops and times
	case state.runs() && !state.skips(c.At):
		if ok && b.onSureTrip() {
			t.choose(&d, &state, trip, c.At, now)
		}
		return d, ok
	case b.State.Inferred && !state.runs():
		d.Trip, d.Scheduled = "", nil
		return d, ok
	case state.replaced() || b.nextCall() > c.At:
		return d, false
	}
	due := time.Unix(trip.Departs(c.At), 0).UTC()
	d = departureAt(c)
	d.setBus(b.Bus, now)
	d.setBoarding(c, trip.Trip)
	d.setTrip(trip, due)
	d.Minutes, d.at = MinutesUntil(due, now), due
	d.callOff(&state)
	return d, !due.Before(now.Add(-reportGrace))
}

// runs reports whether a trip takes place and calls at the stop.
func (d *Departure) runs() bool { return d.State != stateCanceled && d.State != stateSkipped }

// callOff removes what is expected of a trip that does not run or does not call here.
func (d *Departure) callOff(state *tripState) {
	d.skip()
	if !state.runs() {
		d.State = stateCanceled
	}
}

// skip removes what is expected at a stop at which the trip does not call.
func (d *Departure) skip() {
	d.State = stateSkipped
	d.Expected, d.Early, d.Late, d.StopsAway, d.Basis = nil, nil, nil, nhip.Opt[int]{}, ""
	d.PredictedBy, d.Other = "", nil
}
