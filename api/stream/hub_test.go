package stream

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/geo/index"
	"nhip/internal/topics"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// here is an address of clients.
var here = netip.MustParsePrefix("192.0.2.1/32")

// modelClient is a client with its map: the place and the route of each bus and station, as it shows them.
type modelClient struct {
	*stream
	shows   map[string]string
	numbers map[float64]string // keys of buses by their number
	origin  []float64          // of the short form
	lastID  string
	resumes bool // whether it may be told that something has gone that it does not have
}

// apply applies events as a client does.
func (c *modelClient) apply(t *rapid.T, frame []byte) {
	for _, e := range strings.Split(strings.TrimSuffix(string(frame), "\n\n"), "\n\n") {
		name, data := "rows", ""
		for _, line := range strings.Split(e, "\n") {
			field, value, _ := strings.Cut(line, ":")
			switch value = strings.TrimPrefix(value, " "); field {
			case "event":
				name = value
			case "data":
				data = value
			case "id":
				c.lastID = value
			}
		}
		if data != "" {
			c.take(t, name, data)
		}
	}
}

func (c *modelClient) take(t *rapid.T, name, data string) {
	switch name {
	case "bus", "air":
		c.describe(t, name, data)
	case "moves", "rows":
		var rows [][]float64
		decode(t, data, &rows)
		for _, row := range rows {
			c.move(t, row)
		}
	case "gone":
		var gone struct {
			Kind, ID string
			N        *float64
		}
		decode(t, data, &gone)
		key := gone.Kind + gone.ID
		if gone.N != nil {
			key = c.numbers[*gone.N]
		}
		if _, known := c.shows[key]; !known && !c.resumes {
			t.Fatalf("%q is gone and was not shown", key)
		}
		delete(c.shows, key)
	case "hello", "resumed":
		var hello struct{ Origin []float64 }
		decode(t, data, &hello)
		if c.origin = hello.Origin; name == "hello" {
			c.shows, c.numbers = make(map[string]string), make(map[float64]string)
		}
	case "ready", "time", "beat", "reset", "subscribed":
	default:
		t.Fatalf("event %q", name)
	}
}

func (c *modelClient) describe(t *rapid.T, kind, data string) {
	var f struct {
		Geometry   *struct{ Coordinates []float64 }
		Properties struct {
			ID, Route string
			N         float64
		}
		ID, Route string
		N         float64
		Row       []float64
	}
	decode(t, data, &f)
	if f.Row != nil {
		c.numbers[f.N] = kind + f.ID
		c.shows[kind+f.ID] = shownAt(c.short(f.Row), f.Route)
		return
	}
	key := kind + f.Properties.ID
	c.shows[key] = shownAt(f.Geometry.Coordinates, f.Properties.Route)
	c.numbers[f.Properties.N] = key
}

// short returns the place in a row of the short form.
func (c *modelClient) short(row []float64) []float64 {
	return []float64{c.origin[0] + row[1]/shortSteps, c.origin[1] + row[2]/shortSteps}
}

func (c *modelClient) move(t *rapid.T, row []float64) {
	key := c.numbers[row[0]]
	was, known := c.shows[key]
	if !known {
		t.Fatalf("bus %v (%s) moves and was not shown", row[0], key)
	}
	at := []float64{row[1] / compactSteps, row[2] / compactSteps}
	if c.form == formShort {
		at = c.short(row)
	}
	c.shows[key] = shownAt(at, strings.Fields(was)[2])
}

// shownAt returns what a map shows of a bus.
func shownAt(at []float64, route string) string {
	return fmt.Sprintf("%.5f %.5f %s", at[0]+0, at[1]+0, route)
}

func decode(t *rapid.T, data string, to any) {
	if err := json.Unmarshal([]byte(data), to); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
}

// boxView returns a view of a box; that of the world is of everything.
func boxView(b index.Box) view {
	return view{subscription: subscription{box: b, boxed: b != index.World}, period: narrowPeriod}
}

// hubModel is a hub and the state that it should hold.
type hubModel struct {
	*Hub
	clock   *clock
	now     time.Duration // by which streams are scheduled
	buses   map[string]*nhip.Bus
	clients []*modelClient
}

// TestMapsFollowTheState lets clients with all kinds of subscriptions read at any time, in all forms, change what they
// want, and lose their connection with what was sent last, while buses appear, move, change their route, leave and
// expire, and the clock is set in either direction. Whenever a client has read everything, its map shows exactly what
// it subscribed to.
func TestMapsFollowTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		m := &hubModel{Hub: NewHub(Options{Clock: c}), clock: c, buses: make(map[string]*nhip.Bus)}
		for i := range subscriptions {
			for f := range forms {
				m.open(t, i, f)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"bus":   m.moveBus,
			"bus ":  m.moveBus, // more often than the rest
			"gone":  m.removeBus,
			"open":  m.openStream,
			"close": m.closeStream,
			"read":  m.readSome,
			"lose":  m.loseConnection,
			"wish":  m.changeSubscription,
			"epoch": func(*rapid.T) { m.beginEpoch(0) },
			"clock": func(t *rapid.T) {
				m.clock.set(m.clock.Now().Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "hours")) * time.Hour))
				m.sweep()
			},
			"": m.check,
		})
	})
}

// places are where buses of the model are; boxes are those of its clients, of which the first three are narrow.
var (
	places = []float64{0, 0.005, 0.01, 0.02, 0.05, 0.3}
	boxes  = []index.Box{
		{MinLon: 0, MinLat: 0, MaxLon: 0.005, MaxLat: 0.005},
		{MinLon: 0.004, MinLat: -0.01, MaxLon: 0.021, MaxLat: 0.01},
		{MinLon: -0.01, MinLat: -0.01, MaxLon: 0.05, MaxLat: 0.05},
		{MinLon: -0.1, MinLat: 0, MaxLon: 0.1, MaxLat: 0.2},
		{MinLon: 0.02, MinLat: -1, MaxLon: 0, MaxLat: 1},
		index.World,
	}
)

func (m *hubModel) moveBus(t *rapid.T) {
	b := &nhip.Bus{
		ID: fmt.Sprint(rapid.IntRange(1, 3).Draw(t, "bus")), Agency: "hanoi",
		Lon: rapid.SampledFrom(places).Draw(t, "lon"), Lat: rapid.SampledFrom(places).Draw(t, "lat"),
		Route: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "route"), Time: m.clock.Now(),
	}
	if was := m.buses[b.ID]; was != nil && rapid.Bool().Draw(t, "same route") {
		b.Route = was.Route
	}
	m.buses[b.ID] = b
	m.Bus(topics.LiveBusTopic(b.Agency, b.ID), b)
}

func (m *hubModel) removeBus(t *rapid.T) {
	id := fmt.Sprint(rapid.IntRange(1, 3).Draw(t, "bus"))
	delete(m.buses, id)
	m.BusGone(topics.LiveBusTopic("hanoi", id), "hanoi", id)
}

// subscriptions are those of the model's clients.
var subscriptions = func() (all []subscription) {
	for _, b := range boxes {
		all = append(all, boxView(b).subscription)
	}
	return append(all, subscription{lines: []string{"1"}}, subscription{lines: []string{"2"}, box: boxes[0], boxed: true},
		subscription{lines: []string{"1", "2"}, stations: []string{"s"}, box: boxes[3], boxed: true})
}()

func drawSubscription(t *rapid.T) int {
	return rapid.IntRange(0, len(subscriptions)-1).Draw(t, "subscription")
}

func (m *hubModel) openStream(t *rapid.T) {
	m.open(t, drawSubscription(t), form(rapid.IntRange(0, int(forms)-1).Draw(t, "form")))
}

func (m *hubModel) open(t *rapid.T, i int, f form) {
	v := view{subscription: subscriptions[i], form: f, period: narrowPeriod}
	s, err := m.join(v, here, "")
	if err != nil {
		t.Fatal(err)
	}
	m.clients = append(m.clients, &modelClient{stream: s})
}

func (m *hubModel) drawClient(t *rapid.T) *modelClient {
	return m.clients[rapid.IntRange(0, len(m.clients)-1).Draw(t, "client")]
}

// loseConnection makes a client lose its connection, and perhaps the last frame, and come back.
func (m *hubModel) loseConnection(t *rapid.T) {
	c := m.drawClient(t)
	if rapid.Bool().Draw(t, "frame is lost") {
		_, _ = m.compose(c.stream, nil, m.now)
	}
	m.leave(c.stream, endedByClient)
	again := c.view
	if c.wish != nil { // it names what it wants when it comes back
		again = *c.wish
	}
	s, err := m.join(again, here, c.lastID)
	if err != nil {
		t.Fatal(err)
	}
	c.stream, c.resumes = s, true
}

func (m *hubModel) changeSubscription(t *rapid.T) {
	c := m.drawClient(t)
	to := c.view
	to.subscription = subscriptions[drawSubscription(t)]
	if err := m.wishFor(c.stream, to, ""); err != nil {
		t.Fatal(err)
	}
}

func (m *hubModel) closeStream(t *rapid.T) {
	if len(m.clients) < len(boxes) {
		t.Skip("few clients")
	}
	i := rapid.IntRange(0, len(m.clients)-1).Draw(t, "client")
	m.leave(m.clients[i].stream, endedByClient)
	m.clients = append(m.clients[:i], m.clients[i+1:]...)
}

func (m *hubModel) readSome(t *rapid.T) {
	for _, c := range m.clients {
		if rapid.Bool().Draw(t, "reads") {
			m.read(t, c)
		}
	}
	if rapid.Bool().Draw(t, "compacts") {
		m.compact()
	}
}

func (m *hubModel) read(t *rapid.T, c *modelClient) {
	m.now += time.Second
	frame, _ := m.compose(c.stream, nil, m.now)
	c.apply(t, frame)
}

// check compares the maps of clients that have read everything with the state.
func (m *hubModel) check(t *rapid.T) {
	for i, c := range m.clients {
		if c.behind || c.wish != nil {
			continue
		}
		if len(c.pending.few) > 0 || len(c.pending.bits) > 0 {
			t.Fatalf("client %d is not behind and has pending changes", i)
		}
		want := make(map[string]string)
		for id, b := range m.buses {
			if !b.Expired(m.clock.Now()) && (c.everything() || c.boxed && c.box.Contains(b.Point()) ||
				slices.Contains(c.lines, b.Route)) {
				want["bus"+id] = shownAt([]float64{b.Lon, b.Lat}, b.Route)
			}
		}
		if diff := cmp.Diff(want, c.shows); diff != "" {
			t.Fatalf("client %d (%+v), want → shown:\n%s", i, c.view, diff)
		}
	}
}

// TestSlowStreamCostsNothing: a stream that is not served does not grow, and then gets the newest states.
func TestSlowStreamCostsNothing(t *testing.T) {
	for _, v := range []view{boxView(boxes[2]), boxView(index.World)} {
		h := NewHub(Options{Clock: newClock()})
		s, err := h.join(v, here, "")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = h.compose(s, nil, 0)
		for i := range 20_000 {
			id := fmt.Sprint(i % 10)
			h.Bus(topics.LiveBusTopic("hanoi", id), &nhip.Bus{
				ID: id, Agency: "hanoi", Time: livetest.Noon, Route: fmt.Sprint(i),
			})
		}
		if n := len(h.log.changes); n > 2*compactMargin {
			t.Errorf("the log holds %d changes", n)
		}
		if n := len(s.pending.few); n > 20 {
			t.Errorf("%d changes wait for the stream", n)
		}
		frame, more := h.compose(s, nil, time.Second)
		events := strings.Count(string(frame), "event: bus")
		if events != 10 || more || !strings.Contains(string(frame), `"route":"19999"`) {
			t.Errorf("%d events, more %t: %s", events, more, frame)
		}
		h.leave(s, endedByClient)
		for id := range 10 {
			h.gone(topics.LiveBusTopic("hanoi", fmt.Sprint(id)))
		}
		h.beginEpoch(0)
		h.beginEpoch(0) // no client can resume before what they left
		if h.compact(); len(h.byTopic) > 0 || len(h.log.changes) > 0 || len(h.unused) != 10 {
			t.Errorf("%d objects, %d changes and %d unused slots remain", len(h.byTopic), len(h.log.changes), len(h.unused))
		}
	}
}

// TestFramesAreBounded: a stream of the whole city gets its snapshot in frames of a bounded size, between two of which
// the city goes on.
func TestFramesAreBounded(t *testing.T) {
	const buses = 1000
	for _, v := range []view{boxView(boxes[2]), {form: formCompact}} {
		h := NewHub(Options{Clock: newClock()})
		put := func(i int) {
			id := fmt.Sprint(i)
			h.Bus(topics.LiveBusTopic("hanoi", id), &nhip.Bus{
				ID: id, Agency: "hanoi", Time: livetest.Noon, Headsign: strings.Repeat("x", 500), Speed: nhip.Some(float64(i)),
			})
		}
		for i := range buses {
			put(i)
		}
		s, err := h.join(v, here, "")
		if err != nil {
			t.Fatal(err)
		}
		frames, events, ready := 0, 0, false
		for more := true; more; frames++ {
			var frame []byte
			if frame, more = h.compose(s, nil, 0); len(frame) > frameBytes+2048 {
				t.Fatalf("a frame of %d bytes", len(frame))
			}
			put(frames)
			events += strings.Count(string(frame), "event: bus")
			ready = ready || strings.Contains(string(frame), "event: ready")
		}
		if !ready || events < buses || frames < 10 {
			t.Errorf("ready %t after %d events in %d frames", ready, events, frames)
		}
	}
}

// TestOnlyStreamsOfTheAreaWake: a change in a box does not schedule the streams of other boxes.
func TestOnlyStreamsOfTheAreaWake(t *testing.T) {
	h := NewHub(Options{Clock: newClock()})
	var streams []*stream
	for i := range 100 {
		lon := 105 + float64(i)*0.02
		s, err := h.join(boxView(index.Box{MinLon: lon, MinLat: 21, MaxLon: lon + 0.019, MaxLat: 21.02}), here, "")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = h.compose(s, nil, 0)
		streams = append(streams, s)
	}
	h.Bus("b", &nhip.Bus{ID: "1", Lon: 105.41, Lat: 21.01, Time: livetest.Noon})
	for i, s := range streams {
		if s.behind != (i == 20) {
			t.Errorf("stream %d is behind: %t", i, s.behind)
		}
	}
}

func TestSlotSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s slotSet
		model := make(map[uint32]bool)
		slots := rapid.IntRange(1, 1000).Draw(t, "slots")
		slot := rapid.Uint32Range(0, uint32(slots-1))
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				for range rapid.IntRange(1, 30).Draw(t, "n") {
					n := slot.Draw(t, "slot")
					s.add(n, slots)
					model[n] = true
				}
			},
			"remove": func(t *rapid.T) {
				if n := slot.Draw(t, "slot"); model[n] {
					s.remove(n)
					delete(model, n)
				}
			},
			"pop": func(t *rapid.T) {
				n, ok := s.pop()
				if ok != (len(model) > 0) || ok && !model[n] {
					t.Fatalf("pop returns %d, %t", n, ok)
				}
				for other := range model {
					if other > n {
						t.Fatalf("pop returns %d, not %d", n, other)
					}
				}
				delete(model, n)
			},
			"": func(t *rapid.T) {
				got := make(map[uint32]bool)
				s.each(func(n uint32) { got[n] = true })
				if !maps.Equal(model, got) {
					t.Fatal(cmp.Diff(model, got))
				}
				if n := slot.Draw(t, "slot"); s.has(n) != model[n] {
					t.Fatalf("has %d: %t", n, s.has(n))
				}
			},
		})
	})
}
