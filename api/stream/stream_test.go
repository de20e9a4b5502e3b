package stream

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/livetest"
	"nhip/api/rest"
	"nhip/internal/awaittest"
	"nhip/internal/task"
	"nhip/internal/topics"

	"github.com/go-chi/chi/v5"
)

// server is a Handler with its state and hub, behind an HTTP server.
type server struct {
	*httptest.Server
	live  *live.State
	hub   *Hub
	clock *clock
}

// clock is a city's clock that tests set.
type clock struct {
	now   atomic.Int64
	fails atomic.Bool // whether Now panics
}

func newClock() *clock {
	c := new(clock)
	c.set(livetest.Noon)
	return c
}

// Now implements nhip.Clock.
func (c *clock) Now() time.Time {
	if c.fails.Load() {
		panic("the clock fails")
	}
	return time.Unix(0, c.now.Load()).UTC()
}

func (c *clock) set(now time.Time) { c.now.Store(now.UnixNano()) }

// transports are the ways in which streams are served.
var transports = []string{"workers", "request", "http2"}

// newServer returns a server with an empty state, at noon.
func newServer(t testing.TB, transport string, o Options) *server {
	t.Helper()
	s := &server{clock: newClock()}
	o.Clock = s.clock
	s.live = live.New(live.Options{
		Clock: s.clock, LineOf: func(string) string { return "" }, Logger: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(s.live.Close)
	s.hub = NewHub(o)
	h := &Handler{Hub: s.hub, Responder: rest.Responder{Ready: func() bool { return true }}}
	s.live.Observe(s.hub)
	s.live.Connected()
	r := chi.NewRouter()
	h.Routes(r)
	s.Server = httptest.NewUnstartedServer(r)
	t.Cleanup(s.Server.Close)
	t.Cleanup(s.hub.Close)
	switch transport {
	case "workers":
		runHub(t, s.hub)
		s.Start()
	case "request":
		s.Start()
	case "http2":
		runHub(t, s.hub)
		s.EnableHTTP2 = true
		s.StartTLS()
	}
	return s
}

// runHub runs a hub until the test ends.
func runHub(t testing.TB, h *Hub) {
	t.Helper()
	tasks := task.NewGroup()
	tasks.Go("hub", h.Run)
	t.Cleanup(func() {
		if err := tasks.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	awaittest.True(t, "the workers run", h.serving)
}

// onAll runs a test over each transport.
func onAll(t *testing.T, test func(t *testing.T, s *server)) {
	t.Helper()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			test(t, newServer(t, transport, Options{}))
		})
	}
}

// addBus passes a bus of the agency hanoi to a server's state. Its time is noon unless it has another.
func addBus(t testing.TB, s *server, b nhip.Bus) {
	t.Helper()
	b.Agency = "hanoi"
	if b.Time.IsZero() {
		b.Time = livetest.Noon
	}
	livetest.Receive(t, s.live, topics.LiveBusTopic(b.Agency, b.ID), b)
}

// event is one server-sent event.
type event struct {
	name string
	data any
}

// id returns the id of the bus or station of an event.
func (e event) id() string {
	data, _ := e.data.(map[string]any)
	if p, ok := data["properties"].(map[string]any); ok {
		data = p
	}
	id, _ := data["id"].(string)
	return id
}

// follow opens /v1/live and returns its events.
func follow(t *testing.T, s *server, query string) <-chan event {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/v1/live"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %s", resp.StatusCode, resp.Header)
	}
	events := make(chan event)
	go func() {
		defer close(events)
		defer resp.Body.Close()
		var e event
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				e.name = name
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				e.data = nil
				_ = json.Unmarshal([]byte(data), &e.data) // the test compares the data
				select {
				case events <- e:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return events
}

// next returns "name id" of the next event.
func next(t *testing.T, events <-chan event) string {
	t.Helper()
	select {
	case e, ok := <-events:
		if !ok {
			return "end"
		}
		return strings.TrimSpace(e.name + " " + e.id())
	case <-time.After(awaittest.Timeout):
		t.Fatal("no event")
		return ""
	}
}

// expect fails the test unless the next events are want.
func expect(t *testing.T, events <-chan event, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := next(t, events); got != w {
			t.Fatalf("the next event is %q, want %q", got, w)
		}
	}
}

func TestLiveSendsSnapshotThenUpdates(t *testing.T) {
	t.Parallel()
	onAll(t, func(t *testing.T, s *server) {
		addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
		livetest.Receive(t, s.live, topics.LiveAirTopic("s"), nhip.Station{ID: "s", Time: livetest.Noon})
		events := follow(t, s, "")
		expect(t, events, "hello", "bus 1", "air s", "ready")
		addBus(t, s, nhip.Bus{ID: "1", Lat: 21.1, Lon: 105, Time: livetest.Noon.Add(time.Second)})
		expect(t, events, "bus 1")
		addBus(t, s, nhip.Bus{ID: "2", Lat: 21, Lon: 105})
		expect(t, events, "bus 2")
		if err := s.live.Receive(topics.LiveBusTopic("hanoi", "1"), nil); err != nil {
			t.Fatal(err)
		}
		expect(t, events, "gone 1")
		s.hub.Close()
		expect(t, events, "end")
	})
}

func TestLiveRespectsBox(t *testing.T) {
	t.Parallel()
	onAll(t, func(t *testing.T, s *server) {
		addBus(t, s, nhip.Bus{ID: "in", Lat: 21, Lon: 105})
		addBus(t, s, nhip.Bus{ID: "out", Lat: 10, Lon: 105})
		events := follow(t, s, "?bbox=104,20,106,22")
		expect(t, events, "hello", "bus in", "ready")
		// outside before and after: no event
		addBus(t, s, nhip.Bus{ID: "out", Lat: 10.1, Lon: 105, Time: livetest.Noon.Add(time.Second)})
		addBus(t, s, nhip.Bus{ID: "in", Lat: 19, Lon: 105, Time: livetest.Noon.Add(time.Second)})
		addBus(t, s, nhip.Bus{ID: "out", Lat: 21, Lon: 105, Time: livetest.Noon.Add(2 * time.Second)})
		if got := []string{next(t, events), next(t, events)}; !slices.Contains(got, "gone in") ||
			!slices.Contains(got, "bus out") {
			t.Errorf("events %v", got)
		}
	})
}

func TestReconnectDropsUnseen(t *testing.T) {
	t.Parallel()
	onAll(t, func(t *testing.T, s *server) {
		for _, id := range []string{"1", "2", "3"} {
			addBus(t, s, nhip.Bus{ID: id, Lat: 21, Lon: 105})
		}
		livetest.Receive(t, s.live, topics.LiveAirTopic("s"), nhip.Station{ID: "s", Time: livetest.Noon})
		events := follow(t, s, "")
		expect(t, events, "hello", "bus 1", "bus 2", "bus 3", "air s", "ready")

		s.live.Connected() // reconnected; bus 2 and the station were cleared meanwhile
		addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
		if s.live.Complete() {
			t.Error("complete without a census")
		}
		livetest.Receive(t, s.live, topics.CensusTopic("c"), topics.Census{Buses: 2})
		if _, ok := s.live.Station("s"); !ok {
			t.Error("dropped before everything that is counted was received")
		}
		addBus(t, s, nhip.Bus{ID: "3", Lat: 21, Lon: 105})
		s.live.RetainedReceived()
		var got []string
		for range 4 { // 1 and 3 again, 2 and s gone, in any order
			got = append(got, next(t, events))
		}
		slices.Sort(got)
		if strings.Join(got, ",") != "bus 1,bus 3,gone 2,gone s" {
			t.Errorf("events %v", got)
		}
	})
}

// TestStreamSendsHeartbeat: a browser does not see comments, so the heartbeat is an event with data.
func TestStreamSendsHeartbeat(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			s := newServer(t, transport, Options{heartbeat: 10 * time.Millisecond})
			events := follow(t, s, "?bbox=105,20,105.01,20.01")
			expect(t, events, "hello", "ready", "time", "beat", "time")
			e := <-events
			data, _ := e.data.(map[string]any)
			if e.name != "beat" || data["rate"] != 1.0 || data["time"] != livetest.Noon.Format(time.RFC3339) {
				t.Errorf("heartbeat %v", e)
			}
		})
	}
}
