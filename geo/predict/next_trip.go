package predict

import (
	"time"

	"nhip/geo/network"

	"github.com/paulmach/orb/geo"
)

// Limits of the time between two trips of a vehicle.
const (
	minLayover    = 60.0             // s; buses that are late turn round at once
	deadheadSpeed = 7.0              // m/s, as the crow flies, from the end of a trip to the start of the next
	maxOverstay   = 15 * time.Minute // a bus that stands longer at the end of its trip has left its block
)

// NextTrip returns a bus as it will wait at the first stop of the next trip of its block that runs. ahead are the
// predictions for the trip that it serves. It reports false if no trip follows, if the end of the present one is not
// among the predictions, or if the bus should have left for the next one long ago.
func (p *Predictor) NextTrip(
	b *Bus, ahead []StopPrediction, runs func(*network.TripInstance) bool,
) (Bus, bool) {
	if b.Instance == nil {
		return Bus{}, false
	}
	next := b.Instance.Next
	for next != nil && !runs(next) {
		next = next.Next
	}
	if next == nil {
		return Bus{}, false
	}
	return p.TripAfter(b, ahead, next)
}

// TripAfter returns a bus as it will wait at the first stop of a trip that it serves after its present one. ahead are
// the predictions for the present one. It reports false as NextTrip does.
func (p *Predictor) TripAfter(b *Bus, ahead []StopPrediction, next *network.TripInstance) (Bus, bool) {
	if b.Instance == nil {
		return Bus{}, false
	}
	ready, ok := p.readyFor(next, b, ahead)
	return Bus{
		Vehicle: b.Vehicle, Pattern: next.Pattern, Instance: next, Along: next.Pattern.Along[0], Next: 1, Time: b.Time,
		Waiting: true, ready: &ready,
	}, ok
}

// readyFor returns when a bus can start its next trip.
func (p *Predictor) readyFor(next *network.TripInstance, b *Bus, ahead []StopPrediction) (moment, bool) {
	last := b.Pattern.Last()
	if b.Next <= last {
		if len(ahead) == 0 || ahead[len(ahead)-1].Index != last {
			return moment{}, false
		}
		return momentOf(&ahead[len(ahead)-1]).plus(Layover(b.Instance, next)), true
	}
	fix, due := unix(b.Time), float64(next.Departs(0))
	ready := fix
	if ended, known := p.arrivedAt(b, last); known {
		ready = ended + Layover(b.Instance, next)
		due = max(due, ready)
	}
	return at(max(ready, fix)), fix-due <= maxOverstay.Seconds()
}

// Layover returns how long a late bus needs at least between two trips, in s: less than the timetable gives it.
func Layover(a, b *network.TripInstance) float64 {
	gap := float64(b.Departs(0) - a.Arrives(a.Pattern.Last()))
	way := geo.DistanceHaversine(a.Pattern.Stops[a.Pattern.Last()].Point, b.Pattern.Stops[0].Point)
	return min(max(minLayover, way/deadheadSpeed), max(gap, 0))
}
