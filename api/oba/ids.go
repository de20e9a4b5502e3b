package oba

import (
	"nhip"
	"nhip/api/transit"
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

func (q *request) feed() *gtfs.Feed { return q.t.Network.Feed }

// known returns an error if an element was not found.
func known[T any](x *T, kind, id string) (*T, error) {
	if x == nil {
		return nil, errNotFound(kind, id)
	}
	return x, nil
}

func (q *request) findRoute(id string) (*gtfs.Route, error) {
	return known(q.t.FindQualifiedRoute(id), "route", id)
}

func (q *request) findStop(id string) (*gtfs.Stop, error) {
	return known(q.t.FindQualifiedStop(id), "stop", id)
}

func (q *request) findTrip(id string) (*gtfs.Trip, error) {
	return known(q.t.FindQualifiedTrip(id), "trip", id)
}

// findAgency returns the agency of the path's id.
func (q *request) findAgency() (*gtfs.Agency, error) {
	id, err := q.id()
	if err != nil {
		return nil, err
	}
	return known(q.t.Agency(id), "agency", id)
}

// findVehicle returns a bus by its id; of several with one id, the one that reported last.
func (q *request) findVehicle(id string) (*nhip.Bus, error) {
	all := q.live.AllBuses()
	return known(transit.FindQualified(q.t, id, func(agency, rest string) *nhip.Bus {
		var found *nhip.Bus
		for _, b := range all {
			if b.ID == rest && q.t.VehicleAgency(b) == agency && (found == nil || b.Time.After(found.Time)) {
				found = b
			}
		}
		return found
	}), "vehicle", id)
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
