package backtest

import (
	"cmp"
	"slices"
	"time"

	"nhip/geo/backtest/truth"
	"nhip/geo/board"
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

// ghostEvery is how often boards are asked for ghosts, in minutes. To ask each minute would take longer than all else.
const ghostEvery = 5

// ghostSearch asks boards for what they promise, whether or not a bus comes. A ghost is a promise of a bus that never
// comes. What is not known to come or not to come does not count: stops in gaps of the recorded tracks, and what is
// promised for the end of the recording. Lines of which no bus was recorded don't, either.
type ghostSearch struct {
	trips    []*network.TripInstance // by departure
	journeys map[instanceKey]*truth.Journey
	visits   map[visit][]time.Time
	end      time.Time
}

// instanceKey identifies a trip instance, whose address may change when a network evicts a day.
type instanceKey struct {
	trip  *gtfs.Trip
	day   gtfs.Date
	start gtfs.Time
}

func keyOf(t *network.TripInstance) instanceKey { return instanceKey{t.Trip, t.Day, t.Start} }

// visit is a vehicle at a stop.
type visit struct {
	vehicle string
	stop    *gtfs.Stop
}

func newGhostSearch(n *network.Network, journeys []truth.Journey) *ghostSearch {
	g := &ghostSearch{journeys: make(map[instanceKey]*truth.Journey), visits: make(map[visit][]time.Time)}
	routes := make(map[*gtfs.Route]bool)
	var first time.Time
	for i := range journeys {
		j := &journeys[i]
		routes[j.Instance.Pattern.Route], g.journeys[keyOf(j.Instance)] = true, j
		if first.IsZero() || j.Begins().Before(first) {
			first = j.Begins()
		}
		for _, a := range j.Arrivals {
			v := visit{j.Vehicle, j.Instance.Pattern.Stops[a.Stop]}
			g.visits[v] = append(g.visits[v], a.Time)
			if a.Time.After(g.end) {
				g.end = a.Time
			}
		}
	}
	if first.IsZero() {
		return g
	}
	for _, day := range n.DaysBetween(first, g.end) {
		for _, p := range n.Patterns {
			if routes[p.Route] {
				g.trips = append(g.trips, day.TripInstances(p)...)
			}
		}
	}
	slices.SortStableFunc(g.trips, func(a, b *network.TripInstance) int { return cmp.Compare(a.Departs(0), b.Departs(0)) })
	return g
}

// Trips that a board may promise within boardAhead, by their timetable.
const (
	ghostEarly = 15 * time.Minute // the most by which buses are ahead of it
	ghostLate  = board.PredictAhead + board.TimetableGrace
)

// ask asks the boards of a minute.
func (g *ghostSearch) ask(r *boardReplay, now time.Time) {
	if now.Unix()/60%ghostEvery != 0 {
		return
	}
	from, until := now.Add(-ghostLate).Unix(), now.Add(boardAhead+ghostEarly).Unix()
	for len(g.trips) > 0 && g.trips[0].Departs(0) < from-int64((24*time.Hour).Seconds()) {
		g.trips = g.trips[1:]
	}
	for _, trip := range g.trips {
		if trip.Departs(0) > until {
			return
		}
		last := trip.Pattern.Last()
		if trip.Arrives(last) < from {
			continue
		}
		for stop := 1; stop <= last; stop++ {
			if due := trip.Arrives(stop); due < from || due > until {
				continue
			}
			told, part, vehicle := r.promised(trip, stop, now)
			if part == boardNothing || told.Sub(now) > boardAhead || told.Add(boardAhead).After(g.end) {
				continue
			}
			if comes, known := g.comes(trip, stop, vehicle, now); known {
				r.score.ghosts[part].add(!comes)
			}
		}
	}
}

// comes reports whether the promised bus really comes after a time: on its trip or, if one was promised, the vehicle.
func (g *ghostSearch) comes(trip *network.TripInstance, stop int, vehicle string, now time.Time) (comes, known bool) {
	if vehicle != "" {
		for _, t := range g.visits[visit{vehicle, trip.Pattern.Stops[stop]}] {
			if t.After(now) && t.Sub(now) < ghostLate {
				return true, true
			}
		}
	}
	j := g.journeys[keyOf(trip)]
	if j == nil {
		return false, true
	}
	for _, a := range j.Arrivals {
		if a.Stop == stop {
			return a.Time.After(now), true
		}
	}
	return false, false // in a gap of its track
}

// GhostReport counts promises of buses within the next 15 minutes, every five minutes anew, and the shares of them that
// no bus kept, in percent.
type GhostReport struct {
	Promises  int     `json:"promises"`
	Share     float64 `json:"share"`     // of all of them
	Live      float64 `json:"live"`      // of those of a bus on its way
	Waiting   float64 `json:"waiting"`   // of a bus that waits at its first stop
	Next      float64 `json:"next"`      // of a bus that serves the trip before
	Timetable float64 `json:"timetable"` // of a trip without a known bus
}

func ghostReport(p *[boardParts]tally) GhostReport {
	out := GhostReport{
		Live: p[boardLive].percent(), Waiting: p[boardWaiting].percent(), Next: p[boardNext].percent(),
		Timetable: p[boardTimetable].percent(),
	}
	var all tally
	for _, t := range p {
		all = tally{all.right + t.right, all.all + t.all}
	}
	out.Promises, out.Share = all.all, all.percent()
	return out
}
