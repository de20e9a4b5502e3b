package gtfsrt

import (
	"cmp"
	"time"

	"nhip"
	"nhip/api/transit"
	"nhip/geo/network"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"
)

// Relationships of stops, and of the trips of which they are.
const (
	stopScheduled = gtfs.TripUpdate_StopTimeUpdate_SCHEDULED
	stopSkipped   = gtfs.TripUpdate_StopTimeUpdate_SKIPPED
	tripAdded     = gtfs.TripDescriptor_ADDED
)

// tripUpdates adds what is expected of trips: those that a bus serves or will serve, those of which the operator's feed
// tells, and those that do not run.
func (b *builder) tripUpdates() error {
	t, err := b.transit.Timetable()
	if err != nil {
		return err
	}
	for _, x := range t.RealtimeTrips(b.now) {
		b.tripUpdate(&x)
	}
	for _, x := range t.ExtraTrips(b.now) {
		b.extraTrip(t, &x)
	}
	return nil
}

func (b *builder) tripUpdate(x *transit.RealtimeTrip) {
	inst := x.Instance
	if x.Canceled && inst.HeadwayBased {
		return // a line without scheduled times has no run that could be called off by its start (E013)
	}
	u := &gtfs.TripUpdate{Trip: tripDescriptor(inst, gtfs.TripDescriptor_SCHEDULED)}
	if x.Canceled {
		u.Trip.ScheduleRelationship = gtfs.TripDescriptor_CANCELED.Enum()
	}
	u.Timestamp = seconds(b.measured(x.Time))
	bus := ""
	if x.Bus != nil {
		u.Vehicle, bus = vehicleDescriptor(x.Bus), x.Bus.Agency
	}
	calls := callTimes{inst: inst}
	for _, c := range x.Calls {
		u.StopTimeUpdate = append(u.StopTimeUpdate, calls.update(&c))
	}
	b.add(&gtfs.FeedEntity{Id: proto.String(instanceID(inst)), TripUpdate: u}, x.Time, agencyOf(inst.Trip.Route), bus)
}

// instanceID identifies a run of a trip in the feed.
func instanceID(inst *network.TripInstance) string {
	id := inst.Trip.ID + "|" + inst.Day.String()
	if len(inst.Trip.Frequencies) > 0 {
		id += "|" + inst.Start.String()
	}
	return id
}

// callTimes makes the stop time updates of one run, whose times strictly rise from stop to stop (E022).
type callTimes struct {
	inst *network.TripInstance
	last int64 // time at the stop before, Unix s
}

func (t *callTimes) update(c *transit.RealtimeCall) *gtfs.TripUpdate_StopTimeUpdate {
	call := &t.inst.Trip.StopTimes[c.Stop]
	u := &gtfs.TripUpdate_StopTimeUpdate{
		StopSequence: proto.Uint32(uint32(call.Sequence)), StopId: &call.Stop.ID, ScheduleRelationship: stopScheduled.Enum(),
	}
	if c.Skipped {
		u.ScheduleRelationship = stopSkipped.Enum()
		return u
	}
	at := max(c.Expected.Unix(), t.last+1)
	event := func(at int64) *gtfs.TripUpdate_StopTimeEvent {
		e := &gtfs.TripUpdate_StopTimeEvent{Time: &at}
		if half := c.Uncertainty; half > 0 {
			e.Uncertainty = proto.Int32(int32(half.Round(time.Second).Seconds()))
		}
		return e
	}
	if c.Stop > 0 {
		u.Arrival = event(at)
	}
	if c.Stop < t.inst.Pattern.Last() {
		at = transit.HeldUntil(t.inst, c.Stop, at)
		u.Departure = event(at)
	}
	t.last = at
	return u
}

// extraTrip adds a trip that runs beside the timetable, or with other stops. Its id must not be that of a trip of the
// timetable (E016).
func (b *builder) extraTrip(t *transit.Timetable, x *transit.ExtraTrip) {
	u := x.Update
	id := cmp.Or(u.NewTrip, u.Trip, u.Feed+"|"+u.Key())
	if t.Network.Feed.Trip(id) != nil {
		id += "|" + cmp.Or(u.NewDate, u.StartDate) + "|" + cmp.Or(u.NewStart, u.StartTime, "extra")
	}
	out := &gtfs.TripUpdate{
		Trip:      &gtfs.TripDescriptor{TripId: &id, ScheduleRelationship: tripAdded.Enum()},
		Timestamp: seconds(b.measured(x.Time)),
	}
	route := t.Network.Feed.Route(u.Route)
	if original := t.Network.Feed.Trip(u.Trip); original != nil {
		route = original.Route
	}
	if route != nil {
		out.Trip.RouteId = &route.ID
	}
	if u.Vehicle != "" {
		out.Vehicle = &gtfs.VehicleDescriptor{Id: &u.Vehicle}
	}
	out.StopTimeUpdate = b.extraCalls(t, x)
	if len(out.StopTimeUpdate) == 0 {
		return // E041
	}
	b.add(&gtfs.FeedEntity{Id: proto.String(u.Feed + "|" + u.Key()), TripUpdate: out}, x.Time, agencyOf(route), u.Agency)
}

// extraCalls returns the stops ahead of a trip beside the timetable.
func (b *builder) extraCalls(t *transit.Timetable, x *transit.ExtraTrip) []*gtfs.TripUpdate_StopTimeUpdate {
	calls := extraCallTimes{now: b.now.Unix()}
	if inst := x.Instance; inst != nil {
		for i := range inst.Trip.StopTimes {
			if at, ok := x.Expected(i, b.now); ok {
				calls.add(inst.Trip.StopTimes[i].Stop.ID, at.Unix(), at.Unix())
			}
		}
		return calls.out
	}
	for i := range x.Update.Stops {
		s := &x.Update.Stops[i]
		id := cmp.Or(s.Assigned, s.Stop)
		if stop := t.Network.Feed.Stop(id); stop == nil || stop.LocationType != 0 ||
			s.Relationship == nhip.StopSkipped || s.Relationship == nhip.StopNoData {
			continue // E011, E015
		}
		arrival, arrives := s.Arrival.Get()
		departure, departs := s.Departure.Get()
		switch {
		case arrives && departs:
			calls.add(id, arrival, departure)
		case arrives || departs:
			calls.add(id, arrival+departure, arrival+departure) // one of them is 0
		}
	}
	return calls.out
}

// extraCallTimes makes the stop time updates of a trip without a timetable, numbered from 1.
type extraCallTimes struct {
	now, last int64
	out       []*gtfs.TripUpdate_StopTimeUpdate
}

func (t *extraCallTimes) add(stop string, arrival, departure int64) {
	if n := len(t.out); n > 0 && t.out[n-1].GetStopId() == stop || departure < t.now {
		return // E037; passed
	}
	arrival = max(arrival, t.last+1)
	departure = max(departure, arrival)
	t.last = departure
	t.out = append(t.out, &gtfs.TripUpdate_StopTimeUpdate{
		StopSequence: proto.Uint32(uint32(len(t.out) + 1)), StopId: &stop, ScheduleRelationship: stopScheduled.Enum(),
		Arrival:   &gtfs.TripUpdate_StopTimeEvent{Time: &arrival},
		Departure: &gtfs.TripUpdate_StopTimeEvent{Time: &departure},
	})
}
