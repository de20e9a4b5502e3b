package predict

import (
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

// The classes of stops by what the timetable says about waiting for the departure.
const (
	holdOther     = iota // nothing
	holdTimepoint        // the stop is a time point
	holdWait             // the timetable lets the bus stand there
	holdClasses
)

// holdPriors are the shares of its earliness that a bus waits where nothing is known of it yet, by class.
var holdPriors = [holdClasses]float64{0, 0.5, 1}

// Bounds of what is learned about holding.
const (
	// holdEvidence is the weight of a prior in s²: that of a bus whose earliness differs by a minute from the mean. A
	// segment's prior is its line's share, a line's that of all lines.
	holdEvidence     = 60 * 60.0
	lineHoldEvidence = 3 * holdEvidence
	cityHoldEvidence = 10 * holdEvidence
	// maxHoldEvidence is the evidence in s² from which on older buses lose weight: some thousand ones as above, so that
	// a new way of driving shows after days.
	maxHoldEvidence = 4000 * holdEvidence

	maxEarliness     = 600.0  // s; who is earlier serves another trip
	maxWaitEarliness = 1800.0 // s, where the timetable lets buses stand
	minEarliness     = 30.0   // s; less is the error of an interpolated time
)

// holdClass returns the class of stop i of a trip, false if buses don't wait for departures there at all: without exact
// times, and at the ends. At the first stop the time counts from the departure.
func holdClass(inst *network.TripInstance, i int) (class int, ok bool) {
	switch {
	case inst == nil || inst.HeadwayBased || i <= 0 || i >= inst.Pattern.Last():
		return 0, false
	case !inst.Timed(i):
		return holdOther, true
	case network.Wait(inst.Trip, i) > 0:
		return holdWait, true
	}
	return holdTimepoint, true
}

// earliness returns by how many s a bus that arrives at stop i at a time in Unix s is ahead of its departure.
func earliness(inst *network.TripInstance, i, class int, arrived float64) float64 {
	limit := maxEarliness
	if class == holdWait {
		limit = maxWaitEarliness
	}
	return min(max(float64(inst.Departs(i))-arrived, 0), limit)
}

// slope is how much longer buses take to the next stop per second of earliness at a stop: the share of their earliness
// that they are held. It is estimated with the earliness at the stop before as the instrument, because an error of one
// arrival time changes the earliness and the time to the next stop alike. All are centred by segment.
type slope struct {
	zx, zy float64 // sums of products, s²
}

// share returns the share, 0 to 1; prior has the weight of some evidence.
func (s *slope) share(prior, evidence float64) float64 {
	if s.zx <= 0 {
		return prior
	}
	return min(max((s.zy+evidence*prior)/(s.zx+evidence), 0), 1)
}

func (s *slope) add(zx, zy float64) {
	s.zx, s.zy = s.zx+zx, s.zy+zy
	if s.zx > maxHoldEvidence {
		s.zx, s.zy = s.zx/2, s.zy/2
	}
}

// holding is the slope of one segment, with the means in s by which it is centred.
type holding struct {
	slope

	count                    float64
	before, earliness, taken float64
}

// add adds a bus: its earliness at the stop before the segment and at the one before that, and its time to the stop
// behind the segment, all in s. It returns by how much the sums grow.
func (h *holding) add(before, early, taken float64) (zx, zy float64) {
	h.count = min(h.count+1, maxCount)
	dz := before - h.before
	h.before += dz / h.count
	h.earliness += (early - h.earliness) / h.count
	h.taken += (taken - h.taken) / h.count
	zx, zy = dz*(early-h.earliness), dz*(taken-h.taken)
	h.slope.add(zx, zy)
	return zx, zy
}

// waits reports whether the timetable lets buses stand at stop i.
func waits(pattern *network.Pattern, inst *network.TripInstance, i int) bool {
	return network.Wait(tripOf(pattern, inst), i) > 0
}

// tripOf returns the trip whose times count for a bus; any of the pattern's stands for an unknown one.
func tripOf(pattern *network.Pattern, inst *network.TripInstance) *gtfs.Trip {
	if inst == nil {
		return pattern.Trips[0]
	}
	return inst.Trip
}
