package servicealerts

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/actions"
	"nhip/api/citytest"
	"nhip/api/scope"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/internal/topics"

	"github.com/go-chi/chi/v5"
)

// desk is the surface on a city, with a collector that stores what it is sent.
type desk struct {
	*citytest.City
	router  chi.Router
	actions *actions.Client
	states  map[string]nhip.DocumentState
	away    bool
}

// newDesk returns a desk of a city with two agencies: HN, with the line R1 and the stops S0 to S20, and VIN with the
// line V1 from S0 to V9.
func newDesk(t *testing.T) *desk {
	t.Helper()
	f := geotest.Line(21, 15*time.Minute)
	f.Agencies = append(f.Agencies, &gtfs.Agency{ID: "VIN", Name: "Vin", Location: geotest.TimeZone})
	end := &gtfs.Stop{ID: "V9", Name: "Vin", Point: geotest.At(5000)}
	f.Stops = append(f.Stops, end)
	r := &gtfs.Route{ID: "V1", Agency: f.Agencies[1], ShortName: "E01", Type: 3}
	f.Routes = append(f.Routes, r)
	f.Trips = append(f.Trips, &gtfs.Trip{
		ID: "V1-0", Route: r, Service: f.Services[0], Direction: nhip.Some(0), StopTimes: []gtfs.StopTime{
			{Stop: f.Stops[0], Arrival: 30000, Departure: 30000, Sequence: 0, Dist: gtfs.NoDist},
			{Stop: end, Arrival: 31000, Departure: 31000, Sequence: 1, Dist: gtfs.NoDist},
		},
	})
	d := &desk{City: citytest.New(t, f, citytest.Eight), states: make(map[string]nhip.DocumentState)}
	d.actions = actions.NewClient(d.publish, d.Clock, slog.New(slog.DiscardHandler))
	d.router = chi.NewRouter()
	h := &Handler{Transit: d.Transit, Actions: d.actions, Clock: d.Clock, Responder: d.Responder, maxEnded: 10}
	h.Routes(d.router)
	return d
}

// publish stores a change as a collector does.
func (d *desk) publish(topic string, payload []byte) error {
	if d.away {
		return nhip.Errorf(nhip.CodeUnavailable, "", "the broker is away")
	}
	var doc nhip.Document
	if err := json.Unmarshal(payload, &doc); err != nil {
		return err
	}
	result := nhip.ActionResult{Request: doc.Request}
	if err := doc.Validate(); err != nil {
		return err
	}
	before := d.states[doc.ID]
	if want := doc.IfVersion.Or(-1); before.Exists() && want != before.Version || !before.Exists() && want != 0 {
		result.Refused = &nhip.Refusal{Code: nhip.CodeConflict, Field: "if_version", Rule: "has changed"}
	} else {
		state := nhip.DocumentState{Kind: doc.Kind, ID: doc.ID, Version: before.Version + 1, By: "Lan", Body: doc.Body}
		d.states[doc.ID] = state
		d.Transit.Written(state)
		result.Document = &nhip.DocumentChange{Kind: doc.Kind, ID: doc.ID, Version: state.Version}
	}
	raw, err := json.Marshal(result)
	d.actions.Receive(topics.EventTopic(doc.Kind, doc.ID), raw)
	return err
}

// send sends a request of a role; agencies are its scope.
func (d *desk) send(role nhip.Role, method, path, body string, agencies ...string) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	outcome := access.Allowed
	if role == nhip.RolePublic {
		outcome = access.Refused
	}
	r = access.WithCaller(r, access.Caller{
		Name: "Lan", Role: role, View: scope.New(nhip.Scope{Agencies: agencies}, nil),
	}, outcome)
	w := httptest.NewRecorder()
	d.router.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// want sends a request of a dispatcher and returns its answer, which must have a status and contain a text.
func (d *desk) want(t *testing.T, method, path, body string, status int, text string) string {
	t.Helper()
	code, answer := d.send(nhip.RoleDispatcher, method, path, body)
	if code != status || !strings.Contains(answer, text) {
		t.Errorf("%s %s %.200s: %d %s, want %d and %s", method, path, body, code, answer, status, text)
	}
	return answer
}

const post, put, get, del = http.MethodPost, http.MethodPut, http.MethodGet, http.MethodDelete

// alertBody returns the body of an alert of the line R1 that holds for an hour, with fields replaced or, by null,
// removed.
func alertBody(t *testing.T, change string) string {
	t.Helper()
	all := map[string]json.RawMessage{}
	for _, part := range []string{`{"agency":"HN","status":"published","cause":"ACCIDENT","effect":"DETOUR",
		"severity":"WARNING","header":{"vi":"Đi vòng","en":"Detour"},"periods":[{"to":"2026-03-02T09:00:00+07:00"}],
		"informed":[{"route":"R1"}]}`, "{" + change + "}"} {
		if err := json.Unmarshal([]byte(part), &all); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range all {
		if string(value) == "null" {
			delete(all, name)
		}
	}
	raw, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
