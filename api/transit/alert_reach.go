package transit

import (
	"nhip"
	"nhip/geo/gtfs"
)

// AlertReach is which lines and stops a service alert concerns, for clients that follow some of them. It is immutable.
type AlertReach struct {
	lines map[string]bool // public numbers, and ids of routes
	stops map[string]bool // ids
	all   bool            // every line and stop
}

// ConcernsLine reports whether the alert is about a line, by its public number or the id of its route, about a stop of
// it or a trip of it.
func (r *AlertReach) ConcernsLine(id string) bool { return r.all || r.lines[id] }

// ConcernsStop reports whether the alert is about a stop or a line that calls there.
func (r *AlertReach) ConcernsStop(id string) bool { return r.all || r.stops[id] }

// Reach returns which lines and stops of the timetable in use an alert concerns. It agrees with the AlertScope of each
// of them.
func (m *Model) Reach(a *nhip.ServiceAlert) *AlertReach {
	t := m.inUse.Load()
	r := &AlertReach{lines: make(map[string]bool), stops: make(map[string]bool)}
	for i := range a.Informed {
		switch e := &a.Informed[i]; {
		case t.Network == nil:
			r.lines[e.Route], r.stops[e.Stop] = e.Route != "", e.Stop != ""
		case e.Trip != "":
			t.addTrip(r, e)
		case e.Stop != "":
			t.addStops(r, e)
		default:
			t.addLines(r, e)
		}
	}
	return r
}

func (r *AlertReach) addLine(t *Timetable, route *gtfs.Route) {
	r.lines[route.ID] = true
	for _, name := range []string{t.lines[route.ID], route.ShortName} {
		if name != "" {
			r.lines[name] = true
		}
	}
}

// addTrip adds the line of a trip: at its stops the alert concerns those alone who wait for the trip.
func (t *Timetable) addTrip(r *AlertReach, e *nhip.InformedEntity) {
	trip := t.Network.Feed.Trip(e.Trip)
	if trip != nil && selectsLine(e, lineKey{trip.Route, trip.Direction}) {
		r.addLine(t, trip.Route)
	}
}

// addStops adds a stop, or the platforms of a station, with the lines that call there.
func (t *Timetable) addStops(r *AlertReach, e *nhip.InformedEntity) {
	anyLine := e.Route == "" && e.Agency == "" && !e.RouteType.Known() && !e.Direction.Known()
	for _, s := range t.platforms(e.Stop) {
		if anyLine {
			r.stops[s.ID] = true
		}
		for _, c := range t.Network.CallsAt(s) {
			if selectsLine(e, lineKey{c.Pattern.Route, c.Pattern.Direction}) {
				r.stops[s.ID] = true
				r.addLine(t, c.Pattern.Route)
			}
		}
	}
}

// addLines adds lines and all their stops.
func (t *Timetable) addLines(r *AlertReach, e *nhip.InformedEntity) {
	all := true
	for _, route := range t.Network.Feed.Routes {
		if selectsLine(e, lineKey{route: route}) {
			r.addLine(t, route)
		} else {
			all = false
		}
	}
	if all && !e.Direction.Known() {
		r.all = true // most alerts of a whole agency
		return
	}
	for _, route := range t.Network.Feed.Routes {
		for _, p := range t.Network.PatternsOf(route) {
			if !selectsLine(e, lineKey{route, p.Direction}) {
				continue
			}
			for _, s := range p.Stops {
				r.stops[s.ID] = true
			}
		}
	}
}
