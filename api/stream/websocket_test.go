package stream

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/internal/awaittest"
	"nhip/internal/topics"

	"github.com/coder/websocket"
)

// socketClient is a client of a WebSocket.
type socketClient struct {
	*websocket.Conn
	t     *testing.T
	id    string // of the last event
	bytes int    // of messages
}

// dialSocket opens a WebSocket of /v1/live.
func dialSocket(t *testing.T, s *server, query string) *socketClient {
	t.Helper()
	c, resp, err := websocket.Dial(t.Context(), s.URL+"/v1/live"+query, &websocket.DialOptions{HTTPClient: s.http1()})
	if err != nil {
		t.Fatalf("%v: %v", err, resp)
	}
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	return &socketClient{Conn: c, t: t}
}

// http1 returns a client that speaks HTTP/1.1 also over TLS.
func (s *server) http1() *http.Client {
	tr, ok := s.Client().Transport.(*http.Transport)
	if !ok || tr.TLSClientConfig == nil {
		return s.Client()
	}
	tr = tr.Clone()
	tr.ForceAttemptHTTP2, tr.TLSClientConfig.NextProtos = false, []string{"http/1.1"}
	tr.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	return &http.Client{Transport: tr}
}

func (c *socketClient) send(message string) {
	c.t.Helper()
	if err := c.Write(c.t.Context(), websocket.MessageText, []byte(message)); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next event besides ids. Rows of the short form are named rows.
func (c *socketClient) next() (event, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), awaittest.Timeout)
	defer cancel()
	for {
		_, raw, err := c.Read(ctx)
		if err != nil {
			return event{}, err
		}
		c.bytes += len(raw)
		if raw[0] == '[' {
			var rows any
			decodeJSON(c.t, raw, &rows)
			return event{"rows", rows}, nil
		}
		var e struct {
			Event string
			Data  any
		}
		decodeJSON(c.t, raw, &e)
		if e.Event != "id" {
			return event{e.Event, e.Data}, nil
		}
		c.id, _ = e.Data.(string)
	}
}

func decodeJSON(t *testing.T, raw []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(raw, to); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
}

// expect fails the test unless the next events are want, as "name id".
func (c *socketClient) expect(want ...string) {
	c.t.Helper()
	for _, w := range want {
		e, err := c.next()
		if err != nil {
			c.t.Fatalf("no %q: %v", w, err)
		}
		if got := strings.TrimSpace(e.name + " " + e.id()); got != w {
			c.t.Fatalf("the next event is %q, want %q (%v)", got, w, e.data)
		}
	}
}

// expectAll is expect for events in any order.
func (c *socketClient) expectAll(want ...string) {
	c.t.Helper()
	var got []string
	for range want {
		e, err := c.next()
		if err != nil {
			c.t.Fatalf("%v after %v, want %v", err, got, want)
		}
		got = append(got, strings.TrimSpace(e.name+" "+e.id()))
	}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		c.t.Fatalf("events %q, want %q", got, want)
	}
}

// expectClose fails the test unless the connection is closed with a status.
func (c *socketClient) expectClose(want websocket.StatusCode) {
	c.t.Helper()
	for {
		_, err := c.next()
		if err == nil {
			continue
		}
		if got := websocket.CloseStatus(err); got != want {
			c.t.Fatalf("closed with %d (%v), want %d", got, err, want)
		}
		return
	}
}

// onSockets runs a test over WebSockets that workers serve, and that goroutines of their own do, with TLS.
func onSockets(t *testing.T, test func(t *testing.T, s *server)) {
	t.Helper()
	for _, transport := range []string{"workers", "http2"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			test(t, newServer(t, transport, Options{}))
		})
	}
}

func TestWebSocketHasTheEventsOfAStream(t *testing.T) {
	t.Parallel()
	onSockets(t, func(t *testing.T, s *server) {
		addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105, Headsign: strings.Repeat("x", 200)})
		addBus(t, s, nhip.Bus{ID: "long", Lat: 22, Lon: 105, Headsign: strings.Repeat("x", 70_000)})
		c := dialSocket(t, s, "?form=plain")
		c.expect("hello", "bus 1", "bus long", "ready")
		addBus(t, s, nhip.Bus{ID: "1", Lat: 21.1, Lon: 105, Time: livetest.Noon.Add(time.Second)})
		c.expect("bus 1")
		if err := s.live.Receive(topics.LiveBusTopic("hanoi", "1"), nil); err != nil {
			t.Fatal(err)
		}
		c.expect("gone 1")
		s.hub.Close()
		c.expectClose(websocket.StatusGoingAway)
	})
}

func TestSubscriptionChangesOverWebSocket(t *testing.T) {
	t.Parallel()
	onSockets(t, func(t *testing.T, s *server) {
		addBus(t, s, nhip.Bus{ID: "in", Lat: 21, Lon: 105, Route: "r1"})
		addBus(t, s, nhip.Bus{ID: "out", Lat: 10, Lon: 105, Route: "r2", Line: "32"})
		livetest.Receive(t, s.live, topics.LiveAirTopic("s"), nhip.Station{ID: "s", Time: livetest.Noon})
		c := dialSocket(t, s, "?bbox=104,20,106,22")
		c.expect("hello", "bus in", "ready")
		c.send(`{"type":"subscribe","ref":"a","lines":["32"],"stations":["s"]}`)
		e, err := c.next()
		if err != nil || e.name != "subscribed" || e.data.(map[string]any)["ref"] != "a" {
			t.Fatalf("%v %v", e, err)
		}
		c.expectAll("air s", "bus out", "gone in")
		c.expect("ready")
		addBus(t, s, nhip.Bus{ID: "in", Lat: 21, Lon: 105, Route: "r1", Line: "32"}) // now of the line
		c.expect("bus in")
		addBus(t, s, nhip.Bus{ID: "out", Lat: 10, Lon: 105, Route: "r2", Line: "33"})
		c.expect("gone out")
		c.send(`{"type":"subscribe"}`) // everything
		c.expect("subscribed", "bus out", "ready")
	})
}

// TestBadMessagesAreErrorsAlone: each is answered with the field and the rule, and the stream goes on.
func TestBadMessagesAreErrorsAlone(t *testing.T) {
	t.Parallel()
	many := `["` + strings.Repeat(`x","`, maxLines) + `x"]`
	for _, c := range []struct{ message, field, rule string }{
		{`nonsense`, "", "JSON object"},
		{`[]`, "", "JSON object"},
		{`null`, "", "JSON object"},
		{"{\"ref\":\"\xff\"}", "", "UTF-8"},
		{`{}`, "type", "subscribe"},
		{`{"type":"unsubscribe"}`, "type", "subscribe"},
		{`{"type":"subscribe","box":[1,2,3,4]}`, "box", "not a field"},
		{`{"type":"subscribe","Lines":["1"]}`, "Lines", "not a field"},
		{`{"type":"subscribe","form":"short"}`, "form", "not a field"},
		{`{"type":"subscribe","bbox":[1,2,3]}`, "bbox", "minLon"},
		{`{"type":"subscribe","bbox":[1,2,3,400]}`, "bbox", "minLon"},
		{`{"type":"subscribe","bbox":[null,2,3,4]}`, "bbox", "in degrees"},
		{`{"type":"subscribe","bbox":[1,2,3,4,null]}`, "bbox", "must be"},
		{`{"type":"subscribe","bbox":"1,2,3,4"}`, "bbox", "string"},
		{`{"type":"subscribe","zoom":25}`, "zoom", "between 0 and 24"},
		{`{"type":"subscribe","zoom":1.5}`, "zoom", "number"},
		{`{"type":"subscribe","lines":"32"}`, "lines", "string"},
		{`{"type":"subscribe","lines":[32]}`, "lines", "number"},
		{`{"type":"subscribe","lines":[""]}`, "lines", "empty"},
		{`{"type":"subscribe","lines":["\u0000"]}`, "lines", "printable"},
		{`{"type":"subscribe","lines":` + many + `}`, "lines", "at most 20, got 21"},
		{`{"type":"subscribe","stations":["` + strings.Repeat("x", 129) + `"]}`, "stations", "128 bytes"},
		{`{"type":"subscribe","stops":["x"]}`, "stops", "can't be watched"},
		{`{"type":"subscribe","zones":["x"]}`, "zones", "kind/id"},
		{`{"type":"subscribe","ref":1}`, "ref", "text"},
		{`{"type":"subscribe","ref":"` + strings.Repeat("x", 65) + `"}`, "ref", "64 bytes"},
	} {
		h := NewHub(Options{Clock: newClock()})
		st, err := h.join(view{socket: true, subscription: boxView(boxes[0]).subscription}, here, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.receive(st, st.view, []byte(c.message)); err != nil || len(st.notices) != 1 || st.wish != nil {
			t.Fatalf("%s: %v, notices %v", c.message, err, st.notices)
		}
		var data struct{ Code, Field, Rule string }
		decodeJSON(t, st.notices[0].data, &data)
		if st.notices[0].name != "error" || data.Field != c.field || !strings.Contains(data.Rule, c.rule) {
			t.Errorf("%s: %+v, want the field %q and %q", c.message, data, c.field, c.rule)
		}
	}
}

// TestStreamGoesOnAfterABadMessage: only too many of them close it.
func TestStreamGoesOnAfterABadMessage(t *testing.T) {
	t.Parallel()
	s := newServer(t, "workers", Options{})
	c := dialSocket(t, s, "?bbox=104,20,104.01,20.01")
	c.expect("hello", "ready")
	c.send(`{"type":"subscribe","lines":"32"}`)
	c.expect("error")
	addBus(t, s, nhip.Bus{ID: "1", Lat: 20.005, Lon: 104.005})
	c.expect("bus 1")
}

// TestFragmentsAreOneMessage: a client may send a message in several frames.
func TestFragmentsAreOneMessage(t *testing.T) {
	s := newServer(t, "workers", Options{})
	c := dialSocket(t, s, "")
	c.expect("hello", "ready")
	w, err := c.Writer(t.Context(), websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`{"type":"sub`, `scribe","lines"`, `:["1"]}`} {
		if _, err := io.WriteString(w, part); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c.expect("subscribed", "ready")
}

// TestNewSubscriptionsHaveAShare: while others take long, one waits, and its stream goes on.
func TestNewSubscriptionsHaveAShare(t *testing.T) {
	h := NewHub(Options{Clock: newClock()})
	s, err := h.join(view{socket: true}, here, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.wishFor(s, view{socket: true, subscription: subscription{lines: []string{"1"}}}, ""); err != nil {
		t.Fatal(err)
	}
	h.wishFrom = time.Hour
	if frame, _ := h.compose(s, nil, time.Minute); !strings.Contains(string(frame), "hello") || s.wish == nil ||
		!s.everything() {
		t.Errorf("the subscription was served at once, or nothing: %s", frame)
	}
	if _, _ = h.compose(s, nil, time.Hour); s.wish != nil || s.everything() || h.wishFrom < time.Hour {
		t.Error("the subscription was not served")
	}
}

func TestBinaryMessageIsAnError(t *testing.T) {
	s := newServer(t, "workers", Options{})
	c := dialSocket(t, s, "")
	c.expect("hello", "ready")
	if err := c.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"subscribe"}`)); err != nil {
		t.Fatal(err)
	}
	c.expect("error")
}

// TestFloodOfMessagesClosesTheWebSocket: ten at once are allowed.
func TestFloodOfMessagesClosesTheWebSocket(t *testing.T) {
	t.Parallel()
	onSockets(t, func(t *testing.T, s *server) {
		c := dialSocket(t, s, "")
		c.expect("hello", "ready")
		for range 2 * messageBurst {
			if c.Write(t.Context(), websocket.MessageText, []byte(`{"type":"subscribe"}`)) != nil {
				break // it is closed
			}
		}
		c.expectClose(websocket.StatusPolicyViolation)
		awaittest.True(t, "the stream has ended", func() bool { return s.hub.Streams() == 0 })
	})
}

func TestLongMessageClosesTheWebSocket(t *testing.T) {
	t.Parallel()
	s := newServer(t, "workers", Options{})
	c := dialSocket(t, s, "")
	c.expect("hello", "ready")
	c.send(`{"type":"subscribe"}` + strings.Repeat(" ", maxMessage))
	c.expectClose(websocket.StatusMessageTooBig)
	awaittest.True(t, "the stream has ended", func() bool { return s.hub.Streams() == 0 })
}

// TestFloodOfPingsClosesTheWebSocket: the heads of frames count, too.
func TestFloodOfPingsClosesTheWebSocket(t *testing.T) {
	t.Parallel()
	s := newServer(t, "workers", Options{})
	conn := dial(t, s, socketRequest)
	ping := append([]byte{finalPing, 0x80 | 100, 0, 0, 0, 0}, make([]byte, 100)...)
	flood := bytes.Repeat(ping, 2*inputBurst/len(ping))
	go func() { _, _ = conn.Write(flood) }() // until it is closed
	got, _ := io.ReadAll(conn)               // the end is an error if bytes of ours were unread
	if !bytes.Contains(got, appendClose(nil, statusPolicy, "too much is sent")) {
		t.Errorf("%d bytes without the close frame", len(got))
	}
	awaittest.True(t, "the stream has ended", func() bool { return s.hub.Streams() == 0 })
}

const socketRequest = "GET /v1/live HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// TestSilentWebSocketEnds: a client that does not answer pings is gone; one that does stays.
func TestSilentWebSocketEnds(t *testing.T) {
	for _, transport := range []string{"workers", "request"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, transport, Options{heartbeat: 50 * time.Millisecond})
			answering := dialSocket(t, s, "")
			silent := dial(t, s, socketRequest)
			awaittest.True(t, "two streams are open", func() bool { return s.hub.Streams() == 2 })
			go func() { _, _ = io.Copy(io.Discard, silent) }()
			for s.hub.Streams() > 1 {
				if _, err := answering.next(); err != nil { // which answers pings
					t.Fatal(err)
				}
			}
			answering.expect("beat")
		})
	}
}

func TestPingIsAnswered(t *testing.T) {
	t.Parallel()
	s := newServer(t, "workers", Options{})
	c := dialSocket(t, s, "?bbox=0,0,0.01,0.01")
	c.expect("hello", "ready")
	go func() { // reads the pong
		for {
			if _, _, err := c.Read(t.Context()); err != nil {
				return
			}
		}
	}()
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestClosedWebSocketIsClosedInTurn(t *testing.T) {
	t.Parallel()
	onSockets(t, func(t *testing.T, s *server) {
		c := dialSocket(t, s, "?bbox=0,0,0.01,0.01")
		c.expect("hello", "ready")
		if err := c.Close(websocket.StatusNormalClosure, "enough"); err != nil {
			t.Errorf("the server does not answer the close frame: %v", err)
		}
		awaittest.True(t, "the stream has ended", func() bool { return s.hub.Streams() == 0 })
	})
}

func TestSlowWebSocketIsDisconnected(t *testing.T) {
	for _, transport := range []string{"workers", "request"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, transport, Options{stuckLimit: 100 * time.Millisecond})
			addLongBuses(s, 2000, "1")
			dial(t, s, socketRequest)
			awaittest.True(t, "the stream is open", func() bool { return s.hub.Streams() == 1 })
			awaittest.True(t, "the stream has ended", func() bool { return s.hub.Streams() == 0 })
		})
	}
}

func TestInvalidHandshakesAreProblems(t *testing.T) {
	s := newServer(t, "workers", Options{})
	for _, c := range []struct{ from, to, field string }{
		{"Connection: keep-alive, Upgrade", "Connection: keep-alive", "Connection"},
		{"Version: 13", "Version: 8", "Sec-WebSocket-Version"},
		{"dGhlIHNhbXBsZSBub25jZQ==", "short", "Sec-WebSocket-Key"},
		{"HTTP/1.1", "HTTP/1.0", "Upgrade"},
		{"/v1/live", "/v1/live?form=tiny", "form"},
	} {
		conn := dial(t, s, strings.Replace(socketRequest, c.from, c.to, 1))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusBadRequest ||
			!bytes.Contains(answer, []byte(`"field":"`+c.field+`"`)) {
			t.Errorf("%s: %s %s %v", c.to, resp.Status, answer, err)
		}
	}
	if n := s.hub.Streams(); n != 0 {
		t.Errorf("%d streams are open", n)
	}
}

// TestWebSocketsAndEventsShareTheLimit: one address has no more of both together.
func TestWebSocketsAndEventsShareTheLimit(t *testing.T) {
	s := newServer(t, "workers", Options{PerAddress: 2})
	dial(t, s, liveRequest)
	dialSocket(t, s, "")
	awaittest.True(t, "two streams are open", func() bool { return s.hub.Streams() == 2 })
	_, resp, err := websocket.Dial(t.Context(), s.URL+"/v1/live", nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%v %v", resp, err)
	}
}

// TestShortForm: a bus is introduced once with its number, and then is a row.
func TestShortForm(t *testing.T) {
	t.Parallel()
	s := newServer(t, "workers", Options{})
	first := nhip.Bus{
		ID: "29B-1", Lat: 21.02851, Lon: 105.85421, Route: "r32", Line: "32", Bearing: nhip.Some(270.4),
		Occupancy: nhip.OccupancyFewSeats, Time: livetest.Noon.Add(-2 * time.Second),
	}
	addBus(t, s, first)
	c := dialSocket(t, s, "?form=short")
	hello, err := c.next()
	if err != nil || fmt.Sprint(hello.data.(map[string]any)["origin"]) != "[105.9 21]" {
		t.Fatalf("%v %v", hello, err)
	}
	bus, err := c.next()
	data, _ := bus.data.(map[string]any)
	if err != nil || bus.name != "bus" ||
		fmt.Sprintln(data["n"], data["line"], data["row"]) != "0 32 [0 -4579 2851 2 270 2]\n" {
		t.Fatalf("%v %v", bus, err)
	}
	c.expect("ready")
	first.Lat, first.Time, first.Bearing = 21.02, livetest.Noon.Add(-time.Hour), nhip.Opt[float64]{}
	addBus(t, s, first)
	rows, err := c.next()
	if err != nil || fmt.Sprint(rows.data) != "[[0 -4579 2000 3600 <nil> 2 1]]" {
		t.Errorf("%v %v", rows, err)
	}
	if err := s.live.Receive(topics.LiveBusTopic("hanoi", "29B-1"), nil); err != nil {
		t.Fatal(err)
	}
	gone, err := c.next()
	if err != nil || fmt.Sprint(gone.data) != "map[kind:bus n:0]" {
		t.Errorf("%v %v", gone, err)
	}
}
