package transit

import (
	"time"

	"nhip"
	"nhip/geo/network"
)

// Who predicted an expected time.
const (
	predictedByUs   = nhip.PredictionsOurs
	predictedByThem = nhip.PredictionsTheirs // the operator's feed
)

// choose decides whose time is told of a run at a stop where a bus is predicted and the operator's feed expects it,
// too. It takes theirs no longer where the bus should have left by it: the bus says that it has not.
func (t *Timetable) choose(d *Departure, s *tripState, trip *network.TripInstance, stop int, now time.Time) {
	if d.Expected == nil {
		return
	}
	d.PredictedBy = predictedByUs
	theirs, known := s.forecast(trip, stop, stop > 0, now)
	if !known || theirs.Before(now.Add(-dueGrace)) {
		return
	}
	d.feed, d.Other = s.feed.Feed, &theirs
	if t.feeds.told(s.feed) == predictedByUs {
		return
	}
	ours := *d.Expected
	d.Other, d.ownBasis, d.PredictedBy = &ours, d.Basis, predictedByThem
	d.Expected, d.Early, d.Late, d.Basis = &theirs, nil, nil, basisOperator
	d.at, d.Minutes = theirs, MinutesUntil(theirs, now)
}

// onSureTrip reports whether the trip of the bus is reported, or inferred with a probability that suffices to use what
// the operator's feed expects of it.
func (b *TrackedBus) onSureTrip() bool {
	return b.State.Instance != nil && (!b.State.Inferred || b.Bus.Track != nil && b.Bus.Track.Deviation.Known())
}

// rivals returns both times of a departure of which we and the operator's feed have one, and the name of the feed.
func (d *Departure) rivals() (feed string, ours, theirs time.Time, ok bool) {
	if d.Other == nil || d.Expected == nil {
		return "", ours, theirs, false
	}
	if d.PredictedBy == predictedByThem {
		return d.feed, *d.Other, *d.Expected, true
	}
	return d.feed, *d.Expected, *d.Other, true
}
