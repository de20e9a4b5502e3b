package backtest_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"nhip"
	"nhip/geo/backtest"
	"nhip/geo/geotest"
	"nhip/geo/network"
)

const stops = 20

// six is 06:00 on the day of the test timetable, when its first trip departs; others follow every 10 minutes.
var six = time.Date(2026, 3, 2, 6, 0, 0, 0, geotest.TimeZone).UTC()

// run is how the bus of the i-th trip of direction 0 drives.
type run struct {
	trip    int
	late    float64 // s of its departure
	link    float64 // s from stop to stop
	waits   float64 // s at its first stop before it departs
	silent  float64 // s after its departure without positions
	unnamed bool    // its positions as recorded do not name its trip
	away    float64 // degrees of latitude by which the positions as recorded are wrong
}

// positions returns the positions of a bus with its true trip, every 20 s.
func (r *run) positions() (all []nhip.Position) {
	for s := -r.waits; s <= float64(stops-1)*r.link+40; s += 20 {
		if s < r.silent && r.silent > 0 {
			continue
		}
		east := min(max(s, 0)/r.link, stops-1) * geotest.StopGap
		all = append(all, nhip.Position{
			Vehicle: fmt.Sprint("bus ", r.trip), Trip: fmt.Sprintf("T%d-0", r.trip), StartDate: "20260302",
			Time:  six.Add(time.Duration((float64(r.trip)*600 + r.late + s) * float64(time.Second))),
			Point: nhip.Some(geotest.At(east)),
		})
	}
	return all
}

// report replays runs.
func report(runs ...run) backtest.Report {
	type both struct{ recorded, truth nhip.Position }
	var all []both
	var truth []nhip.Position
	for _, r := range runs {
		for _, p := range r.positions() {
			recorded := p
			if r.unnamed {
				recorded.Trip, recorded.StartDate = "", ""
			}
			if point, ok := p.Point.Get(); ok && r.away != 0 {
				point[1] += r.away
				recorded.Point = nhip.Some(point)
			}
			all = append(all, both{recorded, p})
			truth = append(truth, p)
		}
	}
	slices.SortStableFunc(all, func(a, b both) int { return a.truth.Time.Compare(b.truth.Time) })
	test := backtest.NewETA(network.New(geotest.Line(stops, 10*time.Minute)), truth)
	for i := range all {
		test.Observe(&all[i].recorded, all[i].truth.Trip)
	}
	return test.Report()
}

// fleet returns the runs of the first n trips, alike but for their trip.
func fleet(n int, like run) (all []run) {
	for i := range n {
		like.trip = i
		all = append(all, like)
	}
	return all
}

func near(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, want %v ± %v", name, got, want, tolerance)
	}
}

func TestPunctualBusesAreRightEverywhere(t *testing.T) {
	for _, unnamed := range []bool{false, true} {
		r := report(fleet(8, run{link: 90, waits: 300, unnamed: unnamed})...)
		if r.Arrivals != 8*(stops-1) {
			t.Errorf("%d arrivals, want %d", r.Arrivals, 8*(stops-1))
		}
		near(t, "benchmark", r.Benchmark, 100, 1)
		near(t, "predicted", r.Predicted, 100, 1)
		near(t, "board", r.Board, 100, 1)
		near(t, "trip", r.Trip, 100, 1)
		for name, y := range map[string]backtest.YardstickReport{
			"timetable": r.Yardsticks.Timetable, "deviation": r.Yardsticks.TimetableDeviation,
			"last 3": r.Yardsticks.Last3, "all": r.Yardsticks.AllEarlier,
		} {
			near(t, name, y.AsIs, 100, 1)
			near(t, name+", early", y.Early, 100, 1)
		}
		sum := r.Parts.Live + r.Parts.Waiting + r.Parts.Timetable + r.Parts.Nothing
		near(t, "sum of the parts", sum, 100, 0.1)
		if r.Parts.Live < 50 || r.Parts.Waiting < 5 || r.Parts.Nothing > 0 {
			t.Errorf("parts %+v", r.Parts)
		}
		near(t, "share on time", r.DeviationShares[1], 100, 0)
	}
}

// TestTimetableYardsticksOfBusesThatDepartLate has buses that depart four minutes late: the timetable alone is within
// the window of the last bin only.
func TestTimetableYardsticksOfBusesThatDepartLate(t *testing.T) {
	r := report(fleet(6, run{late: 240, link: 90})...)
	near(t, "timetable", r.Yardsticks.Timetable.AsIs, 25, 1)
	near(t, "timetable, early", r.Yardsticks.Timetable.Early, 0, 1)
	near(t, "deviation", r.Yardsticks.TimetableDeviation.AsIs, 100, 3)
	near(t, "share late", r.DeviationShares[2], 100, 0)
	near(t, "bias of all", r.Bias, r.BiasByDeviation[2], 0)
	near(t, "cover of all", r.Cover, r.CoverByDeviation[2], 0)
}

// TestEarlyTellingIsThatOfTheLean has buses 50 s ahead of the timetable: 20 s more than the first bin accepts, and
// less than the lean of that lead.
func TestEarlyTellingIsThatOfTheLean(t *testing.T) {
	r := report(fleet(6, run{late: -50, link: 90})...)
	near(t, "as is", r.Yardsticks.Timetable.AsIs, 75, 2)
	near(t, "early", r.Yardsticks.Timetable.Early, 100, 2)
}

// TestMeansLearnFromEarlierBuses has buses that need 180 s instead of 90 s from stop to stop.
func TestMeansLearnFromEarlierBuses(t *testing.T) {
	r := report(fleet(12, run{link: 180})...)
	if d, all := r.Yardsticks.TimetableDeviation.AsIs, r.Yardsticks.AllEarlier.AsIs; all < d+10 {
		t.Errorf("mean of all earlier %v, timetable and deviation %v", all, d)
	}
	if r.Yardsticks.AllEarlier.AsIs == 100 {
		t.Error("the first bus was predicted before it was seen")
	}
}

// TestMeanOfLastThreeFollowsAChange has the city become slow at noon.
func TestMeanOfLastThreeFollowsAChange(t *testing.T) {
	slow := fleet(40, run{link: 240})[24:]
	r := report(append(fleet(24, run{link: 90}), slow...)...)
	if r.Yardsticks.Last3.AsIs < r.Yardsticks.AllEarlier.AsIs+5 {
		t.Errorf("last three %v, all %v", r.Yardsticks.Last3.AsIs, r.Yardsticks.AllEarlier.AsIs)
	}
}

// TestTruthIsNotThatOfTheEngine gives the engine positions 5 km away: it knows no bus, and what happened is known.
func TestTruthIsNotThatOfTheEngine(t *testing.T) {
	r := report(fleet(4, run{link: 90, away: 0.05, unnamed: true})...)
	if r.Arrivals != 4*(stops-1) || r.Predictions == 0 {
		t.Errorf("%d arrivals, %d predictions", r.Arrivals, r.Predictions)
	}
	near(t, "predicted", r.Predicted, 0, 0)
	near(t, "benchmark", r.Benchmark, 0, 0)
	near(t, "route and direction", r.RouteDirection, 0, 0)
	near(t, "timetable's share of the board", r.Parts.Timetable, 100, 0)
	near(t, "board", r.Board, 100, 1)
	near(t, "timetable", r.Yardsticks.Timetable.AsIs, 100, 1)
	near(t, "means", r.Yardsticks.AllEarlier.AsIs, 0, 0)
}

// TestBoardFallsBackToTheTimetableAndThenToNothing has a bus that departs 15 minutes late and is silent for as long.
func TestBoardFallsBackToTheTimetableAndThenToNothing(t *testing.T) {
	r := report(append(fleet(4, run{link: 90, waits: 600}), run{trip: 5, late: 900, link: 90, silent: 900})...)
	if r.Parts.Nothing <= 0 || r.Parts.Timetable <= 0 {
		t.Errorf("parts %+v", r.Parts)
	}
	near(t, "nothing is never right", r.PartBins.Nothing.Right, 0, 0)
	// until 10 minutes after its time, which is 5 minutes before the bus comes, the timetable is on the board: there is
	// nothing in the first bin
	near(t, "timetable in the first bin", r.PartBins.Timetable.ShareBins[0], 0, 3)
	if r.PartBins.Nothing.ShareBins[0] <= 0 {
		t.Errorf("nothing in the first bin: %v", r.PartBins.Nothing.ShareBins)
	}
	whole := 0.0
	for i := range r.BoardBins {
		live, waiting, timetable := &r.PartBins.Live, &r.PartBins.Waiting, &r.PartBins.Timetable
		right := (live.ShareBins[i]*live.RightBins[i] + waiting.ShareBins[i]*waiting.RightBins[i] +
			timetable.ShareBins[i]*timetable.RightBins[i]) / 100
		near(t, fmt.Sprint("bin ", i), r.BoardBins[i], right, 0.1)
		whole += r.BoardBins[i] / 4
	}
	near(t, "board", r.Board, whole, 0.02)
}

func TestReportWithoutTruthIsEmpty(t *testing.T) {
	n := network.New(geotest.Line(stops, 10*time.Minute))
	all := (&run{link: 90}).positions()
	for i := range all {
		if i != 20 {
			all[i].Trip = ""
		}
	}
	test := backtest.NewETA(n, all)
	for i := range all {
		test.Observe(&all[i], all[i].Trip)
	}
	if r := test.Report(); r != (backtest.Report{}) {
		t.Errorf("one position that names its trip gives %+v", r)
	}
	if r := backtest.NewETA(n, nil).Report(); r != (backtest.Report{}) {
		t.Errorf("no position gives %+v", r)
	}
}
