package transit

import (
	"cmp"
	"math"
	"slices"

	"nhip"
	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
)

// LineGroup is the departures of one line in one direction at its nearest stop with departures.
type LineGroup struct {
	Route      string        `json:"route"`
	Line       string        `json:"line"`
	Headsign   string        `json:"headsign"`
	Direction  nhip.Opt[int] `json:"direction,omitzero"`
	Color      string        `json:"color,omitempty"`
	Stop       StopRef       `json:"stop"`
	Walk       float64       `json:"walk_m"` // to the stop
	WalkTime   float64       `json:"walk_s"`
	Departures []Departure   `json:"departures"`

	closed bool // the line skips the stop: none of the departures takes place, and not because all are canceled
}

// maxNearbyStops is the number of stops that one query examines at most.
const maxNearbyStops = 200

// Nearby returns the next departures of each line within a radius of a place, in metres: at most perLine of each line
// that run, see nextRunning, and the line with the soonest departure first. Of a line that skips its nearest stop, the
// departures are those of the nearest one that it serves, if there is one.
func (t *Timetable) Nearby(place orb.Point, radius float64, perLine int, q BoardQuery) []*LineGroup {
	t.tracker.mu.RLock()
	defer t.tracker.mu.RUnlock()
	groups, out := make(map[lineKey]*LineGroup), []*LineGroup{}
	wanted := func(key lineKey) bool { return groups[key] == nil || groups[key].closed }
	for _, h := range t.stops.Nearest(nil, place, maxNearbyStops, radius, nil) {
		here := make(map[lineKey][]Departure)
		for _, c := range t.Network.CallsAt(h.Item) {
			if key := (lineKey{c.Pattern.Route, c.Pattern.Direction}); c.At < c.Pattern.Last() && wanted(key) {
				here[key] = t.callDepartures(here[key], c, &q)
			}
		}
		for _, d := range t.extraDepartures(nil, h.Item, &q) {
			key := lineKey{t.Network.Feed.Route(d.Route), d.Direction}
			if key.route != nil && wanted(key) {
				here[key] = append(here[key], d)
			}
		}
		for key, all := range here {
			if len(all) == 0 {
				continue // a stop further away may have departures
			}
			g := t.lineGroup(key, h.Item, h.Metres, all, perLine)
			switch closed := groups[key]; {
			case closed == nil:
				groups[key] = g
				out = append(out, g)
			case !g.closed:
				*closed = *g
			}
		}
	}
	slices.SortFunc(out, func(a, b *LineGroup) int {
		return cmp.Or(a.Departures[0].at.Compare(b.Departures[0].at), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Direction.Or(-1), b.Direction.Or(-1)))
	})
	return out
}

func (t *Timetable) lineGroup(key lineKey, s *gtfs.Stop, metres float64, all []Departure, limit int) *LineGroup {
	slices.SortFunc(all, func(a, b Departure) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.Trip, b.Trip)) })
	return &LineGroup{
		Route: key.route.ID, Line: LineOf(key.route), Headsign: all[0].Headsign, Direction: key.direction,
		Color: key.route.WebColor(),
		Stop:  t.StopRef(s), Walk: math.Round(metres * walkDetour), WalkTime: math.Round(metres * walkDetour / walkSpeed),
		Departures: nextRunning(all, limit), closed: isClosed(all),
	}
}

// isClosed reports whether a stop is skipped, and not served by any of the departures there.
func isClosed(all []Departure) bool {
	skipped := false
	for i := range all {
		if all[i].runs() {
			return false
		}
		skipped = skipped || all[i].State == stateSkipped
	}
	return skipped
}

// nextRunning returns the first departures: so many that run, with those between them that do not, at most twice as
// many in all. A rider who asks for the next bus wants to know which one is canceled, and which one comes.
func nextRunning(all []Departure, limit int) []Departure {
	running := 0
	for i := range all {
		if all[i].runs() {
			running++
		}
		if running == limit || i+1 == 2*limit {
			return all[:i+1]
		}
	}
	return all
}
