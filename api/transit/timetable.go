package transit

import (
	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/index"
	"nhip/geo/network"
	"nhip/geo/tile"
)

// english is the language of the translations in answers.
const english = "en"

// Timetable is a timetable in use. Everything but its tracker is immutable.
type Timetable struct {
	Network *network.Network // nil if no timetable is loaded
	Map     *tile.TransitMap // the drawing; empty if none is loaded
	Version uint64           // rises with each timetable

	first   gtfs.Date                // the first day; 0 if there is none
	expires gtfs.Date                // the last day; 0 if there is none
	lines   map[string]string        // public numbers by route
	stops   *index.Index[*gtfs.Stop] // platforms at which trips call
	names   searchIndex
	tracker *tracker

	services *services // what realtime feeds say of trips; the model's
	feeds    *feedScores
}

func newTimetable(
	n *network.Network, drawn *tile.TransitMap, version uint64, clock nhip.Clock, lean float64, s *services,
	feeds *feedScores,
) *Timetable {
	if drawn == nil {
		drawn = new(tile.TransitMap)
	}
	t := &Timetable{Map: drawn, Version: version, lines: make(map[string]string, len(drawn.Routes)), services: s}
	t.feeds = feeds
	for _, r := range drawn.Routes {
		t.lines[r.ID] = r.Line
	}
	if n == nil {
		return t
	}
	runs := func(trip *network.TripInstance) bool {
		state := s.of(trip, clock.Now())
		return state.runs()
	}
	t.Network, t.expires, t.stops = n, n.Feed.Expires(), index.New[*gtfs.Stop]()
	t.first, _ = n.Feed.Period()
	t.tracker = newTracker(n, clock, lean, runs, feeds)
	for _, s := range n.Feed.Stops {
		if s.LocationType == gtfs.LocationPlatform && len(n.CallsAt(s)) > 0 {
			_ = t.stops.Set(s.ID, s.Point, s) // can't fail: the feed's reader checks positions
		}
	}
	t.names = newSearchIndex(n, english)
	return t
}
