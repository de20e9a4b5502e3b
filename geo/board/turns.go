package board

import (
	"cmp"
	"slices"
	"sync"

	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb/geo"
)

// Limits of turning round: how far apart the end of a trip and the start of the next one are, and how long the bus
// stands there by the timetable. Measured in Austin and Kingston, whose timetables have no blocks or hide them.
const (
	maxTurnDistance = 400.0   // m
	maxTurnTime     = 45 * 60 // s
	maxTurnDays     = 4       // service days kept at a time
)

// turns are the trips that follow each other where the timetable has no blocks: the buses of a line leave a terminal in
// the order in which they came. It may be used concurrently.
type turns struct {
	net *network.Network

	mu   sync.Mutex
	days map[gtfs.Date]*turnsOfDay
}

// turnsOfDay holds the neighbours of the trips of one service day.
type turnsOfDay struct {
	next, previous map[tripKey]*network.TripInstance
}

func newTurns(n *network.Network) *turns {
	return &turns{net: n, days: make(map[gtfs.Date]*turnsOfDay)}
}

// after returns the trip that the bus of a trip serves next, nil if it is unknown.
func (t *turns) after(trip *network.TripInstance) *network.TripInstance {
	if !turnsRound(trip) {
		return nil
	}
	return t.of(trip.Day).next[keyOf(trip)]
}

// before is the inverse of after.
func (t *turns) before(trip *network.TripInstance) *network.TripInstance {
	if !turnsRound(trip) {
		return nil
	}
	return t.of(trip.Day).previous[keyOf(trip)]
}

// turnsRound reports whether only the order at the terminals tells the trips around one: it is in no block, and has
// times.
func turnsRound(trip *network.TripInstance) bool { return trip.Trip.Block == "" && !trip.HeadwayBased }

func (t *turns) of(day gtfs.Date) *turnsOfDay {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := t.days[day]; d != nil {
		return d
	}
	for len(t.days) >= maxTurnDays {
		oldest := day
		for d := range t.days {
			oldest = min(oldest, d)
		}
		if oldest == day {
			clear(t.days)
			break
		}
		delete(t.days, oldest)
	}
	d := newTurnsOfDay(t.net, t.net.Day(day))
	t.days[day] = d
	return d
}

// turnEvent is the end or the start of a trip.
type turnEvent struct {
	at    int64 // Unix s
	start bool
	trip  *network.TripInstance
}

func newTurnsOfDay(n *network.Network, day *network.Day) *turnsOfDay {
	lines := make(map[*gtfs.Route][]turnEvent)
	for _, p := range n.Patterns {
		for _, trip := range day.TripInstances(p) {
			if turnsRound(trip) {
				lines[p.Route] = append(lines[p.Route],
					turnEvent{trip.Departs(0), true, trip}, turnEvent{trip.Arrives(p.Last()), false, trip})
			}
		}
	}
	d := &turnsOfDay{
		next: make(map[tripKey]*network.TripInstance), previous: make(map[tripKey]*network.TripInstance),
	}
	for _, events := range lines {
		d.link(events)
	}
	return d
}

// link links the trips of one line.
func (d *turnsOfDay) link(events []turnEvent) {
	slices.SortStableFunc(events, func(a, b turnEvent) int {
		first := 0 // a bus that ends when another trip starts can serve it
		switch {
		case a.start && !b.start:
			first = 1
		case b.start && !a.start:
			first = -1
		}
		return cmp.Or(cmp.Compare(a.at, b.at), first)
	})
	near := make(map[[2]*gtfs.Stop]bool)
	var waiting []turnEvent // ends whose buses stand at a terminal, in order
	for _, e := range events {
		if !e.start {
			waiting = append(waiting, e)
			continue
		}
		for len(waiting) > 0 && e.at-waiting[0].at > maxTurnTime {
			waiting = waiting[1:]
		}
		i := slices.IndexFunc(waiting, func(w turnEvent) bool { return meet(near, w.trip.Pattern, e.trip.Pattern) })
		if i < 0 {
			continue
		}
		d.next[keyOf(waiting[i].trip)], d.previous[keyOf(e.trip)] = e.trip, waiting[i].trip
		waiting = slices.Delete(waiting, i, i+1)
	}
}

// meet reports whether a pattern starts where another one ends. near remembers the answers.
func meet(near map[[2]*gtfs.Stop]bool, ends, starts *network.Pattern) bool {
	key := [2]*gtfs.Stop{ends.Stops[ends.Last()], starts.Stops[0]}
	known, ok := near[key]
	if !ok {
		known = geo.DistanceHaversine(key[0].Point, key[1].Point) <= maxTurnDistance
		near[key] = known
	}
	return known
}
