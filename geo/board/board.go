// Package board decides what the board of a stop offers: which predicted buses, and where the timetable stands in.
// Everything that shows boards uses it, and the measure of boards (geo/backtest) too, so that what is measured is what
// riders see. A prediction that a board doesn't offer stays available elsewhere, with its confidence.
package board

import (
	"time"

	"nhip/geo/predict"
	"nhip/geo/track"
)

// MinConfidence is the confidence below which a bus is not offered: its route and direction are as likely wrong as
// right.
const MinConfidence = 0.5

// Bus is a tracked bus with its predictions for a trip, ordered by stop, as predict.Predictor.Predict returns them.
type Bus struct {
	State   *track.State
	Ahead   []predict.StopPrediction
	Reports bool // its last position is recent
	Later   bool // Ahead is of a trip after the present one
}

// Basis is what an offered time comes from.
type Basis string

// What an offered time comes from.
const (
	BasisPosition  Basis = "position"  // of a bus on the trip
	BasisNextTrip  Basis = "next_trip" // of a bus that serves the trip after its present one
	BasisLearned   Basis = "learned"   // no bus is known: how buses of the line depart and drive
	BasisTimetable Basis = "timetable" // no bus is known, and nothing is learned, or it is more than PredictAhead ahead
)

// Offer is what a board offers of a trip at a stop. Early and Late are zero where the predicted range has passed, and
// where none is known.
type Offer struct {
	Expected, Early, Late time.Time
	Basis                 Basis
}

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
	p, found := predictionAt(b.Ahead, stop)
	if !found {
		return Offer{}, false
	}
	basis := BasisPosition
	if b.Later {
		basis = BasisNextTrip
	}
	if p.P90.Before(now) {
		return Offer{Expected: p.Expected, Basis: basis}, stop == 0 && b.Reports && b.atStart()
	}
	return Offer{p.Expected, p.P10, p.P90, basis}, true
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
