package realtime

import (
	"nhip"
	"nhip/geo/network"
)

// Change is an update of a trip, with the state of its feed.
type Change struct {
	Update *nhip.TripUpdate
	Feed   *nhip.ServiceFeed
}

// Cancels reports whether a run does not take place by the change.
func (c Change) Cancels(run *network.TripInstance) bool {
	return !c.Update.Relationship.Runs() && Concerns(c.Update, c.Feed, run)
}

// Skips reports whether a run does not call at its i-th stop by the change.
func (c Change) Skips(run *network.TripInstance, i int) bool {
	return Concerns(c.Update, c.Feed, run) && Skips(c.Update, StopIndexes(c.Update, run.Trip), i)
}
