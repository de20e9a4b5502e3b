package transit

import (
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"
)

// TestCanceledTripWithoutTripID: a feed may name a run by its route, direction, day and start.
func TestCanceledTripWithoutTripID(t *testing.T) {
	for _, c := range []struct {
		name string
		say  func(*nhip.TripUpdate)
		want string
	}{
		{"all four", func(*nhip.TripUpdate) {}, stateCanceled},
		{"without the day", func(u *nhip.TripUpdate) { u.StartDate = "" }, stateCanceled},
		{"another start", func(u *nhip.TripUpdate) { u.StartTime = "08:16:00" }, stateScheduled},
		{"the other direction", func(u *nhip.TripUpdate) { u.Direction = nhip.Some(1 - u.Direction.Or(0)) }, stateScheduled},
		{"no direction", func(u *nhip.TripUpdate) { u.Direction = nhip.Opt[int]{} }, stateScheduled},
		{"no start", func(u *nhip.TripUpdate) { u.StartTime = "" }, stateScheduled},
		{"another route", func(u *nhip.TripUpdate) { u.Route = "R9" }, stateScheduled},
	} {
		m, n := newModel(t)
		trip := tripAt(t, n, 15*time.Minute)
		u := nhip.TripUpdate{
			Route: trip.Trip.Route.ID, Direction: trip.Trip.Direction, StartDate: geotest.Day.String(),
			StartTime: "08:15", Relationship: nhip.TripCanceled,
		}
		c.say(&u)
		say(m, 0, u)
		if got := at(m, n, 19, trip.Trip.ID); !slices.Equal(states(got), []string{c.want}) {
			t.Errorf("%s: %v, want %s", c.name, states(got), c.want)
		}
	}
}

// TestSequenceTellsCallsOfALoopApart: the update names only the second call at the stop.
func TestSequenceTellsCallsOfALoopApart(t *testing.T) {
	m, out, _ := feedModel(t, func(f *gtfs.Feed) {
		for _, trip := range f.Trips {
			if strings.HasSuffix(trip.ID, "-0") {
				trip.StopTimes[20].Stop = trip.StopTimes[5].Stop
			}
		}
	})
	trip := out[9]
	calls := trip.Trip.StopTimes
	for _, c := range []struct {
		name  string
		stops []nhip.StopUpdate
		want  [2]bool // skips the first call, the second
	}{
		{"the second", []nhip.StopUpdate{{Sequence: nhip.Some(int(calls[20].Sequence))}}, [2]bool{false, true}},
		{"the first", []nhip.StopUpdate{{Sequence: nhip.Some(int(calls[5].Sequence))}}, [2]bool{true, false}},
		{"no sequence", []nhip.StopUpdate{{}}, [2]bool{true, false}},
		{"both", []nhip.StopUpdate{{}, {}}, [2]bool{true, true}},
		{"that of another stop", []nhip.StopUpdate{{Sequence: nhip.Some(int(calls[7].Sequence))}}, [2]bool{true, false}},
	} {
		for i := range c.stops {
			c.stops[i].Stop, c.stops[i].Relationship = calls[5].Stop.ID, nhip.StopSkipped
		}
		say(m, 0, nhip.TripUpdate{
			Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripScheduled, Stops: c.stops,
		})
		state := m.services.of(trip, eight)
		if got := [2]bool{state.skips(5), state.skips(20)}; got != c.want {
			t.Errorf("%s: skips %v, want %v", c.name, got, c.want)
		}
	}
}

// TestTripThatHasLeftEarlyIsNotListed: the timetable says that it is still to come.
func TestTripThatHasLeftEarlyIsNotListed(t *testing.T) {
	m, n := newModel(t)
	trip := tripAt(t, n, 0)
	stop := slices.IndexFunc(n.Patterns[0].Stops, func(s *gtfs.Stop) bool { return s.ID == "S1" })
	early := int(trip.Departs(stop)-eight.Unix()) + 120
	say(m, 0, nhip.TripUpdate{
		Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripScheduled,
		Stops: []nhip.StopUpdate{{Stop: "S1", DepartureDelay: nhip.Some(-early)}},
	})
	if got := at(m, n, stop, trip.Trip.ID); len(got) != 0 {
		t.Errorf("it left two minutes ago: %+v", got[0])
	}
	if got := at(m, n, 20, trip.Trip.ID); !slices.Equal(states(got), []string{stateForecast}) {
		t.Errorf("at a later stop: %v", states(got))
	}
}

// TestBusOfReplacedTripIsListedOnce: at the stops of the replacement, and at no other.
func TestBusOfReplacedTripIsListedOnce(t *testing.T) {
	m, n := newModel(t)
	trip := tripAt(t, n, -15*time.Minute)
	bus := addBus(m, trip, 3000)
	u := nhip.TripUpdate{
		Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripReplacement,
		Stops: []nhip.StopUpdate{
			{Stop: n.Patterns[0].Stops[15].ID, Departure: nhip.Some(eight.Unix() + 600)},
			{Stop: n.Patterns[0].Stops[20].ID, Arrival: nhip.Some(eight.Unix() + 900)},
		},
	}
	say(m, 0, u)
	for stop, want := range map[int]int{15: 1, 16: 0, 20: 1} {
		got := at(m, n, stop, trip.Trip.ID)
		if len(got) != want || want > 0 && got[0].Relationship != nhip.TripReplacement || m.Serves(bus)(stop) != (want > 0) {
			t.Errorf("stop %d: %+v", stop, got)
		}
	}
	u.Stops = nil
	say(m, 0, u)
	if got := at(m, n, 16, trip.Trip.ID); !slices.Equal(states(got), []string{stateLive}) {
		t.Errorf("a replacement that names no stops: %v", states(got))
	}
}

// TestCanceledTripOfWaitingBusIsOnItsFirstBoard: a bus that waits has the second stop as its next.
func TestCanceledTripOfWaitingBusIsOnItsFirstBoard(t *testing.T) {
	m, n := newModel(t)
	trip := tripAt(t, n, 0)
	addBusState(m, "waiting", &track.State{
		Status: track.StatusLayover, Pattern: trip.Pattern, Instance: trip, Next: 1, Confidence: 1,
	})
	say(m, 0, nhip.TripUpdate{
		Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripCanceled,
	})
	for _, stop := range []int{0, 1} {
		if got := at(m, n, stop, trip.Trip.ID); !slices.Equal(states(got), []string{stateCanceled}) {
			t.Errorf("stop %d: %v", stop, states(got))
		}
	}
}

// TestWalkLeadsToStopThatIsServed: not to one that is skipped, and nowhere if the trip is canceled.
func TestWalkLeadsToStopThatIsServed(t *testing.T) {
	m, n := newModel(t)
	trip := tripAt(t, n, -15*time.Minute)
	bus := addBus(m, trip, 3000)
	plane := network.PlaneAt(n.Patterns[0].Stops[14].Point)
	u := nhip.TripUpdate{
		Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripScheduled,
		Stops: []nhip.StopUpdate{{Stop: "S14", Relationship: nhip.StopSkipped}},
	}
	say(m, 0, u)
	if walk, _ := bus.WalkTo(&plane, m.Serves(bus)); walk.Index != 13 && walk.Index != 15 {
		t.Errorf("from a stop that is skipped: %+v", walk)
	}
	u.Relationship = nhip.TripCanceled
	say(m, 0, u)
	if walk, _ := bus.WalkTo(&plane, m.Serves(bus)); walk.Stop != nil {
		t.Errorf("to a trip that is canceled: %+v", walk)
	}
}

// TestLineThatSkipsItsNearestStopIsToldAtTheNextOne: a rider whose stop is closed is led to one that is served.
func TestLineThatSkipsItsNearestStopIsToldAtTheNextOne(t *testing.T) {
	m, out, _ := feedModel(t, func(*gtfs.Feed) {})
	tt, _ := m.Timetable()
	near := func() *LineGroup {
		q := BoardQuery{Now: eight.UTC(), Until: eight.Add(time.Hour), Direction: out[0].Pattern.Direction}
		groups := tt.Nearby(tt.FindStop("S10").Point, 1000, 2, q)
		if len(groups) != 1 {
			t.Fatalf("%d groups", len(groups))
		}
		return groups[0]
	}
	for _, trip := range out {
		say(m, 0, nhip.TripUpdate{
			Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripScheduled,
			Stops: []nhip.StopUpdate{{Stop: "S10", Relationship: nhip.StopSkipped}},
		})
	}
	if g := near(); g.Stop.ID == "S10" || !g.Departures[0].runs() {
		t.Errorf("the stop is closed: %s %v", g.Stop.ID, states(g.Departures))
	}
	for _, trip := range out {
		say(m, 0, nhip.TripUpdate{
			Trip: trip.Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripCanceled,
		})
	}
	if g := near(); g.Stop.ID != "S10" || g.Departures[0].State != stateCanceled {
		t.Errorf("all trips are canceled: %s %v", g.Stop.ID, states(g.Departures))
	}
}

// TestBusOfBlockDoesNotServeItsCanceledTrip: its trip after that is the earlier.
func TestBusOfBlockDoesNotServeItsCanceledTrip(t *testing.T) {
	m, out, back := feedModel(t, func(f *gtfs.Feed) {
		for _, trip := range f.Trips { // T9 goes out again after T4 has come back
			if strings.HasPrefix(trip.ID, "T9-") {
				trip.Block = "B4"
			}
		}
	})
	say(m, 0, nhip.TripUpdate{
		Trip: back[4].Trip.ID, StartDate: geotest.Day.String(), Relationship: nhip.TripCanceled,
	})
	addBus(m, out[4], 9300)
	d := departuresAt(t, m, "S2", false)["T9-0"]
	if d.Vehicle != "bus-T4-0" || d.StopsAway.Or(-1) != 2+2 {
		t.Fatalf("the trip after it: %+v", d)
	}
	if late := d.Expected.Sub(time.Unix(out[9].Departs(2), 0)); late < 7*time.Minute || late > 12*time.Minute {
		t.Errorf("the trip after it is told %v late, with only the way back without riders before it", late)
	}
}
