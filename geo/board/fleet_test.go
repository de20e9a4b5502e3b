package board_test

import (
	"testing"
	"time"

	"nhip/geo/board"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
)

// noBlocks has the line of geotest.Line, out and back, without blocks. The way out takes 810 s, and 300 s after its end
// the way back of the same number starts.
func noBlocks() *network.Network {
	f := geotest.Line(10, 10*time.Minute)
	for _, trip := range f.Trips {
		trip.Block = ""
	}
	return network.New(f)
}

type city struct {
	fleet     *board.Fleet
	out, back []*network.TripInstance
}

func newCity(n *network.Network) *city {
	day := n.Day(geotest.Day)
	return &city{
		board.NewFleet(n, predict.New(n), func(*network.TripInstance) bool { return true }),
		day.TripInstances(n.Patterns[0]), day.TripInstances(n.Patterns[1]),
	}
}

// drive has the bus of a trip arrive at all its stops up to one, late s after the timetable.
func (c *city) drive(trip *network.TripInstance, vehicle string, upTo int, late time.Duration) {
	for i := 0; i <= upTo; i++ {
		a := predict.Arrival{Vehicle: vehicle, Pattern: trip.Pattern, Instance: trip, Stop: i}
		at := time.Unix(trip.Arrives(i), 0).Add(late)
		if a.Arrived = at; i == 0 {
			a.Arrived, a.Departed = time.Time{}, at
		}
		c.fleet.Observe(&a)
	}
}

// move has the bus of a trip at a stop that many s after the timetable and returns that time.
func (c *city) move(
	trip *network.TripInstance, vehicle string, stop int, late time.Duration, confidence float64,
) time.Time {
	at := time.Unix(trip.Arrives(stop), 0).Add(late)
	c.fleet.Move(vehicle, &track.State{
		Time: at, Status: track.StatusInService, Pattern: trip.Pattern, Instance: trip,
		Along: trip.Pattern.Along[stop], Next: stop + 1, Confidence: confidence,
	})
	return at
}

func TestBusesOfALineTurnRoundInOrder(t *testing.T) {
	c := newCity(noBlocks())
	now := c.move(c.out[6], "bus", 5, 0, 1) // it ends 360 s from now, and the way back starts after 300 s more
	v, next := c.fleet.Next(c.back[6], now)
	if v == nil || next == nil || v.ID != "bus" || next.Instance != c.back[6] || next.Stops != 4 {
		t.Fatalf("of the way back: %+v, %+v", v, next)
	}
	if departs := next.Ahead[0].P50; departs.Unix() != c.back[6].Departs(0) {
		t.Errorf("a bus on time departs at %v", departs)
	}
	now = c.move(c.out[6], "bus", 5, 20*time.Minute, 1)
	_, next = c.fleet.Next(c.back[6], now)
	if late := time.Duration(next.Ahead[0].P50.Unix()-c.back[6].Departs(0)) * time.Second; late < 15*time.Minute ||
		late > 18*time.Minute {
		t.Errorf("a bus that is 20 minutes late departs %v late", late)
	}
	if o, ok := v.OnNext(next, true).Offer(3, now); !ok || o.Basis != board.BasisNextTrip {
		t.Errorf("at its fourth stop: %+v, %t", o, ok)
	}
	for _, other := range []*network.TripInstance{c.back[5], c.back[7], c.out[7]} {
		if _, next := c.fleet.Next(other, now); next != nil {
			t.Errorf("it also serves %s", other.Trip.ID)
		}
	}
	c.move(c.back[6], "other", 1, 0, 1)
	if _, next := c.fleet.Next(c.back[6], now); next != nil {
		t.Error("a trip with a bus is promised of another one")
	}
	c.fleet.Remove("other")
	now = c.move(c.out[6], "bus", 5, 0, 0.4)
	if _, next := c.fleet.Next(c.back[6], now); next != nil {
		t.Error("a bus that is as likely on another line turns round")
	}
}

// TestTurnsEndAtTheirLimits has ways back that start too far from the end of the way out, too late, or without times.
func TestTurnsEndAtTheirLimits(t *testing.T) {
	for name, change := range map[string]func(*gtfs.Trip){
		"500 m away": func(trip *gtfs.Trip) { trip.StopTimes = trip.StopTimes[1:] },
		"without times": func(trip *gtfs.Trip) {
			trip.Frequencies = []gtfs.Frequency{{Start: 6 * 3600, End: 22 * 3600, Headway: 600}}
		},
		"of a block": func(trip *gtfs.Trip) { trip.Block = "x" + trip.ID },
		"before the first bus ends": func(trip *gtfs.Trip) {
			for i := range trip.StopTimes {
				trip.StopTimes[i].Arrival -= 16 * 3600
				trip.StopTimes[i].Departure -= 16 * 3600
			}
		},
	} {
		f := geotest.Line(10, 10*time.Minute)
		for _, trip := range f.Trips {
			trip.Block = ""
			if trip.Direction.Or(0) == 1 {
				change(trip)
			}
		}
		c := newCity(network.New(f))
		now := c.move(c.out[6], "bus", 8, 0, 1)
		for _, trip := range c.back {
			if _, next := c.fleet.Next(trip, now); next != nil {
				t.Errorf("%s: the bus turns round for %s", name, trip.Trip.ID)
			}
		}
	}
}

func TestTurnIsPromisedFortyFiveMinutesAhead(t *testing.T) {
	f := geotest.Line(30, 2*time.Hour)
	for _, trip := range f.Trips {
		trip.Block = ""
		if trip.Direction.Or(0) == 1 {
			for i := range trip.StopTimes { // 30 minutes after the end of the way out, which takes 43.5
				trip.StopTimes[i].Arrival += 1500
				trip.StopTimes[i].Departure += 1500
			}
		}
	}
	c := newCity(network.New(f))
	for stop, want := range map[int]bool{3: false, 18: false, 21: true} {
		now := c.move(c.out[1], "bus", stop, 0, 1)
		if _, next := c.fleet.Next(c.back[1], now); (next != nil) != want {
			t.Errorf("%v before its departure: promised %t", time.Unix(c.back[1].Departs(0), 0).Sub(now), next != nil)
		}
	}
}

// TestWithoutABusTheTimeIsLearned has buses that leave two minutes before their time and need 150 s from stop to stop
// instead of 90 s.
func TestWithoutABusTheTimeIsLearned(t *testing.T) {
	c := newCity(noBlocks())
	trip := c.out[40]
	now := time.Unix(trip.Departs(0), 0).Add(-5 * time.Minute)
	due := func(stop int) time.Time { return time.Unix(trip.Arrives(stop), 0) }
	if o, ok := c.fleet.OfferTimetable(trip, nil, 5, now); !ok || o.Basis != board.BasisTimetable ||
		!o.Expected.Equal(due(5)) {
		t.Errorf("before anything is learned: %+v, %t", o, ok)
	}
	for _, earlier := range c.out[:30] {
		for i := range earlier.Pattern.Stops {
			at := time.Unix(earlier.Departs(0)-120-60+int64(i)*150, 0)
			a := predict.Arrival{Vehicle: earlier.Trip.ID, Pattern: earlier.Pattern, Instance: earlier, Stop: i, Arrived: at}
			if i == 0 {
				a.Arrived, a.Departed = time.Time{}, at
			}
			c.fleet.Observe(&a)
		}
	}
	o, ok := c.fleet.OfferTimetable(trip, nil, 1, now)
	off := o.Expected.Sub(due(1))
	if !ok || o.Basis != board.BasisLearned || off > -90*time.Second || off < -150*time.Second {
		t.Errorf("at the second stop: %+v, %v after the timetable", o, off)
	}
	o, _ = c.fleet.OfferTimetable(trip, nil, 9, now) // 8 × 150 s later, less the lean
	if off := o.Expected.Sub(due(9)); off < 4*time.Minute || off > 7*time.Minute {
		t.Errorf("at the last stop %v after the timetable, want some 6 minutes less the lean", off)
	}
	if o.Early.After(o.Expected) || !o.Late.After(o.Expected) {
		t.Errorf("its range: %+v", o)
	}
	for ahead, want := range map[time.Duration]board.Basis{
		board.PredictAhead: board.BasisLearned, board.PredictAhead + time.Second: board.BasisTimetable,
	} {
		o, ok := c.fleet.OfferTimetable(trip, nil, 9, time.Unix(trip.Departs(9), 0).Add(-ahead))
		if !ok || o.Basis != want || want == board.BasisTimetable && !o.Expected.Equal(due(9)) {
			t.Errorf("%v ahead: %+v, %t", ahead, o, ok)
		}
	}
	expected := due(9).Add(6 * time.Minute)
	for after, want := range map[time.Duration]bool{0: true, 8 * time.Minute: true, 12 * time.Minute: false} {
		at := expected.Add(after)
		o, ok := c.fleet.OfferTimetable(trip, nil, 9, at)
		if ok != want || ok && o.Expected.Sub(at) < 30*time.Second {
			t.Errorf("%v after its time: %+v, %t", after, o, ok)
		}
	}
}

// TestLateDeparturesAreNotLearned: a bus may be on time although those before it were late.
func TestLateDeparturesAreNotLearned(t *testing.T) {
	c := newCity(noBlocks())
	for _, earlier := range c.out[:20] {
		c.drive(earlier, earlier.Trip.ID, 9, 4*time.Minute)
	}
	trip := c.out[30]
	o, _ := c.fleet.OfferTimetable(trip, nil, 1, time.Unix(trip.Departs(0), 0).Add(-10*time.Minute))
	if off := o.Expected.Sub(time.Unix(trip.Arrives(1), 0)); off > 0 || off < -2*time.Minute {
		t.Errorf("%v after the timetable", off)
	}
}

// TestPromiseOfALateBusThatIsSilent has a bus whose end is known, and that then sends nothing.
func TestPromiseOfALateBusThatIsSilent(t *testing.T) {
	c := newCity(noBlocks())
	c.drive(c.out[6], "bus", 9, 20*time.Minute)
	now := time.Unix(c.out[6].Arrives(9), 0).Add(20 * time.Minute)
	o, ok := c.fleet.OfferTimetable(c.back[6], nil, 1, now)
	if lead := o.Expected.Sub(now); !ok || lead < 90*time.Second || lead > 4*time.Minute {
		t.Errorf("its way back takes a minute to begin and 90 s to the second stop: %v, %t", lead, ok)
	}
}

// TestTripThatWasServedIsNotOfferedAgain has a bus that passed stops early and then took another trip.
func TestTripThatWasServedIsNotOfferedAgain(t *testing.T) {
	c := newCity(noBlocks())
	c.drive(c.out[6], "bus", 5, -time.Minute)
	now := c.move(c.out[6], "bus", 5, -time.Minute, 1)
	c.move(c.out[7], "bus", 0, 0, 1)
	for stop, want := range map[int]bool{3: false, 5: false, 6: true, 9: true} {
		if _, ok := c.fleet.OfferTimetable(c.out[6], nil, stop, now); ok != want {
			t.Errorf("stop %d: offered %t", stop, ok)
		}
	}
	if c.fleet.On(c.out[6]) != nil || c.fleet.On(c.out[7]) == nil || c.fleet.Bus("bus") == nil {
		t.Error("the bus is on its old trip")
	}
}

// TestBusStaysOnItsTripWhenAnotherLeavesIt: two buses are taken to be on one trip, and then one of them no longer is.
func TestBusStaysOnItsTripWhenAnotherLeavesIt(t *testing.T) {
	c := newCity(noBlocks())
	c.move(c.out[0], "right", 3, 0, 1)
	c.move(c.out[0], "wrong", 2, 0, 1)
	if v := c.fleet.On(c.out[0]); v == nil || v.ID != "wrong" {
		t.Errorf("of two, %+v is on the trip, want the one that moved last", v)
	}
	c.move(c.out[0], "unsure", 2, 0, 0.4)
	if v := c.fleet.On(c.out[0]); v == nil || v.ID != "wrong" {
		t.Errorf("of three, %+v is on the trip, want one whose line is sure", v)
	}
	c.fleet.Remove("unsure")
	c.move(c.out[1], "wrong", 1, 0, 1)
	if v := c.fleet.On(c.out[0]); v == nil || v.ID != "right" {
		t.Errorf("%+v is on the trip, want the one that stayed", v)
	}
	c.fleet.Remove("right")
	if v := c.fleet.On(c.out[0]); v != nil {
		t.Errorf("%+v is on the trip that all have left", v)
	}
}
