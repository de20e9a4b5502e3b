package transit

import (
	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb/geo"
)

// Assumptions about walking.
const (
	walkDetour = 1.3 // length of the walk relative to the straight line
	walkSpeed  = 1.2 // m/s
)

// Walk is a walk to a stop.
type Walk struct {
	Stop    *gtfs.Stop
	Index   int // of the stop in the pattern
	Metres  float64
	Seconds float64
}

// WalkTo returns the walk to the nearest stop that the bus has not reached yet, and whether the bus has passed the stop
// nearest to the origin of plane. serves tells where the bus calls, see Model.Serves. Walk.Stop is nil if no stop is
// ahead where riders may get on. The bus must have a pattern.
func (b *TrackedBus) WalkTo(plane *network.LocalPlane, serves func(stop int) bool) (to Walk, passed bool) {
	p := b.State.Pattern
	next, trip := b.nextCall(), tripOf(b.State.Instance)
	nearest, ahead := 0, -1
	least, leastAhead := plane.MetresSquared(p.Stops[0].Point), 0.0
	for i := range p.Stops {
		d := plane.MetresSquared(p.Stops[i].Point)
		if d < least {
			nearest, least = i, d
		}
		if i >= next && (ahead < 0 || d < leastAhead) &&
			pickupAt(network.Call{Pattern: p, At: i}, trip) != gtfs.BoardingNone && serves(i) {
			ahead, leastAhead = i, d
		}
	}
	passed = nearest < next
	if ahead < 0 {
		return Walk{}, passed
	}
	s := p.Stops[ahead]
	m := geo.DistanceHaversine(plane.Point, s.Point) * walkDetour
	return Walk{Stop: s, Index: ahead, Metres: m, Seconds: m / walkSpeed}, passed
}
