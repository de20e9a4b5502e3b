package board

import (
	"time"

	"nhip/geo/network"
	"nhip/geo/predict"
)

// Limits of the trips that a bus will serve after its present one.
const (
	// MaxNextTrips is how many trips along its block a bus is expected to serve after its present one.
	MaxNextTrips = 4
	// maxTurnAhead is how long before its departure a trip is promised of the bus that turns round for it, if only the
	// order at the terminal tells so.
	maxTurnAhead = 45 * time.Minute
)

// NextTrip is a trip that a bus will serve after its present one.
type NextTrip struct {
	Instance *network.TripInstance
	Ahead    []predict.StopPrediction // with the departure from the first stop
	Stops    int                      // that the bus has ahead of it before this trip
	turn     bool                     // the order at the terminal says so, and no block
}

// Next returns the bus that will serve a trip after the one that it serves now, and the trip with its predictions; nil
// if it is unknown, or if a bus is on the trip already.
func (f *Fleet) Next(trip *network.TripInstance, now time.Time) (*Vehicle, *NextTrip) {
	if on := f.On(trip); on != nil && on.OnBoard(false).Trusted() {
		return nil, nil
	}
	before := f.before(trip)
	for range MaxNextTrips {
		if before == nil {
			break
		}
		if v := f.On(before); v != nil {
			return v, v.nextTrip(f, trip, now)
		}
		before = before.Previous
	}
	return nil, nil
}

// nextTrip returns a next trip of the bus, nil if the bus does not come that far within the horizon.
func (v *Vehicle) nextTrip(f *Fleet, trip *network.TripInstance, now time.Time) *NextTrip {
	v.predictNext.Do(func() { v.next = f.predictNextTrips(v) })
	for i := range v.next {
		n := &v.next[i]
		if keyOf(n.Instance) != keyOf(trip) {
			continue
		}
		if n.turn && n.Ahead[0].P50.Sub(now) > maxTurnAhead {
			return nil
		}
		return n
	}
	return nil
}

// before returns the trip that the bus of a trip serves before it, nil if it is unknown.
func (f *Fleet) before(trip *network.TripInstance) *network.TripInstance {
	if trip.Previous != nil {
		return trip.Previous
	}
	return f.turns.before(trip)
}

func (f *Fleet) predictNextTrips(v *Vehicle) (out []NextTrip) {
	if !v.OnBoard(false).Trusted() || v.State.Instance == nil {
		return nil // its block says nothing
	}
	bus, ahead, stops := *predict.BusOf(v.ID, &v.State), v.Ahead, 0
	for len(out) < MaxNextTrips {
		next, turn := f.following(bus.Instance)
		if next == nil || turn && len(out) > 0 {
			break
		}
		then, ok := f.predictor.TripAfter(&bus, ahead, next)
		if !ok {
			break
		}
		stops += bus.Pattern.Last() - bus.Next + 1
		bus, ahead = then, f.predictor.Predict(nil, &then, PredictAhead)
		if len(ahead) == 0 {
			break
		}
		out = append(out, NextTrip{Instance: next, Ahead: ahead, Stops: stops, turn: turn})
	}
	return out
}

// following returns the trip after another one that runs, along its block or by the order at the terminal, nil if
// there is none.
func (f *Fleet) following(trip *network.TripInstance) (next *network.TripInstance, turn bool) {
	next = trip.Next
	for next != nil && !f.runs(next) {
		next = next.Next
	}
	if next != nil {
		return next, false
	}
	if next = f.turns.after(trip); next != nil && f.runs(next) {
		return next, true
	}
	return nil, false
}

// OnNext returns the bus as boards see it on a next trip.
func (v *Vehicle) OnNext(n *NextTrip, reports bool) *Bus {
	return &Bus{State: &v.State, Ahead: n.Ahead, Reports: reports, Later: true}
}
