package reminders

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/actions"
	"nhip/api/air"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/api/transit"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/internal/topics"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
)

var eight = time.Date(2026, 3, 2, 8, 0, 0, 0, geotest.TimeZone)

type fixedClock struct{}

func (fixedClock) Now() time.Time { return eight }

type noHistory struct{ catalog.History }

func (noHistory) Stations(context.Context) ([]string, error) { return nil, nil }

// surface is a Handler with a collector that keeps what it is sent.
type surface struct {
	*Handler

	router chi.Router
	caller access.Caller
}

func newSurface(t testing.TB, l Limits) *surface {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	documents := actions.NewDocuments()
	book := Follow(documents, log)
	var client *actions.Client
	client = actions.NewClient(func(topic string, payload []byte) error {
		var d nhip.Document
		if err := json.Unmarshal(payload, &d); err != nil {
			return err
		}
		state := nhip.DocumentState{Kind: d.Kind, ID: d.ID, Version: 1, Time: d.Time, Body: d.Body}
		raw, _ := json.Marshal(state)
		if len(d.Body) == 0 {
			raw = nil
		}
		if _, err := documents.Receive(topics.DocumentTopic(d.Kind, d.ID), raw); err != nil {
			return err
		}
		result, _ := json.Marshal(nhip.ActionResult{
			Document: &nhip.DocumentChange{Kind: d.Kind, ID: d.ID, Version: 1}, Request: d.Request,
		})
		client.Receive(topics.EventTopic(d.Kind, d.ID), result)
		return nil
	}, fixedClock{}, log)
	state := live.New(live.Options{Clock: fixedClock{}, Logger: log})
	t.Cleanup(state.Close)
	h := New(Options{
		Air:      air.New(air.Options{Clock: fixedClock{}, State: state, Logger: log}),
		Stations: catalog.New(state, noHistory{}, log),
		Book:     book, Actions: client, Clock: fixedClock{}, Limits: l, Hosts: []string{"push.example"},
		Transit: transit.New(transit.Options{
			Clock: fixedClock{}, Network: network.New(geotest.Line(10, 10*time.Minute)), Logger: log,
		}),
		Closed: make(chan struct{}), Metrics: prometheus.NewRegistry(),
		Responder: rest.Responder{Logger: log, Ready: func() bool { return true }},
	})
	s := &surface{Handler: h, router: chi.NewRouter(), caller: access.Public}
	h.Routes(s.router)
	h.WorkRoutes(s.router)
	h.StreamRoutes(s.router)
	return s
}

// ask sends a request of the caller.
func (s *surface) ask(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	r = access.WithCaller(r, s.caller, access.Allowed)
	w := httptest.NewRecorder()
	s.router.ServeHTTP(w, r)
	return w
}

// set sets a reminder about the line, with a token of a page if the caller has no key.
func (s *surface) set(extra string) *httptest.ResponseRecorder {
	body := `{"kind":"line","line":"01"` + extra
	if s.caller.Key == "" {
		var form struct {
			Token string `json:"form_token"`
		}
		_ = json.Unmarshal(s.ask(http.MethodGet, formPath, "").Body.Bytes(), &form)
		body += fmt.Sprintf(`,"form_token":%q`, form.Token)
	}
	return s.ask(http.MethodPost, "/v1/reminders", body+"}")
}

var app = access.Caller{Name: "App", Key: "app-1", Role: nhip.RoleApp}

// TestRemindersAreBounded sets as many as an address may in an hour, and as many as a key may have.
func TestRemindersAreBounded(t *testing.T) {
	s := newSurface(t, Limits{PerAddress: 2, PerKey: 3})
	for _, want := range []int{http.StatusCreated, http.StatusCreated, http.StatusTooManyRequests} {
		if w := s.set(""); w.Code != want {
			t.Fatalf("a page: %d %s, want %d", w.Code, w.Body, want)
		}
	}
	s.caller = app
	var first reminder
	for i, want := range []int{201, 201, 201, 429} {
		w := s.set("")
		if w.Code != want {
			t.Fatalf("an app: %d %s, want %d", w.Code, w.Body, want)
		}
		if i == 0 {
			_ = json.Unmarshal(w.Body.Bytes(), &first)
		}
	}
	if w := s.ask(http.MethodDelete, "/v1/reminders/"+first.ID, "", tokenHeader, first.Token); w.Code != 204 {
		t.Fatalf("removal: %d %s", w.Code, w.Body)
	}
	if w := s.set(""); w.Code != http.StatusCreated {
		t.Errorf("after one is removed: %d %s", w.Code, w.Body)
	}
}

// TestWebhooksOfAppsOnly: by key, at allowed hosts, and without what an address may hide.
func TestWebhooksOfAppsOnly(t *testing.T) {
	s := newSurface(t, Limits{})
	hook := func(url string) string { return fmt.Sprintf(`,"webhook":{"url":%q,"device":"d"}`, url) }
	if w := s.set(hook("https://push.example/x")); w.Code != http.StatusBadRequest {
		t.Errorf("a page: %d %s", w.Code, w.Body)
	}
	s.caller = access.Caller{Name: "Lan", Key: "lan", Role: nhip.RoleViewer}
	if w := s.set(hook("https://push.example/x")); w.Code != http.StatusForbidden {
		t.Errorf("staff: %d %s", w.Code, w.Body)
	}
	s.caller = app
	for url, want := range map[string]int{
		"https://push.example/x?y=1": 201, "https://PUSH.example/": 201, "http://push.example/": 400,
		"https://user:secret@push.example/": 400, "https://push.example/#x": 400, "https://push.example:444/": 403,
		"https://push.example.evil.example/": 403, "https://127.0.0.1/": 403, "https://[::1]/": 403, "file:///etc": 400,
		"//push.example": 400, "https://push.example\\@evil.example/": 400, "": 400,
	} {
		w := s.set(hook(url))
		if w.Code != want {
			t.Errorf("%s: %d %s, want %d", url, w.Code, w.Body, want)
		}
		if strings.Contains(w.Body.String(), "y=1") || w.Code == 201 && !strings.Contains(w.Body.String(), `"https://`) {
			t.Errorf("%s is answered as %s", url, w.Body)
		}
	}
}

// TestFormTokenIsForOneReminder: one that is refused does not use it up.
func TestFormTokenIsForOneReminder(t *testing.T) {
	s := newSurface(t, Limits{})
	var form struct {
		Token string `json:"form_token"`
	}
	_ = json.Unmarshal(s.ask(http.MethodGet, formPath, "").Body.Bytes(), &form)
	for _, c := range []struct {
		line string
		want int
	}{{"99", 404}, {"01", 201}, {"01", 403}} {
		w := s.ask(http.MethodPost, "/v1/reminders",
			fmt.Sprintf(`{"kind":"line","line":%q,"form_token":%q}`, c.line, form.Token))
		if w.Code != c.want {
			t.Errorf("line %s: %d %s, want %d", c.line, w.Code, w.Body, c.want)
		}
	}
}

// TestStreamsAreBoundedAndEnd: of one address, and once all reminders have ended.
func TestStreamsAreBoundedAndEnd(t *testing.T) {
	s := newSurface(t, Limits{PerStream: 1})
	for query, want := range map[string]int{
		"": 400, "?reminders=": 400, "?reminders=x": 400, "?reminders=x.y,x.z": 400, "?other=1": 400,
		"?reminders=" + strings.Repeat("a.b,", 20) + "c.d": 400, "?reminders=x.y": 200,
	} {
		w := s.ask(http.MethodGet, "/v1/reminders/events"+query, "")
		if w.Code != want {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
		if want == 200 && !strings.Contains(w.Body.String(), "event: gone\ndata: {\"id\":\"x\"}") {
			t.Errorf("an unknown one: %s", w.Body)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/v1/reminders/events", nil)
	leave, err := s.enter(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.enter(r); err == nil {
		t.Error("two streams of one address")
	}
	leave()
	if leave, err = s.enter(r); err != nil {
		t.Fatal(err)
	}
	leave()
}

// TestGivenAndMissingDiffer: a field that is empty or null is not one that is missing, and the kind is checked first.
func TestGivenAndMissingDiffer(t *testing.T) {
	s := newSurface(t, Limits{})
	s.caller = app
	for extra, field := range map[string]string{
		`"kind":"line","line":"01","stop":""`:                       "stop",
		`"kind":"line","line":"01","trip":""`:                       "trip",
		`"kind":"line","line":"01","index":""`:                      "index",
		`"kind":"line","line":"01","quantity":""`:                   "quantity",
		`"kind":"line","line":"01","lang":""`:                       "lang",
		`"kind":"line","line":"01","form_token":""`:                 "form_token",
		`"kind":"line","line":"01","form_token":"a\u0000b"`:         "form_token",
		`"kind":"line","line":"01","webhook":null`:                  "webhook",
		`"kind":"line","line":"01","webhook":{"url":null}`:          "webhook.url",
		`"kind":"air","place":null,"above":100`:                     "place",
		`"kind":"air","place":{"lat":21,"lon":105,"z":1},"above":1`: "place.z",
		`"walk_s":360`:                "kind",
		`"kind":"","walk_s":360`:      "kind",
		`"kind":"LEAVE","walk_s":360`: "kind",
	} {
		w := s.ask(http.MethodPost, "/v1/reminders", "{"+extra+"}")
		var p struct{ Field string }
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusBadRequest || p.Field != field {
			t.Errorf("%s: %d %s, want the field %s", extra, w.Code, w.Body, field)
		}
	}
}

// FuzzNewReminder: a body is refused with a problem, or makes a valid reminder; nothing else.
func FuzzNewReminder(f *testing.F) {
	for _, body := range []string{
		`{"kind":"bus","stop":"S1","line":"01","minutes":5}`, `{"kind":"leave","stop":"S1","line":"01","walk_s":0}`,
		`{"kind":"air","place":{"lat":21,"lon":105},"above":100}`, `{"kind":"line","line":"01","direction":1}`,
		`{"kind":"get_off","stop":"S1","agency":"a","vehicle":"v","stops":2}`, `{"kind":null,"walk_s":1e99}`,
	} {
		f.Add(body)
	}
	s := newSurface(f, Limits{})
	s.caller = app
	f.Fuzz(func(t *testing.T, body string) {
		if w := s.ask(http.MethodPost, "/v1/reminders", body); w.Code >= 500 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	})
}
