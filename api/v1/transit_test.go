package v1

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/api/resttest"
	"nhip/api/transit"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/tile"
	"nhip/geo/track"
	"nhip/internal/topics"
)

// ride passes the bus of a trip to the state, at a distance along its pattern, in metres, with a fix of some time ago.
func ride(t *testing.T, a *server, r *network.TripInstance, along float64, ago time.Duration) {
	t.Helper()
	p := r.Pattern
	at, _ := p.At(along)
	s := track.State{
		Status: track.StatusInService, Pattern: p, Instance: r, Along: along, Next: p.NextStop(along), Confidence: 1,
	}
	if along == 0 {
		s.Status, s.Next = track.StatusLayover, 1
	}
	addBus(t, a, nhip.Bus{
		ID: "bus-" + r.Trip.ID, Time: eight.Add(-ago).UTC(), Lat: at.Lat(), Lon: at.Lon(), Route: p.Route.ID,
		Track: s.Encode(), Occupancy: nhip.OccupancyFewSeats, Passengers: nhip.Some(17),
	})
}

type arrivalsAnswer struct {
	Arrivals []struct {
		State, Trip, Vehicle, Headsign, Occupancy string
		Minutes                                   float64
		Expected, Early, Late, Scheduled          *time.Time
	}
}

func TestArrivalStates(t *testing.T) {
	a, n := newTransitServer(t)
	trips := n.Day(geotest.Day).TripInstances(n.Patterns[0]) // 06:00, 06:15 …
	ride(t, a, trips[7], 4100, 10*time.Second)               // of 07:45: 9 stops are behind it
	ride(t, a, trips[8], 0, 10*time.Second)                  // of 08:00, at its first stop
	got := resttest.Decode[arrivalsAnswer](t, a, "/v1/stops/S15/arrivals?minutes=60").Arrivals
	byTrip := make(map[string]string)
	for _, d := range got {
		if d.Headsign == "Long Biên" {
			byTrip[d.Trip] = d.State
		}
	}
	for trip, want := range map[string]string{"T7-0": "live", "T8-0": "live", "T9-0": "scheduled", "T6-0": "no_report"} {
		if byTrip[trip] != want {
			t.Errorf("%s is %q, want %q of %v", trip, byTrip[trip], want, byTrip)
		}
	}
	for _, d := range got {
		if d.Trip != "T7-0" {
			continue
		}
		want := 3400 / geotest.Speed / 60
		if d.Minutes < want-3 || d.Minutes > want+1 || d.Vehicle != "bus-T7-0" ||
			d.Occupancy != string(nhip.OccupancyFewSeats) {
			t.Errorf("the live bus: %+v, want it in about %.1f minutes", d, want)
		}
		if d.Early.After(*d.Expected) || d.Expected.After(*d.Late) || d.Scheduled == nil {
			t.Errorf("its range: %+v", d)
		}
	}
	ride(t, a, trips[7], 4100, 0)
	a.transit.Bus(topics.LiveBusTopic("hanoi", "bus-T7-0"), &nhip.Bus{
		ID: "bus-T7-0", Agency: "hanoi", Time: eight.Add(-5 * time.Minute),
	})
	for _, d := range resttest.Decode[arrivalsAnswer](t, a, "/v1/stops/S15/arrivals").Arrivals {
		if d.Trip == "T7-0" && d.State != "no_report" {
			t.Errorf("a bus that is no longer tracked: %+v", d)
		}
	}
}

func TestTripWithoutBusIsNotComing(t *testing.T) {
	a, _ := newTransitServer(t)
	for _, c := range []struct {
		now  time.Time
		want string
	}{
		{eight.Add(-time.Hour), "scheduled"},
		{eight.Add(-time.Minute), "no_report"},
		{eight.Add(90 * time.Second), "not_coming"},
		{eight.Add(9 * time.Minute), "not_coming"},
		{eight.Add(11 * time.Minute), ""}, // its time at the stop is over
	} {
		a.clock.Set(c.now.UTC())
		state := ""
		for _, d := range resttest.Decode[arrivalsAnswer](t, a, "/v1/stops/S20/arrivals?minutes=90").Arrivals {
			if d.Trip == "T6-0" { // of 07:30, here at 08:00
				state = d.State
			}
		}
		if state != c.want {
			t.Errorf("at %s it is %q, want %q", c.now.Format(time.TimeOnly), state, c.want)
		}
	}
}

func TestHeadwayHasNoScheduledTime(t *testing.T) {
	f := geotest.Line(21, 15*time.Minute)
	f.Trips = f.Trips[:1]
	f.Trips[0].Frequencies = []gtfs.Frequency{{Start: 6 * 3600, End: 22 * 3600, Headway: 600}}
	a := newServer(t, func(o *options) { o.now, o.timetable = eight.UTC(), network.New(f) })
	got := resttest.Decode[struct {
		Arrivals []struct {
			State     string
			Scheduled *time.Time
			Headway   float64 `json:"headway_s"`
		}
	}](t, a, "/v1/stops/S15/arrivals?minutes=60").Arrivals
	if len(got) != 4 { // from 08:00 on, 22.5 minutes to here
		t.Errorf("%+v", got)
	}
	for _, d := range got {
		if d.State != "scheduled" || d.Scheduled != nil || d.Headway != 600 {
			t.Errorf("%+v", d)
		}
	}
}

func TestNearestBusShowsWhereToBoard(t *testing.T) {
	a, n := newTransitServer(t)
	trips := n.Day(geotest.Day).TripInstances(n.Patterns[0])
	ride(t, a, trips[7], 4100, 0)
	here := geotest.At(7050)
	_, props := resttest.Features(t, resttest.Get(a, fmt.Sprintf("/v1/buses?near=%f,%f", here.Lat()+0.001, here.Lon())))
	p := props[0]
	walk, _ := p["walk_to"].(map[string]any)
	if p["relation"] != "approaching" || walk["id"] != "S14" || walk["catchable"] != true ||
		p["next_stop_name"] != "Stop 9" || p["occupancy"] != "FEW_SEATS_AVAILABLE" || p["passengers"] != 17.0 {
		t.Errorf("at a place ahead of the bus: %v", p)
	}
	here = geotest.At(2000)
	_, props = resttest.Features(t, resttest.Get(a, fmt.Sprintf("/v1/buses?near=%f,%f", here.Lat(), here.Lon())))
	walk, _ = props[0]["walk_to"].(map[string]any)
	if props[0]["relation"] != "passed" || walk["id"] != "S9" || walk["catchable"] != false {
		t.Errorf("at a place behind the bus: %v", props[0])
	}
}

func TestBusesByDirectionAgencyAndAge(t *testing.T) {
	a, _ := newTransitServer(t)
	addBus(t, a, nhip.Bus{ID: "east", Lat: 21, Lon: 105.8, Time: eight.UTC(), Direction: nhip.Some(0)})
	addBus(t, a, nhip.Bus{
		ID: "west", Lat: 21, Lon: 105.8, Time: eight.Add(-time.Minute).UTC(), Direction: nhip.Some(1), Agency: "other",
	})
	for q, want := range map[string]string{
		"direction=0": "east", "direction=1": "west", "agency=other": "west", "max_age=30": "east", "max_age=90": "east west",
	} {
		if ids, _ := resttest.Features(t, resttest.Get(a, "/v1/buses?"+q)); strings.Join(ids, " ") != want {
			t.Errorf("%s: %v, want %s", q, ids, want)
		}
	}
	for _, q := range []string{"direction=2", "max_age=0", "agency="} {
		if w := resttest.Get(a, "/v1/buses?"+q); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", q, w.Code)
		}
	}
}

func TestDeparturesAround(t *testing.T) {
	a, n := newTransitServer(t)
	ride(t, a, n.Day(geotest.Day).TripInstances(n.Patterns[0])[7], 4100, 0)
	here := geotest.At(6000)
	got := resttest.Decode[struct {
		Lines []struct {
			Line, Headsign string
			Direction      int
			Stop           struct{ ID string }
			Walk           float64 `json:"walk_m"`
			Departures     []struct{ State string }
		}
	}](t, a, fmt.Sprintf("/v1/departures?near=%f,%f", here.Lat(), here.Lon())).Lines
	if len(got) != 2 || got[0].Headsign == got[1].Headsign {
		t.Fatalf("want two directions, got %+v", got)
	}
	for _, l := range got {
		if l.Stop.ID != "S12" || l.Walk > 20 || len(l.Departures) != 3 {
			t.Errorf("%+v", l)
		}
	}
}

func TestBoardsOfSomeLines(t *testing.T) {
	f := geotest.Line(21, 15*time.Minute)
	other := &gtfs.Route{ID: "R2", Agency: f.Agencies[0], ShortName: "02", Type: 3}
	f.Routes = append(f.Routes, other, &gtfs.Route{ID: "R3", Agency: f.Agencies[0], ShortName: "03", Type: 3})
	for _, trip := range f.Trips[60:] { // from 13:30 on
		trip.Route = other
	}
	a := newServer(t, func(o *options) { o.now, o.timetable = eight.UTC(), network.New(f) })
	here := geotest.At(6000)
	near := fmt.Sprintf("/v1/departures?minutes=600&near=%f,%f", here.Lat(), here.Lon())
	for q, want := range map[string]string{
		"": "R1/0 R1/1 R2/0 R2/1", "&route=R1": "R1/0 R1/1",
		"&route=R1,R2&direction=1": "R1/1 R2/1", "&direction=0": "R1/0 R2/0",
		"&route=R3": "",
	} {
		var departures, arrivals []string
		for _, l := range resttest.Decode[struct{ Lines []transit.LineGroup }](t, a, near+q).Lines {
			departures = append(departures, fmt.Sprintf("%s/%d", l.Route, l.Direction.Or(-1)))
		}
		for _, d := range resttest.Decode[struct{ Arrivals []transit.Departure }](t, a,
			"/v1/stops/S12/arrivals?minutes=600&limit=200"+q).Arrivals {
			arrivals = append(arrivals, fmt.Sprintf("%s/%d", d.Route, d.Direction.Or(-1)))
		}
		slices.Sort(departures)
		slices.Sort(arrivals)
		if got := strings.Join(departures, " "); got != want {
			t.Errorf("%s: departures of %q, want %q", q, got, want)
		}
		if got := strings.Join(slices.Compact(arrivals), " "); got != want {
			t.Errorf("%s: arrivals of %q, want %q", q, got, want)
		}
	}
}

func TestSearchWithoutDiacritics(t *testing.T) {
	a, _ := newTransitServer(t)
	for q, want := range map[string]string{
		"cau+giay": "R1", "c%E1%BA%A7u+gi%E1%BA%A5y": "R1", "01": "R1", "long+bien": "R1", "stop+7": "S7", "LONG": "R1",
	} {
		if w := resttest.Get(a, "/v1/search?q="+q); !strings.Contains(w.Body.String(), `"id":"`+want+`"`) {
			t.Errorf("%s: %s", q, w.Body)
		}
	}
	if w := resttest.Get(a, "/v1/search?q=zzz"); !strings.Contains(w.Body.String(), `"found":[]`) {
		t.Errorf("nothing: %s", w.Body)
	}
}

func TestRoutesAndStops(t *testing.T) {
	a, n := newTransitServer(t)
	ride(t, a, n.Day(geotest.Day).TripInstances(n.Patterns[0])[7], 4100, 0)
	for path, want := range map[string]string{
		"/v1/routes":                             `"buses":1`,
		"/v1/routes/R1":                          `"next_stop":"S9"`,
		"/v1/stops/S3":                           `"lines":[{"route":"R1","line":"01"`,
		"/v1/stops?near=21.0278,105.8&limit=1":   `"id":"S0"`,
		"/v1/stops?bbox=105,20,106,22&limit=500": `"id":"S20"`,
	} {
		if w := resttest.Get(a, path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestInvalidTransitQueries(t *testing.T) {
	a, _ := newTransitServer(t)
	for path, want := range map[string]string{
		"/v1/departures":                               "near",
		"/v1/departures?near=NaN,105":                  "near",
		"/v1/departures?near=91,105":                   "near",
		"/v1/departures?near=21,Inf":                   "near",
		"/v1/departures?near=21,105&radius=0":          "radius",
		"/v1/departures?near=21,105&radius=1000000000": "radius",
		"/v1/departures?near=21,105&limit=-1":          "limit",
		"/v1/stops?limit=1000000":                      "limit",
		"/v1/stops?radius=5":                           "radius",
		"/v1/stops/kh%C3%B4ng%2Fc%C3%B3":               "id",
		"/v1/stops/nope/arrivals":                      "id",
		"/v1/stops/S1/arrivals?minutes=0":              "minutes",
		"/v1/stops/S1/arrivals?direction=2":            "direction",
		"/v1/stops/S1/arrivals?route=":                 "route",
		"/v1/stops/S1/arrivals?route=R1,,R1":           "route",
		"/v1/stops/S1/arrivals?route=R1&route=R1":      "route",
		"/v1/departures?near=21,105&route=R1,none":     "route",
		"/v1/departures?near=21,105&direction=x":       "direction",
		"/v1/routes/%E1%BA%A4":                         "id",
		"/v1/search?q=%20":                             "q",
		"/v1/search":                                   "q",
		"/v1/stops?nearby=1":                           "nearby",
	} {
		w := resttest.Get(a, path)
		if w.Code < 400 || w.Code >= 500 || w.Header().Get("Content-Type") != "application/problem+json" ||
			!strings.Contains(w.Body.String(), `"field":"`+want+`"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	bare := newServer(t)
	if w := resttest.Get(bare, "/v1/search?q=a"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a timetable: %d %s", w.Code, w.Body)
	}
}

func TestETAQuality(t *testing.T) {
	a, n := newTransitServer(t)
	if err := a.transit.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := n.Day(geotest.Day).TripInstances(n.Patterns[0])[7]
	ride(t, a, r, 5000, 0)
	for i := 11; i <= 14; i++ { // each a minute later than predicted
		at := eight.Add(time.Duration(i-10)*90*time.Second + time.Minute)
		livetest.Receive(t, a.live, topics.ArrivalTopic("hanoi", "bus-T7-0"), nhip.Arrival{
			Agency: "hanoi", Vehicle: "bus-T7-0", Time: at, Pattern: r.Pattern.ID, Route: "R1", Trip: r.Trip.ID,
			StartDate: r.Day.String(), StartTime: r.Start.String(), Stop: r.Pattern.Stops[i].ID, Index: i,
		})
	}
	got := resttest.Decode[struct {
		All   transit.ETAQuality
		Lines []transit.ETAQuality
	}](t, a, "/v1/quality/eta")
	if got.All.Predictions != 4 || len(got.Lines) != 1 || got.Lines[0].Line != "01" || got.All.Bias < 50 ||
		got.All.Bias > 150 {
		t.Errorf("%+v", got)
	}
}

func TestNewTimetableReplacesOld(t *testing.T) {
	a, n := newTransitServer(t)
	ride(t, a, n.Day(geotest.Day).TripInstances(n.Patterns[0])[7], 4100, 0)
	longer := network.New(geotest.Line(25, 15*time.Minute))
	a.transit.Use(longer, &tile.TransitMap{Routes: []tile.Route{{ID: "R1", Line: "01"}}}, a.live.Buses())
	if w := resttest.Get(a, "/v1/stops/S24"); w.Code != http.StatusOK {
		t.Errorf("a new stop: %d", w.Code)
	}
	if w := resttest.Get(a, "/v1/routes"); !strings.Contains(w.Body.String(), `"buses":0`) {
		t.Errorf("the bus counts although its pattern no longer exists: %s", w.Body)
	}
	a.transit.Use(network.New(geotest.Line(21, 15*time.Minute)), &tile.TransitMap{}, a.live.Buses())
	if w := resttest.Get(a, "/v1/routes"); !strings.Contains(w.Body.String(), `"buses":1`) {
		t.Errorf("the bus does not count although its pattern exists again: %s", w.Body)
	}
}
