package staff

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/actions"
	"nhip/api/rest"
	"nhip/internal/topics"

	"github.com/go-chi/chi/v5"
)

var discard = slog.New(slog.DiscardHandler)

func newEvents(publish func(topic string, payload []byte) error) *Events {
	return NewEvents(actions.NewClient(publish, fixedClock{}, discard), discard)
}

func TestReceiveIgnoresOtherTopics(t *testing.T) {
	e := newEvents(nil)
	if e.Receive(topics.LiveAirTopic("m00"), []byte("{}")) {
		t.Error("a live topic is an event")
	}
	if !e.Receive(topics.EventTopic(topics.Alert, "a"), []byte("not JSON")) {
		t.Error("an undecodable alert is not an event")
	}
}

// receive gives the store an alert; with grade −1, an empty payload.
func receive(t *testing.T, s *alertStore, id string, grade int) {
	t.Helper()
	raw, err := json.Marshal(nhip.Alert{ID: id, Grade: grade})
	if err != nil {
		t.Fatal(err)
	}
	if grade < 0 {
		raw = nil
	}
	if err := s.receive(id, raw); err != nil {
		t.Fatal(err)
	}
}

func ids(alerts []nhip.Alert) (out string) {
	for _, a := range alerts {
		out += a.ID
	}
	return out
}

func TestAlertStoreSeparatesOpenAndEnded(t *testing.T) {
	var s alertStore
	for _, step := range []struct {
		id          string
		grade       int
		open, ended string
	}{
		{"a", 1, "a", ""},
		{"b", 3, "ba", ""},
		{"c", 3, "bca", ""},
		{"a", 0, "bc", "a"},
		{"b", 0, "c", "ba"},
		{"c", -1, "", "ba"},
	} {
		receive(t, &s, step.id, step.grade)
		open, ended := s.list()
		if ids(open) != step.open || ids(ended) != step.ended {
			t.Errorf("%s at grade %d: open %q, ended %q", step.id, step.grade, ids(open), ids(ended))
		}
		if _, known := s.find(step.id); known != (step.grade > 0) {
			t.Errorf("%s at grade %d: open is %t", step.id, step.grade, known)
		}
	}
}

func TestAlertStoreSendsOnlyChanges(t *testing.T) {
	var s alertStore
	receive(t, &s, "a", 1)
	changes, stop := s.listen()
	receive(t, &s, "a", 1) // again, after a reconnect
	receive(t, &s, "a", 2)
	receive(t, &s, "a", 0)
	stop()
	receive(t, &s, "a", 1)
	if got := changes.take(); len(got) != 2 || got[0].Grade != 2 || got[1].Grade != 0 {
		t.Errorf("changes %v", got)
	}
}

// TestSlowAlertStreamKeepsTheLastChanges: a stream that is not read holds the last change of each alert.
func TestSlowAlertStreamKeepsTheLastChanges(t *testing.T) {
	var s alertStore
	changes, stop := s.listen()
	defer stop()
	for i := range 10_000 {
		receive(t, &s, strconv.Itoa(i%3), 1+i)
	}
	got := changes.take()
	last := make(map[string]int)
	for _, a := range got {
		last[a.ID] = a.Grade
	}
	if len(got) > maxWaiting || last["0"] != 10_000 || last["1"] != 9998 || last["2"] != 9999 {
		t.Errorf("%d changes, the last are %v", len(got), last)
	}
}

func TestAlertStreamsAreBounded(t *testing.T) {
	var s alertStore
	_, stop := s.listen()
	for range maxAlertStreams - 1 {
		s.listen()
	}
	if in, _ := s.listen(); in != nil {
		t.Error("one more is accepted")
	}
	stop()
	if in, _ := s.listen(); in == nil {
		t.Error("none is accepted after one has ended")
	}
}

func TestAlertStoreKeepsNewestEnded(t *testing.T) {
	var s alertStore
	for range maxEnded {
		receive(t, &s, "old", 1)
		receive(t, &s, "old", 0)
	}
	receive(t, &s, "new", 0)
	if _, ended := s.list(); len(ended) != maxEnded || ended[0].ID != "new" {
		t.Errorf("%d ended, first %s", len(ended), ended[0].ID)
	}
}

// TestAcknowledgementsAtOnceAgreeOnTheFirst acknowledges an alert that another person acknowledges while the action is
// stored: the collector publishes the alert with the first one after it has confirmed both.
func TestAcknowledgementsAtOnceAgreeOnTheFirst(t *testing.T) {
	for _, first := range []string{"Lan", "Minh"} {
		var e *Events
		e = newEvents(func(topic string, payload []byte) error {
			go func() { // as the collector
				e.Receive(topics.EventTopic(nhip.ActionKindAck, "a"), []byte("{}"))
				alert := nhip.Alert{ID: "a", Grade: 1, AckBy: first, AckTime: noon.Add(-time.Second)}
				if first == "Minh" {
					alert.AckTime = noon
				}
				raw, _ := json.Marshal(alert)
				e.Receive(topics.EventTopic(topics.Alert, "a"), raw)
			}()
			return nil
		})
		raw, err := json.Marshal(nhip.Alert{ID: "a", Grade: 1})
		if err != nil {
			t.Fatal(err)
		}
		e.Receive(topics.EventTopic(topics.Alert, "a"), raw)
		h := &Handler{Events: e, Clock: fixedClock{}, Responder: rest.Responder{Logger: discard}}
		r := chi.NewRouter()
		r.Post("/v1/alerts/{id}/ack", h.Handle(h.ackAlert))
		w := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodPost, "/v1/alerts/a/ack", strings.NewReader(`{"by":"somebody else"}`))
		minh := access.Caller{Name: "Minh", Role: nhip.RoleAnalyst}
		r.ServeHTTP(w, access.WithCaller(req, minh, access.Allowed))
		var got nhip.Ack
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.By != first {
			t.Errorf("%d %s, want %s", w.Code, w.Body, first)
		}
		if want := map[string]int{"Lan": http.StatusOK, "Minh": http.StatusCreated}[first]; w.Code != want {
			t.Errorf("first %s: %d, want %d", first, w.Code, want)
		}
	}
}

func TestAcknowledgementIsNotAwaitedForever(t *testing.T) {
	var s alertStore
	receive(t, &s, "a", 1)
	if a, open := s.awaitAck(t.Context(), "a", time.Nanosecond); !open || !a.AckTime.IsZero() {
		t.Errorf("%v %t", a, open)
	}
	if _, open := s.awaitAck(t.Context(), "b", time.Hour); open { // it has ended
		t.Error("an unknown alert is open")
	}
}

// noon is the time of fixedClock.
var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

type fixedClock struct{}

func (fixedClock) Now() time.Time { return noon }
