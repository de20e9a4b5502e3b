package transit

import (
	"cmp"
	"strings"

	"nhip"
	"nhip/geo/gtfs"
)

// OneBusAway and SIRI name elements of a timetable by ids <agency>_<id>. Qualified ids are such ids.

// defaultAgency stands for an agency that the timetable gives no id.
const defaultAgency = "1"

// AgencyID returns the id of an agency, "1" if the timetable gives its only one none.
func AgencyID(a *gtfs.Agency) string {
	if a == nil {
		return defaultAgency
	}
	return cmp.Or(a.ID, defaultAgency)
}

// QualifiedID returns the qualified id of an element of an agency, "" for "".
func QualifiedID(agency, id string) string {
	if id == "" {
		return ""
	}
	return agency + "_" + id
}

// QualifiedRoute returns the qualified id of a route.
func QualifiedRoute(r *gtfs.Route) string { return QualifiedID(AgencyID(r.Agency), r.ID) }

// QualifiedTrip returns the qualified id of a trip, which has the agency of its route.
func QualifiedTrip(t *gtfs.Trip) string { return QualifiedID(AgencyID(t.Route.Agency), t.ID) }

// QualifiedStop returns the qualified id of a stop, which has the agency of StopAgency.
func (t *Timetable) QualifiedStop(s *gtfs.Stop) string { return QualifiedID(t.StopAgency(s), s.ID) }

// StopAgency returns the id of the first agency that calls at a stop, of the timetable's first one if none does.
func (t *Timetable) StopAgency(s *gtfs.Stop) string {
	calls := t.Network.CallsAt(s)
	if len(calls) == 0 {
		return t.firstAgency()
	}
	return AgencyID(calls[0].Pattern.Route.Agency)
}

func (t *Timetable) firstAgency() string {
	if all := t.Network.Feed.Agencies; len(all) > 0 {
		return AgencyID(all[0])
	}
	return defaultAgency
}

// Agency returns the agency with an id, nil if there is none.
func (t *Timetable) Agency(id string) *gtfs.Agency {
	for _, a := range t.Network.Feed.Agencies {
		if AgencyID(a) == id {
			return a
		}
	}
	return nil
}

// QualifiedVehicle returns the qualified id of a bus, which has the agency of VehicleAgency.
func (t *Timetable) QualifiedVehicle(b *nhip.Bus) string {
	return QualifiedID(t.VehicleAgency(b), b.ID)
}

// VehicleAgency returns the agency of a bus: its own if the timetable has it, else the timetable's first one.
func (t *Timetable) VehicleAgency(b *nhip.Bus) string { return t.KnownAgency(b.Agency) }

// KnownAgency returns the id of an agency if the timetable has it, else that of the timetable's first one.
func (t *Timetable) KnownAgency(id string) string {
	if t.Agency(id) != nil {
		return id
	}
	return t.firstAgency()
}

// FindQualified finds the element of a qualified id, and returns nil if there is none. Agencies and elements may have
// underscores themselves, so each agency that the id may begin with is tried. find returns nil for an unknown element.
func FindQualified[T any](t *Timetable, id string, find func(agency, rest string) *T) *T {
	for _, a := range t.Network.Feed.Agencies {
		if rest, ok := strings.CutPrefix(id, AgencyID(a)+"_"); ok {
			if x := find(AgencyID(a), rest); x != nil {
				return x
			}
		}
	}
	return nil
}

// FindQualifiedRoute returns the route with a qualified id, nil if there is none.
func (t *Timetable) FindQualifiedRoute(id string) *gtfs.Route {
	return FindQualified(t, id, func(agency, rest string) *gtfs.Route {
		if r := t.Network.Feed.Route(rest); r != nil && AgencyID(r.Agency) == agency {
			return r
		}
		return nil
	})
}

// FindQualifiedStop returns the stop with a qualified id, nil if there is none.
func (t *Timetable) FindQualifiedStop(id string) *gtfs.Stop {
	return FindQualified(t, id, func(agency, rest string) *gtfs.Stop {
		if s := t.Network.Feed.Stop(rest); s != nil && t.StopAgency(s) == agency {
			return s
		}
		return nil
	})
}

// FindQualifiedTrip returns the trip with a qualified id, nil if there is none.
func (t *Timetable) FindQualifiedTrip(id string) *gtfs.Trip {
	return FindQualified(t, id, func(agency, rest string) *gtfs.Trip {
		trip := t.Network.Feed.Trip(rest)
		if trip != nil && AgencyID(trip.Route.Agency) == agency && t.Network.PatternOf(trip) != nil {
			return trip
		}
		return nil
	})
}

// TripHeadsign returns what stands on the bus: the headsign of a trip, or the name of its last stop.
func TripHeadsign(t *gtfs.Trip) string {
	if t.Headsign != "" || len(t.StopTimes) == 0 {
		return t.Headsign
	}
	return t.StopTimes[len(t.StopTimes)-1].Stop.Name
}
