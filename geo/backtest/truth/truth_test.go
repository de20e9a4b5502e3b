package truth_test

import (
	"math"
	"testing"
	"time"

	"nhip"
	"nhip/geo/backtest/truth"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb"
)

const stops = 12

// morning returns s after 06:00, when trip T0-0 leaves its first stop.
func morning(s float64) time.Time {
	return time.Date(2026, 3, 2, 6, 0, 0, 0, geotest.TimeZone).Add(time.Duration(s * float64(time.Second)))
}

func position(trip string, s, east float64) nhip.Position {
	return nhip.Position{
		Vehicle: "1", Time: morning(s), Point: nhip.Some(geotest.At(east)), Trip: trip, StartDate: "20260302",
	}
}

// drive returns positions every interval s of a bus on the line that is at stop i 100 i s after 06:00.
func drive(trip string, interval, from, to float64) (all []nhip.Position) {
	for s := from; s <= to; s += interval {
		all = append(all, position(trip, s, s*geotest.StopGap/100))
	}
	return all
}

func net() *network.Network { return network.New(geotest.Line(stops, 10*time.Minute)) }

// only returns the only journey of positions.
func only(t *testing.T, positions []nhip.Position) truth.Journey {
	t.Helper()
	journeys, unknown := truth.Extract(net(), positions)
	if len(journeys) != 1 || unknown != 0 {
		t.Fatalf("%d journeys, %d positions of unknown trips, want 1 and 0", len(journeys), unknown)
	}
	return journeys[0]
}

// expect checks that the arrivals are those of a bus that is at stop i 100 i s after 06:00, for the stops from first
// to last.
func expect(t *testing.T, j *truth.Journey, first, last int, tolerance float64) {
	t.Helper()
	if len(j.Arrivals) != last-first+1 {
		t.Fatalf("arrivals %v, want those at stops %d to %d", j.Arrivals, first, last)
	}
	for i, a := range j.Arrivals {
		if off := a.Time.Sub(morning(100 * float64(a.Stop))).Seconds(); a.Stop != first+i || math.Abs(off) > tolerance {
			t.Errorf("stop %d, %.0f s off; want stop %d within %.0f s", a.Stop, off, first+i, tolerance)
		}
	}
}

func TestArrivalsAreWhereTheTrackPassesTheStops(t *testing.T) {
	for _, interval := range []float64{7, 30, 102} {
		j := only(t, drive("T0-0", interval, -14, 1210))
		expect(t, &j, 1, stops-1, 3)
		if off := j.Departed.Sub(morning(0)).Seconds(); math.Abs(off) > 15 {
			t.Errorf("every %.0f s: departed %.0f s off", interval, off)
		}
	}
}

func TestJourneyThatTheRecordingCutsHasArrivalsOfItsPart(t *testing.T) {
	j := only(t, drive("T0-0", 20, 330, 790))
	expect(t, &j, 4, 7, 3)
	if !j.Departed.IsZero() || !j.Begins().Equal(j.Arrivals[0].Time) {
		t.Errorf("departed %v, begins %v: its first stop was not seen", j.Departed, j.Begins())
	}
}

// TestBusThatStandsAtAStopHasArrivedWhenItCame has a bus wait at stop 4, where the receiver's noise moves it about.
func TestBusThatStandsAtAStopHasArrivedWhenItCame(t *testing.T) {
	all := drive("T0-0", 20, 0, 400)
	for s := 420.0; s < 700; s += 20 {
		all = append(all, position("T0-0", s, 4*geotest.StopGap+8*math.Sin(s)))
	}
	for s := 700.0; s <= 1400; s += 20 {
		all = append(all, position("T0-0", s, (s-300)*geotest.StopGap/100))
	}
	j := only(t, all)
	if off := j.Arrivals[3].Time.Sub(morning(400)).Seconds(); j.Arrivals[3].Stop != 4 || math.Abs(off) > 5 {
		t.Errorf("stop %d: %.0f s after it came", j.Arrivals[3].Stop, off)
	}
	if off := j.Arrivals[4].Time.Sub(morning(800)).Seconds(); math.Abs(off) > 5 {
		t.Errorf("the stop after it: %.0f s off", off)
	}
}

// TestPassesOutsideTheTripAreNone has a bus name its trip while it comes from the other end of the line, waits at the
// start, drives its trip, and drives back.
func TestPassesOutsideTheTripAreNone(t *testing.T) {
	end := float64(stops-1) * geotest.StopGap
	var all []nhip.Position
	for s := -2000.0; s <= -900; s += 20 {
		all = append(all, position("T0-0", s, -(s+900)*geotest.StopGap/100))
	}
	for s := -880.0; s < 0; s += 20 {
		all = append(all, position("T0-0", s, 0))
	}
	all = append(all, drive("T0-0", 20, 0, 1100)...)
	for s := 1120.0; s <= 2200; s += 20 {
		all = append(all, position("T0-0", s, end-(s-1100)*geotest.StopGap/100))
	}
	j := only(t, all)
	expect(t, &j, 1, stops-1, 15)
	if off := j.Departed.Sub(morning(0)).Seconds(); math.Abs(off) > 20 {
		t.Errorf("departed %.0f s off", off)
	}
}

func TestNoJourneyWithoutEvidence(t *testing.T) {
	back := drive("T0-0", 20, 0, 1100)
	for i := range back { // the other direction
		back[i].Point = nhip.Some(geotest.At(float64(stops-1)*geotest.StopGap - float64(i)*20*geotest.StopGap/100))
	}
	beside := drive("T0-0", 20, 0, 1100)
	for i := range beside {
		p, _ := beside[i].Point.Get()
		beside[i].Point = nhip.Some(orb.Point{p.Lon(), p.Lat() + 0.01})
	}
	one := drive("", 20, 0, 1100)
	one[30].Trip = "T0-0"
	for name, positions := range map[string][]nhip.Position{
		"other direction": back, "other street": beside, "one position that names its trip": one,
		"two": {one[30], position("T0-0", 620, 3100)}, "none": drive("", 20, 0, 1100),
		"too little of the trip": drive("T0-0", 5, 520, 690),
	} {
		if journeys, unknown := truth.Extract(net(), positions); len(journeys) > 0 || unknown > 0 {
			t.Errorf("%s: journeys %v, %d unknown", name, journeys, unknown)
		}
	}
	journeys, unknown := truth.Extract(net(), drive("T9999", 20, 0, 1100))
	if len(journeys) > 0 || unknown != 56 {
		t.Errorf("a trip that the timetable lacks: journeys %v, %d positions counted, want 56", journeys, unknown)
	}
}

func TestArrivalsInGapsAreUnknown(t *testing.T) {
	all := drive("T0-0", 20, 0, 340)
	all = append(all, drive("T0-0", 20, 620, 1100)...)
	j := only(t, all)
	for _, a := range j.Arrivals {
		if a.Stop > 3 && a.Stop < 7 {
			t.Errorf("arrival at stop %d, which the bus passed in a gap of 280 s", a.Stop)
		}
	}
	if len(j.Arrivals) != 8 {
		t.Errorf("arrivals %v, want 8", j.Arrivals)
	}
}

func TestOnePositionOutOfReachMovesNoArrival(t *testing.T) {
	all := drive("T0-0", 20, 0, 1100)
	all[25].Point = nhip.Some(geotest.At(60_000))
	j := only(t, all)
	expect(t, &j, 1, stops-1, 3)
}

func TestSameTripOnTwoDaysIsTwoJourneys(t *testing.T) {
	all := drive("T0-0", 20, 0, 1100)
	for _, p := range drive("T0-0", 20, 24*3600, 24*3600+1100) {
		p.Point = all[int(p.Time.Sub(morning(24*3600)).Seconds()/20)].Point
		p.StartDate = ""
		all = append(all, p)
	}
	journeys, _ := truth.Extract(net(), all)
	if len(journeys) != 2 || journeys[0].Instance.Day != 20260302 || journeys[1].Instance.Day != 20260303 ||
		truth.Same(journeys[0].Instance, journeys[1].Instance) {
		t.Errorf("journeys %+v", journeys)
	}
}

func TestDeviationIsThatAtTheLastStopReached(t *testing.T) {
	j := only(t, drive("T0-0", 20, 0, 1100)) // 10 s later at each stop: links take 90 s
	if d := j.Deviation(morning(660)); math.Abs(d-60) > 3 {
		t.Errorf("deviation after stop 6: %.0f s, want 60", d)
	}
	if n := len(j.Ahead(morning(660))); n != 5 {
		t.Errorf("%d arrivals ahead, want 5", n)
	}
}

// TestLoopPassesItsStopTwice has a trip that begins and ends at one stop and passes others twice.
func TestLoopPassesItsStopTwice(t *testing.T) {
	f := geotest.Line(5, time.Hour)
	trip := f.Trips[0]
	trip.Shape = nil
	for i, s := range []int{3, 2, 1, 0} { // there and back
		trip.StopTimes = append(trip.StopTimes, gtfs.StopTime{
			Stop: f.Stops[s], Arrival: trip.StopTimes[4].Arrival + gtfs.Time(i+1)*100,
			Departure: trip.StopTimes[4].Departure + gtfs.Time(i+1)*100, Sequence: int32(5 + i), Dist: gtfs.NoDist,
		})
	}
	var all []nhip.Position
	for s := 0.0; s <= 820; s += 20 {
		east := s * geotest.StopGap / 100
		all = append(all, position("T0-0", s, min(east, 8*geotest.StopGap-east)))
	}
	journeys, _ := truth.Extract(network.New(f), all)
	if len(journeys) != 1 {
		t.Fatalf("journeys %v", journeys)
	}
	expect(t, &journeys[0], 1, 8, 15)
}
