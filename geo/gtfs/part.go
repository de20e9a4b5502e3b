package gtfs

import "fmt"

// part is one of several merged timetables: its objects by the ids that they have in it.
type part struct {
	agencies map[string]*Agency
	stops    map[string]*Stop
	routes   map[string]*Route
	trips    map[string]*Trip
}

func newPart(f *Feed) part {
	return part{
		agencies: byKey(f.Agencies, func(a *Agency) string { return a.ID }),
		stops:    byKey(f.Stops, func(s *Stop) string { return s.ID }),
		routes:   byKey(f.Routes, func(r *Route) string { return r.ID }),
		trips:    byKey(f.Trips, func(t *Trip) string { return t.ID }),
	}
}

// Names translates ids of one of the timetables that were merged to those of the merged one. An id that the timetable
// does not have gets one that no other timetable has either. The zero value leaves ids as they are.
type Names struct {
	feed  *Feed
	index int
}

// NamesOf returns the names of the i-th merged timetable, from 0.
func (f *Feed) NamesOf(i int) Names {
	if i < 0 || i >= len(f.parts) {
		return Names{} // of one timetable only, whose ids are unchanged
	}
	return Names{f, i}
}

// Trip returns the id of a trip.
func (n Names) Trip(id string) string {
	if n.feed == nil || id == "" {
		return id
	}
	if t := n.feed.parts[n.index].trips[ShortID(id)]; t != nil {
		return t.ID
	}
	return n.unknown(id, n.feed.Trip(ShortID(id)) != nil)
}

// Route returns the id of a route.
func (n Names) Route(id string) string {
	if n.feed == nil || id == "" {
		return id
	}
	if r := n.feed.parts[n.index].routes[ShortID(id)]; r != nil {
		return r.ID
	}
	return n.unknown(id, n.feed.Route(ShortID(id)) != nil)
}

// Stop returns the id of a stop.
func (n Names) Stop(id string) string {
	if n.feed == nil || id == "" {
		return id
	}
	if s := n.feed.parts[n.index].stops[ShortID(id)]; s != nil {
		return s.ID
	}
	return n.unknown(id, n.feed.Stop(ShortID(id)) != nil)
}

// Agency returns the id of an agency.
func (n Names) Agency(id string) string {
	if n.feed == nil || id == "" {
		return id
	}
	if a := n.feed.parts[n.index].agencies[ShortID(id)]; a != nil {
		return a.ID
	}
	return n.unknown(id, true)
}

// unknown returns the name of what the timetable does not have. taken reports whether another one has the id.
func (n Names) unknown(id string, taken bool) string {
	if !taken {
		return id
	}
	return fmt.Sprintf("%d:%s", n.index+1, id)
}
