package stream

import (
	"math"
	"slices"

	"nhip"
)

// confidenceStep is by how much the confidence in a bus's trip has to change before forms with rows describe the bus
// again.
const confidenceStep = 0.25

// sameDescription reports whether two states of a bus differ at most in what a row holds.
func sameDescription(a, b *nhip.Bus) bool {
	if a.StaleAfter() != b.StaleAfter() {
		return false
	}
	return described(a) == described(b) && sameTrack(a.Track, b.Track)
}

// described returns the part of a bus that its event shows and a row does not.
func described(b *nhip.Bus) nhip.Bus {
	return nhip.Bus{
		ID: b.ID, Agency: b.Agency, Route: b.Route, Line: b.Line, Trip: b.Trip, Headsign: b.Headsign,
		Direction: b.Direction, StartDate: b.StartDate, StartTime: b.StartTime, Occupancy: b.Occupancy, Origin: b.Origin,
		Plate: b.Plate, UsualLine: b.UsualLine,
	}
}

func sameTrack(a, b *nhip.Track) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Status != b.Status || a.Inferred != b.Inferred || !slices.Equal(a.Flags, b.Flags) {
		return false
	}
	return !a.Inferred || math.Abs(a.Confidence-b.Confidence) < confidenceStep
}
