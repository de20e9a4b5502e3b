package transit

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/api/scope"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/track"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// eight is 08:00 in Hanoi on the day of the test timetable.
var eight = time.Date(2026, 3, 2, 8, 0, 0, 0, geotest.TimeZone)

// storedArrivals is a history of arrivals.
type storedArrivals []nhip.Arrival

func (h storedArrivals) Arrivals(_ context.Context, from, to time.Time, yield func(nhip.Arrival) error) error {
	for _, a := range h {
		if !a.Time.Before(from) && a.Time.Before(to) {
			if err := yield(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// newModel returns a trained model, at eight, of a line with 21 stops and a departure every 15 minutes.
func newModel(t *testing.T, stored ...nhip.Arrival) (*Model, *network.Network) {
	t.Helper()
	n := network.New(geotest.Line(21, 15*time.Minute))
	return modelOf(t, n, stored...), n
}

// modelOf returns a trained model, at eight.
func modelOf(t *testing.T, n *network.Network, stored ...nhip.Arrival) *Model {
	t.Helper()
	m := New(Options{
		Clock: livetest.NewClock(eight.UTC()), History: storedArrivals(stored), Network: n,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err := m.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

// brokenHistory breaks off after each third of its arrivals, and fails once before the first.
type brokenHistory struct {
	storedArrivals
	asked []time.Time // the beginnings of the queries
}

func (h *brokenHistory) Arrivals(
	ctx context.Context, from, to time.Time, yield func(nhip.Arrival) error,
) error {
	if len(h.asked) > 20 {
		return nil // it makes no progress
	}
	h.asked = append(h.asked, from)
	left := 0
	if len(h.asked) > 1 {
		left = len(h.storedArrivals) / 3
	}
	broken := errors.New("the database restarts")
	return h.storedArrivals.Arrivals(ctx, from.Add(time.Millisecond), to, func(a nhip.Arrival) error {
		if left--; left < 0 {
			return broken
		}
		return yield(a)
	})
}

// TestTrainingResumesWhereTheHistoryBrokeOff checks that no arrival is learned twice or left out.
func TestTrainingResumesWhereTheHistoryBrokeOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := network.New(geotest.Line(21, 15*time.Minute))
		stored := slowArrivals(n.Day(geotest.Day).TripInstances(n.Patterns[0])[:7])
		slices.SortStableFunc(stored, func(a, b nhip.Arrival) int { return a.Time.Compare(b.Time) })
		h := &brokenHistory{storedArrivals: stored}
		broken := New(Options{
			Clock: livetest.NewClock(eight.UTC()), History: h, Network: n, Logger: slog.New(slog.DiscardHandler),
		})
		if err := broken.Train(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(h.asked) < 3 || len(h.asked) > 20 {
			t.Fatalf("%d queries", len(h.asked))
		}
		whole := modelOf(t, n, stored...)
		trip := n.Day(geotest.Day).TripInstances(n.Patterns[0])[8]
		a, b := addBus(broken, trip, 3000), addBus(whole, trip, 3000)
		if !slices.Equal(a.vehicle.Ahead, b.vehicle.Ahead) {
			t.Errorf("%+v after interruptions, %+v without", a.vehicle.Ahead[:2], b.vehicle.Ahead[:2])
		}
	})
}

// TestArrivalOfATripThatWasShortened has arrivals of a timetable in which a trip still went to the end of its line.
func TestArrivalOfATripThatWasShortened(t *testing.T) {
	old := network.New(geotest.Line(21, 15*time.Minute))
	trips := old.Day(geotest.Day).TripInstances(old.Patterns[0])[:7]
	feed := geotest.Line(21, 15*time.Minute)
	for _, trip := range trips {
		short := feed.Trip(trip.Trip.ID)
		short.StopTimes = short.StopTimes[:5]
	}
	n := network.New(feed)
	if n.Pattern(old.Patterns[0].ID) == nil {
		t.Fatal("no trip runs along the old pattern")
	}
	m := modelOf(t, n, slowArrivals(trips)...)
	for _, a := range slowArrivals(trips[:1]) {
		m.Arrival(&a)
	}
	addBus(m, n.Day(geotest.Day).TripInstances(n.Pattern(old.Patterns[0].ID))[2], 3000)
}

// slowArrivals are the arrivals of trips at all stops, 150 s apart.
func slowArrivals(trips []*network.TripInstance) (all []nhip.Arrival) {
	for _, r := range trips {
		for i := range r.Pattern.Stops {
			all = append(all, arrivalOf(r, r.Trip.ID, i, time.Unix(r.Departs(0)+int64(i*150), 0)))
		}
	}
	return all
}

func arrivalOf(r *network.TripInstance, vehicle string, stop int, at time.Time) nhip.Arrival {
	return nhip.Arrival{
		Agency: "hanoi", Vehicle: vehicle, Time: at, Pattern: r.Pattern.ID, Route: r.Pattern.Route.ID, Trip: r.Trip.ID,
		StartDate: r.Day.String(), StartTime: r.Start.String(), Stop: r.Pattern.Stops[stop].ID, Index: stop,
	}
}

// addBus passes the bus of a trip, at a distance along its pattern in metres, to a model and returns it.
func addBus(m *Model, r *network.TripInstance, along float64) *TrackedBus {
	return addBusWith(m, r, along, 1)
}

// addBusWith is addBus for a bus whose route and direction are right with that probability.
func addBusWith(m *Model, r *network.TripInstance, along, confidence float64) *TrackedBus {
	return addBusState(m, "bus-"+r.Trip.ID, &track.State{
		Status: track.StatusInService, Pattern: r.Pattern, Instance: r, Along: along, Next: r.Pattern.NextStop(along),
		Confidence: confidence,
	})
}

// addBusState passes a bus in a state to a model and returns it.
func addBusState(m *Model, id string, s *track.State) *TrackedBus {
	at, _ := s.Pattern.At(s.Along)
	topic := topics.LiveBusTopic("hanoi", id)
	m.Bus(topic, &nhip.Bus{
		ID: id, Agency: "hanoi", Time: eight.UTC(), Lat: at.Lat(), Lon: at.Lon(), Route: s.Pattern.Route.ID,
		Track: s.Encode(),
	})
	return m.Tracked(topic)
}

func TestPredictorIsTrainedByArrivals(t *testing.T) {
	n := network.New(geotest.Line(21, 15*time.Minute))
	slow := slowArrivals(n.Day(geotest.Day).TripInstances(n.Patterns[0])[:6])
	for name, stored := range map[string]bool{"received arrivals": false, "stored arrivals": true} {
		var m *Model
		if stored {
			m, n = newModel(t, slow...)
		} else {
			m, n = newModel(t)
			for i := range slow {
				m.Arrival(&slow[i])
			}
		}
		m.Arrival(&nhip.Arrival{Pattern: "of another timetable", Stop: "S1", Index: 1})
		m.Arrival(&nhip.Arrival{Pattern: n.Patterns[0].ID, Stop: "S1", Index: 99})
		p, ok := addBus(m, n.Day(geotest.Day).TripInstances(n.Patterns[0])[7], 5000).Prediction(16)
		if took := p.P50.Sub(eight).Seconds(); !ok || took < 700 || took > 950 {
			t.Errorf("%s: six links that took 150 s each are predicted to take %v s", name, took)
		}
	}
}

// TestBoardsReplaceBusesOfWhichTooLittleIsKnown has a bus before a stop: the timetable takes its place if its route is
// as likely wrong, or once its whole predicted range has passed.
func TestBoardsReplaceBusesOfWhichTooLittleIsKnown(t *testing.T) {
	for _, c := range []struct {
		name       string
		confidence float64
		at         time.Duration // after the bus's fix
		along      float64       // of the bus, in m
		stop       int
		bus        bool
		state      string
	}{
		{"sure", 1, time.Minute, 5000, 14, true, stateLive},
		{"as likely wrong", 0.3, time.Minute, 5000, 14, false, stateNoReport},
		{"its range has passed, due in three minutes", 1, 10 * time.Minute, 8500, 19, false, stateNoReport},
		{"its range has passed, half an hour after its start", 1, 16 * time.Minute, 8500, 20, false, stateNoReport},
	} {
		m, n := newModel(t)
		trip := n.Day(geotest.Day).TripInstances(n.Patterns[0])[7] // departs at 07:45
		addBusWith(m, trip, c.along, c.confidence)
		now := eight.Add(c.at)
		var found []Departure
		timetable, err := m.Timetable()
		if err != nil {
			t.Fatal(err)
		}
		q := BoardQuery{Now: now, Until: now.Add(time.Hour)}
		for _, d := range timetable.StopArrivals(trip.Pattern.Stops[c.stop], q) {
			if d.Trip == trip.Trip.ID {
				found = append(found, d)
			}
		}
		if len(found) != 1 || (found[0].Vehicle != "") != c.bus || found[0].State != c.state ||
			(found[0].Expected != nil) != c.bus {
			t.Errorf("%s: %+v", c.name, found)
		}
		q.View = scope.New(nhip.Scope{Agencies: []string{"other"}}, nil)
		for _, d := range timetable.StopArrivals(trip.Pattern.Stops[c.stop], q) {
			if d.Vehicle != "" {
				t.Errorf("%s: told to who sees another agency: %+v", c.name, d)
			}
		}
	}
}

func TestMetricsExportVerifiedPredictions(t *testing.T) {
	m, n := newModel(t)
	trip := n.Day(geotest.Day).TripInstances(n.Patterns[0])[7]
	addBus(m, trip, 5000)
	for i := 11; i <= 14; i++ { // each a minute later than predicted
		a := arrivalOf(trip, "bus-"+trip.Trip.ID, i, eight.Add(time.Duration(i-10)*90*time.Second+time.Minute))
		m.Arrival(&a)
	}
	registry := prometheus.NewRegistry()
	m.Register(registry)
	const want = `
# HELP nhip_api_eta_verified_total Predictions that were compared with an arrival, by line.
# TYPE nhip_api_eta_verified_total counter
nhip_api_eta_verified_total{line="01"} 4
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "nhip_api_eta_verified_total"); err != nil {
		t.Error(err)
	}
}

func TestFoldDiacritics(t *testing.T) {
	for text, want := range map[string]string{
		"Cầu Giấy": "cau giay", "ĐẠI HỌC (cổng 2)": "dai hoc cong 2", "  Bến - xe ": "ben xe", "?!": "", "01B": "01b",
	} {
		if got := foldDiacritics(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestSearchRanksMatchingDiacriticsFirst(t *testing.T) {
	marked, plain := newIndexed(1, "Bến Mơ", ""), newIndexed(2, "Bến Mở", "")
	for _, c := range []struct {
		text         string
		marked, same int
	}{
		{"bến mơ", 0, 0}, {"mơ", 2, 4}, {"ben m", 1, 1}, {"mo", 2, 2}, {"x", -1, -1},
	} {
		text, ok := NewSearchText(c.text)
		got, other := marked.rank(text.stop, &text), plain.rank(text.stop, &text)
		if !ok || got != c.marked || other != c.same {
			t.Errorf("%q: ranks %d and %d, want %d and %d", c.text, got, other, c.marked, c.same)
		}
	}
	if _, ok := NewSearchText(" - "); ok {
		t.Error("a text without letters and digits is accepted")
	}
}

func TestWalkLeadsToNearestStopAhead(t *testing.T) {
	m, n := newModel(t)
	b := addBus(m, n.Day(geotest.Day).TripInstances(n.Patterns[0])[7], 4100) // S9 is next
	for _, c := range []struct {
		along  float64
		stop   string
		passed bool
	}{{7050, "S14", false}, {2000, "S9", true}} {
		plane := network.PlaneAt(geotest.At(c.along))
		walk, passed := b.WalkTo(&plane, everywhere)
		if walk.Stop == nil || walk.Stop.ID != c.stop || passed != c.passed || walk.Seconds <= 0 {
			t.Errorf("from %v m: %+v, passed %t", c.along, walk, passed)
		}
	}
}

func TestModelWithoutTimetable(t *testing.T) {
	m := New(Options{Clock: livetest.NewClock(eight), Logger: slog.New(slog.DiscardHandler)})
	m.Bus("topic", &nhip.Bus{})
	m.BusGone("topic", "", "")
	m.Arrival(&nhip.Arrival{})
	if _, err := m.Timetable(); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Errorf("Timetable: %v", err)
	}
	if last, over := m.Expires(); last != 0 || over || m.Tracked("topic") != nil || m.Line("R1") != "" ||
		!m.Bounds().IsEmpty() {
		t.Error("a model without a timetable has content")
	}
	if err := m.Train(t.Context()); err != nil {
		t.Errorf("Train: %v", err)
	}
}

// TestDeparturesOfABusThatIsNotAtItsFirstStop checks what riders are told while the bus of the trip of 08:00 is on its
// way to the first stop, and when it does not come.
func TestDeparturesOfABusThatIsNotAtItsFirstStop(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		m, n := newModel(t)
		r := n.Day(geotest.Day).TripInstances(n.Patterns[0])[8]
		s := track.State{
			Status: track.StatusDeadhead, Pattern: r.Pattern, Instance: r, Next: 1, Confidence: 1, ToStart: 11_000,
		}
		if stuck {
			s.Flags = []track.Flag{track.FlagStuck}
		}
		m.Bus(topics.LiveBusTopic("hanoi", "late"), &nhip.Bus{
			ID: "late", Agency: "hanoi", Time: eight.UTC(), Lat: 21.13, Lon: 105.8, Track: s.Encode(),
		})
		timetable, err := m.Timetable()
		if err != nil {
			t.Fatal(err)
		}
		for _, stop := range r.Pattern.Stops[:2] {
			var found []Departure
			for _, d := range timetable.StopArrivals(stop, BoardQuery{Now: eight.UTC(), Until: eight.Add(time.Hour).UTC()}) {
				if d.Trip == r.Trip.ID {
					found = append(found, d)
				}
			}
			soonest := eight.Add(11_000 / 15 * time.Second)
			switch {
			case len(found) != 1:
				t.Errorf("stuck %v: %d departures at %s", stuck, len(found), stop.ID)
			case stuck && (found[0].State != stateScheduled || found[0].Vehicle != ""):
				t.Errorf("a bus that does not come: %+v at %s", found[0], stop.ID)
			case !stuck && (found[0].State != stateLive || found[0].Expected.Before(soonest)):
				t.Errorf("a bus that is on its way: %s at %s, %v", found[0].State, stop.ID, found[0].Expected)
			}
		}
	}
}
