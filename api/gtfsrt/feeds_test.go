package gtfsrt_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"nhip"
	"nhip/api/citytest"
	"nhip/api/resttest"
	"nhip/geo/gtfs"
	"nhip/internal/gtfsrttest"

	pb "github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// eight is the time of the tests' state.
var eight = citytest.Eight

func newLine(t testing.TB) (*city, *gtfs.Feed) {
	t.Helper()
	c, f := citytest.NewLine(t)
	return newCity(c), f
}

// update returns the update of a trip, nil if there is none.
func update(m *pb.FeedMessage, trip string) *pb.TripUpdate {
	for _, e := range m.GetEntity() {
		if e.GetTripUpdate().GetTrip().GetTripId() == trip {
			return e.GetTripUpdate()
		}
	}
	return nil
}

func keepsRules(t *testing.T, c *city, f *gtfs.Feed, allowed ...string) {
	t.Helper()
	for _, x := range gtfsrttest.Check(f, c.feeds(t), nil, c.Clock.Now()) {
		if x.Error() || !slices.Contains(allowed, x.Rule) {
			t.Errorf("%s %s", x.Rule, x.Detail)
		}
	}
}

func TestBusIsExpectedAtTheStopsAhead(t *testing.T) {
	c, f := newLine(t)
	c.Drive(t, "29B-1", "T7-0") // of 07:45, at 5.5 km at eight: 5 km would be on time
	u := update(c.get(t, "/gtfs-rt/trip-updates.pb"), "T7-0")
	if u == nil || u.GetVehicle().GetId() != "29B-1" || u.GetTimestamp() != uint64(eight.Unix()) {
		t.Fatalf("the trip of the bus: %v", u)
	}
	calls := u.GetStopTimeUpdate()
	if len(calls) != 9 || calls[0].GetStopId() != "S12" || calls[8].GetStopId() != "S20" {
		t.Fatalf("%d stops ahead, %v", len(calls), calls)
	}
	first, last := calls[0], calls[8]
	wait := first.GetArrival().GetTime() - eight.Unix()
	if wait < 30 || wait > 240 || first.GetArrival().GetUncertainty() <= 0 {
		t.Errorf("500 m ahead: %v", first)
	}
	if last.Departure != nil || last.Arrival == nil {
		t.Errorf("the last stop: %v", last)
	}
	next := update(c.get(t, "/gtfs-rt/trip-updates.pb"), "T7-1")
	if next == nil || next.Vehicle != nil || len(next.GetStopTimeUpdate()) == 0 {
		t.Errorf("the next trip of its block: %v", next)
	}
	v := c.get(t, "/gtfs-rt/vehicle-positions.pb").GetEntity()[0].GetVehicle()
	if v.GetTrip().GetTripId() != "T7-0" || v.GetStopId() != "S12" || v.GetCurrentStopSequence() != 12 ||
		v.GetOccupancyStatus() != pb.VehiclePosition_FEW_SEATS_AVAILABLE || v.GetPosition().GetSpeed() != 5 {
		t.Errorf("its position: %v", v)
	}
	keepsRules(t, c, f, "W002", "W003") // of the next trip
}

func TestOperatorsFeedIsPassedOn(t *testing.T) {
	c, f := newLine(t)
	at := func(d time.Duration) nhip.Opt[int64] { return nhip.Some(eight.Add(d).Unix()) }
	c.Report(t, []nhip.TripUpdate{
		{Trip: "T9-0", Relationship: nhip.TripCanceled},
		{Trip: "T40-0", Relationship: nhip.TripCanceled}, // of 16:00
		{Trip: "T10-0", Relationship: nhip.TripScheduled, Stops: []nhip.StopUpdate{
			{Stop: "S0", DepartureDelay: nhip.Some(60)}, {Stop: "S3", Relationship: nhip.StopSkipped},
		}},
		{Trip: "extra", Route: "R1", Relationship: nhip.TripNew, Stops: []nhip.StopUpdate{
			{Stop: "S1", Departure: at(-time.Minute)},
			{Stop: "S2", Departure: at(time.Minute)},
			{Stop: "S3", Departure: at(time.Minute)},
			{Stop: "nowhere", Departure: at(2 * time.Minute)},
			{Stop: "S5", Arrival: at(3 * time.Minute)},
		}},
		{Trip: "T11-0", Relationship: nhip.TripReplacement, Stops: []nhip.StopUpdate{
			{Stop: "S0", Departure: at(10 * time.Minute)}, {Stop: "S9", Arrival: at(20 * time.Minute)},
		}},
	}, nil)
	m := c.get(t, "/gtfs-rt/trip-updates.pb")
	for _, id := range []string{"T9-0", "T40-0", "T11-0"} {
		u := update(m, id)
		if u.GetTrip().GetScheduleRelationship() != pb.TripDescriptor_CANCELED || len(u.GetStopTimeUpdate()) > 0 {
			t.Errorf("%s: %v", id, u)
		}
	}
	late := update(m, "T10-0").GetStopTimeUpdate()
	if len(late) != 21 || late[0].GetDeparture().GetTime() != eight.Add(31*time.Minute).Unix() ||
		late[3].GetScheduleRelationship() != pb.TripUpdate_StopTimeUpdate_SKIPPED {
		t.Errorf("a late trip that skips a stop: %v", late)
	}
	extra := update(m, "extra")
	if extra.GetTrip().GetScheduleRelationship() != pb.TripDescriptor_ADDED || len(extra.GetStopTimeUpdate()) != 3 {
		t.Errorf("an added trip: %v", extra)
	}
	if u := update(m, "T11-0|20260302|extra"); len(u.GetStopTimeUpdate()) != 2 {
		t.Errorf("the trip that replaces another: %v", u)
	}
	keepsRules(t, c, f, "W002")
}

func TestServiceAlerts(t *testing.T) {
	c, f := newLine(t)
	c.Report(t, nil, []nhip.ServiceAlert{
		{
			ID: "detour", Cause: "CONSTRUCTION", Effect: "DETOUR", Severity: "WARNING",
			Header:  []nhip.Translation{{Language: "vi", Text: "Tuyến 01 đi vòng"}, {Language: "en", Text: "Line 01 detours"}},
			Periods: []nhip.Period{{From: eight.Add(-time.Hour), To: eight.Add(time.Hour)}},
			Informed: []nhip.InformedEntity{
				{Route: "R1"}, {Route: "unknown"}, {Stop: "S3"}, {Trip: "T9-0", Route: "R1"}, {Trip: "T9-0", Route: "R2"},
			},
		},
		{ID: "nothing known", Header: []nhip.Translation{{Text: "?"}}, Informed: []nhip.InformedEntity{{Stop: "unknown"}}},
		{ID: "over", Periods: []nhip.Period{{To: eight.Add(-time.Hour)}}, Informed: []nhip.InformedEntity{{Route: "R1"}}},
	})
	m := c.get(t, "/gtfs-rt/alerts.pb")
	if len(m.GetEntity()) != 2 {
		t.Fatalf("%v", m)
	}
	for _, e := range m.GetEntity() {
		a := e.GetAlert()
		switch e.GetId() {
		case "city|detour":
			if len(a.GetInformedEntity()) != 3 || a.GetEffect() != pb.Alert_DETOUR || a.GetCause() != pb.Alert_CONSTRUCTION ||
				a.GetSeverityLevel() != pb.Alert_WARNING || len(a.GetHeaderText().GetTranslation()) != 2 {
				t.Errorf("%v", a)
			}
		default:
			if len(a.GetInformedEntity()) != 1 || a.GetInformedEntity()[0].GetAgencyId() != "HN" {
				t.Errorf("an alert of which the timetable has nothing: %v", a)
			}
		}
	}
	keepsRules(t, c, f)
}

// TestHeaderKeepsTheTimeOfTheData: the header's time is that of the newest data, rises when the content changes, and
// never falls.
func TestHeaderKeepsTheTimeOfTheData(t *testing.T) {
	c, f := newLine(t)
	c.Drive(t, "29B-1", "T7-0")
	before := c.feeds(t)
	stamp := func(x *gtfsrttest.Feeds) uint64 { return x.TripUpdates.GetHeader().GetTimestamp() }
	if stamp(before) != uint64(eight.Unix()) {
		t.Errorf("header.timestamp %d", stamp(before))
	}
	for range 20 { // the bus is silent and its stops pass out of the range that was predicted
		c.Clock.Set(c.Clock.Now().Add(10 * time.Second))
		now := c.feeds(t)
		for _, x := range gtfsrttest.Check(f, now, before, time.Time{}) {
			if x.Error() {
				t.Errorf("%s %s", x.Rule, x.Detail)
			}
		}
		before = now
	}
	c.Clock.Set(eight.Add(-time.Hour)) // set back
	if got := stamp(c.feeds(t)); got < uint64(eight.Unix()) {
		t.Errorf("header.timestamp fell to %d", got)
	}
}

func TestFormsOfAFeed(t *testing.T) {
	c, _ := newLine(t)
	c.Drive(t, "29B-1", "T7-0")
	const path = "/gtfs-rt/vehicle-positions.pb"
	binary, fromJSON := c.get(t, path), new(pb.FeedMessage)
	w := resttest.Get(c.handler, path+"?format=json")
	if err := protojson.Unmarshal(w.Body.Bytes(), fromJSON); err != nil || !proto.Equal(binary, fromJSON) {
		t.Errorf("JSON is another message: %v, %s", err, w.Body)
	}
	zipped := resttest.Get(c.handler, path, "Accept-Encoding", "gzip")
	r, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := io.ReadAll(r)
	plain := resttest.Get(c.handler, path)
	if string(raw) != plain.Body.String() {
		t.Error("gzip holds another message")
	}
	for _, x := range []struct{ have, accept string }{
		{plain.Header().Get("ETag"), ""}, {zipped.Header().Get("ETag"), "gzip"},
	} {
		w := resttest.Get(c.handler, path, "If-None-Match", x.have, "Accept-Encoding", x.accept)
		if w.Code != http.StatusNotModified {
			t.Errorf("the client has %s: %d", x.have, w.Code)
		}
	}
	for query, want := range map[string]int{
		"?agency=HN": 1, "?agency=hanoibus": 1, "?agency=none": http.StatusNotFound, "?format=xml": http.StatusBadRequest,
		"?x=1": http.StatusBadRequest,
	} {
		w := resttest.Get(c.handler, path+query)
		m := new(pb.FeedMessage)
		if w.Code != http.StatusOK && w.Code != want ||
			w.Code == http.StatusOK && (proto.Unmarshal(w.Body.Bytes(), m) != nil || len(m.GetEntity()) != want) {
			t.Errorf("%s: %d, %d entities", query, w.Code, len(m.GetEntity()))
		}
	}
}

// TestTwoBusesOnOneTrip: the feeds pair the trip with one of them.
func TestTwoBusesOnOneTrip(t *testing.T) {
	c, f := newLine(t)
	c.Drive(t, "29B-1", "T7-0")
	c.Drive(t, "29B-2", "T7-0")
	keepsRules(t, c, f, "W002", "W003", "W006")
	trips := 0
	for _, e := range c.get(t, "/gtfs-rt/vehicle-positions.pb").GetEntity() {
		if e.GetVehicle().GetTrip().GetTripId() != "" {
			trips++
		}
	}
	if trips != 1 {
		t.Errorf("%d vehicles on the trip", trips)
	}
}
