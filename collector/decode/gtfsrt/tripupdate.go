package gtfsrt

import (
	"strconv"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/protoscan"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"
)

// addTrip adds a TripUpdate, or rejects it. The error is one of the whole message.
func (f *feed) addTrip(entity string, e entity) error {
	if len(f.report.Trips) == maxTrips {
		return nhip.Errorf(nhip.CodeOutOfRange, "", "must have at most %d trip updates", maxTrips)
	}
	u, row, err := f.trip(entity, e)
	if err != nil {
		f.faults.Reject(decode.InRow(row, err))
		return nil
	}
	f.report.Trips = append(f.report.Trips, u)
	return nil
}

// trip returns an update, and the name of its row for faults.
func (f *feed) trip(row string, e entity) (u nhip.TripUpdate, _ string, _ error) {
	if len(e.trip) > maxTripUpdate {
		return u, row, nhip.Errorf(nhip.CodeOutOfRange, "trip_update", "must be at most %d bytes, got %d", maxTripUpdate,
			len(e.trip))
	}
	var msg gtfs.TripUpdate
	if err := (proto.UnmarshalOptions{AllowPartial: true}).Unmarshal(e.trip, &msg); err != nil {
		return u, row, nhip.Errorf(nhip.CodeMalformed, "trip_update", "must be a TripUpdate in Protobuf")
	}
	trip := msg.GetTrip()
	row += " trip " + strconv.Quote(decode.Clip(trip.GetTripId()))
	if v := vehicleID(msg.GetVehicle()); v != "" {
		row += " vehicle " + strconv.Quote(decode.Clip(v))
	}
	drop := func(err error) { f.drop(row, err) }
	r, known := relationship(trip)
	if !known {
		return u, row, nhip.Errorf(nhip.CodeOutOfRange, "trip.schedule_relationship", "is unknown, got %d",
			trip.GetScheduleRelationship())
	}
	j := journeyOf(trip, drop)
	if j.trip == "" && j.route == "" {
		return u, row, nhip.Errorf(nhip.CodeMissing, "trip.trip_id", "is required, or route_id")
	}
	u = nhip.TripUpdate{
		Feed: f.report.Feed, Entity: text("id", e.id, drop), Agency: f.report.Agency,
		Time: f.measured(msg.GetTimestamp(), drop),
		Trip: j.trip, Route: j.route, Direction: j.direction, StartDate: j.date, StartTime: j.start, Relationship: r,
		Vehicle: text("vehicle", vehicleID(msg.GetVehicle()), drop),
		Delay:   delay(msg.Delay, drop),
	}
	setProperties(&u, msg.GetTripProperties(), drop)
	return u, row, f.setStops(&u, msg.GetStopTimeUpdate(), drop)
}

// measured returns the time of an update. One that has none that can be is as old as its feed: see repeated.
func (f *feed) measured(stamp uint64, drop func(error)) time.Time {
	if stamp == 0 {
		return f.repeated()
	}
	at, err := f.past(stamp)
	if err != nil {
		drop(err)
		return f.repeated()
	}
	return at
}

// past returns the time of a timestamp that is not ahead of the clock.
func (f *feed) past(stamp uint64) (time.Time, error) {
	at, err := f.time(stamp, "timestamp")
	if err == nil && at.After(f.in.Received.Add(nhip.FutureTolerance)) {
		err = nhip.Errorf(nhip.CodeFuture, "timestamp", "%s is more than %s ahead of the clock", at.Format(time.RFC3339),
			nhip.FutureTolerance)
	}
	return at, err
}

// repeated returns the time of an entity without one. In a full feed it is the zero time, because the feed says the
// entity again with each message: its content does not change.
func (f *feed) repeated() time.Time {
	if f.report.Differential {
		return f.report.Time
	}
	return time.Time{}
}

// headsignField is TripProperties.trip_headsign, which the bindings lack.
const headsignField = 5

// setProperties sets what a trip has that is not in the timetable.
func setProperties(u *nhip.TripUpdate, p *gtfs.TripUpdate_TripProperties, drop func(error)) {
	if p == nil {
		return
	}
	_ = protoscan.Fields(p.ProtoReflect().GetUnknown(), func(f protoscan.Field) error { // Unmarshal has checked it
		if raw, ok := f.Bytes(); ok && f.Number == headsignField {
			u.Headsign = text("trip_headsign", string(raw), drop)
		}
		return nil
	})
	if u.Relationship != nhip.TripDuplicated && u.Relationship != nhip.TripAdded {
		return
	}
	j := journeyOf(&gtfs.TripDescriptor{TripId: p.TripId, StartDate: p.StartDate, StartTime: p.StartTime}, drop)
	u.NewTrip, u.NewDate, u.NewStart = j.trip, j.date, j.start
}

// maxDelay is the largest delay, early or late, in s.
const maxDelay = nhip.MaxDelay

// delay returns a delay in s, if there is one that can be.
func delay(s *int32, drop func(error)) nhip.Opt[int] {
	if s == nil {
		return nhip.Opt[int]{}
	}
	if *s < -maxDelay || *s > maxDelay {
		drop(nhip.Errorf(nhip.CodeOutOfRange, "delay", "must be between %d and %d, got %d", -maxDelay, maxDelay, *s))
		return nhip.Opt[int]{}
	}
	return nhip.Some(int(*s))
}

// eventTime returns a time in Unix s, if there is one that can be.
func eventTime(s *int64, drop func(error)) nhip.Opt[int64] {
	if s == nil || *s == 0 {
		return nhip.Opt[int64]{}
	}
	if *s < 0 || *s > maxTimestamp {
		drop(nhip.Errorf(nhip.CodeOutOfRange, "stop_time_update.time", "must be Unix seconds, got %d", *s))
		return nhip.Opt[int64]{}
	}
	return nhip.Some(*s)
}

func (f *feed) setStops(u *nhip.TripUpdate, stops []*gtfs.TripUpdate_StopTimeUpdate, drop func(error)) error {
	if len(stops) > nhip.MaxTripStops {
		return nhip.Errorf(nhip.CodeOutOfRange, "stop_time_update", "must be at most %d, got %d", nhip.MaxTripStops,
			len(stops))
	}
	for _, s := range stops {
		if stop, ok := stopUpdate(s, drop); ok {
			u.Stops = append(u.Stops, stop)
		}
	}
	return nil
}

// maxSequence bounds stop_sequence.
const maxSequence = 1 << 20

// stopUpdate returns what a feed says of a stop; false if the stop has no name or a relationship that is unknown.
func stopUpdate(s *gtfs.TripUpdate_StopTimeUpdate, drop func(error)) (u nhip.StopUpdate, ok bool) {
	u = nhip.StopUpdate{
		Stop:     text("stop_time_update.stop_id", s.GetStopId(), drop),
		Assigned: text("stop_time_update.assigned_stop_id", s.GetStopTimeProperties().GetAssignedStopId(), drop),
	}
	if e := s.GetArrival(); e != nil {
		u.Arrival, u.ArrivalDelay = eventTime(e.Time, drop), delay(e.Delay, drop)
	}
	if e := s.GetDeparture(); e != nil {
		u.Departure, u.DepartureDelay = eventTime(e.Time, drop), delay(e.Delay, drop)
	}
	if s.StopSequence != nil && s.GetStopSequence() <= maxSequence {
		u.Sequence = nhip.Some(int(s.GetStopSequence()))
	}
	switch r := s.GetScheduleRelationship(); r {
	case gtfs.TripUpdate_StopTimeUpdate_SCHEDULED:
	case gtfs.TripUpdate_StopTimeUpdate_SKIPPED, gtfs.TripUpdate_StopTimeUpdate_NO_DATA,
		gtfs.TripUpdate_StopTimeUpdate_UNSCHEDULED:
		u.Relationship = nhip.StopRelationship(r.String())
	default:
		drop(nhip.Errorf(nhip.CodeOutOfRange, "stop_time_update.schedule_relationship", "is unknown, got %d", r))
		return u, false
	}
	if u.Stop == "" && !u.Sequence.Known() {
		drop(nhip.Errorf(nhip.CodeMissing, "stop_time_update", "needs stop_id or stop_sequence"))
		return u, false
	}
	return u, true
}
