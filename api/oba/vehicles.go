package oba

import (
	"nhip"
	"nhip/api/transit"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/internal/topics"
)

// vehicleStatus is a vehicle and its trip.
type vehicleStatus struct {
	VehicleID              string      `json:"vehicleId"`
	LastUpdateTime         int64       `json:"lastUpdateTime"` // Unix ms
	LastLocationUpdateTime int64       `json:"lastLocationUpdateTime"`
	Location               *location   `json:"location"`
	TripID                 string      `json:"tripId"`
	TripStatus             *tripStatus `json:"tripStatus"`
	Phase                  string      `json:"phase"`
	Status                 string      `json:"status"`
	OccupancyStatus        string      `json:"occupancyStatus"`
	OccupancyCount         int         `json:"occupancyCount"`
	OccupancyCapacity      int         `json:"occupancyCapacity"`
}

// onTrip returns a bus that is trusted to be on a run of a trip, nil if it is not.
func (q *request) onTrip(b *nhip.Bus) *transit.TrackedBus {
	x := q.transit.Tracked(topics.LiveBusTopic(b.Agency, b.ID))
	if x == nil || !x.Serves() {
		return nil
	}
	return x
}

func (q *request) newVehicleStatus(b *nhip.Bus, on *transit.TrackedBus) vehicleStatus {
	s := q.newTripStatus(on.State.Instance, on)
	return vehicleStatus{
		VehicleID: q.t.QualifiedVehicle(b), LastUpdateTime: b.Time.UnixMilli(), LastLocationUpdateTime: b.Time.UnixMilli(),
		Location: newLocation(b.Point()), TripID: s.ActiveTripID, TripStatus: s, Phase: s.Phase, Status: s.Status,
		OccupancyStatus: s.OccupancyStatus, OccupancyCount: s.OccupancyCount, OccupancyCapacity: s.OccupancyCapacity,
	}
}

// vehiclesForAgency answers vehicles-for-agency/{id} with the vehicles that are on a trip: clients can't show others.
func (q *request) vehiclesForAgency() (any, error) {
	a, err := q.findAgency()
	if err != nil {
		return nil, err
	}
	out := []vehicleStatus{}
	for _, b := range q.live.AllBuses() {
		if q.t.VehicleAgency(b) != transit.AgencyID(a) {
			continue
		}
		if on := q.onTrip(b); on != nil {
			out = append(out, q.newVehicleStatus(b, on))
		}
	}
	return q.list(out, false, false), nil
}

// pathVehicle returns the vehicle of the path's id, which must be on a trip: the answer without one says "not in
// service".
func (q *request) pathVehicle() (*transit.TrackedBus, error) {
	id, err := q.id()
	if err != nil {
		return nil, err
	}
	b, err := q.findVehicle(id)
	if err != nil {
		return nil, err
	}
	if on := q.onTrip(b); on != nil {
		return on, nil
	}
	return nil, errNotFound("vehicle on a trip", id)
}

// vehicle answers vehicle/{id}.
func (q *request) vehicle() (any, error) {
	on, err := q.pathVehicle()
	if err != nil {
		return nil, err
	}
	return q.entry(q.newVehicleStatus(on.Bus, on)), nil
}

// tripForVehicle answers trip-for-vehicle/{id}. The schedule is included unless the client does without: the iOS app
// can't read the answer without it.
func (q *request) tripForVehicle() (any, error) {
	on, err := q.pathVehicle()
	with := q.include(true, true, true)
	if err != nil || q.err != nil {
		return nil, err
	}
	return q.entry(q.newTripDetails(on.State.Instance, on, with)), nil
}

// tripDetails answers trip-details/{id}.
func (q *request) tripDetails() (any, error) {
	trip, err := q.pathTrip()
	with, day := q.include(true, true, true), q.day("serviceDate")
	if err != nil || q.err != nil {
		return nil, err
	}
	inst := q.currentInstance(trip)
	if q.query.Get("serviceDate") != "" {
		inst = q.instance(trip, day)
	}
	if inst == nil {
		return nil, errNotFound("trip on that day", transit.QualifiedTrip(trip))
	}
	return q.entry(q.newTripDetails(inst, q.t.On(inst), with)), nil
}

// maxTrips bounds the trips of an answer.
const maxTrips = 500

// tripsForRoute answers trips-for-route/{id} with the trips that are under way: those that a bus serves, and those that
// the timetable has now.
func (q *request) tripsForRoute() (any, error) {
	r, err := q.pathRoute()
	with := q.include(true, false, false)
	if err != nil || q.err != nil {
		return nil, err
	}
	var under []*network.TripInstance
	for _, p := range q.t.Network.PatternsOf(r) {
		under = append(under, q.underWay(p)...)
	}
	under, more := limit(under, maxTrips)
	out := []listedTrip{}
	for _, inst := range under {
		out = append(out, q.newListedTrip(inst, with))
	}
	q.refs.route(r)
	return q.list(out, more, false), nil
}

// underWay returns the runs of a pattern that a bus serves, or that the timetable has now.
func (q *request) underWay(p *network.Pattern) []*network.TripInstance {
	var out []*network.TripInstance
	days, now := q.t.Network.DaysAt(q.now), q.now.Unix()
	for _, day := range days {
		for _, inst := range day.TripInstances(p) {
			if inst.Departs(0) > now+3600 || inst.Arrives(p.Last()) < now-3600 {
				continue
			}
			if inst.Departs(0) <= now && now <= inst.Arrives(p.Last()) || q.t.On(inst) != nil {
				out = append(out, inst)
			}
		}
	}
	return out
}

// listedTrip is tripDetails in a list: the contract wants schedule and status there, null if the client does not.
type listedTrip struct {
	tripDetails
	Schedule *schedule   `json:"schedule"`
	Status   *tripStatus `json:"status"`
}

func (q *request) newListedTrip(inst *network.TripInstance, with include) listedTrip {
	with.status = true // the contract allows null for the schedule only
	d := q.newTripDetails(inst, q.t.On(inst), with)
	return listedTrip{d, d.Schedule, d.Status}
}

// tripsForLocation answers trips-for-location with the trips whose bus is in the area.
func (q *request) tripsForLocation() (any, error) {
	for _, name := range []string{"latSpan", "lonSpan"} {
		if q.query.Get(name) == "" {
			q.fail(name, "is required")
		}
	}
	where, with := q.area(defaultRadius), q.include(true, false, true)
	most := q.integer("maxCount", maxTrips, 1, maxTrips)
	if q.err != nil {
		return nil, nil
	}
	out, more, seen := []listedTrip{}, false, make(map[*gtfs.Trip]bool)
	for _, b := range q.live.AllBuses() {
		on := q.onTrip(b)
		if !where.box.Contains(b.Point()) || on == nil || seen[on.State.Instance.Trip] {
			continue
		}
		if len(out) == most {
			more = true
			break
		}
		seen[on.State.Instance.Trip] = true
		out = append(out, q.newListedTrip(on.State.Instance, with))
	}
	return q.list(out, more, len(out) == 0 && q.outOfRange(where)), nil
}
