// Package network turns timetables into what a bus can be followed on: patterns (the way and the stops
// of a line in one direction) measured in metres, the runs of each service day, and a grid that finds
// the patterns near a place.
//
// A Network never changes, so any number of readers may share one, and a new timetable is a new Network.
package network

import (
	"sync"
	"time"

	"nhip/geo/gtfs"
)

// Network is one timetable, ready to follow buses on.
type Network struct {
	Feed     *gtfs.Feed
	Patterns []*Pattern

	byID    map[string]*Pattern
	ofTrip  map[*gtfs.Trip]*Pattern
	ofRoute map[*gtfs.Route][]*Pattern
	ofStop  map[*gtfs.Stop][]Call
	links   int
	grid    grid

	mu   sync.Mutex
	days map[gtfs.Date]*Day // the few that are in use
}

// Call is one place of a pattern at which it stops.
type Call struct {
	Pattern *Pattern
	At      int // index into Pattern.Stops
}

// New measures a timetable. Trips with fewer than two stops go nowhere and are left out.
func New(feed *gtfs.Feed) *Network {
	n := &Network{
		Feed: feed, byID: make(map[string]*Pattern), ofTrip: make(map[*gtfs.Trip]*Pattern, len(feed.Trips)),
		ofRoute: make(map[*gtfs.Route][]*Pattern), ofStop: make(map[*gtfs.Stop][]Call), days: make(map[gtfs.Date]*Day),
	}
	links := make(map[link]int32)
	for _, t := range feed.Trips {
		if len(t.StopTimes) < 2 {
			continue
		}
		id := patternID(t)
		p := n.byID[id]
		if p == nil {
			p = newPattern(id, t)
			p.Index = len(n.Patterns)
			p.number(links)
			n.add(p)
		}
		p.Trips = append(p.Trips, t)
		n.ofTrip[t] = p
	}
	n.links = len(links)
	n.grid = newGrid(n.Patterns)
	return n
}

func (n *Network) add(p *Pattern) {
	n.Patterns = append(n.Patterns, p)
	n.byID[p.ID] = p
	n.ofRoute[p.Route] = append(n.ofRoute[p.Route], p)
	for i, s := range p.Stops {
		n.ofStop[s] = append(n.ofStop[s], Call{p, i})
	}
}

// Pattern returns the pattern of that id, or nil.
func (n *Network) Pattern(id string) *Pattern { return n.byID[id] }

// PatternOf returns the pattern of a trip, or nil for one that goes nowhere.
func (n *Network) PatternOf(t *gtfs.Trip) *Pattern { return n.ofTrip[t] }

// PatternsOf returns the patterns of a route.
func (n *Network) PatternsOf(r *gtfs.Route) []*Pattern { return n.ofRoute[r] }

// CallsAt returns where patterns call at a stop.
func (n *Network) CallsAt(s *gtfs.Stop) []Call { return n.ofStop[s] }

// Links returns how many different ways from one stop to the next there are; Pattern.Links counts
// below it.
func (n *Network) Links() int { return n.links }

// Location returns the time zone of the timetable.
func (n *Network) Location() *time.Location { return n.Feed.Location() }
