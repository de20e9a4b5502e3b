package predict_test

import (
	"slices"
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/predict"
)

func world(t *testing.T) (*network.Network, *predict.Predictor, []*network.Run) {
	t.Helper()
	n := network.New(geotest.Line(21, 10*time.Minute))
	return n, predict.New(n), n.Day(geotest.Day).RunsOf(n.Patterns[0])
}

// pass lets a run pass all stops, each link taking that many seconds.
func pass(p *predict.Predictor, r *network.Run, link float64) {
	for i := range r.Pattern.Stops {
		at := time.Unix(r.Departs(0), 0).Add(time.Duration(float64(i) * link * float64(time.Second)))
		p.Learn(&predict.Arrival{Vehicle: r.Trip.ID, Pattern: r.Pattern, Run: r, Stop: i, Arrived: at, Departed: at})
	}
}

func bus(r *network.Run, stop int, late time.Duration) *predict.Bus {
	return &predict.Bus{
		Pattern: r.Pattern, Run: r, Along: r.Pattern.Along[stop], Next: stop + 1,
		Time: time.Unix(r.Arrives(stop), 0).Add(late).UTC(),
	}
}

func TestWithoutExperienceTheTimetableHolds(t *testing.T) {
	_, p, runs := world(t)
	stops := p.Predict(nil, bus(runs[0], 3, time.Minute), time.Hour)
	must(t, len(stops) == 17, "got %d of them, want %d", len(stops), 17)
	for _, s := range stops {
		must(t, s.P50.Sub(time.Unix(runs[0].Arrives(s.Index)+60, 0)).Abs() <= time.Second, "got %v, want %v", s.P50, time.Unix(runs[0].Arrives(s.Index)+60, 0))
		must(t, !s.P10.After(s.P50), "s.P10.After(s.P50)")
		must(t, !s.P50.After(s.P90), "s.P50.After(s.P90)")
		must(t, !s.Expected.After(s.P50), "s.Expected.After(s.P50)")
	}
}

func TestLearnsFromTheBusesBefore(t *testing.T) {
	_, p, runs := world(t)
	for _, r := range runs[:4] {
		pass(p, r, 150) // the street is jammed: 150 s instead of 90
	}
	stops := p.Predict(nil, bus(runs[5], 0, 0), time.Hour)
	took := stops[9].P50.Sub(time.Unix(runs[5].Departs(0), 0)).Seconds()
	must(t, took > 1250.0, "got %v, want > %v", took, 1250.0)
	must(t, took < 1550.0, "got %v, want < %v", took, 1550.0)
}

func TestTheRangeFollowsTheErrors(t *testing.T) {
	_, steady, runs := world(t)
	_, wild, _ := world(t)
	for i, r := range runs[:40] {
		pass(steady, r, 90)
		pass(wild, r, []float64{60, 90, 150, 75}[i%4])
	}
	width := func(p *predict.Predictor) time.Duration {
		s := p.Predict(nil, bus(runs[45], 2, 0), time.Hour)
		return s[8].P90.Sub(s[8].P10)
	}
	must(t, 2*width(steady) < width(wild), "got %v, want < %v", 2*width(steady), width(wild))
}

func TestAWaitingBusLeavesAtItsTime(t *testing.T) {
	_, p, runs := world(t)
	b := bus(runs[3], 0, -8*time.Minute)
	b.Waits = true
	stops := p.Predict(nil, b, time.Hour)
	must(t, stops[0].P50.Sub(time.Unix(runs[3].Arrives(1), 0)).Abs() <= time.Second, "got %v, want %v", stops[0].P50, time.Unix(runs[3].Arrives(1), 0))
}

func TestTheSameArrivalsMakeTheSamePredictor(t *testing.T) {
	_, a, runs := world(t)
	_, b, _ := world(t)
	for i, r := range runs[:20] {
		pass(a, r, 80+float64(i))
		pass(b, r, 80+float64(i))
	}
	one, other := a.Predict(nil, bus(runs[22], 4, 0), time.Hour), b.Predict(nil, bus(runs[22], 4, 0), time.Hour)
	must(t, slices.Equal(one, other), "got %v and %v", one, other)
}

func TestSaidTwiceIsLearnedOnce(t *testing.T) {
	_, once, runs := world(t)
	_, twice, _ := world(t)
	for _, r := range runs[:5] {
		for i := range r.Pattern.Stops {
			at := time.Unix(r.Departs(0), 0).Add(time.Duration(i) * 2 * time.Minute)
			a := &predict.Arrival{Vehicle: r.Trip.ID, Pattern: r.Pattern, Run: r, Stop: i, Arrived: at, Departed: at}
			once.Learn(a)
			twice.Learn(a)
			twice.Learn(a)
		}
	}
	a, b := once.Predict(nil, bus(runs[7], 3, 0), time.Hour), twice.Predict(nil, bus(runs[7], 3, 0), time.Hour)
	must(t, slices.Equal(a, b), "got %v, want %v", b, a)
}

func TestNothingAheadIsNothing(t *testing.T) {
	_, p, runs := world(t)
	must(t, len(p.Predict(nil, &predict.Bus{}, time.Hour)) == 0, "got %v", p.Predict(nil, &predict.Bus{}, time.Hour))
	must(t, len(p.Predict(nil, bus(runs[0], 20, 0), time.Hour)) == 0, "got %v", p.Predict(nil, bus(runs[0], 20, 0), time.Hour))
}

func must(t *testing.T, ok bool, format string, args ...any) {
	t.Helper()
	if !ok {
		t.Fatalf(format, args...)
	}
}
