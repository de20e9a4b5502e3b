package predict_test

import (
	"slices"
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/predict"
)

func setup(t *testing.T) (*network.Network, *predict.Predictor, []*network.TripInstance) {
	t.Helper()
	n := network.New(geotest.Line(21, 10*time.Minute))
	return n, predict.New(n), n.Day(geotest.Day).TripInstances(n.Patterns[0])
}

// passStops makes an instance pass all its stops, with link seconds between stops.
func passStops(p *predict.Predictor, r *network.TripInstance, link float64) {
	for i := range r.Pattern.Stops {
		at := time.Unix(r.Departs(0), 0).Add(time.Duration(float64(i) * link * float64(time.Second)))
		p.Observe(&predict.Arrival{Vehicle: r.Trip.ID, Pattern: r.Pattern, Instance: r, Stop: i, Arrived: at, Departed: at})
	}
}

func bus(r *network.TripInstance, stop int, late time.Duration) *predict.Bus {
	return &predict.Bus{
		Pattern: r.Pattern, Instance: r, Along: r.Pattern.Along[stop], Next: stop + 1,
		Time: time.Unix(r.Arrives(stop), 0).Add(late).UTC(),
	}
}

func TestPredictWithoutObservationsFollowsTimetable(t *testing.T) {
	_, p, instances := setup(t)
	stops := p.Predict(nil, bus(instances[0], 3, time.Minute), time.Hour)
	must(t, len(stops) == 17, "%d predictions, want %d", len(stops), 17)
	for _, s := range stops {
		must(t, s.P50.Sub(time.Unix(instances[0].Arrives(s.Index)+60, 0)).Abs() <= time.Second, "got %v, want %v", s.P50,
			time.Unix(instances[0].Arrives(s.Index)+60, 0))
		must(t, !s.P10.After(s.P50), "P10 %v after P50 %v", s.P10, s.P50)
		must(t, !s.P50.After(s.P90), "P50 %v after P90 %v", s.P50, s.P90)
		must(t, !s.Expected.After(s.P50), "Expected %v after P50 %v", s.Expected, s.P50)
	}
}

// TestBusOnTheWayToItsFirstStop checks that a bus is expected no earlier than it can be at its first stop, and in time
// if it can be.
func TestBusOnTheWayToItsFirstStop(t *testing.T) {
	_, p, instances := setup(t)
	r := instances[0]
	due := time.Unix(r.Departs(0), 0).UTC()
	at := func(before time.Duration, toStart float64) (*predict.Bus, time.Time, predict.StopPrediction) {
		b := &predict.Bus{Pattern: r.Pattern, Instance: r, Next: 1, Time: due.Add(-before), Waiting: true, ToStart: toStart}
		stops := p.Predict(nil, b, 2*time.Hour)
		return b, stops[0].P50, stops[1]
	}
	_, _, there := at(-5*time.Minute, 0)
	b, departs, s := at(-5*time.Minute, 11_000)
	soonest := b.Time.Add(11_000 / 15 * time.Second)
	must(t, departs.After(soonest), "departs at %v, can be there at %v", departs, soonest)
	must(t, s.Expected.After(soonest.Add(time.Minute)), "expected at %v, can be there at %v", s.Expected, soonest)
	must(t, s.P90.Sub(s.P10) > there.P90.Sub(there.P10)+20*time.Minute, "range %v to %v", s.P10, s.P90)
	must(t, !s.P10.After(s.Expected) && !s.Expected.After(s.P90), "%v outside of %v to %v", s.Expected, s.P10, s.P90)

	b, departs, s = at(time.Hour, 11_000)
	must(t, departs.Equal(due), "departs at %v, due at %v", departs, due)
	must(t, s.P50.Sub(due) < 2*time.Minute && s.P50.After(due), "at the next stop at %v", s.P50)
	b.Instance = nil
	departs = p.Predict(nil, b, 2*time.Hour)[0].P50
	must(t, departs.After(b.Time.Add(12*time.Minute)), "without a trip it departs at %v", departs)
}

func TestPredictFollowsRecentBuses(t *testing.T) {
	_, p, instances := setup(t)
	for _, r := range instances[:4] {
		passStops(p, r, 150) // congestion: 150 s instead of 90
	}
	stops := p.Predict(nil, bus(instances[5], 0, 0), time.Hour)
	took := stops[9].P50.Sub(time.Unix(instances[5].Departs(0), 0)).Seconds()
	must(t, took > 1250.0, "got %v, want > %v", took, 1250.0)
	must(t, took < 1550.0, "got %v, want < %v", took, 1550.0)
}

func TestRangeGrowsWithErrors(t *testing.T) {
	_, steady, instances := setup(t)
	_, wild, _ := setup(t)
	for i, r := range instances[:40] {
		passStops(steady, r, 90)
		passStops(wild, r, []float64{60, 90, 150, 75}[i%4])
	}
	width := func(p *predict.Predictor) time.Duration {
		s := p.Predict(nil, bus(instances[45], 2, 0), time.Hour)
		return s[8].P90.Sub(s[8].P10)
	}
	must(t, 2*width(steady) < width(wild), "got %v, want < %v", 2*width(steady), width(wild))
}

func TestWaitingBusDepartsOnSchedule(t *testing.T) {
	_, p, instances := setup(t)
	b := bus(instances[3], 0, -8*time.Minute)
	b.Waiting = true
	stops := p.Predict(nil, b, time.Hour)
	leaves, arrives := time.Unix(instances[3].Departs(0), 0), time.Unix(instances[3].Arrives(1), 0)
	must(t, stops[0].Index == 0 && stops[0].Expected.Equal(leaves), "departure %+v, want at %v", stops[0], leaves)
	must(t, stops[1].P50.Sub(arrives).Abs() <= time.Second, "got %v, want %v", stops[1].P50, arrives)
	must(t, !stops[1].Expected.Before(leaves), "arrival %v before the departure %v", stops[1].Expected, leaves)
}

func TestSameArrivalsGiveSamePredictions(t *testing.T) {
	_, a, instances := setup(t)
	_, b, _ := setup(t)
	for i, r := range instances[:20] {
		passStops(a, r, 80+float64(i))
		passStops(b, r, 80+float64(i))
	}
	one, other := a.Predict(nil, bus(instances[22], 4, 0), time.Hour), b.Predict(nil, bus(instances[22], 4, 0), time.Hour)
	must(t, slices.Equal(one, other), "got %v and %v", one, other)
}

func TestDuplicateArrivalIsIgnored(t *testing.T) {
	_, once, instances := setup(t)
	_, twice, _ := setup(t)
	for _, r := range instances[:5] {
		for i := range r.Pattern.Stops {
			at := time.Unix(r.Departs(0), 0).Add(time.Duration(i) * 2 * time.Minute)
			a := &predict.Arrival{Vehicle: r.Trip.ID, Pattern: r.Pattern, Instance: r, Stop: i, Arrived: at, Departed: at}
			once.Observe(a)
			twice.Observe(a)
			twice.Observe(a)
		}
	}
	a, b := once.Predict(nil, bus(instances[7], 3, 0), time.Hour), twice.Predict(nil, bus(instances[7], 3, 0), time.Hour)
	must(t, slices.Equal(a, b), "got %v, want %v", b, a)
}

func TestPredictWithoutStopsAhead(t *testing.T) {
	_, p, instances := setup(t)
	must(t, len(p.Predict(nil, &predict.Bus{}, time.Hour)) == 0, "got %v", p.Predict(nil, &predict.Bus{}, time.Hour))
	must(t, len(p.Predict(nil, bus(instances[0], 20, 0), time.Hour)) == 0, "got %v",
		p.Predict(nil, bus(instances[0], 20, 0), time.Hour))
}

func must(t *testing.T, ok bool, format string, args ...any) {
	t.Helper()
	if !ok {
		t.Fatalf(format, args...)
	}
}
