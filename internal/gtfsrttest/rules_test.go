package gtfsrttest

import (
	"slices"
	"testing"
	"time"

	"nhip/geo/geotest"
	static "nhip/geo/gtfs"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"
)

var now = time.Date(2026, 3, 2, 6, 4, 0, 0, geotest.TimeZone)

func stamp(d time.Duration) *uint64 { return proto.Uint64(uint64(now.Add(d).Unix())) }

func event(d time.Duration) *gtfs.TripUpdate_StopTimeEvent {
	return &gtfs.TripUpdate_StopTimeEvent{Time: proto.Int64(now.Add(d).Unix())}
}

// timetable is a line of ten stops. The trip F-0 is one of a frequency without exact times, X-0 one with.
func timetable() *static.Feed {
	f := geotest.Line(10, 10*time.Minute)
	for id, exact := range map[string]bool{"F-0": false, "X-0": true} {
		trip := *f.Trips[0]
		trip.ID = id
		trip.Frequencies = []static.Frequency{{Start: 6 * 3600, End: 7 * 3600, Headway: 600, Exact: exact}}
		f.Trips = append(f.Trips, &trip)
	}
	other := *f.Trips[0].Route
	other.ID = "other"
	f.Routes = append(f.Routes, &other)
	return f
}

// clean returns feeds without a finding: a trip with its bus, and an alert.
func clean(f *static.Feed) *Feeds {
	trip := f.Trips[0]
	descriptor := func() *gtfs.TripDescriptor {
		return &gtfs.TripDescriptor{
			TripId: &trip.ID, RouteId: &trip.Route.ID, StartDate: proto.String(geotest.Day.String()),
			ScheduleRelationship: gtfs.TripDescriptor_SCHEDULED.Enum(),
		}
	}
	update := func(i int, d time.Duration) *gtfs.TripUpdate_StopTimeUpdate {
		return &gtfs.TripUpdate_StopTimeUpdate{
			StopSequence: proto.Uint32(uint32(trip.StopTimes[i].Sequence)), StopId: &trip.StopTimes[i].Stop.ID,
			Arrival: event(d), Departure: event(d + time.Second),
			ScheduleRelationship: gtfs.TripUpdate_StopTimeUpdate_SCHEDULED.Enum(),
		}
	}
	vehicle := &gtfs.VehicleDescriptor{Id: proto.String("bus")}
	message := func(e *gtfs.FeedEntity) *gtfs.FeedMessage {
		return &gtfs.FeedMessage{
			Header: &gtfs.FeedHeader{
				GtfsRealtimeVersion: proto.String("2.0"), Incrementality: gtfs.FeedHeader_FULL_DATASET.Enum(), Timestamp: stamp(0),
			},
			Entity: []*gtfs.FeedEntity{e},
		}
	}
	at := trip.StopTimes[3].Stop.Point
	return &Feeds{
		TripUpdates: message(&gtfs.FeedEntity{Id: proto.String("u"), TripUpdate: &gtfs.TripUpdate{
			Trip: descriptor(), Vehicle: vehicle, Timestamp: stamp(-time.Second),
			StopTimeUpdate: []*gtfs.TripUpdate_StopTimeUpdate{update(4, time.Minute), update(5, 2*time.Minute)},
		}}),
		Vehicles: message(&gtfs.FeedEntity{Id: proto.String("v"), Vehicle: &gtfs.VehiclePosition{
			Trip: descriptor(), Vehicle: vehicle, Timestamp: stamp(-time.Second),
			Position: &gtfs.Position{
				Latitude: proto.Float32(float32(at.Lat())), Longitude: proto.Float32(float32(at.Lon())),
			},
		}}),
		Alerts: message(&gtfs.FeedEntity{Id: proto.String("a"), Alert: &gtfs.Alert{
			InformedEntity: []*gtfs.EntitySelector{{RouteId: &trip.Route.ID}},
		}}),
	}
}

func TestCleanFeedsHaveNoFinding(t *testing.T) {
	f := timetable()
	if found := Check(f, clean(f), nil, now); len(found) > 0 {
		t.Error(found)
	}
}

// TestEachRuleFindsItsViolation breaks clean feeds in one way each.
func TestEachRuleFindsItsViolation(t *testing.T) {
	for rule, breaks := range violations {
		for i, change := range breaks {
			f := timetable()
			feeds := clean(f)
			change(f, feeds, feeds.TripUpdates.Entity[0].TripUpdate, feeds.Vehicles.Entity[0].Vehicle,
				feeds.Alerts.Entity[0].Alert)
			found := Check(f, feeds, nil, now)
			if !slices.ContainsFunc(found, func(x Finding) bool { return x.Rule == rule }) {
				t.Errorf("%s, violation %d: found %v", rule, i, found)
			}
		}
	}
}

// change breaks feeds: in the timetable's eyes, as a whole, or in their only trip update, vehicle or alert.
type change = func(*static.Feed, *Feeds, *gtfs.TripUpdate, *gtfs.VehiclePosition, *gtfs.Alert)

func trips(do func(*gtfs.TripUpdate)) change {
	return func(_ *static.Feed, _ *Feeds, u *gtfs.TripUpdate, _ *gtfs.VehiclePosition, _ *gtfs.Alert) { do(u) }
}

func stops(do func(a, b *gtfs.TripUpdate_StopTimeUpdate)) change {
	return trips(func(u *gtfs.TripUpdate) { do(u.StopTimeUpdate[0], u.StopTimeUpdate[1]) })
}

func position(do func(*gtfs.VehiclePosition)) change {
	return func(_ *static.Feed, _ *Feeds, _ *gtfs.TripUpdate, v *gtfs.VehiclePosition, _ *gtfs.Alert) { do(v) }
}

func alert(do func(*gtfs.EntitySelector)) change {
	return func(_ *static.Feed, _ *Feeds, _ *gtfs.TripUpdate, _ *gtfs.VehiclePosition, a *gtfs.Alert) {
		do(a.InformedEntity[0])
	}
}

func header(do func(*gtfs.FeedHeader)) change {
	return func(_ *static.Feed, f *Feeds, _ *gtfs.TripUpdate, _ *gtfs.VehiclePosition, _ *gtfs.Alert) {
		do(f.Vehicles.Header)
	}
}

// violations are ways to break each rule.
var violations = map[string][]change{
	"E001": {
		header(func(h *gtfs.FeedHeader) { h.Timestamp = proto.Uint64(uint64(now.UnixMilli())) }),
		stops(func(a, _ *gtfs.TripUpdate_StopTimeUpdate) { a.Arrival.Time = proto.Int64(7) }),
		func(_ *static.Feed, _ *Feeds, _ *gtfs.TripUpdate, _ *gtfs.VehiclePosition, a *gtfs.Alert) {
			a.ActivePeriod = []*gtfs.TimeRange{{Start: proto.Uint64(1)}}
		},
	},
	"E002": {
		stops(func(a, b *gtfs.TripUpdate_StopTimeUpdate) {
			a.StopSequence, b.StopSequence = b.StopSequence, a.StopSequence
		}),
		stops(func(a, b *gtfs.TripUpdate_StopTimeUpdate) {
			a.StopSequence, b.StopSequence, a.StopId, b.StopId = nil, nil, b.StopId, a.StopId
		}),
	},
	"E003": {
		trips(func(u *gtfs.TripUpdate) { u.Trip.TripId = proto.String("none") }),
		position(func(v *gtfs.VehiclePosition) { v.Trip.TripId = proto.String("none") }),
	},
	"E004": {
		trips(func(u *gtfs.TripUpdate) { u.Trip.RouteId = proto.String("none") }),
		alert(func(s *gtfs.EntitySelector) { s.RouteId = proto.String("none") }),
	},
	"E006": {trips(func(u *gtfs.TripUpdate) { u.Trip.TripId = proto.String("F-0") })},
	"E009": {func(f *static.Feed, _ *Feeds, u *gtfs.TripUpdate, _ *gtfs.VehiclePosition, _ *gtfs.Alert) {
		f.Trips[0].StopTimes[7].Stop = f.Trips[0].StopTimes[1].Stop
		u.StopTimeUpdate[0].StopSequence = nil
	}},
	"E011": {
		stops(func(a, _ *gtfs.TripUpdate_StopTimeUpdate) { a.StopId = proto.String("none") }),
		position(func(v *gtfs.VehiclePosition) { v.StopId = proto.String("none") }),
		alert(func(s *gtfs.EntitySelector) { s.StopId = proto.String("none") }),
	},
	"E012": {trips(func(u *gtfs.TripUpdate) { u.Timestamp = stamp(time.Second) })},
	"E013": {trips(func(u *gtfs.TripUpdate) { u.Trip.TripId = proto.String("F-0") })},
	"E015": {func(f *static.Feed, _ *Feeds, _ *gtfs.TripUpdate, _ *gtfs.VehiclePosition, _ *gtfs.Alert) {
		f.Trips[0].StopTimes[4].Stop.LocationType = static.LocationStation
	}},
	"E016": {trips(func(u *gtfs.TripUpdate) { u.Trip.ScheduleRelationship = gtfs.TripDescriptor_ADDED.Enum() })},
	"E019": {trips(func(u *gtfs.TripUpdate) {
		u.Trip.TripId, u.Trip.StartTime = proto.String("X-0"), proto.String("06:05:00")
	})},
	"E020": {trips(func(u *gtfs.TripUpdate) { u.Trip.StartTime = proto.String("6:0") })},
	"E021": {trips(func(u *gtfs.TripUpdate) { u.Trip.StartDate = proto.String("20261341") })},
	"E022": {stops(func(_, b *gtfs.TripUpdate_StopTimeUpdate) { b.Arrival = event(time.Minute) })},
	"E023": {trips(func(u *gtfs.TripUpdate) { u.Trip.StartTime = proto.String("06:00:01") })},
	"E024": {func(f *static.Feed, _ *Feeds, u *gtfs.TripUpdate, _ *gtfs.VehiclePosition, _ *gtfs.Alert) {
		u.Trip.DirectionId = proto.Uint32(uint32(1 - f.Trips[0].Direction.Or(0)))
	}},
	"E025": {stops(func(a, _ *gtfs.TripUpdate_StopTimeUpdate) { a.Departure = event(time.Second) })},
	"E026": {
		position(func(v *gtfs.VehiclePosition) { v.Position.Latitude = proto.Float32(91) }),
		position(func(v *gtfs.VehiclePosition) { v.Position.Longitude = nil }),
	},
	"E027": {position(func(v *gtfs.VehiclePosition) { v.Position.Bearing = proto.Float32(361) })},
	"E028": {position(func(v *gtfs.VehiclePosition) { v.Position.Latitude = proto.Float32(60) })},
	"E029": {position(func(v *gtfs.VehiclePosition) {
		v.Position.Latitude = proto.Float32(*v.Position.Latitude + 0.004)
	})},
	"E030": {func(f *static.Feed, _ *Feeds, _ *gtfs.TripUpdate, _ *gtfs.VehiclePosition, a *gtfs.Alert) {
		a.InformedEntity[0].RouteId = proto.String("other")
		a.InformedEntity[0].Trip = &gtfs.TripDescriptor{TripId: &f.Trips[0].ID}
	}},
	"E031": {alert(func(s *gtfs.EntitySelector) { s.Trip = &gtfs.TripDescriptor{RouteId: proto.String("other")} })},
	"E032": {func(_ *static.Feed, _ *Feeds, _ *gtfs.TripUpdate, _ *gtfs.VehiclePosition, a *gtfs.Alert) {
		a.InformedEntity = nil
	}},
	"E033": {alert(func(s *gtfs.EntitySelector) { s.RouteId = nil })},
	"E034": {alert(func(s *gtfs.EntitySelector) { s.AgencyId = proto.String("none") })},
	"E035": {trips(func(u *gtfs.TripUpdate) { u.Trip.RouteId = proto.String("other") })},
	"E036": {stops(func(a, b *gtfs.TripUpdate_StopTimeUpdate) { b.StopSequence = a.StopSequence })},
	"E037": {stops(func(a, b *gtfs.TripUpdate_StopTimeUpdate) { b.StopId = a.StopId })},
	"E038": {header(func(h *gtfs.FeedHeader) { h.GtfsRealtimeVersion = proto.String("3.0") })},
	"E039": {func(_ *static.Feed, f *Feeds, _ *gtfs.TripUpdate, _ *gtfs.VehiclePosition, _ *gtfs.Alert) {
		f.Alerts.Entity[0].IsDeleted = proto.Bool(false)
	}},
	"E040": {stops(func(a, _ *gtfs.TripUpdate_StopTimeUpdate) { a.StopId, a.StopSequence = nil, nil })},
	"E041": {trips(func(u *gtfs.TripUpdate) { u.StopTimeUpdate = nil })},
	"E042": {stops(func(a, _ *gtfs.TripUpdate_StopTimeUpdate) {
		a.ScheduleRelationship = gtfs.TripUpdate_StopTimeUpdate_NO_DATA.Enum()
	})},
	"E043": {stops(func(a, _ *gtfs.TripUpdate_StopTimeUpdate) { a.Arrival, a.Departure = nil, nil })},
	"E044": {stops(func(a, _ *gtfs.TripUpdate_StopTimeUpdate) { a.Arrival.Time = nil })},
	"E045": {stops(func(a, b *gtfs.TripUpdate_StopTimeUpdate) { a.StopId, b.StopId = b.StopId, a.StopId })},
	"E047": {position(func(v *gtfs.VehiclePosition) { v.Vehicle = &gtfs.VehicleDescriptor{Id: proto.String("other")} })},
	"E048": {header(func(h *gtfs.FeedHeader) { h.Timestamp = nil })},
	"E049": {header(func(h *gtfs.FeedHeader) { h.Incrementality = nil })},
	"E050": {header(func(h *gtfs.FeedHeader) { h.Timestamp = stamp(2 * time.Minute) })},
	"E051": {stops(func(a, _ *gtfs.TripUpdate_StopTimeUpdate) { a.StopSequence = proto.Uint32(999) })},
	"E052": {func(_ *static.Feed, f *Feeds, _ *gtfs.TripUpdate, _ *gtfs.VehiclePosition, _ *gtfs.Alert) {
		f.Vehicles.Entity = append(f.Vehicles.Entity, f.Vehicles.Entity[0])
	}},
	"W001": {trips(func(u *gtfs.TripUpdate) { u.Timestamp = nil })},
	"W002": {trips(func(u *gtfs.TripUpdate) { u.Vehicle = nil })},
	"W003": {position(func(v *gtfs.VehiclePosition) { v.Trip = nil })},
	"W004": {position(func(v *gtfs.VehiclePosition) { v.Position.Speed = proto.Float32(27) })},
	"W005": {trips(func(u *gtfs.TripUpdate) { u.Trip.TripId, u.Vehicle = proto.String("F-0"), nil })},
	"W006": {position(func(v *gtfs.VehiclePosition) { v.Trip.TripId = nil })},
	"W008": {header(func(h *gtfs.FeedHeader) { h.Timestamp = stamp(-2 * time.Minute) })},
	"W009": {stops(func(a, _ *gtfs.TripUpdate_StopTimeUpdate) { a.ScheduleRelationship = nil })},
}

func TestRulesOfSequences(t *testing.T) {
	f := timetable()
	for _, c := range []struct {
		rule   string
		change func(before, after *Feeds)
	}{
		{"E017", func(_, after *Feeds) { after.Vehicles.Entity[0].Vehicle.Position.Bearing = proto.Float32(3) }},
		{"E018", func(before, _ *Feeds) { before.Vehicles.Header.Timestamp = stamp(time.Second) }},
		{"W007", func(before, _ *Feeds) { before.Vehicles.Header.Timestamp = stamp(-time.Minute) }},
	} {
		before, after := clean(f), clean(f)
		if found := Check(f, after, before, now); len(found) > 0 {
			t.Fatal(found)
		}
		c.change(before, after)
		found := Check(f, after, before, now)
		if len(found) != 1 || found[0].Rule != c.rule {
			t.Errorf("%s: %v", c.rule, found)
		}
	}
}
