// Package network prepares timetables for following buses: patterns (the path and the stops of a route in one
// direction) measured in metres, the trip instances of each service day, and a grid that finds the patterns near
// a place.
//
// A Network does not change and is safe for concurrent use. A new timetable is a new Network.
package network

import (
	"sync"
	"time"

	"nhip/geo/gtfs"
)

// Network is one timetable, prepared for following buses.
type Network struct {
	Feed     *gtfs.Feed
	Patterns []*Pattern

	byID    map[string]*Pattern
	byTrip  map[*gtfs.Trip]*Pattern
	timed   map[*gtfs.Trip][]bool // of the trips that have some: see timedStops
	byRoute map[*gtfs.Route][]*Pattern
	byStop  map[*gtfs.Stop][]Call
	links   int
	grid    grid

	mu   sync.Mutex
	days map[gtfs.Date]*Day // the few most recent ones
}

// Call is one visit of a pattern to a stop.
type Call struct {
	Pattern *Pattern
	At      int // index into Pattern.Stops
}

// New prepares a timetable. Trips with fewer than two stops are left out.
func New(feed *gtfs.Feed) *Network {
	n := &Network{
		Feed: feed, byID: make(map[string]*Pattern), byTrip: make(map[*gtfs.Trip]*Pattern, len(feed.Trips)),
		timed:   make(map[*gtfs.Trip][]bool),
		byRoute: make(map[*gtfs.Route][]*Pattern), byStop: make(map[*gtfs.Stop][]Call), days: make(map[gtfs.Date]*Day),
	}
	links := make(map[link]int32)
	lines := make(lines)
	for _, t := range feed.Trips {
		if len(t.StopTimes) < 2 {
			continue
		}
		id := patternID(t)
		p := n.byID[id]
		if p == nil {
			p = newPattern(id, t, lines)
			p.Index = len(n.Patterns)
			p.numberLinks(links)
			n.add(p)
		}
		p.Trips = append(p.Trips, t)
		n.byTrip[t] = p
		if timed := timedStops(t); timed != nil {
			n.timed[t] = timed
		}
	}
	n.links = len(links)
	n.borrow()
	n.grid = newGrid(n.Patterns)
	return n
}

func (n *Network) add(p *Pattern) {
	n.Patterns = append(n.Patterns, p)
	n.byID[p.ID] = p
	n.byRoute[p.Route] = append(n.byRoute[p.Route], p)
	for i, s := range p.Stops {
		n.byStop[s] = append(n.byStop[s], Call{p, i})
	}
}

// Pattern returns the pattern with that id, or nil.
func (n *Network) Pattern(id string) *Pattern { return n.byID[id] }

// PatternOf returns the pattern of a trip, or nil if the trip has fewer than two stops.
func (n *Network) PatternOf(t *gtfs.Trip) *Pattern { return n.byTrip[t] }

// PatternsOf returns the patterns of a route.
func (n *Network) PatternsOf(r *gtfs.Route) []*Pattern { return n.byRoute[r] }

// CallsAt returns the calls of all patterns at a stop.
func (n *Network) CallsAt(s *gtfs.Stop) []Call { return n.byStop[s] }

// LinkCount returns the number of distinct links from one stop to the next. The values of Pattern.Links are less
// than it.
func (n *Network) LinkCount() int { return n.links }

// Location returns the time zone of the timetable.
func (n *Network) Location() *time.Location { return n.Feed.Location() }
