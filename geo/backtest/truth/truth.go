// Package truth determines from a recorded day when buses really reached their stops, to measure predictions by. It
// shares no code with the engine that is measured (geo/track, geo/predict), so that a fault of the engine can't hide
// itself: an arrival is where the track of a bus comes nearest to a stop, in the order of the stops of the trip that
// the positions name. It looks at the whole recording, which the engine may not.
//
// Positions that name no trip, or one that the timetable lacks, are no evidence. Neither are a few: a journey needs
// minPositions positions and minStops stops. What a bus did in a gap of its track is unknown, and so is an arrival
// there.
package truth

import (
	"cmp"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

// What makes a journey.
const (
	minPositions = 3         // that name its trip
	minStops     = 3         // that the track passes in order; a trip with fewer stops must pass all
	minShare     = 0.5       // of the stops between the first and the last one passed
	maxSilence   = time.Hour // between two positions of one journey; the trip may run again on another day
)

// Journey is what a bus really did on one trip.
type Journey struct {
	Vehicle  string
	Trip     string                // as the positions name it
	Instance *network.TripInstance // compare with Same: its address is not that of other calls
	Departed time.Time             // from the first stop; zero if that was not seen
	Arrivals []Arrival             // in order; never empty
}

// Arrival is the arrival of a bus at a stop other than the first one.
type Arrival struct {
	Stop int // index into the pattern's stops
	Time time.Time
}

// Begins returns when the bus left its first stop or, if that was not seen, reached the first stop that was.
func (j *Journey) Begins() time.Time {
	if j.Departed.IsZero() {
		return j.Arrivals[0].Time
	}
	return j.Departed
}

// Ahead returns the arrivals after a time.
func (j *Journey) Ahead(t time.Time) []Arrival {
	i, _ := slices.BinarySearchFunc(j.Arrivals, t, func(a Arrival, t time.Time) int {
		if a.Time.After(t) {
			return 1
		}
		return -1
	})
	return j.Arrivals[i:]
}

// Deviation returns how late the bus is at a time after it began, in s: how late it reached the last stop before, or
// left the first one. It is NaN for a trip without scheduled times.
func (j *Journey) Deviation(t time.Time) float64 {
	if j.Instance.HeadwayBased {
		return math.NaN()
	}
	passed := len(j.Arrivals) - len(j.Ahead(t))
	if passed == 0 {
		return j.Begins().Sub(time.Unix(j.Instance.Departs(0), 0)).Seconds()
	}
	a := j.Arrivals[passed-1]
	return a.Time.Sub(time.Unix(j.Instance.Arrives(a.Stop), 0)).Seconds()
}

// Same reports whether two instances are the same journey of the timetable. Trips without scheduled times are the
// same if their trip is.
func Same(a, b *network.TripInstance) bool {
	if a == nil || b == nil {
		return false
	}
	return a == b || a.Trip == b.Trip && a.Day == b.Day && (a.Start == b.Start || a.HeadwayBased)
}

// signOn is what positions say of their trip.
type signOn struct{ vehicle, trip, date, start string }

// Extract returns the journeys of positions, ordered by vehicle and beginning, and the number of positions that name
// a trip that the timetable lacks.
func Extract(n *network.Network, positions []nhip.Position) (journeys []Journey, unknown int) {
	tracks := make(map[signOn][]fix)
	for i := range positions {
		p := &positions[i]
		point, ok := p.Point.Get()
		if p.Trip == "" || !ok {
			continue
		}
		if len(n.Feed.TripsNamed(p.Trip)) == 0 {
			unknown++
			continue
		}
		s := signOn{p.Vehicle, p.Trip, p.StartDate, p.StartTime}
		tracks[s] = append(tracks[s], fix{float64(p.Time.UnixMilli()) / 1000, point})
	}
	for s, fixes := range tracks {
		slices.SortStableFunc(fixes, func(a, b fix) int { return cmp.Compare(a.time, b.time) })
		for len(fixes) > 0 {
			end := 1
			for end < len(fixes) && fixes[end].time-fixes[end-1].time <= maxSilence.Seconds() {
				end++
			}
			if j, ok := journeyOf(n, s, withoutJumps(fixes[:end])); ok {
				journeys = append(journeys, j)
			}
			fixes = fixes[end:]
		}
	}
	slices.SortFunc(journeys, func(a, b Journey) int {
		return cmp.Or(cmp.Compare(a.Vehicle, b.Vehicle), a.Begins().Compare(b.Begins()),
			cmp.Compare(a.Instance.Trip.ID, b.Instance.Trip.ID))
	})
	return journeys, unknown
}

// journeyOf returns the journey of a track. If merged timetables have several trips of the name, it is that whose
// stops fit best.
func journeyOf(n *network.Network, s signOn, fixes []fix) (Journey, bool) {
	if len(fixes) < minPositions {
		return Journey{}, false
	}
	var best *network.TripInstance
	var passes []pass
	least := math.Inf(1)
	for _, t := range n.Feed.TripsNamed(s.trip) {
		inst := instanceOf(n, t, s, fixes)
		if inst == nil {
			continue
		}
		if found, cost := follow(inst.Pattern, fixes); cost < least {
			best, passes, least = inst, found, cost
		}
	}
	if best == nil || !enough(passes, len(best.Pattern.Stops)) {
		return Journey{}, false
	}
	j := Journey{Vehicle: s.vehicle, Trip: s.trip, Instance: best}
	for _, p := range passes {
		if p.stop == 0 {
			j.Departed = at(left(fixes, &p))
			continue
		}
		j.Arrivals = append(j.Arrivals, Arrival{p.stop, at(reached(fixes, &p, radiusOf(best.Pattern, p.stop)))})
	}
	before := time.Time{} // a stand may hold two stops
	for i := range j.Arrivals {
		if j.Arrivals[i].Time.Before(before) {
			j.Arrivals[i].Time = before
		}
		before = j.Arrivals[i].Time
	}
	if j.Departed.After(j.Arrivals[0].Time) { // the second stop is near the terminal
		j.Departed = j.Arrivals[0].Time
	}
	return j, true
}

// enough reports whether the passes are evidence of a journey.
func enough(passes []pass, stops int) bool {
	if len(passes) < min(minStops, stops) || len(passes) < 2 {
		return false
	}
	spanned := passes[len(passes)-1].stop - passes[0].stop + 1
	return float64(len(passes)) >= minShare*float64(spanned)
}

// instanceOf returns the instance of a trip that positions mean, or nil: on the day and at the start that they name,
// else the nearest in time.
func instanceOf(n *network.Network, t *gtfs.Trip, s signOn, fixes []fix) *network.TripInstance {
	middle := (fixes[0].time + fixes[len(fixes)-1].time) / 2
	today := gtfs.DateOf(at(middle).In(n.Location()))
	days := []gtfs.Date{today.Add(-1), today, today.Add(1)}
	if d, err := gtfs.ParseDate(s.date); err == nil && today.Add(-2) <= d && d <= today.Add(1) {
		days = []gtfs.Date{d}
	}
	start, err := gtfs.ParseTime(s.start)
	var best *network.TripInstance
	least := math.Inf(1)
	for _, d := range days {
		for _, inst := range n.Day(d).TripInstancesOf(t) {
			off := math.Abs(middle - float64(inst.Departs(0)+inst.Arrives(inst.Pattern.Last()))/2)
			if err == nil && inst.Start != start {
				off += float64(24 * time.Hour / time.Second)
			}
			if off < least {
				best, least = inst, off
			}
		}
	}
	return best
}

// at converts Unix s.
func at(seconds float64) time.Time { return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC() }
