package predict_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"
)

// drive lets an instance drive from its first stop at a pace in s from stop to stop, with a position every 30 s, and
// calls seen with each prediction. Without positions only its arrivals are observed.
func drive(p *predict.Predictor, r *network.TripInstance, begins, pace float64, positions bool,
	seen func(*predict.Bus, []predict.StopPrediction),
) {
	stop, last := 0, r.Pattern.Last()
	for at := begins; ; at += 30 {
		for ; stop <= last && begins+float64(stop)*pace <= at; stop++ {
			reach(p, r, stop, begins+float64(stop)*pace)
		}
		if stop > last {
			return
		}
		if !positions {
			continue
		}
		part := (at - begins) / pace
		i := int(part)
		along := r.Pattern.Along[i] + (part-float64(i))*(r.Pattern.Along[i+1]-r.Pattern.Along[i])
		b := predict.BusOf(r.Trip.ID, &track.State{
			Pattern: r.Pattern, Instance: r, Along: along, Next: i + 1, Time: seconds(at), Status: track.StatusInService,
		})
		ahead := watch(p, b)
		if seen != nil {
			seen(b, ahead)
		}
	}
}

// TestToldTimeLiesInItsRangeAtEveryLean checks each prediction of a rough day.
func TestToldTimeLiesInItsRangeAtEveryLean(t *testing.T) {
	for _, lean := range []float64{0, 0.7, 1} {
		n := network.New(geotest.Line(21, 10*time.Minute))
		p := predict.NewLeaning(n, lean)
		random := rand.New(rand.NewPCG(7, 8))
		check := func(b *predict.Bus, ahead []predict.StopPrediction) {
			before := predict.StopPrediction{P10: b.Time, Expected: b.Time, P50: b.Time, P90: b.Time}
			for _, s := range ahead {
				if s.Expected.Before(s.P10) || s.P50.Before(s.Expected) || s.P90.Before(s.P50) {
					t.Fatalf("lean %v: %+v", lean, s)
				}
				if s.P10.Before(before.P10) || s.Expected.Before(before.Expected) || s.P90.Before(before.P90) {
					t.Fatalf("lean %v: %+v after %+v", lean, s, before)
				}
				if lean == 0 && !s.Expected.Equal(s.P50) {
					t.Fatalf("without a lean: %+v", s)
				}
				before = s
			}
		}
		for _, r := range n.Day(geotest.Day).TripInstances(n.Patterns[0])[:40] {
			drive(p, r, float64(r.Departs(0))+200*random.NormFloat64(), 60+90*random.Float64(), true, check)
		}
	}
}

// TestRestoredPredictorPredictsLikeOneThatSawThePositions compares a predictor that was fed the stored arrivals.
func TestRestoredPredictorPredictsLikeOneThatSawThePositions(t *testing.T) {
	n := network.New(geotest.Line(21, 10*time.Minute))
	trips := n.Day(geotest.Day).TripInstances(n.Patterns[0])
	live, restored := predict.New(n), predict.New(n)
	for i, r := range trips[:40] {
		for _, p := range []*predict.Predictor{live, restored} {
			drive(p, r, float64(r.Departs(0)), []float64{100, 130, 150, 110}[i%4], p == live, nil)
		}
	}
	r := trips[50]
	at := float64(r.Departs(0)) + 200
	a, b := predicted(t, live, r, r.Pattern.Along[2], at, 12), predicted(t, restored, r, r.Pattern.Along[2], at, 12)
	if off := a.P50.Sub(b.P50).Abs(); off > 20*time.Second {
		t.Errorf("the middle differs by %v", off)
	}
	width := func(s predict.StopPrediction) float64 { return s.P90.Sub(s.P10).Seconds() }
	if width(b) < width(a)/2 || width(b) > 2*width(a) {
		t.Errorf("a range of %v s, live %v s", width(b), width(a))
	}
}

// TestStoredArrivalsAreLearnedBesideLiveBuses has buses on show before the arrivals of hours ago are read.
func TestStoredArrivalsAreLearnedBesideLiveBuses(t *testing.T) {
	n := network.New(geotest.Line(21, 10*time.Minute))
	trips := n.Day(geotest.Day).TripInstances(n.Patterns[0])
	p := predict.New(n)
	now := trips[40]
	bus := func(at float64) *predict.Bus {
		b := seen(now, 3, at)
		b.Vehicle = "everyone"
		return b
	}
	at := float64(now.Arrives(3))
	watch(p, bus(at))
	for _, r := range trips[:10] {
		for i := range r.Pattern.Stops {
			when := seconds(float64(r.Departs(0)) + float64(i)*150)
			p.Observe(&predict.Arrival{
				Vehicle: "everyone", Pattern: r.Pattern, Instance: r, Stop: i, Arrived: when, Departed: when,
			})
		}
	}
	stops := watch(p, bus(at+1))
	took := stops[len(stops)-1].P50.Sub(seconds(at + 1)).Seconds()
	if want := 17 * 150.0; took < 0.93*want || took > 1.05*want {
		t.Errorf("%v s for a way on which all buses took %v s", took, want)
	}
}

func TestFirstBusesOfACityCorrectItsTimetable(t *testing.T) {
	n := network.New(geotest.City(1))
	day := n.Day(geotest.Day)
	p := predict.New(n)
	for _, pattern := range n.Patterns[:len(n.Patterns)/2] { // other lines
		r := day.TripInstances(pattern)[12]
		for i := range pattern.Stops {
			reach(p, r, i, float64(r.Departs(0))+float64(r.Arrives(i)-r.Departs(0))*1.5)
		}
	}
	pattern := n.Patterns[len(n.Patterns)-1]
	r := day.TripInstances(pattern)[14]
	fix := float64(r.Departs(1))
	const last = 12
	got := predicted(t, p, r, pattern.Along[1], fix, last).P50.Sub(seconds(fix)).Seconds()
	planned := float64(r.Arrives(last)) - fix
	if got < 1.25*planned || got > 1.6*planned {
		t.Errorf("%v s, planned %v s, all buses so far took half as long again", got, planned)
	}
}

func TestSlowBusStaysSlow(t *testing.T) {
	n := network.New(geotest.Line(21, 10*time.Minute))
	trips := n.Day(geotest.Day).TripInstances(n.Patterns[0])
	took := func(pace float64) float64 {
		p := predict.New(n)
		for _, r := range trips[:10] {
			drive(p, r, float64(r.Departs(0)), 90, false, nil)
		}
		r := trips[20]
		at := float64(r.Departs(0))
		for i := range 8 {
			at += pace
			reach(p, r, i, at)
		}
		return predicted(t, p, r, r.Pattern.Along[7], at, 17).P50.Sub(seconds(at)).Seconds()
	}
	slow, fast := took(140), took(60)
	if slow < 920 || fast > 880 || slow > 1200 || fast < 700 {
		t.Errorf("10 stops in %v s after 7 slow segments, in %v s after fast ones; the mean is 900 s", slow, fast)
	}
}

// TestAbsurdArrivalsDoNotBreakPredictions feeds what a broken clock or a wrong match gives.
func TestAbsurdArrivalsDoNotBreakPredictions(t *testing.T) {
	n := network.New(geotest.Line(21, 10*time.Minute))
	trips := n.Day(geotest.Day).TripInstances(n.Patterns[0])
	p := predict.New(n)
	random := rand.New(rand.NewPCG(9, 10))
	for range 20_000 {
		r := trips[random.IntN(40)]
		at := float64(r.Departs(0)) + 86400*random.NormFloat64()
		if random.IntN(3) == 0 {
			b := seen(r, random.IntN(20), at)
			b.Vehicle, b.Waiting = string(rune('a'+random.IntN(8))), random.IntN(4) == 0
			b.ToStart = float64(random.IntN(2)) * 5000 * random.Float64()
			watch(p, b)
			continue
		}
		when := seconds(at)
		p.Observe(&predict.Arrival{
			Vehicle: string(rune('a' + random.IntN(8))), Pattern: r.Pattern, Instance: r, Stop: random.IntN(21), Arrived: when,
			Departed: when,
		})
	}
	r := trips[50]
	at := float64(r.Departs(0))
	for _, s := range p.Predict(nil, seen(r, 0, at), 12*time.Hour) {
		lead := s.P50.Sub(seconds(at)).Seconds()
		if lead < 0 || lead > float64(s.Index)*(4*90+60+600) || s.P10.After(s.P50) || s.P90.Before(s.P50) {
			t.Fatalf("%v s to stop %d: %+v", lead, s.Index, s)
		}
	}
}

// TestBusesThatCreepToTheirStopAreExpectedLater has buses that need two fifths of the time for the last tenth of
// the way.
func TestBusesThatCreepToTheirStopAreExpectedLater(t *testing.T) {
	n := network.New(geotest.Line(21, 10*time.Minute))
	trips := n.Day(geotest.Day).TripInstances(n.Patterns[0])
	p := predict.New(n)
	near := func(r *network.TripInstance, stop int, at float64) *predict.Bus { // 50 m before the stop
		b := seen(r, stop-1, at)
		b.Along = r.Pattern.Along[stop] - 50
		return b
	}
	for _, r := range trips[:40] {
		begins := float64(r.Departs(0))
		reach(p, r, 0, begins)
		for i := 1; i < len(r.Pattern.Stops); i++ {
			watch(p, near(r, i, begins+float64(i)*90-36)) // a tenth of the way, two fifths of the time
			reach(p, r, i, begins+float64(i)*90)
		}
	}
	r := trips[50]
	at := float64(r.Departs(0)) + 600
	lead := p.Predict(nil, near(r, 5, at), time.Hour)[0].P50.Sub(seconds(at)).Seconds()
	if lead < 25 || lead > 45 {
		t.Errorf("50 m before the stop it is expected in %v s, buses took 36 s", lead)
	}
}
