package stream

import (
	"bufio"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/internal/awaittest"
	"nhip/internal/topics"
)

func decodeBody(t *testing.T, resp *http.Response, to any) {
	t.Helper()
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(to); err != nil {
		t.Fatal(err)
	}
}

// lastID returns the id of the last event of a new stream, once it has sent a given event.
func lastID(t *testing.T, s *server, query, after string) string {
	t.Helper()
	conn := dial(t, s, strings.Replace(liveRequest, "/v1/live", "/v1/live"+query, 1))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		seen = seen || lines.Text() == after
		if id, ok := strings.CutPrefix(lines.Text(), "id:"); ok && seen {
			_ = conn.Close()
			return strings.TrimSpace(id)
		}
	}
	t.Fatal("no id")
	return ""
}

// resumed opens a stream after an event, with the header or the parameter.
func resumed(t *testing.T, s *server, query, id string, header bool) *bufio.Scanner {
	t.Helper()
	request := strings.Replace(liveRequest, "/v1/live", "/v1/live"+query+"&last_event_id="+id, 1)
	if header {
		request = strings.Replace(liveRequest, "/v1/live", "/v1/live"+query, 1)
		request = strings.Replace(request, "\r\n\r\n", "\r\nLast-Event-ID: "+id+"\r\n\r\n", 1)
	}
	resp, err := http.ReadResponse(bufio.NewReader(dial(t, s, request)), nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	return bufio.NewScanner(resp.Body)
}

// eventsUntil returns the names of events with the ids in them until all wanted ones were read.
func eventsUntil(t *testing.T, lines *bufio.Scanner, wanted ...string) (events []string) {
	t.Helper()
	name := ""
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "event:"); ok {
			name = strings.TrimSpace(value)
		}
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue
		}
		e := event{name: name}
		_ = json.Unmarshal([]byte(data), &e.data) // rows have no id
		events = append(events, strings.TrimSpace(name+" "+e.id()))
		wanted = slices.DeleteFunc(wanted, func(w string) bool {
			return w == events[len(events)-1] || w == name // a bus that has gone has only its number in the short form
		})
		if len(wanted) == 0 {
			return events
		}
	}
	t.Fatalf("no %s after %v: %v", wanted, events, lines.Err())
	return nil
}

// TestStreamResumes: a client that comes back gets what it has missed, and nothing else.
func TestStreamResumes(t *testing.T) {
	for _, query := range []string{
		"?form=plain", "?form=compact", "?form=short", "?bbox=104.5,20.5,105.5,21.5&form=short",
	} {
		t.Run(query, func(t *testing.T) {
			s := newServer(t, "workers", Options{})
			for _, id := range []string{"stays", "moves", "leaves"} {
				addBus(t, s, nhip.Bus{ID: id, Lat: 21, Lon: 105})
			}
			ready := "event: ready"
			if strings.Contains(query, "short") {
				ready = "event:ready"
			}
			id := lastID(t, s, query, ready)
			addBus(t, s, nhip.Bus{ID: "moves", Lat: 21.01, Lon: 105})
			if err := s.live.Receive(topics.LiveBusTopic("hanoi", "leaves"), nil); err != nil {
				t.Fatal(err)
			}
			addBus(t, s, nhip.Bus{ID: "new", Lat: 21, Lon: 105})
			for _, header := range []bool{true, false} {
				lines := resumed(t, s, query, id, header)
				events := eventsUntil(t, lines, "resumed", "bus moves", "gone", "bus new")
				got := strings.Join(events, ",")
				if events[0] != "resumed" || strings.Contains(got, "stays") || strings.Contains(got, "hello") ||
					strings.Contains(got, "ready") {
					t.Errorf("events %s", got)
				}
			}
		})
	}
}

func TestStreamBeginsAnewIfItCannotResume(t *testing.T) {
	s := newServer(t, "workers", Options{})
	addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
	id := lastID(t, s, "?form=plain", "event: ready")
	for _, c := range []struct{ name, query, id, reason string }{
		{"of another server", "?form=plain", "abc-1", resetUnknown},
		{"nonsense", "?form=plain", "nonsense", resetUnknown},
		{"of the future", "?form=plain", id + "zz", resetUnknown},
		{"another form", "?form=compact", id, resetUnknown},
		{"another box", "?bbox=104,20,106,22", id, resetUnknown},
		{"old", "?form=plain", id, resetOld},
	} {
		if c.reason == resetOld {
			s.hub.mu.Lock()
			for range 2 {
				s.hub.beginEpoch(0)
				s.hub.log.last++
			}
			s.hub.beginEpoch(0)
			s.hub.mu.Unlock()
		}
		lines := resumed(t, s, c.query, c.id, true)
		if got := strings.Join(eventsUntil(t, lines, "bus 1"), ","); got != "reset,hello,bus 1" {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// TestWebSocketResumes: the id is an event of its own there.
func TestWebSocketResumes(t *testing.T) {
	s := newServer(t, "workers", Options{})
	addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
	first := dialSocket(t, s, "?bbox=104,20,106,22&form=short")
	first.expect("hello", "bus 1", "ready")
	addBus(t, s, nhip.Bus{ID: "2", Lat: 21, Lon: 105})
	first.expect("bus 2")
	if first.id == "" {
		t.Fatal("no id")
	}
	_ = first.CloseNow()
	addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105.5})
	again := dialSocket(t, s, "?bbox=104,20,106,22&form=short&last_event_id="+first.id)
	e, err := again.next()
	if err != nil || e.name != "resumed" || e.data.(map[string]any)["origin"] == nil {
		t.Fatalf("%v %v", e, err)
	}
	again.expectAll("bus 1", "bus 2") // the id was that of ready
}

// TestHeartbeatsHaveIDs: a client of a quiet box can resume, too.
func TestHeartbeatsHaveIDs(t *testing.T) {
	s := newServer(t, "workers", Options{heartbeat: 20 * time.Millisecond})
	const quiet = "?bbox=0,0,0.01,0.01&form=short"
	first := lastID(t, s, quiet, "event:ready")
	addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
	if later := lastID(t, s, quiet, "event:beat"); later == first {
		t.Errorf("the id is still %s", later)
	}
}

// TestShortFormIsShort measures a neighbourhood of 40 buses that report every 10 s, as in Hanoi.
func TestShortFormIsShort(t *testing.T) {
	const buses, rounds = 40, 30
	for _, socket := range []bool{false, true} {
		h := NewHub(Options{Clock: newClock()})
		v := view{form: formShort, socket: socket, period: narrowPeriod, subscription: boxView(boxes[2]).subscription}
		v.box.MinLon, v.box.MaxLon, v.box.MinLat, v.box.MaxLat = 105.84, 105.86, 21.02, 21.04
		for i := range 2500 { // of which few are here
			loadBus(h, i, 105.7+0.0001*float64(i%100), 21, livetest.Noon)
		}
		s, err := h.join(v, here, "")
		if err != nil {
			t.Fatal(err)
		}
		for i := range buses {
			loadBus(h, 60*i, 105.85, 21.03, livetest.Noon)
		}
		_, _ = h.compose(s, nil, 0)
		bytes, at := 0, time.Duration(0)
		for round := range rounds {
			for i := range buses {
				loadBus(h, 60*i, 105.8437+0.0001*float64(i+round), 21.0312+0.0001*float64(i), livetest.Noon.Add(-3*time.Second))
				at += 10 * time.Second / buses
				frame, more := h.compose(s, nil, at)
				if more {
					t.Fatal("more")
				}
				bytes += len(frame) + chunkOverhead(frame, socket)
			}
		}
		each := float64(bytes) / (buses * rounds)
		t.Logf("websocket %t: %.1f bytes an update, %.0f bytes a second for %d buses that report every 10 s", socket, each,
			float64(bytes)/at.Seconds(), buses)
		if each > 45 {
			t.Errorf("an update has %.1f bytes", each)
		}
	}
}

// chunkOverhead returns the bytes of a chunk of HTTP around a frame.
func chunkOverhead(frame []byte, socket bool) int {
	if socket || len(frame) == 0 {
		return 0
	}
	c := connection{chunked: true}
	return len(c.seal(append(make([]byte, chunkHead), frame...))) - len(frame)
}

func loadBus(h *Hub, i int, lon, lat float64, at time.Time) {
	id := "29B-" + strings.Repeat("0", 2) + string(rune('0'+i%10)) + time.Duration(i).String()
	h.Bus(topics.LiveBusTopic("hanoi", id), &nhip.Bus{
		ID: id, Agency: "hanoi", Lon: lon, Lat: lat, Time: at, Bearing: nhip.Some(273.2), Speed: nhip.Some(8.2),
		Route: "01", Line: "01", Headsign: "Bến xe Gia Lâm", Occupancy: nhip.OccupancyManySeats,
		Track: &nhip.Track{Status: "in_service", Confidence: 1},
	})
}

// TestStreamOfABrokenHandshakeLeaves: a client that goes away during the handshake holds nothing.
func TestStreamOfABrokenHandshakeLeaves(t *testing.T) {
	s := newServer(t, "workers", Options{})
	for range 10 {
		conn := dial(t, s, socketRequest)
		_ = conn.Close()
	}
	dialSocket(t, s, "").expect("hello", "ready")
	awaittest.True(t, "the others have ended", func() bool { return s.hub.Streams() == 1 })
}
