package transit

import (
	"cmp"
	"slices"
	"time"

	"nhip"
	"nhip/geo/gtfs"
)

// ServiceAlert is a service alert that holds.
type ServiceAlert struct {
	*nhip.ServiceAlert
	Active bool `json:"active"` // now; otherwise it will be
}

// AlertScope is what service alerts are asked for. An alert about less, such as one stop of a line, concerns the line,
// too. The zero scope is everything.
type AlertScope struct {
	stops map[string]bool // ids of stops and of their stations
	lines map[lineKey]bool
	trips map[string]bool
	all   bool
}

// Everything is the scope of all alerts.
var Everything = AlertScope{all: true}

// StopScope returns the scope of stops, of the lines that call at them and of trips by their ids.
func (t *Timetable) StopScope(trips []Departure, stops ...*gtfs.Stop) AlertScope {
	s := AlertScope{stops: make(map[string]bool), lines: make(map[lineKey]bool), trips: make(map[string]bool)}
	for _, stop := range stops {
		s.addStop(stop)
		for _, c := range t.Network.CallsAt(stop) {
			s.lines[lineKey{c.Pattern.Route, c.Pattern.Direction}] = true
		}
	}
	for i := range trips {
		s.trips[trips[i].Trip] = true
	}
	return s
}

// RouteScope returns the scope of a route, of its stops and of its trips.
func (t *Timetable) RouteScope(r *gtfs.Route) AlertScope {
	s := AlertScope{stops: make(map[string]bool), lines: make(map[lineKey]bool), trips: make(map[string]bool)}
	s.lines[lineKey{route: r}] = true // of a route without trips
	for _, p := range t.Network.PatternsOf(r) {
		s.lines[lineKey{r, p.Direction}] = true
		for _, stop := range p.Stops {
			s.addStop(stop)
		}
		for _, trip := range p.Trips {
			s.trips[trip.ID] = true
		}
	}
	return s
}

func (s *AlertScope) addStop(stop *gtfs.Stop) {
	s.stops[stop.ID] = true
	if stop.Parent != "" {
		s.stops[stop.Parent] = true
	}
}

// selects reports whether a selector of an alert is about something in the scope.
func (s *AlertScope) selects(e *nhip.InformedEntity) bool {
	if s.all {
		return true
	}
	if e.Stop != "" && !s.stops[e.Stop] || e.Trip != "" && !s.trips[e.Trip] {
		return false
	}
	if e.Route == "" && e.Agency == "" && !e.RouteType.Known() && !e.Direction.Known() {
		return e.Stop != "" || e.Trip != ""
	}
	for line := range s.lines {
		if selectsLine(e, line) {
			return true
		}
	}
	return false
}

// selectsLine reports whether a line has all that a selector says of lines.
func selectsLine(e *nhip.InformedEntity, line lineKey) bool {
	if e.Route != "" && e.Route != line.route.ID || e.Agency != "" && !isAgency(line.route.Agency, e.Agency) {
		return false
	}
	if kind, ok := e.RouteType.Get(); ok && kind != line.route.Type {
		return false
	}
	return !e.Direction.Known() || !line.direction.Known() || e.Direction == line.direction
}

// isAgency reports whether an agency has an id. The only agency of a timetable may have none.
func isAgency(a *gtfs.Agency, id string) bool { return a != nil && (a.ID == id || a.ID == "") }

// ServiceAlerts returns the alerts that are about something in a scope and hold now: those that are active, and with
// upcoming those that will be, too. The active ones come first, then the newest.
func (m *Model) ServiceAlerts(scope AlertScope, upcoming bool) []ServiceAlert {
	now := m.o.Clock.Now()
	out := []ServiceAlert{}
	for _, a := range append(m.services.alertsAt(now), m.toldWritten()...) {
		active := a.ActiveAt(now)
		if !active && !upcoming {
			continue
		}
		if scope.all || slices.ContainsFunc(a.Informed, func(e nhip.InformedEntity) bool { return scope.selects(&e) }) {
			out = append(out, ServiceAlert{a, active})
		}
	}
	slices.SortFunc(out, func(a, b ServiceAlert) int {
		if a.Active != b.Active {
			if a.Active {
				return -1
			}
			return 1
		}
		return cmp.Or(begins(b).Compare(begins(a)), cmp.Compare(a.Feed, b.Feed), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// alertsAt returns the alerts of the feeds that hold at a time.
func (s *services) alertsAt(now time.Time) (out []*nhip.ServiceAlert) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, a := range s.alerts {
		if a.HoldsAt(now, s.feed(a.Feed)) {
			out = append(out, a)
		}
	}
	return out
}

// HasServiceAlerts reports whether there are any alerts, also ones of feeds that do not hold.
func (m *Model) HasServiceAlerts() bool {
	if len(m.toldWritten()) > 0 {
		return true
	}
	m.services.mu.RLock()
	defer m.services.mu.RUnlock()
	return len(m.services.alerts) > 0
}

// begins returns the begin of an alert's first period, the zero time if it has none.
func begins(a ServiceAlert) time.Time {
	if len(a.Periods) == 0 {
		return time.Time{}
	}
	return a.Periods[0].From
}

// ServiceFeeds returns the realtime feeds that say something of trips or alerts, ordered by name.
func (m *Model) ServiceFeeds() []nhip.ServiceFeed {
	m.services.mu.RLock()
	defer m.services.mu.RUnlock()
	out := []nhip.ServiceFeed{}
	for _, f := range m.services.feeds {
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b nhip.ServiceFeed) int { return cmp.Compare(a.Feed, b.Feed) })
	return out
}
