package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/internal/awaittest"

	"github.com/coder/websocket"
)

// streamEvent is an event over a WebSocket.
type streamEvent struct {
	Event string
	Data  json.RawMessage
}

// followSocket opens a WebSocket of an api and returns a function that reads the next event besides ids and beats.
func followSocket(t *testing.T, a *API, query string) (c *websocket.Conn, next func() streamEvent) {
	t.Helper()
	c, resp, err := websocket.Dial(t.Context(), a.URL()+"/v1/live"+query, nil)
	if err != nil {
		t.Fatalf("%v: %v", err, resp)
	}
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c, func() (e streamEvent) {
		t.Helper()
		for e.Event == "" || e.Event == "id" || e.Event == "beat" {
			_, raw, err := c.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if raw[0] == '[' {
				return streamEvent{"message", raw}
			}
			if err := json.Unmarshal(raw, &e); err != nil {
				t.Fatalf("%s: %v", raw, err)
			}
		}
		return e
	}
}

// serveAPI serves an api with its streams until the test ends.
func serveAPI(t *testing.T, a *API) {
	t.Helper()
	a.tasks.Go("live streams", a.hub.Run)
	go func() { _ = a.server.Serve(a.listener) }() // until the test stops the api
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), awaittest.Timeout)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// TestStreamsHaveBoardsZonesAndTiles: their contents are those of the addresses that serve them.
func TestStreamsHaveBoardsZonesAndTiles(t *testing.T) {
	n := network.New(geotest.Line(21, 15*time.Minute))
	a := withMonitors(t, func(o *Options) {
		o.Clock, o.Timetable, o.History, o.Zones = livetest.NewClock(eight.UTC()), n, quietHistory{}, testZones()
	})
	serveAPI(t, a)
	c, next := followSocket(t, a, "?stops=S5&zones=ward/west")
	got := make(map[string]streamEvent)
	for len(got) < 6 {
		e := next()
		got[e.Event] = e
	}
	names := slices.Sorted(maps.Keys(got))
	if !slices.Equal(names, []string{"air", "board", "hello", "ready", "tiles", "zone"}) {
		t.Fatalf("events %v", names)
	}
	sameJSON(t, "board", got["board"].Data, get(t, a, "/v1/stops/S5/arrivals?limit=20").Body.Bytes())
	var zone struct {
		Zone map[string]any
	}
	var zones struct{ Zones []map[string]any }
	unmarshal(t, got["zone"].Data, &zone)
	unmarshal(t, get(t, a, "/v1/zones?kind=ward").Body.Bytes(), &zones)
	if !slices.ContainsFunc(zones.Zones, func(z map[string]any) bool { return reflect.DeepEqual(z, zone.Zone) }) {
		t.Errorf("zone %v, not among %v", zone.Zone, zones.Zones)
	}
	var tiles struct{ Air, Transit, Zones string }
	unmarshal(t, got["tiles"].Data, &tiles)
	if tiles.Air == "" || tiles.Transit == "" || tiles.Zones == "" {
		t.Errorf("tiles %+v", tiles)
	}
	_ = c.Close(websocket.StatusNormalClosure, "")
}

func unmarshal(t *testing.T, raw []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(raw, to); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
}

func sameJSON(t *testing.T, what string, a, b []byte) {
	t.Helper()
	var x, y any
	unmarshal(t, a, &x)
	if unmarshal(t, b, &y); !reflect.DeepEqual(x, y) {
		t.Errorf("%s: %s\nwant %s", what, a, b)
	}
}

func TestUnknownSubscriptionsAreNotFound(t *testing.T) {
	a, _ := newTransitAPI(t)
	for path, status := range map[string]int{
		"/v1/live?stops=S5,nowhere":   http.StatusNotFound,
		"/v1/live?zones=ward/nowhere": http.StatusNotFound,
		"/v1/live?zones=ward":         http.StatusBadRequest,
		"/v1/live?form=tiny":          http.StatusBadRequest,
		"/v1/live?bbox=1,2,3":         http.StatusBadRequest,
	} {
		if w := get(t, a, path); w.Code != status || !strings.Contains(w.Body.String(), `"field"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestExampleDecodesTheShortForm runs the example of docs/streams.md on the events of a stream.
func TestExampleDecodesTheShortForm(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("needs node")
	}
	page, err := os.ReadFile("../docs/streams.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```js\n")
	program, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("no example")
	}
	a := newAPI(t)
	serveAPI(t, a)
	addBus(t, a, nhip.Bus{ID: "1", Lat: 21.02851, Lon: 105.85421, Line: "32"})
	addBus(t, a, nhip.Bus{ID: "2", Lat: 21.03, Lon: 105.86})
	_, next := followSocket(t, a, "?form=short")
	var events []streamEvent
	for len(events) == 0 || events[len(events)-1].Event != "ready" {
		events = append(events, next())
	}
	addBus(t, a, nhip.Bus{
		ID: "1", Lat: 21.02, Lon: 105.85, Line: "32", Bearing: nhip.Some(90.0), Time: noon.Add(-time.Hour),
		Occupancy: nhip.OccupancyFull,
	})
	addBus(t, a, nhip.Bus{ID: "2", Lat: 21.04, Lon: 105.86})
	for len(events) < 7 { // tiles come at any time; the description of bus 1 and the row of bus 2 follow
		events = append(events, next())
	}
	input, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "example.js")
	program += "const buses = new Map(), take = shortForm(buses);\n" +
		"for (const e of " + string(input) + ") take(e.Event, e.Data);\n" +
		"for (const [key, b] of buses) console.log([key, b.line, b.lon.toFixed(5), b.lat.toFixed(5), b.bearing, " +
		"b.occupancy, b.stale].join(' '));\n"
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), node, file).CombinedOutput()
	want := "hanoi/1 32 105.85000 21.02000 90 5 true\nhanoi/2  105.86000 21.04000   false\n"
	if err != nil || string(out) != want {
		t.Errorf("%s (%v), want %s", out, err, want)
	}
}
