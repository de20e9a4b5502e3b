package stream

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/livetest"
	"nhip/api/scope"
	"nhip/internal/awaittest"
	"nhip/internal/topics"

	"github.com/coder/websocket"
	"github.com/paulmach/orb"
)

// boards is a source with some stops, whose contents tests set.
type boards struct {
	mu      sync.Mutex
	content map[string]string
	asked   map[string]int
}

func newBoards(ids ...string) *boards {
	b := &boards{content: make(map[string]string), asked: make(map[string]int)}
	for _, id := range ids {
		b.content[id] = "first"
	}
	return b
}

func (b *boards) set(id, content string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.content[id] = content; content == "" {
		delete(b.content, id)
	}
}

func (b *boards) times(id string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked[id]
}

// Check implements Source.
func (b *boards) Check(id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.content[id] == "" {
		return nhip.Errorf(nhip.CodeNotFound, "", "there is no stop %q", id)
	}
	return nil
}

// Content implements Source.
func (b *boards) Content(id string, sees scope.View, last any) (data []byte, state any, found bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked[id]++
	now := b.content[id]
	if now == last {
		return nil, last, true
	}
	return fmt.Appendf(nil, `{"id":%q,"text":%q,"agencies":%d}`, id, now, len(sees.Limits().Agencies)), now, now != ""
}

// often makes what is watched be computed often.
const often = 5 * time.Millisecond

func TestBoardIsSentWhenItChanges(t *testing.T) {
	t.Parallel()
	b := newBoards("s1", "s2")
	s := newServer(t, "workers", Options{watchEvery: often, Watch: Watch{Stops: b}})
	addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
	c := dialSocket(t, s, "?stops=s1")
	c.expectAll("hello", "ready", "board s1") // no bus
	before := b.times("s1")
	awaittest.True(t, "the board is computed again", func() bool { return b.times("s1") > before+2 })
	b.set("s1", "second")
	e, err := c.next()
	if err != nil || e.name != "board" || e.data.(map[string]any)["text"] != "second" {
		t.Errorf("%v %v", e, err)
	}
	b.set("s1", "")
	c.expect("gone s1")
	if b.times("s2") > 0 {
		t.Error("the board of a stop that nobody watches is computed")
	}
	_ = c.CloseNow()
	awaittest.True(t, "the stream has ended", func() bool { return s.hub.Streams() == 0 })
	if n := len(s.hub.watched); n > 0 {
		t.Errorf("%d stops are watched by nobody", n)
	}
}

// TestSecondClientGetsTheBoardAtOnce: with the snapshot.
func TestSecondClientGetsTheBoardAtOnce(t *testing.T) {
	s := newServer(t, "workers", Options{watchEvery: time.Hour, Watch: Watch{Stops: newBoards("s1", "s2")}})
	first := dialSocket(t, s, "?stops=s1")
	first.expectAll("hello", "ready", "board s1") // though the next turn is in an hour
	dialSocket(t, s, "?stops=s1").expect("hello", "board s1", "ready")
	first.send(`{"type":"subscribe","stops":["s2"]}`)
	first.expectAll("subscribed", "gone s1", "ready", "board s2")
}

func TestUnknownStopIsAnError(t *testing.T) {
	s := newServer(t, "workers", Options{Watch: Watch{Stops: newBoards("s1")}})
	resp, err := http.Get(s.URL + "/v1/live?stops=s1,s3")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Error(resp.Status)
	}
	c := dialSocket(t, s, "")
	c.expect("hello", "ready")
	c.send(`{"type":"subscribe","stops":["s3"]}`)
	c.expect("error")
}

func TestWatchedStopsAreBounded(t *testing.T) {
	b := newBoards("s1", "s2", "s3", "s4")
	s := newServer(t, "workers", Options{maxWatched: 3, Watch: Watch{Stops: b}})
	first := dialSocket(t, s, "?stops=s1,s2")
	dialSocket(t, s, "?stops=s1,s2") // the same count once
	second := dialSocket(t, s, "?stops=s3")
	_, resp, err := websocket.Dial(t.Context(), s.URL+"/v1/live?stops=s4", nil)
	if err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%v %v", resp, err)
	}
	second.expectAll("hello", "ready", "board s3")
	second.send(`{"type":"subscribe","stops":["s3","s4"]}`)
	second.expect("error")
	first.expect("hello")
	second.send(`{"type":"subscribe"}`)
	second.expect("subscribed", "gone s3", "ready")
	dialSocket(t, s, "?stops=s4").expectAll("hello", "ready", "board s4")
}

// TestPanicOfASourceCostsItsBoard: the others are computed.
func TestPanicOfASourceCostsItsBoard(t *testing.T) {
	s := newServer(t, "workers", Options{Watch: Watch{Stops: newBoards("s1"), Zones: failing{}}, watchEvery: often})
	dialSocket(t, s, "?zones=ward/1").expect("hello", "ready")
	dialSocket(t, s, "?stops=s1").expectAll("hello", "ready", "board s1")
}

// failing is a source that panics.
type failing struct{}

// Check implements Source.
func (failing) Check(string) error { return nil }

// Content implements Source.
func (failing) Content(string, scope.View, any) ([]byte, any, bool) { panic("the source fails") }

func TestTilesEventTellsNewVersions(t *testing.T) {
	var version atomic.Int64
	tiles := func() []byte { return fmt.Appendf(nil, `{"air":"%d"}`, version.Load()) }
	s := newServer(t, "workers", Options{watchEvery: often, Watch: Watch{Tiles: tiles}})
	c := dialSocket(t, s, "?lines=1")
	c.expectAll("hello", "ready", "tiles")
	version.Store(1)
	e, err := c.next()
	if err != nil || e.name != "tiles" || e.data.(map[string]any)["air"] != "1" {
		t.Errorf("%v %v", e, err)
	}
	wide := dialSocket(t, s, "")
	wide.expect("hello", "tiles", "ready")
	version.Store(2)
	wide.expect("tiles")
}

// TestZonesHaveTheirAirAndStations subscribes to a zone.
func TestZonesHaveTheirAirAndStations(t *testing.T) {
	west := func(p orb.Point) []string {
		if p.Lon() < 106 {
			return []string{"district/west"}
		}
		return nil
	}
	s := newServer(t, "workers", Options{Watch: Watch{Zones: newBoards("district/west"), ZonesAt: west}})
	at := func(lon float64) nhip.Station {
		return nhip.Station{ID: fmt.Sprint(lon), Time: livetest.Noon, Lat: nhip.Some(21.0), Lon: nhip.Some(lon)}
	}
	livetest.ReceiveStation(t, s.live, at(105))
	livetest.ReceiveStation(t, s.live, at(107))
	c := dialSocket(t, s, "?zones=district/west")
	c.expectAll("hello", "air 105", "ready", "zone district/west")
	livetest.ReceiveStation(t, s.live, at(104))
	c.expect("air 104")
}

func TestSubscriptionsInQueriesAreChecked(t *testing.T) {
	s := newServer(t, "workers", Options{})
	for query, field := range map[string]string{
		"lines=":     "lines",
		"lines=1,,2": "lines",
		"lines=" + strings.Repeat("1,", maxLines) + "1": "lines",
		"stations=" + strings.Repeat("x", maxID+1):      "stations",
		"zones=west":     "zones",
		"stops=1":        "stops",
		"line=1":         "line",
		"last_event_id=": "last_event_id",
		"alerts=":        "alerts",
		"alerts=some":    "alerts",
	} {
		resp, err := http.Get(s.URL + "/v1/live?" + query)
		if err != nil {
			t.Fatal(err)
		}
		var problem struct{ Field string }
		decodeBody(t, resp, &problem)
		if want := http.StatusBadRequest; resp.StatusCode != want && field != "stops" || problem.Field != field {
			t.Errorf("%s: %s, field %q", query, resp.Status, problem.Field)
		}
	}
}

func TestStreamsAreOfTheCallersScope(t *testing.T) {
	h := newServer(t, "workers", Options{})
	limits := nhip.Scope{Agencies: []string{"hanoi"}, Stations: []string{"s1"}}
	v := view{sees: scope.New(limits, nil)}
	s, err := h.hub.join(v, here, "")
	if err != nil {
		t.Fatal(err)
	}
	addBus(t, h, nhip.Bus{ID: "own", Lat: 21, Lon: 105})
	livetest.Receive(t, h.live, topics.LiveBusTopic("other", "1"), nhip.Bus{
		ID: "foreign", Agency: "other", Lat: 21, Lon: 105, Time: livetest.Noon,
	})
	for _, id := range []string{"s1", "s2"} {
		livetest.ReceiveStation(t, h.live, nhip.Station{ID: id, Time: livetest.Noon})
	}
	frame, _ := h.hub.compose(s, nil, 0)
	for id, want := range map[string]bool{"own": true, "foreign": false, "s1": true, "s2": false} {
		if strings.Contains(string(frame), `"id":"`+id+`"`) != want {
			t.Errorf("%s in the stream: want %t", id, want)
		}
	}
	if a, b := audienceOf(v.sees), audienceOf(scope.New(nhip.Scope{Agencies: []string{"hanoi", "s1"}}, nil)); a == b {
		t.Error("two scopes share boards")
	}
}

// TestForeignPagesSeeWhatThePublicSees: a cookie of a session counts only on pages of our own.
func TestForeignPagesSeeWhatThePublicSees(t *testing.T) {
	caller := access.Caller{Role: nhip.RoleViewer, View: scope.New(nhip.Scope{Agencies: []string{"hanoi"}}, nil)}
	h := &Handler{}
	h.PublicURL = "https://bus.example"
	for _, c := range []struct {
		header []string
		scoped bool
	}{
		{[]string{"Cookie", "s=1"}, true},
		{[]string{"Cookie", "s=1", "Origin", "https://bus.example"}, true},
		{[]string{"Cookie", "s=1", "Origin", "http://api.local"}, true}, // as the client addressed it
		{[]string{"Cookie", "s=1", "Origin", "https://evil.example"}, false},
		{[]string{"Cookie", "s=1", "Origin", "null"}, false},
		{[]string{"Cookie", "s=1", "Origin", "https://bus.example.evil.example"}, false},
		{[]string{"Authorization", "Bearer x", "Origin", "https://evil.example"}, true}, // no browser adds that by itself
	} {
		r := httptest.NewRequest(http.MethodGet, "http://api.local/v1/live", nil)
		for pair := range slices.Chunk(c.header, 2) {
			r.Header.Set(pair[0], pair[1])
		}
		sees := h.sees(access.WithCaller(r, caller, access.Allowed))
		if got := !sees.Agency("other"); got != c.scoped {
			t.Errorf("%v: in the caller's scope %t, want %t", c.header, got, c.scoped)
		}
	}
}
