package live

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/geo/index"
	"nhip/internal/fleet"
	"nhip/internal/topics"

	"github.com/paulmach/orb"
)

// recorder is an Observer that records the topics of changes.
type recorder struct {
	Ignore
	changed, gone []string
}

func (r *recorder) Bus(topic string, _ *nhip.Bus)         { r.changed = append(r.changed, topic) }
func (r *recorder) BusGone(topic, _, _ string)            { r.gone = append(r.gone, topic) }
func (r *recorder) Station(topic string, _ *nhip.Station) { r.changed = append(r.changed, topic) }
func (r *recorder) StationGone(topic, _ string)           { r.gone = append(r.gone, topic) }

func (r *recorder) Service(topic string, state any) {
	if state == nil {
		r.gone = append(r.gone, topic)
		return
	}
	r.changed = append(r.changed, topic)
}

func newState(t *testing.T, h History) (*State, *recorder) {
	t.Helper()
	s := New(Options{
		Clock: livetest.NewClock(livetest.Noon), History: h, LineOf: func(route string) string { return "line " + route },
		Logger: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(s.Close)
	r := new(recorder)
	s.Observe(r)
	s.Connected()
	return s, r
}

func receiveBus(t *testing.T, s *State, id string) {
	t.Helper()
	livetest.Receive(t, s, topics.LiveBusTopic("hanoi", id), nhip.Bus{
		ID: id, Agency: "hanoi", Route: "1", Lat: 21, Lon: 105, Time: livetest.Noon,
	})
}

func TestInvalidMessagesAreRejected(t *testing.T) {
	s, r := newState(t, nil)
	for _, c := range [][2]string{
		{"nhip/live/bus/a/1", "{"},
		{"nhip/live/bus/a/1", `{"id":"1","lat":100,"lon":0}`},
		{"nhip/live/bus/a", "{}"},
		{"nhip/live/air/s", "nonsense"},
		{"nhip/live/census/c", "nonsense"},
		{"nhip/other", "{}"},
	} {
		if s.Receive(c[0], []byte(c[1])) == nil {
			t.Errorf("%s %s is accepted", c[0], c[1])
		}
	}
	if s.Buses().Len() > 0 || len(s.Stations()) > 0 || len(s.Collectors()) > 0 || len(r.changed) > 0 {
		t.Errorf("%d buses, %v, %v, changes %v", s.Buses().Len(), s.Stations(), s.Collectors(), r.changed)
	}
}

func TestStateIsCompleteWithAllCensuses(t *testing.T) {
	s, _ := newState(t, nil)
	if s.Complete() {
		t.Error("complete without a census")
	}
	livetest.Receive(t, s, topics.CensusTopic("b"), topics.Census{Buses: 1})
	livetest.Receive(t, s, topics.CensusTopic("a"), topics.Census{Stations: 1})
	receiveBus(t, s, "1")
	receiveBus(t, s, "1") // counts once
	if s.Complete() {
		t.Error("complete without the station")
	}
	livetest.ReceiveStation(t, s, nhip.Station{ID: "s", Time: livetest.Noon})
	if !s.Complete() || !slices.Equal(s.Collectors(), []string{"a", "b"}) {
		t.Errorf("complete %t, collectors %v", s.Complete(), s.Collectors())
	}
	s.Connected()
	if s.Complete() {
		t.Error("complete right after a new connection")
	}
}

func TestUnseenTopicsAreDroppedOncePerConnection(t *testing.T) {
	s, r := newState(t, nil)
	for _, id := range []string{"1", "2"} {
		receiveBus(t, s, id)
	}
	livetest.ReceiveStation(t, s, nhip.Station{ID: "s", Time: livetest.Noon})
	s.Connected()
	receiveBus(t, s, "1")
	if len(r.gone) > 0 {
		t.Errorf("%v are gone without a census", r.gone)
	}
	livetest.Receive(t, s, topics.CensusTopic("c"), topics.Census{Buses: 1})
	if len(r.gone) > 0 {
		t.Errorf("%v are gone before the retained messages have arrived", r.gone)
	}
	s.RetainedReceived()
	slices.Sort(r.gone)
	if want := []string{topics.LiveAirTopic("s"), topics.LiveBusTopic("hanoi", "2")}; !slices.Equal(r.gone, want) {
		t.Errorf("%v are gone, want %v", r.gone, want)
	}
}

// TestReconnectKeepsStateOfStoppedCollector: one of two collectors stops, which clears its census, and then the api
// connects again. The topics of both are still retained, and those of the one that stopped come first.
func TestReconnectKeepsStateOfStoppedCollector(t *testing.T) {
	s, r := newState(t, nil)
	for _, id := range []string{"stopped", "here"} {
		receiveBus(t, s, id)
	}
	s.Connected()
	livetest.Receive(t, s, topics.CensusTopic("here"), topics.Census{Buses: 1})
	receiveBus(t, s, "stopped")
	receiveBus(t, s, "here")
	s.RetainedReceived()
	if len(r.gone) > 0 || s.Buses().Len() != 2 {
		t.Errorf("%v are gone", r.gone)
	}
}

// TestStateWithoutCensusIsServed: no collector runs when the api starts.
func TestStateWithoutCensusIsServed(t *testing.T) {
	s, _ := newState(t, nil)
	s.RetainedReceived()
	if s.Served() || !s.Uncounted() {
		t.Error("served without anything retained")
	}
	s.Connected()
	receiveBus(t, s, "1")
	if s.Served() || s.Uncounted() {
		t.Error("served before the retained messages have arrived")
	}
	s.RetainedReceived()
	if !s.Served() || s.Complete() || !s.Uncounted() {
		t.Error("what is retained is not served")
	}
	livetest.Receive(t, s, topics.CensusTopic("c"), topics.Census{Buses: 2})
	if s.Served() {
		t.Error("served before the counted buses have arrived")
	}
	receiveBus(t, s, "2")
	if !s.Complete() || s.Uncounted() {
		t.Error("not complete")
	}
	if err := s.Receive(topics.CensusTopic("c"), nil); err != nil {
		t.Fatal(err)
	}
	if s.Buses().Len() != 2 || !s.Served() || !s.Uncounted() {
		t.Error("a cleared census costs the state")
	}
}

func TestFleetMessageUpdatesReceivedStates(t *testing.T) {
	s, r := newState(t, nil)
	receiveBus(t, s, "1")
	livetest.Receive(t, s, topics.FleetVehicleTopic("1"), fleet.Vehicle{ID: "1", Plate: "29B-123.45"})
	topic := topics.LiveBusTopic("hanoi", "1")
	hits := s.Buses().Within(nil, index.World, nil)
	if len(hits) != 1 || hits[0].Item.Plate != "29B-123.45" || hits[0].Item.Line != "line 1" ||
		!slices.Equal(r.changed, []string{topic, topic}) {
		t.Errorf("%v, changes %v", hits, r.changed)
	}
}

func TestLocatedExcludesPrivatePositions(t *testing.T) {
	s, _ := newState(t, nil)
	for _, id := range []string{"reported", "private"} {
		livetest.ReceiveStation(t, s, nhip.Station{ID: id, Time: livetest.Noon, Lat: nhip.Some(21.0), Lon: nhip.Some(105.8)})
	}
	livetest.Receive(t, s, topics.FleetStationTopic("private"), fleet.Station{ID: "private", Position: fleet.Private})
	livetest.Receive(t, s, topics.FleetStationTopic("silent"), fleet.Station{
		ID: "silent", Position: fleet.Public, At: []float64{105.8, 21},
	})
	livetest.Receive(t, s, topics.FleetStationTopic("mobile"), fleet.Station{
		ID: "mobile", Position: fleet.Public, Mobile: true,
	})
	located := s.Located()
	if len(located) != 3 || located["reported"] == nil || located["silent"] == nil || located["mobile"] == nil {
		t.Errorf("%v", located)
	}
}

// storedFleet is a history of positions; it counts its queries.
type storedFleet struct {
	positions []nhip.Position
	err       error
	queries   int
}

func (h *storedFleet) Fleet(_ context.Context, _, _ time.Time, yield func(nhip.Position) error) error {
	h.queries++
	for _, p := range h.positions {
		if err := yield(p); err != nil {
			return err
		}
	}
	return h.err
}

func TestFleetAtReadsEachMomentOnce(t *testing.T) {
	at := livetest.Noon.Add(-48 * time.Hour)
	h := &storedFleet{
		positions: []nhip.Position{
			{Agency: "hanoi", Vehicle: "1", Time: at, Route: "1", Point: nhip.Some(orb.Point{105.8, 21})},
		},
	}
	s, _ := newState(t, h)
	for _, seconds := range []int{0, 9} {
		f, err := s.FleetAt(t.Context(), at.Add(time.Duration(seconds)*time.Second))
		if err != nil || !f.Past || !f.Settled || !f.At.Equal(at) || f.Buses.Len() != 1 {
			t.Errorf("%d s later: %+v, %v", seconds, f, err)
		}
	}
	if h.queries != 1 || s.PastFleets() != 1 {
		t.Errorf("%d queries, %d fleets", h.queries, s.PastFleets())
	}
	if now, err := s.FleetAt(t.Context(), livetest.Noon.Add(-9*time.Second)); err != nil || now.Past ||
		now.Buses != s.Buses() {
		t.Errorf("now: %+v, %v", now, err)
	}
}

func TestFleetAtWithoutHistory(t *testing.T) {
	s, _ := newState(t, &storedFleet{err: context.DeadlineExceeded})
	if _, err := s.FleetAt(t.Context(), livetest.Noon.Add(-time.Hour)); err != ErrHistoryAway {
		t.Errorf("error %v", err)
	}
	if s.PastFleets() != 0 {
		t.Error("the error is cached")
	}
}

// TestServicesCount: the state is complete with the trips and alerts of the census, and those that are not received on
// a new connection are dropped.
func TestServicesCount(t *testing.T) {
	s, r := newState(t, nil)
	trip := topics.ServiceTopic(topics.ServiceTrip, "city", "T1")
	alert := topics.ServiceTopic(topics.ServiceAlert, "city", "w")
	livetest.Receive(t, s, topics.CensusTopic("c"), topics.Census{Services: 2})
	livetest.Receive(t, s, trip, nhip.TripUpdate{Trip: "T1"})
	if s.Complete() {
		t.Error("complete without the alert")
	}
	livetest.Receive(t, s, alert, nhip.ServiceAlert{ID: "w"})
	if !s.Complete() || !slices.Equal(r.changed, []string{trip, alert}) {
		t.Errorf("complete %t, changes %v", s.Complete(), r.changed)
	}
	s.Connected()
	livetest.Receive(t, s, trip, nhip.TripUpdate{Trip: "T1"})
	livetest.Receive(t, s, topics.CensusTopic("c"), topics.Census{Services: 1})
	s.RetainedReceived()
	if !slices.Equal(r.gone, []string{alert}) {
		t.Errorf("%v are gone", r.gone)
	}
	for topic, payload := range map[string]string{trip: "{", "nhip/live/service/tram/city/x": "{}"} {
		if s.Receive(topic, []byte(payload)) == nil {
			t.Errorf("%s %s is accepted", topic, payload)
		}
	}
}
