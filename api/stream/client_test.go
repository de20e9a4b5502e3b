package stream

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/internal/awaittest"
	"nhip/internal/topics"
)

// dial opens a connection to a server and sends a request.
func dial(t *testing.T, s *server, request string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(awaittest.Timeout)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return conn
}

const liveRequest = "GET /v1/live HTTP/1.1\r\nHost: x\r\n\r\n"

// addLongBuses adds buses of 5 kB. The kernel holds no more than 2,000 of them for a client.
func addLongBuses(s *server, n int, route string) {
	headsign := strings.Repeat("x", 5000)
	for i := range n {
		id := strconv.Itoa(i)
		s.hub.Bus(topics.LiveBusTopic("hanoi", id), &nhip.Bus{
			ID: id, Agency: "hanoi", Lat: 21, Lon: 105, Route: route, Headsign: headsign, Time: livetest.Noon,
		})
	}
}

func TestStreamHasCompleteHead(t *testing.T) {
	for _, transport := range []string{"workers", "request"} {
		t.Run(transport, func(t *testing.T) {
			s := newServer(t, transport, Options{})
			resp, err := http.ReadResponse(bufio.NewReader(dial(t, s, liveRequest)), nil)
			if err != nil {
				t.Fatal(err)
			}
			h := resp.Header
			if resp.StatusCode != http.StatusOK || h.Get("Content-Type") != "text/event-stream" ||
				h.Get("Cache-Control") != "no-store" || h.Get("X-Accel-Buffering") != "no" || h.Get("Date") == "" ||
				resp.TransferEncoding[0] != "chunked" {
				t.Errorf("%s %v %v", resp.Status, h, resp.TransferEncoding)
			}
			s.hub.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Errorf("the end of the answer: %v", err)
			}
		})
	}
}

// TestStreamOverHTTP10: a proxy that speaks HTTP/1.0 gets a stream without chunks.
func TestStreamOverHTTP10(t *testing.T) {
	s := newServer(t, "workers", Options{})
	conn := dial(t, s, "GET /v1/live HTTP/1.0\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	awaittest.True(t, "the stream is open", func() bool { return s.hub.Streams() == 1 })
	start := make([]byte, len("event: hello\n"))
	if _, err := io.ReadFull(resp.Body, start); err != nil || string(start) != "event: hello\n" ||
		len(resp.TransferEncoding) > 0 {
		t.Errorf("%q %v %v", start, err, resp.TransferEncoding)
	}
}

// TestSlowClientGetsTheLatestState: a client that does not read for a while then gets the newest state of each bus, and
// little that is older.
func TestSlowClientGetsTheLatestState(t *testing.T) {
	for _, transport := range []string{"workers", "request"} {
		t.Run(transport, func(t *testing.T) {
			const longBuses = 500
			s := newServer(t, transport, Options{stuckLimit: awaittest.Timeout})
			addLongBuses(s, longBuses, "first")
			conn := dial(t, s, liveRequest)
			awaittest.True(t, "the stream is open", func() bool { return s.hub.Streams() == 1 })
			for i := range 3 {
				addLongBuses(s, longBuses, fmt.Sprint(i))
			}
			addLongBuses(s, longBuses, "last")
			newest := make(map[string]bool)
			events := 0
			for lines := bufio.NewScanner(conn); len(newest) < longBuses && lines.Scan(); {
				if id, isBus := busOf(lines.Bytes()); isBus {
					events++
					newest[id] = true
					if !bytes.Contains(lines.Bytes(), []byte(`"route":"last"`)) {
						delete(newest, id)
					}
				}
			}
			if len(newest) < longBuses || events > 3*longBuses {
				t.Errorf("the newest state of %d buses after %d events", len(newest), events)
			}
		})
	}
}

// busOf returns the id in a line of a bus event. Chunks may begin within lines, but none of the test's events does.
func busOf(line []byte) (string, bool) {
	_, rest, found := bytes.Cut(line, []byte(`"properties":{"id":"`))
	id, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(id), found
}

func TestClientThatDoesNotReadIsDisconnected(t *testing.T) {
	for _, transport := range []string{"workers", "request"} {
		t.Run(transport, func(t *testing.T) {
			s := newServer(t, transport, Options{stuckLimit: 100 * time.Millisecond})
			addLongBuses(s, 2000, "1")
			dial(t, s, liveRequest)
			awaittest.True(t, "the stream is open", func() bool { return s.hub.Streams() == 1 })
			awaittest.True(t, "the stream has ended", func() bool { return s.hub.Streams() == 0 })
			if reader := follow(t, s, ""); next(t, reader) != "hello" {
				t.Error("others are not served")
			}
		})
	}
}

func TestDisconnectedClientLeavesAtOnce(t *testing.T) {
	s := newServer(t, "workers", Options{})
	conns := make([]net.Conn, 20)
	for i := range conns {
		conns[i] = dial(t, s, liveRequest)
	}
	awaittest.True(t, "all streams are open", func() bool { return s.hub.Streams() == len(conns) })
	for _, conn := range conns {
		_ = conn.Close()
	}
	awaittest.True(t, "all streams have ended", func() bool { return s.hub.Streams() == 0 })
	if len(s.hub.addresses) > 0 {
		t.Errorf("addresses %v", s.hub.addresses)
	}
}

// TestClientThatSendsIsDisconnected: nothing is to be sent after the request.
func TestClientThatSendsIsDisconnected(t *testing.T) {
	s := newServer(t, "workers", Options{})
	conn := dial(t, s, liveRequest)
	awaittest.True(t, "the stream is open", func() bool { return s.hub.Streams() == 1 })
	for {
		if _, err := conn.Write(make([]byte, 512)); err != nil {
			if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("error %v", err)
			}
			break
		}
	}
	awaittest.True(t, "the stream has ended", func() bool { return s.hub.Streams() == 0 })
}

func TestStreamsAreBounded(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
	}{{"in all", Options{MaxStreams: 2}}, {"of an address", Options{PerAddress: 2}}} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, "workers", c.o)
			first := dial(t, s, liveRequest)
			dial(t, s, liveRequest)
			awaittest.True(t, "two streams are open", func() bool { return s.hub.Streams() == 2 })
			resp, err := http.Get(s.URL + "/v1/live")
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
				t.Errorf("%s %v", resp.Status, resp.Header)
			}
			_ = first.Close()
			awaittest.True(t, "one has ended", func() bool { return s.hub.Streams() == 1 })
			expect(t, follow(t, s, ""), "hello")
		})
	}
}

func TestAddressClasses(t *testing.T) {
	for _, c := range []struct{ address, class string }{
		{"192.0.2.1", "192.0.2.1/32"},
		{"::ffff:192.0.2.1", "192.0.2.1/32"},
		{"2001:db8:1:2:3::4", "2001:db8:1:2::/64"},
		{"fe80::1%eth0", "fe80::/64"},
	} {
		if got := addressClass(netip.MustParseAddr(c.address)); got.String() != c.class {
			t.Errorf("%s is of the class %s, want %s", c.address, got, c.class)
		}
	}
	if got := addressClass(netip.Addr{}); got.IsValid() {
		t.Errorf("no address is of the class %s", got)
	}
}

// TestWideViewsAreThrottledByZoom: at zoom 5 the changes of five seconds are joined.
func TestWideViewsAreThrottledByZoom(t *testing.T) {
	for _, c := range []struct {
		query string
		want  time.Duration
	}{
		{"", widePeriod},
		{"?bbox=105.8,21,105.82,21.02", narrowPeriod},
		{"?bbox=105.8,21,105.82,21.02&zoom=5", 5 * time.Second},
		{"?zoom=10", 2 * time.Second},
		{"?zoom=16", narrowPeriod},
	} {
		r, err := http.NewRequest(http.MethodGet, "/v1/live"+c.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if v, _, err := readView(r); err != nil || v.period != c.want {
			t.Errorf("%q: changes of %s are joined, want %s (%v)", c.query, v.period, c.want, err)
		}
	}
	s := newServer(t, "workers", Options{})
	events := follow(t, s, "?zoom=12")
	expect(t, events, "hello", "ready")
	began := time.Now()
	for i := range 3 {
		addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105 + float64(i)/100})
		expect(t, events, "bus 1")
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("three changes within %s", took)
	}
}

// TestCompactForm: a bus that moves is a row; one whose description changes is an event.
func TestCompactForm(t *testing.T) {
	t.Parallel()
	onAll(t, func(t *testing.T, s *server) {
		addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
		events := follow(t, s, "?form=compact&bbox=104.99,20.99,105.01,21.01")
		hello := <-events
		base, err := time.Parse(time.RFC3339, hello.data.(map[string]any)["base"].(string))
		if err != nil {
			t.Fatal(err)
		}
		expect(t, events, "bus 1", "ready")
		at := livetest.Noon.Add(1500 * time.Millisecond)
		addBus(t, s, nhip.Bus{ID: "1", Lat: 21.0000014, Lon: 105.000001, Time: at, Speed: nhip.Some(3.14159)})
		moves := <-events
		if want := fmt.Sprintf("[[0 %d %d %d <nil> 3.1]]", 105000001, 21000001,
			at.Sub(base).Milliseconds()); moves.name != "moves" ||
			rowsText(moves) != want {
			t.Errorf("%v, want %s", moves, want)
		}
		addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105, Time: at, Route: "2"})
		expect(t, events, "bus 1")
		addBus(t, s, nhip.Bus{ID: "1", Lat: 22, Lon: 105, Time: at, Route: "2"})
		expect(t, events, "gone 1")
	})
}

// rowsText returns the rows of a moves event, with whole numbers as such.
func rowsText(e event) string {
	rows, _ := e.data.([]any)
	for _, r := range rows {
		row, _ := r.([]any)
		for i, v := range row {
			if f, ok := v.(float64); ok && f == float64(int64(f)) {
				row[i] = int64(f)
			}
		}
	}
	return fmt.Sprint(rows)
}

// TestStreamFollowsClockThatIsSetBack: states that are older than those before are sent, too.
func TestStreamFollowsClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	onAll(t, func(t *testing.T, s *server) {
		addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
		events := follow(t, s, "")
		expect(t, events, "hello", "bus 1", "ready")
		s.clock.set(livetest.Noon.Add(-time.Hour))
		addBus(t, s, nhip.Bus{ID: "1", Lat: 21.1, Lon: 105, Time: s.clock.Now()})
		expect(t, events, "bus 1")
		s.clock.set(livetest.Noon.Add(24 * time.Hour))
		s.hub.sweep()
		expect(t, events, "gone 1")
	})
}

// TestStationIsSentWhenItsEventChanges: a collector publishes a station several times while it assesses its readings.
func TestStationIsSentWhenItsEventChanges(t *testing.T) {
	s := newServer(t, "workers", Options{})
	station := livetest.Monitor(1, livetest.Noon, 30)
	livetest.ReceiveStation(t, s.live, station)
	events := follow(t, s, "?zoom=13")
	expect(t, events, "hello", "air m01", "ready")
	livetest.ReceiveStation(t, s.live, station)
	addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
	expect(t, events, "bus 1")
	station.Values = map[nhip.Quantity]nhip.LiveValue{nhip.PM25: {Value: 31, Time: livetest.Noon, Period: 3600}}
	livetest.ReceiveStation(t, s.live, station)
	expect(t, events, "air m01")
}

// TestWideViewsLeaveHalfACore: over TLS, too, streams of the whole city that are always behind use half of a core
// together.
func TestWideViewsLeaveHalfACore(t *testing.T) {
	h := NewHub(Options{Clock: newClock()})
	var busy time.Duration
	began := h.elapsed()
	for range 50 {
		s, err := h.join(view{period: widePeriod}, here, "")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			id := fmt.Sprint(i)
			h.Bus(topics.LiveBusTopic("hanoi", id), &nhip.Bus{ID: id, Agency: "hanoi", Time: livetest.Noon})
		}
		if !h.awaitTurn(t.Context()) {
			t.Fatal("no turn")
		}
		from := h.elapsed()
		frame, _ := h.takeTurn(s, nil)
		busy += h.elapsed() - from
		if len(frame) == 0 {
			t.Fatal("no frame")
		}
	}
	if all := h.elapsed() - began; busy > all/2 {
		t.Errorf("busy for %s of %s", busy, all)
	}
}

// TestPanicEndsOneStream: a fault in serving a stream ends that one.
func TestPanicEndsOneStream(t *testing.T) {
	s := newServer(t, "workers", Options{})
	for range 2 { // of the whole city, which are served one at a time
		events := follow(t, s, "")
		expect(t, events, "hello", "ready")
		s.clock.fails.Store(true)
		addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
		expect(t, events, "end")
		s.clock.fails.Store(false)
		if err := s.live.Receive(topics.LiveBusTopic("hanoi", "1"), nil); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, follow(t, s, ""), "hello", "ready")
}
