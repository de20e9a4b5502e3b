package transit

import (
	"fmt"
	"slices"

	"nhip"
	"nhip/geo/gtfs"
)

// CheckWritten returns an error that names what a written alert is about and the timetable does not have, or has of
// another agency.
func (m *Model) CheckWritten(a *nhip.WrittenAlert) error {
	t, err := m.Timetable()
	if err != nil {
		return err
	}
	agency := t.Agency(a.Agency)
	if agency == nil {
		return NoAgency(a.Agency)
	}
	for i := range a.Informed {
		c := entityCheck{t, agency, &a.Informed[i], fmt.Sprintf("informed[%d].", i)}
		for _, check := range []func() error{c.route, c.routeType, c.trip, c.stop, c.substitute} {
			if err := check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// NoAgency returns the error for an agency that does not exist, or not for the caller.
func NoAgency(id string) error {
	return nhip.Errorf(nhip.CodeInvalid, "agency", "there is no agency %q in the timetable", id)
}

// entityCheck compares a selector of an alert with the timetable.
type entityCheck struct {
	*Timetable
	agency *gtfs.Agency
	e      *nhip.InformedEntity
	prefix string // of the names of fields
}

func (c *entityCheck) fail(field, rule string, args ...any) error {
	return nhip.Errorf(nhip.CodeInvalid, c.prefix+field, rule, args...)
}

// owns reports whether a route is one of the alert's agency.
func (c *entityCheck) owns(r *gtfs.Route) bool {
	return r.Agency == c.agency || r.Agency == nil && c.agency.ID == ""
}

func (c *entityCheck) route() error {
	if c.e.Route == "" {
		return nil
	}
	r := c.Network.Feed.Route(c.e.Route)
	if r == nil || !c.owns(r) {
		return c.fail("route", "there is no route %q of the agency", c.e.Route)
	}
	if direction, known := c.e.Direction.Get(); known && !c.calls(nil) {
		return c.fail("direction", "the route %q has no trips in direction %d", c.e.Route, direction)
	}
	return nil
}

// calls reports whether a line of the selector calls at any of some stops; nil is any stop.
func (c *entityCheck) calls(stops []*gtfs.Stop) bool {
	for _, r := range c.Network.Feed.Routes {
		if !c.owns(r) {
			continue
		}
		for _, p := range c.Network.PatternsOf(r) {
			if selectsLine(c.e, lineKey{r, p.Direction}) && (stops == nil || callsAtAny(p.Stops, stops)) {
				return true
			}
		}
	}
	return false
}

func callsAtAny(calls, stops []*gtfs.Stop) bool {
	return slices.ContainsFunc(calls, func(s *gtfs.Stop) bool { return slices.Contains(stops, s) })
}

func (c *entityCheck) routeType() error {
	kind, known := c.e.RouteType.Get()
	if !known || slices.ContainsFunc(c.Network.Feed.Routes, func(r *gtfs.Route) bool {
		return r.Type == kind && c.owns(r)
	}) {
		return nil
	}
	return c.fail("route_type", "the agency has no routes of type %d", kind)
}

func (c *entityCheck) trip() error {
	if c.e.Trip == "" {
		return nil
	}
	trip := c.Network.Feed.Trip(c.e.Trip)
	if trip == nil || !c.owns(trip.Route) || c.e.Route != "" && trip.Route.ID != c.e.Route {
		return c.fail("trip", "there is no trip %q of the agency and route", c.e.Trip)
	}
	if c.e.Stop != "" && !slices.ContainsFunc(trip.StopTimes, func(call gtfs.StopTime) bool {
		return call.Stop.ID == c.e.Stop || call.Stop.Parent == c.e.Stop
	}) {
		return c.fail("stop", "the trip %q does not call at the stop %q", c.e.Trip, c.e.Stop)
	}
	return nil
}

func (c *entityCheck) stop() error {
	if c.e.Stop == "" || c.e.Trip != "" {
		return nil
	}
	if !c.calls(c.platforms(c.e.Stop)) {
		return c.fail("stop", "there is no stop %q at which such lines of the agency call", c.e.Stop)
	}
	return nil
}

func (c *entityCheck) substitute() error {
	id := c.e.SubstituteStop
	if id == "" {
		return nil
	}
	if c.FindStop(id) == nil {
		return c.fail("substitute_stop", "there is no stop %q", id)
	}
	return nil
}

// platforms returns the stop with an id, and the platforms of the station with it. It is never nil.
func (t *Timetable) platforms(id string) []*gtfs.Stop {
	out := []*gtfs.Stop{}
	for _, s := range t.Network.Feed.Stops {
		if s.ID == id || s.Parent == id {
			out = append(out, s)
		}
	}
	return out
}
