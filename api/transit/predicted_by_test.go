package transit

import (
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/track"
	"nhip/internal/topics"
)

// forecast passes a delay of a trip by a feed with a setting to a model.
func forecast(m *Model, setting nhip.Predictions, trip *network.TripInstance, delay int) {
	say(m, 0, nhip.TripUpdate{
		Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripScheduled, Delay: nhip.Some(delay),
	})
	m.Service(topics.ServiceFeedTopic("city"), &nhip.ServiceFeed{
		Feed: "city", Agency: "hanoi", Time: eight.UTC(), Predictions: setting,
	})
}

// TestSettingTellsWhoseTimeIsTold has a bus on a trip that the operator's feed expects ten minutes late.
func TestSettingTellsWhoseTimeIsTold(t *testing.T) {
	for setting, theirs := range map[nhip.Predictions]bool{
		"": false, nhip.PredictionsOurs: false, nhip.PredictionsTheirs: true, nhip.PredictionsBetter: false,
	} {
		m, n := newModel(t)
		trip := tripAt(t, n, -15*time.Minute)
		bus := addBus(m, trip, 5000)
		own := at(m, n, 19, trip.Trip.ID)[0]
		if own.PredictedBy != predictedByUs || own.Other != nil {
			t.Fatalf("without a feed: %+v", own)
		}
		forecast(m, setting, trip, 600)
		feeds := time.Unix(trip.Arrives(19)+600, 0)
		for _, d := range departuresOf(t, m, n, trip) {
			told, other := *own.Expected, feeds
			if theirs {
				told, other = other, told
			}
			if !d.Expected.Equal(told) || d.Other == nil || !d.Other.Equal(other) ||
				(d.PredictedBy == predictedByThem) != theirs || (d.Basis == basisOperator) != theirs ||
				(d.Late == nil) != theirs || d.Vehicle == "" || d.State != stateLive {
				t.Errorf("%q: %+v, want %s beside %s", setting, d, told, other)
			}
		}
		tt, _ := m.Timetable()
		realtime := tt.RealtimeTrips(eight.UTC())
		for _, x := range realtime {
			for _, c := range x.Calls {
				if want := *own.Expected; x.Instance == trip && c.Stop == 19 {
					if theirs {
						want = feeds
					}
					if !c.Expected.Equal(want) {
						t.Errorf("%q: a realtime feed tells %s, want %s", setting, c.Expected, want)
					}
				}
			}
		}
		expected, early, ok := m.Told(bus, 19, eight.UTC())
		if want := own.Expected; !ok || expected.Equal(*want) == theirs || early.After(expected) {
			t.Errorf("%q: riders walk to a bus at %s, at the earliest %s", setting, expected, early)
		}
	}
}

// departuresOf returns the last stop but one of a trip as the board, the list of calls and the bus's page tell it.
func departuresOf(t *testing.T, m *Model, n *network.Network, trip *network.TripInstance) []Departure {
	t.Helper()
	tt, _ := m.Timetable()
	out := at(m, n, 19, trip.Trip.ID)
	out = append(out, tt.TripCall(trip, 19, eight.UTC()).Departure)
	for _, s := range m.Ahead(tt.tracker.on(trip).topic()).Stops {
		if s.Sequence == 19 {
			d := out[0]
			d.Expected, d.Other, d.PredictedBy, d.Basis, d.Late = s.Expected, s.Other, s.PredictedBy, s.Basis, s.Late
			out = append(out, d)
		}
	}
	if len(out) != 3 {
		t.Fatalf("%d departures, want 3", len(out))
	}
	return out
}

func (b *TrackedBus) topic() string { return topics.LiveBusTopic(b.Bus.Agency, b.Bus.ID) }

// TestTheirTimeIsTold where no bus is known whatever the setting says, and not where the bus contradicts it.
func TestTheirTimeIsToldWhereNoBusIsKnown(t *testing.T) {
	m, n := newModel(t)
	waiting, driving := tripAt(t, n, 15*time.Minute), tripAt(t, n, -15*time.Minute)
	forecast(m, nhip.PredictionsOurs, waiting, 120)
	if d := at(m, n, 19, waiting.Trip.ID)[0]; d.PredictedBy != predictedByThem || d.Other != nil || d.Vehicle != "" {
		t.Errorf("without a bus: %+v", d)
	}
	addBus(m, driving, 3000)
	forecast(m, nhip.PredictionsTheirs, driving, -1500) // it should have passed all stops
	if d := at(m, n, 19, driving.Trip.ID)[0]; d.PredictedBy != predictedByUs || d.Other != nil || d.Vehicle == "" {
		t.Errorf("where the bus should have left: %+v", d)
	}
}

// TestUnsureTripKeepsOurTime has a bus whose trip is inferred, at first not surely.
func TestUnsureTripKeepsOurTime(t *testing.T) {
	m, n := newModel(t)
	trip := tripAt(t, n, -15*time.Minute)
	bus := addBus(m, trip, 5000)
	state := bus.State
	state.Inferred = true
	addBusState(m, bus.Bus.ID, &state)
	forecast(m, nhip.PredictionsTheirs, trip, 600)
	if d := at(m, n, 19, trip.Trip.ID)[0]; d.PredictedBy != predictedByUs {
		t.Errorf("of an unsure trip: %+v", d)
	}
	state.TripSure = 0.95
	addBusState(m, bus.Bus.ID, &state)
	if d := at(m, n, 19, trip.Trip.ID)[0]; d.PredictedBy != predictedByThem {
		t.Errorf("of a sure trip: %+v", d)
	}
}

// addBusAt is addBus at another time than eight.
func addBusAt(m *Model, trip *network.TripInstance, along float64, now time.Time) {
	id, place := "bus-"+trip.Trip.ID, track.State{
		Status: track.StatusInService, Pattern: trip.Pattern, Instance: trip, Along: along,
		Next: trip.Pattern.NextStop(along), Confidence: 1,
	}
	m.Bus(topics.LiveBusTopic("hanoi", id), &nhip.Bus{ID: id, Agency: "hanoi", Time: now.UTC(), Track: place.Encode()})
}

// TestFeedsAreScoredBesideUs has a bus on time, of which the operator's feed expects the same or ten minutes more.
func TestFeedsAreScoredBesideUs(t *testing.T) {
	for delay, right := range map[int]bool{0: true, 600: false} {
		m, n := newModel(t)
		trip := tripAt(t, n, -15*time.Minute)
		clock := m.o.Clock.(*livetest.Clock)
		for s := 0; s <= 900; s += 5 {
			now := eight.Add(time.Duration(s) * time.Second)
			clock.Set(now.UTC())
			if s%30 == 0 {
				addBusAt(m, trip, min((float64(s)+900)/90*500, 10_000), now)
				forecast(m, "", trip, delay)
				m.Service(topics.ServiceFeedTopic("city"), &nhip.ServiceFeed{Feed: "city", Time: now.UTC()})
			}
			tt, _ := m.Timetable()
			tt.askBoards(now)
			for i := 1; i <= 20; i++ {
				if at := time.Unix(trip.Arrives(i), 0); at.Equal(now) {
					a := arrivalOf(trip, "bus-"+trip.Trip.ID, i, at)
					m.Arrival(&a)
				}
			}
		}
		all := m.FeedQualities()
		if len(all) != 1 || all[0].Minutes < 10 || all[0].Ours.Board < 90 || (all[0].Theirs.Board > 90) != right ||
			all[0].Told != nhip.PredictionsOurs {
			t.Errorf("a feed with a delay of %d s: %+v", delay, all)
		}
	}
}
