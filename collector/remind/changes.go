package remind

import (
	"slices"
	"time"

	"nhip/geo/network"
	"nhip/geo/realtime"
)

// changedTrips is what the operators' feeds say of trips that do not run or skip a stop, by trip_id.
type changedTrips map[string][]realtime.Change

// off reports whether a feed says that a trip does not run, or does not call at a stop.
func (c changedTrips) off(trip *network.TripInstance, stop int) bool {
	return slices.ContainsFunc(c[trip.Trip.ID], func(x realtime.Change) bool {
		return x.Cancels(trip) || x.Skips(trip, stop)
	})
}

// runs reports whether a trip takes place as far as the feeds say.
func (c changedTrips) runs(trip *network.TripInstance) bool {
	return !slices.ContainsFunc(c[trip.Trip.ID], func(x realtime.Change) bool { return x.Cancels(trip) })
}

// readChanges is how often the feeds' words are read.
const readChanges = 5 * time.Second
