package remind

import (
	"cmp"

	"nhip"
	"nhip/geo/gtfs"
)

// decideLine fires for an active service alert about a line: of those that there are the most severe one, and then the
// first by its id.
func (c *City) decideLine(r *nhip.Reminder) Decision {
	d := Decision{State: nhip.ReminderWaiting}
	if c.Network == nil || c.Alerts == nil {
		return d
	}
	route := c.Network.Feed.Route(r.Route)
	if route == nil {
		return d
	}
	d.Notification.Line = lineOf(route)
	var worst *nhip.ServiceAlert
	for _, a := range c.Alerts() {
		if a.ActiveAt(c.Now) && c.touches(a, route, r.Direction) && (worst == nil || compareAlerts(a, worst) < 0) {
			worst = a
		}
	}
	if worst == nil {
		return d
	}
	d.Notification.Alert = worst.Feed + "/" + worst.ID
	d.Notification.Body = textOf(worst.Header, r.Lang)
	d.fireAt(c.Now, c.Now)
	return d
}

func compareAlerts(a, b *nhip.ServiceAlert) int {
	rank := func(a *nhip.ServiceAlert) int {
		return map[string]int{"SEVERE": 0, "WARNING": 1, "": 2, "INFO": 3}[a.Severity]
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Feed, b.Feed), cmp.Compare(a.ID, b.ID))
}

// touches reports whether a service alert is about a line, in a direction if that is known, or about a stop or a trip
// of it.
func (c *City) touches(a *nhip.ServiceAlert, route *gtfs.Route, direction nhip.Opt[int]) bool {
	for i := range a.Informed {
		if c.selects(&a.Informed[i], route, direction) {
			return true
		}
	}
	return false
}

func (c *City) selects(e *nhip.InformedEntity, route *gtfs.Route, direction nhip.Opt[int]) bool {
	if e.Route != "" && e.Route != route.ID || e.Agency != "" && (route.Agency == nil || e.Agency != route.Agency.ID) {
		return false
	}
	if kind, known := e.RouteType.Get(); known && kind != route.Type {
		return false
	}
	of, known := e.Direction.Get()
	if known && direction.Known() && of != direction.Or(0) {
		return false
	}
	if e.Stop == "" && e.Trip == "" {
		return e.Route != "" || e.Agency != "" || e.RouteType.Known()
	}
	for _, p := range c.Network.PatternsOf(route) {
		if direction.Known() && p.Direction.Known() && p.Direction != direction {
			continue
		}
		if e.Stop != "" && !servesStop(p.Stops, e.Stop) {
			continue
		}
		if e.Trip == "" || hasTrip(p.Trips, e.Trip) {
			return true
		}
	}
	return false
}

// servesStop reports whether a stop, or a station of one, is among some.
func servesStop(stops []*gtfs.Stop, id string) bool {
	for _, s := range stops {
		if s.ID == id || s.Parent == id {
			return true
		}
	}
	return false
}

func hasTrip(trips []*gtfs.Trip, id string) bool {
	for _, t := range trips {
		if t.ID == id {
			return true
		}
	}
	return false
}
