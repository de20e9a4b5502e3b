package transit

import (
	"encoding/json"
	"testing"
	"time"

	"nhip"
	"nhip/api/scope"
	"nhip/geo/gtfs"
)

// TestBoardDiffersNotably: riders are told of changes that they see, not of every second.
func TestBoardDiffersNotably(t *testing.T) {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	in := func(d time.Duration) *time.Time { at := now.Add(d); return &at }
	shown := Departure{
		Trip: "t", State: stateLive, Expected: in(4 * time.Minute), Minutes: 4, Age: nhip.Some(3.0),
		Confidence: nhip.Some(0.71), StopsAway: nhip.Some(12),
	}
	for _, c := range []struct {
		name   string
		change func(d *Departure)
		want   bool
	}{
		{"nothing", func(*Departure) {}, false},
		{"age", func(d *Departure) { d.Age, d.Minutes, d.Time = nhip.Some(9.0), 3.9, in(0) }, false},
		{"20 s in 4 minutes", func(d *Departure) { d.Expected = in(4*time.Minute - 20*time.Second) }, false},
		{"30 s in 4 minutes", func(d *Departure) { d.Expected = in(4*time.Minute + 30*time.Second) }, true},
		{"due", func(d *Departure) { d.Expected = in(50 * time.Second) }, true},
		{"a range", func(d *Departure) { d.Early = in(3 * time.Minute) }, true},
		{"state", func(d *Departure) { d.State = stateStale }, true},
		{"crowding", func(d *Departure) { d.Occupancy = nhip.OccupancyFull }, true},
		{"stops away", func(d *Departure) { d.StopsAway = nhip.Some(1) }, true},
		{"a stop in many", func(d *Departure) { d.StopsAway = nhip.Some(11) }, false},
		{"a quarter of the stops", func(d *Departure) { d.StopsAway = nhip.Some(9) }, true},
		{"confidence by a hair", func(d *Departure) { d.Confidence = nhip.Some(0.72) }, false},
		{"confidence", func(d *Departure) { d.Confidence = nhip.Some(0.4) }, true},
		{"trip", func(d *Departure) { d.Trip = "u" }, true},
	} {
		changed := shown
		c.change(&changed)
		last := &StopBoard{Time: now, Arrivals: []Departure{shown}}
		b := &StopBoard{Time: now, Arrivals: []Departure{changed}}
		if b.Differs(last) != c.want {
			t.Errorf("%s: differs %t", c.name, !c.want)
		}
	}
	far, later := Departure{Expected: in(40 * time.Minute)}, Departure{Expected: in(41 * time.Minute)}
	if later.differs(&far, now) {
		t.Error("a minute in 40 is told")
	}
	if soon, now2 := (Departure{Expected: in(50 * time.Second)}), (Departure{Expected: in(0)}); now2.differs(&soon, now) {
		t.Error("seconds of an arriving bus are told")
	}
	swapped := StopBoard{Arrivals: []Departure{later, shown}}
	if swapped.Differs(&StopBoard{Arrivals: []Departure{shown, later}}) {
		t.Error("another order is told")
	}
	if (&StopBoard{}).Differs(&StopBoard{Alerts: []ServiceAlert{{}}}) != true {
		t.Error("an alert is not told")
	}
}

// TestStopSource: the source of streams computes boards, and leaves out what is not in scope.
func TestStopSource(t *testing.T) {
	m, out, _ := feedModel(t, func(*gtfs.Feed) {})
	addBus(m, out[7], 1300)
	s := StopSource{Model: m}
	if err := s.Check("nowhere"); nhip.ErrorCode(err) != nhip.CodeNotFound {
		t.Errorf("an unknown stop: %v", err)
	}
	if err := s.Check("S5"); err != nil {
		t.Error(err)
	}
	data, state, found := s.Content("S5", scope.View{}, nil)
	if !found || len(data) == 0 {
		t.Fatalf("%s %t", data, found)
	}
	if again, _, found := s.Content("S5", scope.View{}, state); again != nil || !found {
		t.Errorf("the same board is told twice: %s", again)
	}
	if _, _, found := s.Content("nowhere", scope.View{}, nil); found {
		t.Error("a stop that does not exist has a board")
	}
	scoped, _, _ := s.Content("S5", scope.New(nhip.Scope{Agencies: []string{"other"}}, nil), nil)
	if all, own := vehicles(t, data), vehicles(t, scoped); all == 0 || own != 0 {
		t.Errorf("%d buses in all, %d of another agency", all, own)
	}
}

// vehicles counts the arrivals of known buses on a board.
func vehicles(t *testing.T, board []byte) (n int) {
	t.Helper()
	var b struct{ Arrivals []struct{ Vehicle string } }
	if err := json.Unmarshal(board, &b); err != nil {
		t.Fatal(err)
	}
	for _, a := range b.Arrivals {
		if a.Vehicle != "" {
			n++
		}
	}
	return n
}
