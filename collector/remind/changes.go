package remind

import (
	"time"

	"nhip"
	"nhip/geo/network"
)

// changedTrips is what the operators' feeds say of trips that do not run or skip a stop, by trip_id.
type changedTrips map[string][]*nhip.TripUpdate

// off reports whether a feed says that a trip does not run, or does not call at a stop.
func (c changedTrips) off(trip *network.TripInstance, stop int) bool {
	for _, u := range c[trip.Trip.ID] {
		if u.StartDate != "" && u.StartDate != trip.Day.String() || u.Relationship.Extra() {
			continue
		}
		if !u.Relationship.Runs() {
			return true
		}
		for i := range u.Stops {
			if u.Stops[i].Relationship == nhip.StopSkipped && isStop(&u.Stops[i], trip, stop) {
				return true
			}
		}
	}
	return false
}

func isStop(u *nhip.StopUpdate, trip *network.TripInstance, stop int) bool {
	call := &trip.Trip.StopTimes[stop]
	if seq, known := u.Sequence.Get(); known {
		return int(call.Sequence) == seq && (u.Stop == "" || u.Stop == call.Stop.ID)
	}
	return u.Stop == call.Stop.ID
}

// runs reports whether a trip takes place as far as the feeds say.
func (c changedTrips) runs(trip *network.TripInstance) bool {
	for _, u := range c[trip.Trip.ID] {
		if !u.Relationship.Runs() && (u.StartDate == "" || u.StartDate == trip.Day.String()) {
			return false
		}
	}
	return true
}

// readChanges is how often the feeds' words are read.
const readChanges = 5 * time.Second
