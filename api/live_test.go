package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/await"
	"nhip/internal/mqtt"
)

// waitFor bounds how long a test waits for what must come.
const waitFor = 10 * time.Second

// event is one server-sent event.
type event struct {
	name string
	data map[string]any
}

// follow opens /v1/live and returns its events.
func follow(t *testing.T, a *API, query string) <-chan event {
	t.Helper()
	srv := httptest.NewServer(a.server.Handler)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); srv.Close() })
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/v1/live"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
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
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			if name, ok := strings.CutPrefix(s.Text(), "event: "); ok {
				e.name = name
			}
			if data, ok := strings.CutPrefix(s.Text(), "data: "); ok {
				e.data = nil
				_ = json.Unmarshal([]byte(data), &e.data) // a broken event fails the test that looks at it
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
		id, _ := e.data["id"].(string)
		if p, ok := e.data["properties"].(map[string]any); ok {
			id, _ = p["id"].(string)
		}
		return strings.TrimSpace(e.name + " " + id)
	case <-time.After(waitFor):
		t.Fatal("no event")
		return ""
	}
}

func expect(t *testing.T, events <-chan event, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := next(t, events); got != w {
			t.Fatalf("the next event is %q, want %q", got, w)
		}
	}
}

func TestLiveGivesTheWholeMapAndThenItsChanges(t *testing.T) {
	a := newAPI(t)
	addBus(t, a, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
	hear(t, a, mqtt.LiveAirTopic("s"), nhip.Station{ID: "s", Time: noon})
	events := follow(t, a, "")
	expect(t, events, "hello", "bus 1", "air s", "ready")
	addBus(t, a, nhip.Bus{ID: "1", Lat: 21.1, Lon: 105, Time: noon.Add(time.Second)})
	expect(t, events, "bus 1")
	addBus(t, a, nhip.Bus{ID: "2", Lat: 21, Lon: 105})
	expect(t, events, "bus 2")
	if err := a.city.hear(mqtt.LiveBusTopic("hanoi", "1"), nil); err != nil {
		t.Fatal(err)
	}
	expect(t, events, "gone 1")
	a.hub.close()
	expect(t, events, "end")
}

func TestLiveInABox(t *testing.T) {
	a := newAPI(t)
	addBus(t, a, nhip.Bus{ID: "in", Lat: 21, Lon: 105})
	addBus(t, a, nhip.Bus{ID: "out", Lat: 10, Lon: 105})
	events := follow(t, a, "?bbox=104,20,106,22")
	expect(t, events, "hello", "bus in", "ready")
	addBus(t, a, nhip.Bus{ID: "out", Lat: 10.1, Lon: 105, Time: noon.Add(time.Second)}) // stays outside: nothing
	addBus(t, a, nhip.Bus{ID: "in", Lat: 19, Lon: 105, Time: noon.Add(time.Second)})
	addBus(t, a, nhip.Bus{ID: "out", Lat: 21, Lon: 105, Time: noon.Add(2 * time.Second)})
	if got := []string{next(t, events), next(t, events)}; !slices.Contains(got, "gone in") || !slices.Contains(got, "bus out") {
		t.Errorf("told %v", got)
	}
}

func TestASlowStreamMissesWhatIsInBetweenAndNeverTheEnd(t *testing.T) {
	h := newHub()
	in := h.join()
	for i := range 100_000 {
		h.tell(&update{key: "a", id: fmt.Sprint(i)})
	}
	h.tell(&update{key: "b"})
	got := in.take()
	if len(got) != 2 || got["a"].id != "99999" {
		t.Errorf("waiting: %d updates, the last of a is %s", len(got), got["a"].id)
	}
	h.leave(in)
	h.close()
	h.close()
	if h.join() != nil {
		t.Error("a closed hub takes streams")
	}
}

func TestWhatLeftWhileWeWereAwayIsNoGhost(t *testing.T) {
	a := newAPI(t)
	for _, id := range []string{"1", "2", "3"} {
		addBus(t, a, nhip.Bus{ID: id, Lat: 21, Lon: 105})
	}
	hear(t, a, mqtt.LiveAirTopic("s"), nhip.Station{ID: "s", Time: noon})
	events := follow(t, a, "")
	expect(t, events, "hello", "bus 1", "bus 2", "bus 3", "air s", "ready")

	a.city.connected() // the connection was lost and made again; bus 2 and the station were cleared meanwhile
	addBus(t, a, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
	if a.city.complete() {
		t.Error("complete before anything is counted")
	}
	hear(t, a, mqtt.CensusTopic("c"), mqtt.Census{Buses: 2})
	if _, ok := a.city.station("s"); !ok {
		t.Error("dropped before all that is counted was heard")
	}
	addBus(t, a, nhip.Bus{ID: "3", Lat: 21, Lon: 105})
	var got []string
	for range 4 { // 1 and 3 again, 2 and s gone, in any order
		got = append(got, next(t, events))
	}
	slices.Sort(got)
	if strings.Join(got, ",") != "bus 1,bus 3,gone 2,gone s" {
		t.Errorf("told %v", got)
	}
}

func TestAClientThatDoesNotReadDoesNotHoldUpTheStop(t *testing.T) {
	a := newAPI(t)
	for i := range 3000 {
		addBus(t, a, nhip.Bus{ID: fmt.Sprint(i), Lat: 21, Lon: 105, Headsign: strings.Repeat("x", 200)})
	}
	served := make(chan struct{})
	go func() { _ = a.server.Serve(a.listener); close(served) }()
	conn, err := net.Dial("tcp", a.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET /v1/live HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the stream is open", func() bool { return a.hub.size() == 1 })
	began := time.Now()
	if err := a.Stop(t.Context()); err != nil {
		t.Errorf("stop: %v", err)
	}
	<-served
	if took := time.Since(began); took > 2*finishTimeout {
		t.Errorf("the stop took %s", took)
	}
}

func TestLiveTopicsThatCantBeRead(t *testing.T) {
	a := newAPI(t)
	for _, c := range [][2]string{
		{"nhip/live/bus/a/1", "{"},
		{"nhip/live/bus/a/1", `{"id":"1","lat":100,"lon":0}`},
		{"nhip/live/bus/a", "{}"},
		{"nhip/live/air/s", "nonsense"},
		{"nhip/live/census/c", "nonsense"},
		{"nhip/other", "{}"},
	} {
		if a.city.hear(c[0], []byte(c[1])) == nil {
			t.Errorf("%s %s is taken in", c[0], c[1])
		}
	}
}
