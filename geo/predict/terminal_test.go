package predict_test

import (
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/predict"
)

// atTerminal returns the bus of an instance at its first stop at a time in Unix s, waiting for its departure or not.
func atTerminal(r *network.TripInstance, at float64, waiting bool) *predict.Bus {
	return &predict.Bus{
		Vehicle: r.Trip.ID, Pattern: r.Pattern, Instance: r, Along: r.Pattern.Along[0] + 5, Next: 1, Time: seconds(at),
		Waiting: waiting,
	}
}

// watch predicts a bus and shows it, as happens at each position.
func watch(p *predict.Predictor, b *predict.Bus) []predict.StopPrediction {
	ahead := p.Predict(nil, b, 90*time.Minute)
	p.Show(b, ahead)
	return ahead
}

func asPlanned(*gtfs.Feed) {}

// TestBusThatIsNotYetDueHasNotBegun has a bus at its terminal that passes for one under way.
func TestBusThatIsNotYetDueHasNotBegun(t *testing.T) {
	p, trips := heldLine(t, asPlanned)
	r := trips[6]
	due := float64(r.Departs(0))
	b := atTerminal(r, due-300, false)
	b.Along += 150
	stops := watch(p, b)
	if stops[0].Index != 1 {
		t.Fatalf("%+v", stops[0])
	}
	near(t, "second stop", stops[0].P50, float64(r.Arrives(1)))
	near(t, "fifth stop", stops[3].P50, float64(r.Arrives(4)))
}

func TestEarlyLineIsExpectedEarly(t *testing.T) {
	for name, early := range map[string]float64{"early": -60, "late": 120} {
		p, trips := heldLine(t, asPlanned)
		for _, r := range trips[:30] {
			due := float64(r.Departs(0))
			watch(p, atTerminal(r, due-200, true))
			reach(p, r, 0, due+early)
			reach(p, r, 1, due+early+90)
		}
		r := trips[40]
		got := watch(p, atTerminal(r, float64(r.Departs(0))-300, true))[1].P50.Sub(seconds(float64(r.Arrives(1))))
		if early < 0 && (got > -40*time.Second || got < -70*time.Second) {
			t.Errorf("%s: %v after the timetable", name, got)
		}
		if early > 0 && got.Abs() > 2*time.Second { // any bus may leave in time
			t.Errorf("%s: %v after the timetable", name, got)
		}
	}
}

// TestBusThatCameLateSaysNothingOfDepartures has buses that come to their first stop after the departure.
func TestBusThatCameLateSaysNothingOfDepartures(t *testing.T) {
	p, trips := heldLine(t, asPlanned)
	for _, r := range trips[:30] {
		due := float64(r.Departs(0))
		watch(p, atTerminal(r, due+100, true))
		reach(p, r, 0, due+120)
		reach(p, r, 1, due+30) // absurd, and early
	}
	r := trips[40]
	stops := watch(p, atTerminal(r, float64(r.Departs(0))-300, true))
	near(t, "second stop", stops[1].P50, float64(r.Arrives(1)))
}

// TestStandingBusIsNotPromisedForTheNextMinute has a bus that should have left its terminal and stands there for a
// quarter of an hour, as vehicle 5539 in Washington does.
func TestStandingBusIsNotPromisedForTheNextMinute(t *testing.T) {
	for _, waiting := range []bool{true, false} {
		p, trips := heldLine(t, asPlanned)
		r := trips[6]
		due := float64(r.Departs(0))
		for at := due - 60; at < due+900; at += 30 {
			stops := watch(p, atTerminal(r, at, waiting))
			if at < due+60 {
				continue
			}
			for _, s := range stops {
				if lead := s.Expected.Sub(seconds(at)); s.Index == 1 && lead < time.Minute {
					t.Fatalf("after %v s it is told in %v", at-due, lead)
				}
			}
		}
	}
}

// TestLongStandsAreLearned compares lines whose late buses stand for long with ones whose buses leave at once.
func TestLongStandsAreLearned(t *testing.T) {
	lead := func(stands float64) time.Duration {
		p, trips := heldLine(t, asPlanned)
		for _, r := range trips[:20] {
			due := float64(r.Departs(0))
			for at := due - 60; at < due+stands; at += 30 {
				watch(p, atTerminal(r, at, true))
			}
			reach(p, r, 0, due+stands)
			reach(p, r, 1, due+stands+90)
		}
		r := trips[30]
		due := float64(r.Departs(0))
		var stops []predict.StopPrediction
		for at := due - 60; at <= due+120; at += 30 {
			stops = watch(p, atTerminal(r, at, true))
		}
		return stops[1].P50.Sub(seconds(due + 120))
	}
	short, long := lead(150), lead(900)
	if short > 150*time.Second || long < 300*time.Second {
		t.Errorf("after 2 minutes it is expected in %v where buses stand for 150 s, in %v where they stand for 900 s",
			short, long)
	}
}

// TestDepartureIsToldWithinItsRange has buses at any distance from their first stop, early and late, at any lean.
func TestDepartureIsToldWithinItsRange(t *testing.T) {
	n := network.New(geotest.Line(12, 10*time.Minute))
	trips := n.Day(geotest.Day).TripInstances(n.Patterns[0])
	for _, lean := range []float64{0, 0.7, 1} {
		p := predict.NewLeaning(n, lean)
		for _, late := range []float64{-1800, -60, 0, 60, 1800} {
			for metres := 0.0; metres < 12_000; metres = metres*1.3 + 20 {
				b := atTerminal(trips[6], float64(trips[6].Departs(0))+late, true)
				b.ToStart = metres
				for _, s := range watch(p, b) {
					if s.Expected.Before(s.P10) || s.P50.Before(s.Expected) || s.P90.Before(s.P50) || s.P10.Before(b.Time) {
						t.Fatalf("lean %v, %v s late, %v m away: %+v", lean, late, metres, s)
					}
				}
			}
		}
	}
}
