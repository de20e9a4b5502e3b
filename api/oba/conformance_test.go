package oba_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip/api/citytest"
	"nhip/api/oba"
	"nhip/app"
	"nhip/app/recorded"
	"nhip/geo/gtfs"
	"nhip/internal/config"
	"nhip/internal/suitetest"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/go-chi/chi/v5"
)

// client sends requests to a city and holds its answers to OneBusAway's contract.
type client struct {
	handler  http.Handler
	contract routers.Router // nil without TESTDATA_DIR
}

func newClient(t testing.TB, c *citytest.City) *client {
	t.Helper()
	h := &oba.Handler{Transit: c.Transit, Live: c.Live, Clock: c.Clock, Responder: c.Responder}
	r := chi.NewRouter()
	h.Routes(r)
	return &client{r, readContract(t)}
}

// readContract returns the operations of OneBusAway's contract, nil without TESTDATA_DIR.
func readContract(t testing.TB) routers.Router {
	t.Helper()
	data := os.Getenv("TESTDATA_DIR")
	if data == "" {
		return nil
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(data, "oba-openapi", "openapi.yml"))
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: "/"}}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

// answer is an envelope.
type answer struct {
	Code        int
	CurrentTime int64
	Text        string
	Version     int
	Data        struct {
		Entry         json.RawMessage
		List          []json.RawMessage
		LimitExceeded *bool
		OutOfRange    *bool
		References    *refs
	}
}

// refs are the references of an answer by their ids.
type refs struct {
	Agencies, Routes, Stops, Trips, Situations []struct{ ID, AgencyID, RouteID string }
	StopTimes                                  []any
}

// get returns the answer of a method, whose code must be the HTTP status. An answer with status 200 must be valid by
// the contract.
func (c *client) get(t testing.TB, path string, query ...string) *answer {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(query); i += 2 {
		values.Set(query[i], query[i+1])
	}
	r := httptest.NewRequest(http.MethodGet, "/api/where/"+path+".json?"+values.Encode(), nil)
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	a := new(answer)
	if err := json.Unmarshal(w.Body.Bytes(), a); err != nil {
		t.Fatalf("%s: %v: %s", r.URL, err, w.Body)
	}
	if a.Code != w.Code || a.Version != 2 || a.CurrentTime == 0 || a.Text == "" {
		t.Errorf("%s: status %d, envelope %d %q version %d", r.URL, w.Code, a.Code, a.Text, a.Version)
	}
	if a.Code == http.StatusOK {
		c.validate(t, r, w)
	}
	return a
}

func (c *client) validate(t testing.TB, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	if c.contract == nil {
		return
	}
	route, params, err := c.contract.FindRoute(r)
	if err != nil {
		return // vehicle/{id} is not in the contract
	}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
		Status:                 w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())),
	}
	if err := openapi3filter.ValidateResponse(t.Context(), in); err != nil {
		t.Errorf("%s: %.600s", r.URL, err)
	}
}

// ids returns the ids of elements.
func ids(t testing.TB, raw []json.RawMessage, field string) (out []string) {
	t.Helper()
	for _, r := range raw {
		var s string
		if json.Unmarshal(r, &s) == nil {
			out = append(out, s)
			continue
		}
		var m map[string]any
		if err := json.Unmarshal(r, &m); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(m[field]))
	}
	return out
}

// timetables are real timetables with a moment of each, and positions of buses where there are some.
var timetables = []struct {
	name, file, at string
	recording      string
}{
	{"RABA", "gtfs-raba-rt/raba.zip", "2025-06-04T18:00:00Z", ""},
	{"WMATA", "gtfs-wmata-3routes/gtfs.zip", "2026-02-16T16:00:00Z", "recordings/wmata.rec.gz"},
	{"Hanoi", "gtfs-hanoi/hanoi-derived-gtfs.zip", "2026-03-02T01:00:00Z", ""},
	{"Austin", "eta/austin2015mar-shaped-gtfs.zip", "2015-03-07T18:00:00Z", "eta/austin0307.rec.gz"},
}

// TestEveryMethodKeepsTheContract walks through every method with ids that the answers before it name, as clients do.
func TestEveryMethodKeepsTheContract(t *testing.T) {
	data := os.Getenv("TESTDATA_DIR")
	if data == "" {
		t.Skip("TESTDATA_DIR is not set: the timetables and OneBusAway's contract are missing")
	}
	for _, c := range suitetest.Pick(timetables[:1], timetables) {
		t.Run(c.name, func(t *testing.T) {
			feed, err := gtfs.ReadFile(filepath.Join(data, c.file))
			if err != nil {
				t.Fatal(err)
			}
			now, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			city := citytest.New(t, feed, now)
			if c.recording != "" {
				drive(t, city, filepath.Join(data, c.recording), now)
			}
			walk(t, newClient(t, city))
		})
	}
}

// drive moves the buses of a recording until a time.
func drive(t *testing.T, city *citytest.City, path string, until time.Time) {
	t.Helper()
	set := app.LoadConfig(config.Sources{})
	positions, err := recorded.Positions(app.Feeds(&set.Config), []string{path})
	if err != nil {
		t.Fatal(err)
	}
	for i := range positions {
		if p := &positions[i]; p.Time.After(until.Add(-time.Hour)) && p.Time.Before(until) {
			city.Clock.Set(p.Time)
			city.Move(t, p)
		}
	}
	city.Clock.Set(until)
}

// most is of how many elements of a list each is asked for.
const most = 5

func first(all []string) []string { return all[:min(len(all), most)] }

func walk(t *testing.T, c *client) {
	c.get(t, "current-time")
	c.get(t, "config")
	agencies := ids(t, c.get(t, "agencies-with-coverage").Data.List, "agencyId")
	if len(agencies) == 0 {
		t.Fatal("no agency")
	}
	stops, trips := 0, 0
	for _, agency := range agencies {
		c.get(t, "agency/"+agency)
		c.get(t, "vehicles-for-agency/"+agency)
		c.get(t, "stops-for-agency/"+agency)
		c.get(t, "routes-for-agency/"+agency)
		for _, route := range first(ids(t, c.get(t, "route-ids-for-agency/"+agency).Data.List, "")) {
			trips += c.walkRoute(t, route)
		}
		for _, stop := range first(ids(t, c.get(t, "stop-ids-for-agency/"+agency).Data.List, "")) {
			c.walkStop(t, stop)
			stops++
		}
	}
	if stops == 0 || trips == 0 {
		t.Errorf("walked over %d stops and %d trips", stops, trips)
	}
}

func (c *client) walkRoute(t *testing.T, route string) (trips int) {
	id := url.PathEscape(route)
	c.get(t, "route/"+id)
	c.get(t, "stops-for-route/"+id)
	c.get(t, "stops-for-route/"+id, "includePolylines", "false")
	c.get(t, "trips-for-route/"+id, "includeStatus", "true", "includeSchedule", "true")
	c.get(t, "trips-for-route/"+id)
	schedule := c.get(t, "schedule-for-route/"+id)
	if schedule.Data.References == nil {
		return 0
	}
	for i, x := range schedule.Data.References.Trips {
		if i == most {
			break
		}
		c.walkTrip(t, x.ID)
		trips++
	}
	return trips
}

func (c *client) walkTrip(t *testing.T, trip string) {
	id := url.PathEscape(trip)
	var x struct{ ShapeID, BlockID string }
	if err := json.Unmarshal(c.get(t, "trip/"+id).Data.Entry, &x); err != nil {
		t.Error(err)
	}
	a := c.get(t, "trip-details/"+id)
	a.resolves(t, trip, a.Data.References.Trips)
	c.get(t, "trip-details/"+id, "includeSchedule", "false", "includeStatus", "false", "includeTrip", "false")
	if x.ShapeID != "" {
		c.get(t, "shape/"+url.PathEscape(x.ShapeID))
	}
	if x.BlockID != "" {
		c.get(t, "block/"+url.PathEscape(x.BlockID))
	}
}

// resolves reports an id that is not among the references.
func (a *answer) resolves(t testing.TB, id string, among []struct{ ID, AgencyID, RouteID string }) {
	t.Helper()
	for _, x := range among {
		if x.ID == id {
			return
		}
	}
	t.Errorf("%q is not among the references", id)
}

// arrivals is what apps read of arrivals.
type arrivals struct {
	StopID   string
	Arrivals []struct {
		StopID, TripID, RouteID, VehicleID string
		ServiceDate                        int64
		StopSequence                       int
		TripStatus                         struct{ ActiveTripID, ClosestStop, NextStop string }
		Predicted                          bool
	} `json:"arrivalsAndDepartures"`
}

func (c *client) walkStop(t *testing.T, stop string) {
	id := url.PathEscape(stop)
	var s struct{ Lat, Lon float64 }
	if err := json.Unmarshal(c.get(t, "stop/"+id).Data.Entry, &s); err != nil {
		t.Fatal(err)
	}
	c.get(t, "schedule-for-stop/"+id)
	a := c.get(t, "arrivals-and-departures-for-stop/"+id, "minutesAfter", "120")
	c.resolveArrivals(t, a)
	lat, lon := fmt.Sprint(s.Lat), fmt.Sprint(s.Lon)
	place := []string{"lat", lat, "lon", lon, "latSpan", "0.01", "lonSpan", "0.01"}
	c.get(t, "stops-for-location", place...)
	c.get(t, "routes-for-location", "lat", lat, "lon", lon, "radius", "400")
	c.get(t, "trips-for-location", append(place, "includeSchedule", "true")...)
	c.resolveArrivals(t, c.get(t, "arrivals-and-departures-for-location", place...))
	var first arrivals
	if err := json.Unmarshal(a.Data.Entry, &first); err != nil {
		t.Fatal(err)
	}
	for i, x := range first.Arrivals {
		if i == most {
			break
		}
		one := c.get(t, "arrival-and-departure-for-stop/"+id, "tripId", x.TripID,
			"serviceDate", fmt.Sprint(x.ServiceDate), "stopSequence", fmt.Sprint(x.StopSequence))
		if one.Code != http.StatusOK {
			t.Errorf("the arrival of %s at %s: %d", x.TripID, stop, one.Code)
		}
		if x.VehicleID != "" {
			c.get(t, "trip-for-vehicle/"+url.PathEscape(x.VehicleID))
			c.get(t, "vehicle/"+url.PathEscape(x.VehicleID))
		}
	}
}

// resolveArrivals checks that all that the apps resolve is among the references: the iOS app crashes otherwise.
func (c *client) resolveArrivals(t *testing.T, a *answer) {
	t.Helper()
	var e arrivals
	if err := json.Unmarshal(a.Data.Entry, &e); err != nil {
		t.Fatal(err)
	}
	r := a.Data.References
	for _, x := range e.Arrivals {
		a.resolves(t, x.StopID, r.Stops)
		a.resolves(t, x.TripID, r.Trips)
		a.resolves(t, x.RouteID, r.Routes)
		a.resolves(t, x.TripStatus.ActiveTripID, r.Trips)
		a.resolves(t, x.TripStatus.ClosestStop, r.Stops)
		if x.TripStatus.NextStop != "" {
			a.resolves(t, x.TripStatus.NextStop, r.Stops)
		}
	}
	for _, x := range r.Trips {
		a.resolves(t, x.RouteID, r.Routes)
	}
	for _, x := range r.Routes {
		a.resolves(t, x.AgencyID, r.Agencies)
	}
}
