package oba_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/citytest"
	"nhip/geo/geotest"
)

// shown is what an app shows of an arrival.
type shown struct {
	TripID, VehicleID, Status, OccupancyStatus        string
	Predicted, ArrivalEnabled, DepartureEnabled       bool
	PredictedArrivalTime, PredictedDepartureTime      int64
	ScheduledArrivalTime, ScheduledDepartureTime      int64
	NumberOfStopsAway, StopSequence, TotalStopsInTrip int
	BlockTripSequence                                 int
	DistanceFromStop                                  float64
	SituationIDs                                      []string
	TripStatus                                        struct {
		ActiveTripID, Phase, VehicleID, ClosestStop, NextStop string
		Predicted                                             bool
		ScheduleDeviation, NextStopTimeOffset                 int
	}
}

// board returns the arrivals at a stop by trip.
func (c *client) board(t testing.TB, stop string, query ...string) map[string]shown {
	t.Helper()
	a := c.get(t, "arrivals-and-departures-for-stop/HN_"+stop, query...)
	if a.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", stop, a.Code, a.Text)
	}
	var e struct {
		Arrivals []shown `json:"arrivalsAndDepartures"`
	}
	if err := json.Unmarshal(a.Data.Entry, &e); err != nil {
		t.Fatal(err)
	}
	out := make(map[string]shown)
	for _, x := range e.Arrivals {
		out[x.TripID] = x
	}
	return out
}

func millis(d time.Duration) int64 { return citytest.Eight.Add(d).UnixMilli() }

func TestArrivalsTellWhatBoardsTell(t *testing.T) {
	city, _ := citytest.NewLine(t)
	city.Drive(t, "29B-1", "T7-0") // of 07:45, 5.5 km along at eight
	c := newClient(t, city)
	ahead := c.board(t, "S15")
	x := ahead["HN_T7-0"]
	if !x.Predicted || x.VehicleID != "HN_29B-1" || x.NumberOfStopsAway != 3 || x.DistanceFromStop < 1900 ||
		x.DistanceFromStop > 2100 || x.StopSequence != 15 || x.TotalStopsInTrip != 21 {
		t.Errorf("a bus four stops away: %+v", x)
	}
	if x.ScheduledArrivalTime != millis(7*time.Minute+30*time.Second) ||
		x.PredictedArrivalTime >= x.ScheduledArrivalTime || x.PredictedArrivalTime < millis(2*time.Minute) {
		t.Errorf("it is early: %+v", x)
	}
	if x.TripStatus.ActiveTripID != "HN_T7-0" || !x.TripStatus.Predicted || x.TripStatus.NextStop != "HN_S12" ||
		x.TripStatus.ScheduleDeviation >= 0 || x.OccupancyStatus != "FEW_SEATS_AVAILABLE" {
		t.Errorf("its status: %+v", x)
	}
	if y := ahead["HN_T8-0"]; y.Predicted || y.VehicleID != "" || y.PredictedArrivalTime != 0 ||
		y.TripStatus.ActiveTripID != "HN_T8-0" || y.TripStatus.ClosestStop == "" {
		t.Errorf("a trip without a bus: %+v", y)
	}
	// It has passed S11, at which the timetable has it in a minute and a half.
	if y, listed := c.board(t, "S11")["HN_T7-0"]; listed {
		t.Errorf("a bus that has left early is told to come: %+v", y)
	}
	if y := c.board(t, "S5", "minutesBefore", "20")["HN_T7-0"]; y.Predicted || y.NumberOfStopsAway >= 0 {
		t.Errorf("a bus that has passed: %+v", y)
	}
	next := c.board(t, "S18", "minutesAfter", "90")["HN_T7-1"] // the way back of its block
	if !next.Predicted || next.VehicleID != "HN_29B-1" || next.TripStatus.ActiveTripID != "HN_T7-0" ||
		next.BlockTripSequence != 1 || next.NumberOfStopsAway <= 9 {
		t.Errorf("the next trip of the bus: %+v", next)
	}
}

// TestEndsOfATrip: nobody gets on at the last stop or off at the first.
func TestEndsOfATrip(t *testing.T) {
	city, _ := citytest.NewLine(t)
	c := newClient(t, city)
	if x := c.board(t, "S0")["HN_T8-0"]; x.ArrivalEnabled || !x.DepartureEnabled {
		t.Errorf("the first stop: %+v", x)
	}
	if x := c.board(t, "S20", "minutesAfter", "60")["HN_T8-0"]; !x.ArrivalEnabled || x.DepartureEnabled {
		t.Errorf("the last stop: %+v", x)
	}
}

func TestOperatorsFeedInArrivals(t *testing.T) {
	city, _ := citytest.NewLine(t)
	city.Report(t, []nhip.TripUpdate{
		{Trip: "T9-0", Relationship: nhip.TripCanceled},
		{Trip: "T10-0", Relationship: nhip.TripScheduled, Stops: []nhip.StopUpdate{
			{Stop: "S0", DepartureDelay: nhip.Some(120)}, {Stop: "S3", Relationship: nhip.StopSkipped},
		}},
	}, []nhip.ServiceAlert{{
		ID: "detour", Effect: "DETOUR", Header: []nhip.Translation{{Language: "vi", Text: "Đi vòng"}},
		Informed: []nhip.InformedEntity{{Route: "R1"}},
	}})
	c := newClient(t, city)
	board := c.board(t, "S3", "minutesAfter", "60")
	if x := board["HN_T9-0"]; x.Status != "CANCELED" || x.ArrivalEnabled || x.DepartureEnabled || x.Predicted {
		t.Errorf("a canceled trip: %+v", x)
	}
	if x := board["HN_T10-0"]; x.DepartureEnabled || x.Predicted {
		t.Errorf("a trip that skips the stop: %+v", x)
	}
	if x := c.board(t, "S4", "minutesAfter", "60")["HN_T10-0"]; !x.Predicted ||
		x.PredictedDepartureTime-x.ScheduledDepartureTime != 120_000 {
		t.Errorf("a trip that the operator says is late: %+v", x)
	}
	if x := board["HN_T9-0"]; len(x.SituationIDs) != 1 || x.SituationIDs[0] != "HN_city_detour" {
		t.Errorf("situations: %+v", x)
	}
}

// TestErrorsAreEnvelopes: unknown elements are 404, wrong parameters 400, and never 500.
func TestErrorsAreEnvelopes(t *testing.T) {
	city, _ := citytest.NewLine(t)
	c := newClient(t, city)
	day := fmt.Sprint(time.Date(2026, 3, 2, 0, 0, 0, 0, geotest.TimeZone).UnixMilli())
	for _, x := range []struct {
		path  string
		query []string
		want  int
	}{
		{"stop/HN_none", nil, 404},
		{"stop/none", nil, 404},
		{"stop/_", nil, 404},
		{"plan-trip", nil, 404},
		{"stop/HN_S3/more", nil, 404},
		{"route/HN_none", nil, 404},
		{"agency/none", nil, 404},
		{"trip/XX_T7-0", nil, 404},
		{"shape/HN_none", nil, 404},
		{"block/HN_none", nil, 404},
		{"vehicle/HN_none", nil, 404},
		{"search/stop", []string{"input", "zzzz"}, 404},
		{"search/stop", nil, 400},
		{"search/stop", []string{"input", "Stop 1", "maxCount", "0"}, 400},
		{"search/stop", []string{"input", "Stop 1"}, 200},
		{"search/route", []string{"input", "01"}, 200},
		{"stops-for-location", []string{"lat", "x"}, 400},
		{"stops-for-location", []string{"lat", "91"}, 400},
		{"stops-for-location", []string{"lat", "NaN", "lon", "0"}, 400},
		{"stops-for-location", []string{"radius", "1e99"}, 200},
		{"arrivals-and-departures-for-location", nil, 400},
		{"arrivals-and-departures-for-location", []string{"lat", "0", "lon", "0", "emptyReturnsNotFound", "true"}, 404},
		{"arrivals-and-departures-for-location", []string{"lat", "0", "lon", "0", "routeType", "bus"}, 400},
		{"arrivals-and-departures-for-stop/HN_S3", []string{"minutesAfter", "soon"}, 400},
		{"arrivals-and-departures-for-stop/HN_S3", []string{"minutesAfter", "-1"}, 400},
		{"arrivals-and-departures-for-stop/HN_S3", []string{"minutesAfter", "99999999"}, 200},
		{"arrivals-and-departures-for-stop/HN_S3", []string{"time", "yesterday"}, 400},
		{"arrivals-and-departures-for-stop/HN_S3", []string{"time", "99999999999999999"}, 400},
		{"arrivals-and-departures-for-stop/HN_S3", []string{"time", "2026-03-02_08-00-00"}, 200},
		{"arrivals-and-departures-for-stop/HN_S3", []string{"time", "9999-12-31T23:59:59Z"}, 200},
		{"arrivals-and-departures-for-stop/HN_S3", []string{"time", "0000-01-01T00:00:00Z"}, 200},
		{"trips-for-route/HN_R1", []string{"time", "soon"}, 400},
		{"current-time", []string{"includeReferences", "perhaps"}, 400},
		{"arrival-and-departure-for-stop/HN_S3", nil, 400},
		{"arrival-and-departure-for-stop/HN_S3", []string{"tripId", "HN_T7-0", "serviceDate", day}, 200},
		{"arrival-and-departure-for-stop/HN_S3", []string{"tripId", "HN_none", "serviceDate", day}, 404},
		{"arrival-and-departure-for-stop/HN_S3", []string{"tripId", "HN_T7-0", "serviceDate", "1"}, 404},
		{"schedule-for-stop/HN_S3", []string{"date", "2026-13-01"}, 400},
		{"schedule-for-stop/HN_S3", []string{"date", "2026-03-03"}, 200},
		{"schedule-for-route/HN_R1", []string{"date", "1999-01-01"}, 200},
		{"trip-details/HN_T7-0", []string{"includeStatus", "maybe"}, 400},
		{"trips-for-location", []string{"lat", "21", "lon", "105.8"}, 400},
		{"trip-for-vehicle/HN_none", nil, 404},
	} {
		if a := c.get(t, x.path, x.query...); a.Code != x.want {
			t.Errorf("%s %v: %d %s, want %d", x.path, x.query, a.Code, a.Text, x.want)
		}
	}
}

func TestPlacesOutOfRange(t *testing.T) {
	city, f := citytest.NewLine(t)
	c := newClient(t, city)
	far := c.get(t, "stops-for-location", "lat", "47.6", "lon", "-122.3")
	if far.Data.OutOfRange == nil || !*far.Data.OutOfRange || len(far.Data.List) > 0 {
		t.Errorf("Seattle: %+v", far.Data)
	}
	p := f.Stops[3].Point
	near := c.get(t, "stops-for-location", "lat", fmt.Sprint(p.Lat()), "lon", fmt.Sprint(p.Lon()), "radius", "1200",
		"maxCount", "2")
	if *near.Data.OutOfRange || len(near.Data.List) != 2 || !*near.Data.LimitExceeded {
		t.Errorf("at a stop: %+v", near.Data)
	}
	if got := ids(t, near.Data.List, "id"); got[0] != "HN_S3" {
		t.Errorf("the nearest is not first: %v", got)
	}
	byCode := c.get(t, "stops-for-location", "lat", fmt.Sprint(p.Lat()), "lon", fmt.Sprint(p.Lon()), "query", "S7")
	if got := ids(t, byCode.Data.List, "id"); len(got) != 1 || got[0] != "HN_S7" {
		t.Errorf("by code: %v", got)
	}
}

func TestVehicles(t *testing.T) {
	city, _ := citytest.NewLine(t)
	city.Drive(t, "29B-1", "T7-0")
	city.Drive(t, "29B-2", "") // on no known trip, it may be inferred
	c := newClient(t, city)
	if got := ids(t, c.get(t, "vehicles-for-agency/HN").Data.List, "vehicleId"); len(got) == 0 || got[0] != "HN_29B-1" {
		t.Errorf("vehicles: %v", got)
	}
	var v struct {
		TripID     string
		TripStatus shown
		Location   struct{ Lat, Lon float64 }
	}
	if err := json.Unmarshal(c.get(t, "vehicle/HN_29B-1").Data.Entry, &v); err != nil || v.TripID != "HN_T7-0" ||
		v.Location.Lat == 0 {
		t.Errorf("a vehicle: %+v, %v", v, err)
	}
	var d struct {
		TripID   string
		Schedule struct {
			NextTripID string
			StopTimes  []struct{ ArrivalTime int }
		}
	}
	if err := json.Unmarshal(c.get(t, "trip-for-vehicle/HN_29B-1").Data.Entry, &d); err != nil ||
		d.TripID != "HN_T7-0" || len(d.Schedule.StopTimes) != 21 || d.Schedule.NextTripID != "HN_T7-1" {
		t.Errorf("its trip: %+v, %v", d, err)
	}
}

// TestRidersFindTheAgency: apps list how to reach an agency, and what it says of a line.
func TestRidersFindTheAgency(t *testing.T) {
	city, f := citytest.NewLine(t)
	a, r := f.Agencies[0], f.Routes[0]
	a.Phone, a.Email, a.FareURL = "1900 1296", "a@a.example", "https://a.example/ve"
	r.Description, r.URL = "Qua hồ", "https://a.example/01"
	route := string(newClient(t, city).get(t, "route/HN_R1").Data.Entry)
	agency := string(newClient(t, city).get(t, "agency/HN").Data.Entry)
	for _, want := range []string{`"description":"Qua hồ"`, `"url":"https://a.example/01"`} {
		if !strings.Contains(route, want) {
			t.Errorf("%s is missing: %s", want, route)
		}
	}
	for _, want := range []string{`"phone":"1900 1296"`, `"email":"a@a.example"`, `"fareUrl":"https://a.example/ve"`} {
		if !strings.Contains(agency, want) {
			t.Errorf("%s is missing: %s", want, agency)
		}
	}
}
