package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/tile"
	"nhip/geo/track"
	"nhip/internal/mqtt"
)

// eight is 08:00 in Hanoi on the day of the made timetable.
var eight = time.Date(2026, 3, 2, 8, 0, 0, 0, geotest.Zone)

// newTransitAPI returns an api with a line of 21 stops and a departure each 15 minutes.
func newTransitAPI(t *testing.T) (*API, *network.Network) {
	t.Helper()
	n := network.New(geotest.Line(21, 15*time.Minute))
	return newAPI(t, func(o *Options) { o.Clock, o.Timetable = stopped(eight.UTC()), n }), n
}

// ride puts the bus of a run at so many metres, seconds ago.
func ride(t *testing.T, a *API, r *network.Run, along float64, ago time.Duration) {
	t.Helper()
	p := r.Pattern
	at, _ := p.At(along)
	s := track.State{Status: track.InService, Pattern: p, Run: r, Along: along, Next: p.NextStop(along), Confidence: 1}
	if along == 0 {
		s.Status, s.Next = track.Layover, 1
	}
	addBus(t, a, nhip.Bus{
		ID: "bus-" + r.Trip.ID, Time: eight.Add(-ago).UTC(), Lat: at.Lat(), Lon: at.Lon(), Route: p.Route.ID, Track: s.Said(), Occupancy: nhip.OccupancyFewSeats, Passengers: nhip.Some(17),
	})
}

func into[T any](t *testing.T, a *API, path string) T {
	t.Helper()
	w := get(t, a, path)
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s: %v", path, w.Code, w.Body, err)
	}
	return v
}

type arrivalsAnswer struct {
	Arrivals []struct {
		State, Trip, Vehicle, Headsign, Occupancy string
		Minutes                                   float64
		Expected, Early, Late, Scheduled          *time.Time
	}
}

func TestArrivalsSayHonestlyWhatComes(t *testing.T) {
	a, n := newTransitAPI(t)
	runs := n.Day(geotest.Day).RunsOf(n.Patterns[0]) // 06:00, 06:15 …
	ride(t, a, runs[7], 4100, 10*time.Second)        // of 07:45: 9 stops are behind it
	ride(t, a, runs[8], 0, 10*time.Second)           // of 08:00, at its first stop
	got := into[arrivalsAnswer](t, a, "/v1/stops/S15/arrivals?minutes=60").Arrivals
	byTrip := make(map[string]string)
	for _, d := range got {
		if d.Headsign == "Long Biên" {
			byTrip[d.Trip] = d.State
		}
	}
	for trip, want := range map[string]string{"T7-0": "live", "T8-0": "live", "T9-0": "scheduled", "T6-0": ""} {
		if byTrip[trip] != want {
			t.Errorf("%s is %q, want %q of %v", trip, byTrip[trip], want, byTrip)
		}
	}
	for _, d := range got {
		if d.Trip != "T7-0" {
			continue
		}
		want := 3400 / geotest.Speed / 60
		if d.Minutes < want-3 || d.Minutes > want+1 || d.Vehicle != "bus-T7-0" || d.Occupancy != string(nhip.OccupancyFewSeats) {
			t.Errorf("the live bus: %+v, want it in about %.1f minutes", d, want)
		}
		if d.Early.After(*d.Expected) || d.Expected.After(*d.Late) || d.Scheduled == nil {
			t.Errorf("its range: %+v", d)
		}
	}
	ride(t, a, runs[7], 4100, 0)
	a.city.transit.Load().move(mqtt.LiveBusTopic("hanoi", "bus-T7-0"), &nhip.Bus{ID: "bus-T7-0", Agency: "hanoi", Time: eight.Add(-5 * time.Minute)})
	for _, d := range into[arrivalsAnswer](t, a, "/v1/stops/S15/arrivals").Arrivals {
		if d.Trip == "T7-0" && d.State != "no_report" {
			t.Errorf("a bus that is followed no more: %+v", d)
		}
	}
}

func TestATripThatBeganLongAgoIsNotComing(t *testing.T) {
	a, _ := newTransitAPI(t)
	for _, c := range []struct {
		now  time.Time
		want string
	}{
		{eight.Add(-time.Hour), "scheduled"},
		{eight.Add(-time.Minute), "no_report"},
		{eight.Add(90 * time.Second), "not_coming"},
		{eight.Add(3 * time.Minute), ""}, // it would have been here
	} {
		a.o.Clock = stopped(c.now.UTC())
		state := ""
		for _, d := range into[arrivalsAnswer](t, a, "/v1/stops/S20/arrivals?minutes=90").Arrivals {
			if d.Trip == "T6-0" { // of 07:30, here at 08:00
				state = d.State
			}
		}
		if state != c.want {
			t.Errorf("at %s it is %q, want %q", c.now.Format(time.TimeOnly), state, c.want)
		}
	}
}

func TestAHeadwayIsNeverMissed(t *testing.T) {
	f := geotest.Line(21, 15*time.Minute)
	f.Trips = f.Trips[:1]
	f.Trips[0].Frequencies = []gtfs.Frequency{{Start: 6 * 3600, End: 22 * 3600, Headway: 600}}
	a := newAPI(t, func(o *Options) { o.Clock, o.Timetable = stopped(eight.UTC()), network.New(f) })
	got := into[struct {
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

func TestNearestBusSaysWhereToCatchIt(t *testing.T) {
	a, n := newTransitAPI(t)
	runs := n.Day(geotest.Day).RunsOf(n.Patterns[0])
	ride(t, a, runs[7], 4100, 0)
	here := geotest.At(7050)
	_, props := features(t, get(t, a, fmt.Sprintf("/v1/buses?near=%f,%f", here.Lat()+0.001, here.Lon())))
	p := props[0]
	walk, _ := p["walk_to"].(map[string]any)
	if p["relation"] != "approaching" || walk["id"] != "S14" || walk["catchable"] != true || p["next_stop_name"] != "Stop 9" || p["occupancy"] != "FEW_SEATS_AVAILABLE" || p["passengers"] != 17.0 {
		t.Errorf("ahead of the bus: %v", p)
	}
	here = geotest.At(2000)
	_, props = features(t, get(t, a, fmt.Sprintf("/v1/buses?near=%f,%f", here.Lat(), here.Lon())))
	walk, _ = props[0]["walk_to"].(map[string]any)
	if props[0]["relation"] != "passed" || walk["id"] != "S9" || walk["catchable"] != false {
		t.Errorf("behind the bus: %v", props[0])
	}
}

func TestBusesByDirectionAgencyAndAge(t *testing.T) {
	a, _ := newTransitAPI(t)
	addBus(t, a, nhip.Bus{ID: "east", Lat: 21, Lon: 105.8, Time: eight.UTC(), Direction: nhip.Some(0)})
	addBus(t, a, nhip.Bus{ID: "west", Lat: 21, Lon: 105.8, Time: eight.Add(-time.Minute).UTC(), Direction: nhip.Some(1), Agency: "other"})
	for q, want := range map[string]string{"direction=0": "east", "direction=1": "west", "agency=other": "west", "max_age=30": "east", "max_age=90": "east west"} {
		if ids, _ := features(t, get(t, a, "/v1/buses?"+q)); strings.Join(ids, " ") != want {
			t.Errorf("%s: %v, want %s", q, ids, want)
		}
	}
	for _, q := range []string{"direction=2", "max_age=0", "agency="} {
		if w := get(t, a, "/v1/buses?"+q); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", q, w.Code)
		}
	}
}

func TestDeparturesAround(t *testing.T) {
	a, n := newTransitAPI(t)
	ride(t, a, n.Day(geotest.Day).RunsOf(n.Patterns[0])[7], 4100, 0)
	here := geotest.At(6000)
	got := into[struct {
		Lines []struct {
			Line, Headsign string
			Direction      int
			Stop           struct{ ID string }
			Walk           float64 `json:"walk_m"`
			Departures     []struct{ State string }
		}
	}](t, a, fmt.Sprintf("/v1/departures?near=%f,%f", here.Lat(), here.Lon())).Lines
	if len(got) != 2 || got[0].Headsign == got[1].Headsign {
		t.Fatalf("two directions: %+v", got)
	}
	for _, l := range got {
		if l.Stop.ID != "S12" || l.Walk > 20 || len(l.Departures) != 3 {
			t.Errorf("%+v", l)
		}
	}
}

func TestSearchWithoutDiacritics(t *testing.T) {
	a, _ := newTransitAPI(t)
	for q, want := range map[string]string{
		"cau+giay": "R1", "c%E1%BA%A7u+gi%E1%BA%A5y": "R1", "01": "R1", "long+bien": "R1", "stop+7": "S7", "LONG": "R1",
	} {
		if w := get(t, a, "/v1/search?q="+q); !strings.Contains(w.Body.String(), `"id":"`+want+`"`) {
			t.Errorf("%s: %s", q, w.Body)
		}
	}
	if w := get(t, a, "/v1/search?q=zzz"); !strings.Contains(w.Body.String(), `"found":[]`) {
		t.Errorf("nothing: %s", w.Body)
	}
}

func TestRoutesAndStops(t *testing.T) {
	a, n := newTransitAPI(t)
	ride(t, a, n.Day(geotest.Day).RunsOf(n.Patterns[0])[7], 4100, 0)
	for path, want := range map[string]string{
		"/v1/routes":                             `"buses":1`,
		"/v1/routes/R1":                          `"next_stop":"S9"`,
		"/v1/stops/S3":                           `"lines":[{"route":"R1","line":"01"`,
		"/v1/stops?near=21.0278,105.8&limit=1":   `"id":"S0"`,
		"/v1/stops?bbox=105,20,106,22&limit=500": `"id":"S20"`,
	} {
		if w := get(t, a, path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestBadQuestionsForTransit(t *testing.T) {
	a, _ := newTransitAPI(t)
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
		"/v1/routes/%E1%BA%A4":                         "id",
		"/v1/search?q=%20":                             "q",
		"/v1/search":                                   "q",
		"/v1/stops?nearby=1":                           "nearby",
	} {
		w := get(t, a, path)
		if w.Code < 400 || w.Code >= 500 || w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(w.Body.String(), `"field":"`+want+`"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	bare := newAPI(t)
	if w := get(t, bare, "/v1/search?q=a"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a timetable: %d %s", w.Code, w.Body)
	}
}

func TestOurErrorIsPublic(t *testing.T) {
	a, n := newTransitAPI(t)
	a.city.transit.Load().learned = true
	r := n.Day(geotest.Day).RunsOf(n.Patterns[0])[7]
	ride(t, a, r, 5000, 0)
	for i := 11; i <= 14; i++ { // each a minute later than told
		at := eight.Add(time.Duration(i-10)*90*time.Second + time.Minute)
		hear(t, a, mqtt.ArrivalTopic("hanoi", "bus-T7-0"), nhip.Arrival{
			Agency: "hanoi", Vehicle: "bus-T7-0", Time: at, Pattern: r.Pattern.ID, Route: "R1", Trip: r.Trip.ID,
			StartDate: r.Day.String(), StartTime: r.Start.String(), Stop: r.Pattern.Stops[i].ID, Index: i,
		})
	}
	got := into[struct {
		All   etaQuality
		Lines []etaQuality
	}](t, a, "/v1/quality/eta")
	if got.All.Predictions != 4 || len(got.Lines) != 1 || got.Lines[0].Line != "01" || got.All.Bias < 50 || got.All.Bias > 150 {
		t.Errorf("%+v", got)
	}
	if w := get(t, a, "/metrics"); !strings.Contains(w.Body.String(), `nhip_api_eta_verified_total{line="01"} 4`) {
		t.Error("the metrics do not show it")
	}
}

func TestAnExpiredTimetableAnnouncesItself(t *testing.T) {
	a, _ := newTransitAPI(t)
	if w := get(t, a, "/v1/routes"); w.Header().Get("Nhip-Timetable-Expires") != "2026-12-31" || w.Header().Get("Nhip-Timetable-Expired") != "" {
		t.Errorf("good: %v", w.Header())
	}
	a.o.Clock = stopped(time.Date(2027, 1, 1, 12, 0, 0, 0, geotest.Zone))
	if w := get(t, a, "/v1/routes"); w.Header().Get("Nhip-Timetable-Expired") != "true" {
		t.Errorf("over: %v", w.Header())
	}
	if w := get(t, a, "/readyz"); !strings.Contains(w.Body.String(), "timetable") && !strings.Contains(w.Body.String(), "waiting") {
		t.Errorf("readyz: %s", w.Body)
	}
	if w := get(t, a, "/metrics"); !strings.Contains(w.Body.String(), "nhip_api_timetable_days_left -0.5") {
		t.Error("the metrics do not show it")
	}
}

func TestANewTimetableTakesOver(t *testing.T) {
	a, n := newTransitAPI(t)
	ride(t, a, n.Day(geotest.Day).RunsOf(n.Patterns[0])[7], 4100, 0)
	longer := network.New(geotest.Line(25, 15*time.Minute))
	a.run = t.Context()
	a.UseTimetable(longer, &tile.Network{Routes: []tile.Route{{ID: "R1", Line: "01"}}})
	if w := get(t, a, "/v1/stops/S24"); w.Code != http.StatusOK {
		t.Errorf("a new stop: %d", w.Code)
	}
	if w := get(t, a, "/v1/routes"); !strings.Contains(w.Body.String(), `"buses":0`) {
		t.Errorf("the bus is on a pattern that is gone: %s", w.Body)
	}
	a.UseTimetable(network.New(geotest.Line(21, 15*time.Minute)), &tile.Network{})
	if w := get(t, a, "/v1/routes"); !strings.Contains(w.Body.String(), `"buses":1`) {
		t.Errorf("and on one that is back: %s", w.Body)
	}
}

func TestArrivalsTeach(t *testing.T) {
	a, n := newTransitAPI(t)
	tr := a.city.transit.Load()
	tr.learned = true
	runs := n.Day(geotest.Day).RunsOf(n.Patterns[0])
	for _, r := range runs[:6] {
		for i, s := range r.Pattern.Stops {
			hear(t, a, mqtt.ArrivalTopic("hanoi", r.Trip.ID), nhip.Arrival{
				Agency: "hanoi", Vehicle: r.Trip.ID, Time: time.Unix(r.Departs(0)+int64(i*150), 0), Pattern: r.Pattern.ID, Route: "R1",
				Trip: r.Trip.ID, StartDate: r.Day.String(), StartTime: r.Start.String(), Stop: s.ID, Index: i,
			})
		}
	}
	hear(t, a, mqtt.ArrivalTopic("hanoi", "x"), nhip.Arrival{Pattern: "of another timetable", Stop: "S1", Index: 1})
	hear(t, a, mqtt.ArrivalTopic("hanoi", "x"), nhip.Arrival{Pattern: runs[0].Pattern.ID, Stop: "S1", Index: 99})
	ride(t, a, runs[7], 5000, 0)
	p, ok := tr.of(mqtt.LiveBusTopic("hanoi", "bus-T7-0")).at(16)
	if took := p.P50.Sub(eight).Seconds(); !ok || took < 700 || took > 950 {
		t.Errorf("six links of a jammed street take %v s, want nearly 900", took)
	}
}
