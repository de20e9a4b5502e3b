package oba

import (
	"cmp"
	"slices"
	"strings"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/index"
	"nhip/geo/network"
)

// defaultAgency stands for an agency that the timetable gives no id.
const defaultAgency = "1"

func agencyID(a *gtfs.Agency) string {
	if a == nil {
		return defaultAgency
	}
	return cmp.Or(a.ID, defaultAgency)
}

// join returns the id of an element of an agency.
func join(agency, id string) string {
	if id == "" {
		return ""
	}
	return agency + "_" + id
}

func (q *request) feed() *gtfs.Feed { return q.t.Network.Feed }

// agencyOf returns the agency with an id, nil if there is none.
func (q *request) agencyOf(id string) *gtfs.Agency {
	for _, a := range q.feed().Agencies {
		if agencyID(a) == id {
			return a
		}
	}
	return nil
}

// split finds the element of an id <agency>_<id>. Agencies and elements may have underscores themselves, so each agency
// that the id may begin with is tried. find returns nil for an unknown element.
func split[T any](q *request, kind, id string, find func(agency, rest string) *T) (*T, error) {
	for _, a := range q.feed().Agencies {
		if rest, ok := strings.CutPrefix(id, agencyID(a)+"_"); ok {
			if x := find(agencyID(a), rest); x != nil {
				return x, nil
			}
		}
	}
	return nil, errNotFound(kind, id)
}

func routeID(r *gtfs.Route) string { return join(agencyID(r.Agency), r.ID) }

func tripID(t *gtfs.Trip) string { return join(agencyID(t.Route.Agency), t.ID) }

// stopID returns the id of a stop: that of the first agency that calls there, of the timetable's first one if none
// does.
func (q *request) stopID(s *gtfs.Stop) string { return join(q.stopAgency(s), s.ID) }

func (q *request) stopAgency(s *gtfs.Stop) string {
	calls := q.t.Network.CallsAt(s)
	if len(calls) == 0 {
		return agencyID(q.feed().Agencies[0])
	}
	return agencyID(calls[0].Pattern.Route.Agency)
}

func (q *request) findRoute(id string) (*gtfs.Route, error) {
	return split(q, "route", id, func(agency, rest string) *gtfs.Route {
		if r := q.feed().Route(rest); r != nil && agencyID(r.Agency) == agency {
			return r
		}
		return nil
	})
}

func (q *request) findStop(id string) (*gtfs.Stop, error) {
	return split(q, "stop", id, func(agency, rest string) *gtfs.Stop {
		if s := q.feed().Stop(rest); s != nil && q.stopAgency(s) == agency {
			return s
		}
		return nil
	})
}

func (q *request) findTrip(id string) (*gtfs.Trip, error) {
	return split(q, "trip", id, func(agency, rest string) *gtfs.Trip {
		if t := q.feed().Trip(rest); t != nil && agencyID(t.Route.Agency) == agency && q.t.Network.PatternOf(t) != nil {
			return t
		}
		return nil
	})
}

// findAgency returns the agency of the path's id.
func (q *request) findAgency() (*gtfs.Agency, error) {
	id, err := q.id()
	if err != nil {
		return nil, err
	}
	if a := q.agencyOf(id); a != nil {
		return a, nil
	}
	return nil, errNotFound("agency", id)
}

// vehicleAgency returns the agency of a bus: its own if the timetable has it, else the first one.
func (q *request) vehicleAgency(b *nhip.Bus) string {
	if q.agencyOf(b.Agency) != nil {
		return b.Agency
	}
	return agencyID(q.feed().Agencies[0])
}

func (q *request) vehicleID(b *nhip.Bus) string { return join(q.vehicleAgency(b), b.ID) }

// buses returns all buses on the map, ordered by agency and id.
func (q *request) buses() []*nhip.Bus {
	found := q.h.Live.Buses().Within(nil, index.World, nil)
	out := make([]*nhip.Bus, len(found))
	for i, x := range found {
		out[i] = x.Item
	}
	slices.SortFunc(out, func(a, b *nhip.Bus) int {
		return cmp.Or(cmp.Compare(a.Agency, b.Agency), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// findVehicle returns a bus by its id; of several with one id, the one that reported last.
func (q *request) findVehicle(id string) (*nhip.Bus, error) {
	all := q.buses()
	return split(q, "vehicle", id, func(agency, rest string) *nhip.Bus {
		var found *nhip.Bus
		for _, b := range all {
			if b.ID == rest && q.vehicleAgency(b) == agency && (found == nil || b.Time.After(found.Time)) {
				found = b
			}
		}
		return found
	})
}

// instance returns the run of a trip on a day, nil if it does not run then. Of a trip that is repeated, it is the one
// that is under way or next.
func (q *request) instance(t *gtfs.Trip, day gtfs.Date) *network.TripInstance {
	all := q.t.Network.Day(day).TripInstancesOf(t)
	for _, inst := range all {
		if inst.Arrives(inst.Pattern.Last()) >= q.now.Unix() {
			return inst
		}
	}
	if len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// currentInstance returns the run of a trip that is under way, today's if none is, nil if it does not run.
func (q *request) currentInstance(t *gtfs.Trip) *network.TripInstance {
	today := gtfs.DateOf(q.now.In(q.t.Network.Location()))
	for _, day := range []gtfs.Date{today.Add(-1), today} {
		for _, inst := range q.t.Network.Day(day).TripInstancesOf(t) {
			if b := q.t.On(inst); b != nil ||
				inst.Departs(0) <= q.now.Unix() && inst.Arrives(inst.Pattern.Last()) >= q.now.Unix() {
				return inst
			}
		}
	}
	return q.instance(t, today)
}
