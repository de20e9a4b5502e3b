package transit

import (
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/geo/geotest"
)

// TestBoardsAreScoredByWhatTheyTold has a bus that is on time, one that nobody knows, and one that never comes, for a
// quarter of an hour.
func TestBoardsAreScoredByWhatTheyTold(t *testing.T) {
	m, n := newModel(t)
	known, unknown := tripAt(t, n, -15*time.Minute), tripAt(t, n, 0)
	clock := m.o.Clock.(*livetest.Clock)
	for s := 0; s <= 2400; s += 5 {
		now := eight.Add(time.Duration(s) * time.Second)
		clock.Set(now.UTC())
		if s%30 == 0 {
			along := min((float64(s)+900)/90*500, 10_000)
			addBus(m, known, along)
		} else {
			tt, _ := m.Timetable()
			tt.askBoards(now)
		}
		for i := 1; i <= 20; i++ {
			if at := time.Unix(known.Arrives(i), 0); at.Equal(now) {
				a := arrivalOf(known, "bus-"+known.Trip.ID, i, at)
				m.Arrival(&a)
			}
			if at := time.Unix(unknown.Arrives(i), 0).Add(time.Minute); at.Equal(now) { // its arrivals, but no position
				a := arrivalOf(unknown, "other", i, at)
				m.Arrival(&a)
			}
		}
	}
	tt, _ := m.Timetable()
	_, all, lines := tt.ETAQuality()
	if len(lines) != 1 || lines[0].Line != "01" || lines[0].BoardMinutes != all.BoardMinutes || all.BoardMinutes < 60 {
		t.Fatalf("%+v, %+v", all, lines)
	}
	if all.Board < 90 || all.BoardParts.Live < 10 || all.BoardParts.Timetable < 20 || all.BoardParts.Nothing > 0 {
		t.Errorf("board %v, parts %+v", all.Board, all.BoardParts)
	}
	if g := all.Ghosts; g.Promises < 100 || g.Live > 0 || g.Timetable < 10 {
		t.Errorf("ghosts %+v", g)
	}
}

// TestBoardsAreNotAskedBeforeTheBusesAreKnown has the first position after a start, of the first of many buses.
func TestBoardsAreNotAskedBeforeTheBusesAreKnown(t *testing.T) {
	m, n := newModel(t)
	tt, _ := m.Timetable()
	trip := tripAt(t, n, 0)
	other := eight.Add(30 * time.Second) // the turn of neither pattern
	tt.askBoards(other)
	for i := 1; i <= 20; i++ {
		a := arrivalOf(trip, "bus", i, time.Unix(trip.Arrives(i), 0))
		m.Arrival(&a)
	}
	if _, all, _ := tt.ETAQuality(); all.BoardMinutes > 0 {
		t.Errorf("%d answers of boards", all.BoardMinutes)
	}
}

func TestBoardsAreAskedAfterTheClockWasSetBack(t *testing.T) {
	m, _ := newModel(t)
	tt, _ := m.Timetable()
	for _, at := range []time.Time{eight, eight.Add(-2 * time.Hour)} {
		tt.askBoards(at)
		if asked := tt.tracker.boards.asked; asked != at.Unix() {
			t.Errorf("asked last at %v instead of %v", time.Unix(asked, 0), at)
		}
	}
	tt.askBoards(eight.Add(-2*time.Hour - time.Second))
	if asked := tt.tracker.boards.asked; asked != eight.Add(-2*time.Hour).Unix() {
		t.Error("asked again for a second")
	}
}

// TestBoardsAreNotAskedWhereNothingIsExpected has a trip that serves all stops although the operator said otherwise.
func TestBoardsAreNotAskedWhereNothingIsExpected(t *testing.T) {
	for name, u := range map[string]nhip.TripUpdate{
		"says nothing": {Relationship: nhip.TripScheduled},
		"canceled":     {Relationship: nhip.TripCanceled},
		"other stops": {
			Relationship: nhip.TripReplacement,
			Stops:        []nhip.StopUpdate{{Stop: "S20", Arrival: nhip.Some(eight.Unix() + 900)}},
		},
	} {
		m, n := newModel(t)
		tt, _ := m.Timetable()
		trip := tripAt(t, n, -15*time.Minute)
		u.Trip, u.StartDate = trip.Trip.ID, geotest.Day.String()
		say(m, 0, u)
		addBus(m, trip, 2500)
		tt.askBoards(eight.Add(time.Minute)) // the turn of both patterns is one second each
		tt.askBoards(eight.Add(time.Minute + time.Second))
		for i := 7; i <= 20; i++ {
			a := arrivalOf(trip, "bus", i, time.Unix(trip.Arrives(i), 0).Add(2*time.Minute))
			m.Arrival(&a)
		}
		if _, all, _ := tt.ETAQuality(); all.BoardMinutes > 0 != (name == "says nothing") {
			t.Errorf("%s: %d answers of boards", name, all.BoardMinutes)
		}
	}
}
