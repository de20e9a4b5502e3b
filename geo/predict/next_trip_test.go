package predict_test

import (
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/predict"
)

// blockOfTwo returns a predictor, and the first trip of a block of two: out in 990 s, and back 300 s later.
func blockOfTwo(t *testing.T) (*predict.Predictor, *network.TripInstance) {
	t.Helper()
	n := network.New(geotest.Line(12, 10*time.Minute))
	return predict.New(n), n.Day(geotest.Day).TripInstances(n.Patterns[0])[6]
}

// seen returns the bus of an instance near its stop at a time in Unix s.
func seen(r *network.TripInstance, stop int, at float64) *predict.Bus {
	return &predict.Bus{
		Vehicle: r.Trip.ID, Pattern: r.Pattern, Instance: r, Along: r.Pattern.Along[stop], Next: stop + 1, Time: seconds(at),
	}
}

func nextTrip(p *predict.Predictor, b *predict.Bus) ([]predict.StopPrediction, bool) {
	next, ok := p.NextTrip(b, p.Predict(nil, b, 2*time.Hour), all)
	if !ok {
		return nil, false
	}
	return p.Predict(nil, &next, 2*time.Hour), true
}

func TestNextTripOfBlockFollowsTheBus(t *testing.T) {
	p, out := blockOfTwo(t)
	end, back := float64(out.Arrives(11)), float64(out.Next.Departs(0))
	for late, departs := range map[float64]float64{
		0: back, 200: back, 240: back, 1500: end + 1500 + 60, -300: back,
	} {
		stops, ok := nextTrip(p, seen(out, 4, float64(out.Arrives(4))+late))
		if !ok || len(stops) != 12 || stops[0].Index != 0 {
			t.Fatalf("%v s late: %d predictions, %t", late, len(stops), ok)
		}
		near(t, "departure", stops[0].P50, departs)
		near(t, "third stop", stops[2].P50, departs+180)
		if early := stops[0].Expected; early.After(stops[0].P50) || early.Before(seconds(back)) {
			t.Errorf("%v s late: told at %v, the timetable's departure is %v", late, early, seconds(back))
		}
		if last := stops[11]; last.P10.After(last.P50) || last.P90.Before(last.P50) {
			t.Errorf("%v s late: %+v", late, last)
		}
	}
}

func TestBusAtItsEndIsReadyAfterItsLayover(t *testing.T) {
	p, out := blockOfTwo(t)
	due := float64(out.Next.Departs(0))
	ended := due + 600
	reach(p, out, 10, ended-90)
	reach(p, out, 11, ended)
	for stood, want := range map[float64]float64{0: ended + 60, 30: ended + 60, 200: ended + 200} {
		stops, ok := nextTrip(p, seen(out, 11, ended+stood))
		if !ok {
			t.Fatalf("after %v s it has no next trip", stood)
		}
		near(t, "departure", stops[0].P50, want)
	}
	if _, ok := nextTrip(p, seen(out, 11, ended+60+15*60+1)); ok {
		t.Error("a bus that stood for a quarter of an hour is still promised")
	}
}

func TestBusWhoseEndWasNotSeenIsNotPromisedForEver(t *testing.T) {
	p, out := blockOfTwo(t)
	due := float64(out.Next.Departs(0))
	if stops, ok := nextTrip(p, seen(out, 11, due+300)); !ok || !stops[0].P50.Equal(seconds(due+300)) {
		t.Errorf("5 minutes after its departure: %t", ok)
	}
	if _, ok := nextTrip(p, seen(out, 11, due+1000)); ok {
		t.Error("16 minutes after its departure it is still promised")
	}
}

func TestLayoverIncludesTheWayToTheNextTrip(t *testing.T) {
	f := geotest.Line(12, 10*time.Minute)
	for _, trip := range f.Trips { // the way back begins 2500 m before the end of the way out
		if trip.Direction.Or(0) == 1 {
			trip.StopTimes = trip.StopTimes[5:]
		}
	}
	n := network.New(f)
	p, out := predict.New(n), n.Day(geotest.Day).TripInstances(n.Patterns[0])[6]
	end := float64(out.Arrives(11)) + 1500
	stops, _ := nextTrip(p, seen(out, 4, float64(out.Arrives(4))+1500))
	if took := float64(stops[0].P50.Unix()) - end; took < 340 || took > 380 {
		t.Errorf("%v s from the end to a stop 2500 m away", took)
	}
}

func TestTripWithoutBlockHasNoNext(t *testing.T) {
	f := geotest.Line(12, 10*time.Minute)
	for _, trip := range f.Trips {
		trip.Block = ""
	}
	frequent := geotest.Line(12, 10*time.Minute)
	for _, trip := range frequent.Trips {
		trip.Frequencies = []gtfs.Frequency{{Start: 6 * 3600, End: 22 * 3600, Headway: 600}}
	}
	for _, feed := range []*gtfs.Feed{f, frequent} {
		n := network.New(feed)
		out := n.Day(geotest.Day).TripInstances(n.Patterns[0])[6]
		if _, ok := nextTrip(predict.New(n), seen(out, 4, float64(out.Arrives(4)))); ok {
			t.Error("a trip follows")
		}
	}
	p, out := blockOfTwo(t)
	b := seen(out, 4, float64(out.Arrives(4)))
	if _, ok := p.NextTrip(b, p.Predict(nil, b, 5*time.Minute), all); ok {
		t.Error("the next trip is predicted without the end of the present one")
	}
	b.Instance = nil
	if _, ok := p.NextTrip(b, nil, all); ok {
		t.Error("a bus on an unknown trip has a next trip")
	}
}

// all lets all trips run.
func all(*network.TripInstance) bool { return true }
