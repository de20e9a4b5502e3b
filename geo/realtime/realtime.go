// Package realtime finds in the timetable what realtime feeds say of trips.
package realtime

import (
	"slices"
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

// Distances in time within which an update without a day is about a run: it ends at most so long before the feed was
// made, and less than a day after that.
const undatedBefore = time.Hour

// Concerns reports whether an update is about a run.
func Concerns(u *nhip.TripUpdate, f *nhip.ServiceFeed, inst *network.TripInstance) bool {
	switch u.Relationship {
	case nhip.TripScheduled, nhip.TripCanceled, nhip.TripDeleted, nhip.TripReplacement:
	default:
		return false // a run of its own
	}
	if u.Trip == "" && (u.StartTime == "" || u.Direction != inst.Trip.Direction) {
		return false // without a trip_id, the specification wants the route, the direction and the start
	}
	if u.StartTime != "" && (u.Trip == "" || len(inst.Trip.Frequencies) > 0) {
		if start, err := ParseStart(u.StartTime); err != nil || start != inst.Start {
			return false
		}
	}
	if u.StartDate != "" {
		return u.StartDate == inst.Day.String()
	}
	ends := time.Unix(inst.Arrives(inst.Pattern.Last()), 0)
	first := f.Time.Add(-undatedBefore)
	return !ends.Before(first) && ends.Before(first.Add(24*time.Hour))
}

// ParseStart parses HH:MM and HH:MM:SS.
func ParseStart(s string) (gtfs.Time, error) {
	if len(s) <= len("25:35") {
		s += ":00"
	}
	return gtfs.ParseTime(s)
}

// StopIndexes returns the index of each stop of an update in a trip, -1 for one that the trip does not have.
func StopIndexes(u *nhip.TripUpdate, trip *gtfs.Trip) []int {
	out := make([]int, len(u.Stops))
	from := 0
	for k := range u.Stops {
		if out[k] = stopIndex(&u.Stops[k], trip.StopTimes, from); out[k] >= 0 {
			from = out[k] + 1
		}
	}
	return out
}

// stopIndex finds the stop of an update among the calls of a trip, -1 if it is none of them. A line may call at a stop
// twice: then the sequence tells which call is meant, or else the order of the update, of which the calls before from
// are used up. A sequence that contradicts the stop does not count.
func stopIndex(u *nhip.StopUpdate, calls []gtfs.StopTime, from int) int {
	if seq, known := u.Sequence.Get(); known {
		i := slices.IndexFunc(calls, func(c gtfs.StopTime) bool { return int(c.Sequence) == seq })
		if u.Stop == "" || i >= 0 && calls[i].Stop.ID == u.Stop {
			return i
		}
	}
	for i := min(from, len(calls)); i < len(calls); i++ {
		if calls[i].Stop.ID == u.Stop {
			return i
		}
	}
	return -1
}

// Skips reports whether a trip skips its i-th stop by an update, whose stops are found by StopIndexes.
func Skips(u *nhip.TripUpdate, stops []int, i int) bool {
	for k, at := range stops {
		if at == i && u.Stops[k].Relationship == nhip.StopSkipped {
			return true
		}
	}
	return false
}
