package board_test

import (
	"testing"
	"time"

	"nhip/geo/board"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
)

// The trip T0-0 leaves its first stop at 06:00 and needs 90 s to each next one.
var start = time.Date(2026, 3, 2, 6, 0, 0, 0, geotest.TimeZone).UTC()

func after(d time.Duration) time.Time { return start.Add(d) }

func firstTrip() *network.TripInstance {
	n := network.New(geotest.Line(10, 10*time.Minute))
	return n.Day(geotest.Day).TripInstances(n.Patterns[0])[0]
}

// bus returns a bus on a trip, between stops 2 and 3 at 06:04, that is expected at stop 5 at 06:08, between 06:07 and
// 06:10.
func bus(trip *network.TripInstance, confidence float64) *board.Bus {
	return &board.Bus{
		State: &track.State{
			Time: after(4 * time.Minute), Status: track.StatusInService, Pattern: trip.Pattern, Instance: trip, Next: 3,
			Confidence: confidence,
		},
		Ahead: []predict.StopPrediction{{
			Index: 5, P10: after(7 * time.Minute), Expected: after(8 * time.Minute), P50: after(9 * time.Minute),
			P90: after(10 * time.Minute),
		}},
	}
}

// offersTimetable reports whether a fleet without buses offers the timetable's time of a trip.
func offersTimetable(trip *network.TripInstance, bus *board.Bus, stop int, now time.Time) bool {
	_, ok := newFleet(trip).OfferTimetable(trip, bus, stop, now)
	return ok
}

func newFleet(trip *network.TripInstance) *board.Fleet {
	n := network.New(geotest.Line(len(trip.Pattern.Stops), 10*time.Minute))
	return board.NewFleet(n, predict.New(n), func(*network.TripInstance) bool { return true })
}

func TestBoardOffersPredictedBus(t *testing.T) {
	trip := firstTrip()
	for _, c := range []struct {
		name             string
		confidence       float64
		stop             int
		at               time.Duration
		offered, planned bool // the bus, the timetable
	}{
		{"expected", 1, 5, 5 * time.Minute, true, false},
		{"barely sure", 0.5, 5, 5 * time.Minute, true, false},
		{"its route is as likely wrong", 0.49, 5, 5 * time.Minute, false, true},
		{"later than expected", 1, 5, 10 * time.Minute, true, false},
		{"later than its range", 1, 5, 10*time.Minute + time.Second, false, true},
		{"later than its range, the timetable has passed long ago", 1, 5, 18 * time.Minute, false, false},
		{"no prediction for the stop, the timetable stands in", 1, 7, 5 * time.Minute, false, true},
		{"has passed", 1, 2, 4 * time.Minute, false, false},
		{"has passed on a trip that is as likely wrong", 0.4, 2, 4 * time.Minute, false, true},
	} {
		b := bus(trip, c.confidence)
		o, offered := b.Offer(c.stop, after(c.at))
		planned := offersTimetable(trip, b, c.stop, after(c.at))
		if offered != c.offered || planned != c.planned {
			t.Errorf("%s: bus %v, timetable %v; want %v, %v", c.name, offered, planned, c.offered, c.planned)
		}
		if offered && (o != board.Offer{
			Expected: after(8 * time.Minute), Early: b.Ahead[0].P10, Late: b.Ahead[0].P90, Basis: board.BasisPosition,
		}) {
			t.Errorf("%s: offer %+v", c.name, o)
		}
	}
}

// TestTimetableStandsInForABusWhoseRangePassed has a trip whose bus should have come by 06:07, while the timetable says
// 06:07:30.
func TestTimetableStandsInForABusWhoseRangePassed(t *testing.T) {
	trip := firstTrip()
	b := bus(trip, 1)
	b.Ahead[0].P90 = after(7 * time.Minute)
	if !offersTimetable(trip, b, 5, after(7*time.Minute+time.Second)) {
		t.Error("neither the bus nor the timetable is offered")
	}
}

// TestStrandedBusIsNotOffered has a bus that stands far from its first stop after its departure.
func TestStrandedBusIsNotOffered(t *testing.T) {
	trip := firstTrip()
	b := bus(trip, 1)
	b.State.Status, b.State.Next, b.State.ToStart = track.StatusDeadhead, 1, 5000
	b.Ahead[0].Index = 0
	if _, offered := b.Offer(0, after(time.Minute)); !offered || !b.Waits() {
		t.Error("a bus on the way to its first stop is not offered there")
	}
	b.State.Flags = []track.Flag{track.FlagStuck}
	for _, stop := range []int{0, 5} {
		if _, offered := b.Offer(stop, after(time.Minute)); offered {
			t.Errorf("offered at stop %d", stop)
		}
		if !offersTimetable(trip, b, stop, after(time.Minute)) {
			t.Errorf("the timetable does not stand in at stop %d", stop)
		}
	}
}

func TestTripWithoutABusIsOfferedForAWhile(t *testing.T) {
	trip := firstTrip() // at stop 5 at 06:07:30
	due := 7*time.Minute + 30*time.Second
	if !offersTimetable(trip, nil, 5, after(due+board.TimetableGrace)) {
		t.Error("not offered within the grace")
	}
	if offersTimetable(trip, nil, 5, after(due+board.TimetableGrace+time.Second)) {
		t.Error("offered after the grace")
	}
	trip.HeadwayBased = true
	if offersTimetable(trip, nil, 5, after(time.Second)) {
		t.Error("a trip without scheduled times is offered after its start")
	}
	if !offersTimetable(trip, nil, 5, after(-time.Second)) {
		t.Error("a trip without scheduled times is not offered before its start")
	}
}

func TestBusThatWaitsDepartsOnSchedule(t *testing.T) {
	trip := firstTrip()
	b := bus(trip, 1)
	b.State.Status, b.State.Next, b.State.Time = track.StatusLayover, 1, after(-5*time.Minute)
	b.Ahead = []predict.StopPrediction{{P10: start, Expected: start, P50: start, P90: start}}
	o, offered := b.Offer(0, after(-4*time.Minute))
	if !offered || !o.Expected.Equal(start) || !o.Late.Equal(start) {
		t.Errorf("before its time: %+v, %v", o, offered)
	}
	if offersTimetable(trip, b, 0, after(-4*time.Minute)) {
		t.Error("the timetable is offered beside its bus")
	}
	if _, offered = b.Offer(0, after(3*time.Minute)); offered {
		t.Error("a silent bus is offered after its time")
	}
	b.Reports = true
	if o, offered = b.Offer(0, after(3*time.Minute)); !offered || !o.Late.IsZero() {
		t.Errorf("after its time: %+v, %v", o, offered)
	}
	if _, offered = b.Offer(1, after(3*time.Minute)); offered {
		t.Error("offered at the next stop without a prediction")
	}
}
