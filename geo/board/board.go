// Package board decides what the board of a stop offers: which predicted buses, and where the timetable stands in.
// Everything that shows boards uses it, and the measure of boards (geo/backtest) too, so that what is measured is what
// riders see. A prediction that a board doesn't offer stays available elsewhere, with its confidence.
package board

import (
	"slices"
	"time"

	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
)

// MinConfidence is the confidence below which a bus is not offered: its route and direction are as likely wrong as
// right.
const MinConfidence = 0.5

// TimetableGrace is how long after its time a trip without an offered bus stays on a board: buses are late rather than
// early.
const TimetableGrace = 2 * time.Minute

// Bus is a tracked bus with its predictions for a trip, ordered by stop, as predict.Predictor.Predict returns them.
type Bus struct {
	State   *track.State
	Ahead   []predict.StopPrediction
	Reports bool // its last position is recent
	Later   bool // Ahead is of a trip after the present one
}

// Offer is what a board offers of a bus. Early and Late are zero where the predicted range has passed.
type Offer struct{ Expected, Early, Late time.Time }

// Trusted reports whether boards use the bus at all: its line is known, and something says when it will come.
func (b *Bus) Trusted() bool {
	return b.State.Pattern != nil && b.State.Confidence >= MinConfidence && !b.State.Stranded()
}

// Waits reports whether the bus has not left the first stop of its trip yet.
func (b *Bus) Waits() bool { return predict.BusOf("", b.State).Waiting && b.State.Next <= 1 }

// atStart reports whether the bus can be at the first stop of the trip that Ahead is of, and has not left it.
func (b *Bus) atStart() bool {
	if b.Later {
		return b.State.Next > b.State.Pattern.Last()
	}
	return b.Waits()
}

// Offer returns what a board offers of the bus at a stop of its pattern, false if nothing. A bus whose whole predicted
// range has passed is not offered: it is late beyond what is known of it, until its next position brings a new range.
// At the first stop of its trip, a bus that reports and has not left stays offered.
func (b *Bus) Offer(stop int, now time.Time) (Offer, bool) {
	if !b.Trusted() {
		return Offer{}, false
	}
	i, found := slices.BinarySearchFunc(b.Ahead, stop, func(s predict.StopPrediction, stop int) int {
		return s.Index - stop
	})
	if !found {
		return Offer{}, false
	}
	p := &b.Ahead[i]
	if p.P90.Before(now) {
		return Offer{Expected: p.Expected}, stop == 0 && b.Reports && b.atStart()
	}
	return Offer{p.Expected, p.P10, p.P90}, true
}

// Holds reports whether what a board tells of the bus's trip at a stop is left to the bus: it is offered there, or has
// passed.
func (b *Bus) Holds(stop int, now time.Time) bool {
	if b.Trusted() && !b.Waits() && b.State.Next > stop {
		return true
	}
	_, offered := b.Offer(stop, now)
	return offered
}

// OffersTimetable reports whether a board offers the timetable's time of a trip at a stop. bus is the bus on the trip,
// nil if none is known. The timetable takes the place of a bus that is not offered, but not of one that has passed.
func OffersTimetable(trip *network.TripInstance, bus *Bus, stop int, now time.Time) bool {
	if time.Unix(trip.Departs(stop), 0).Before(now.Add(-TimetableGrace)) {
		return false
	}
	if bus != nil && bus.Holds(stop, now) {
		return false
	}
	// without a scheduled time a trip that should be under way can't be late
	return !trip.HeadwayBased || trip.Departs(0) >= now.Unix()
}
