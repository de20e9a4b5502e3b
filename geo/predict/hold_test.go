package predict_test

import (
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/predict"
)

// held is the stop at which the buses of these tests are held.
const held = 5

func heldLine(t *testing.T, prepare func(*gtfs.Feed)) (*predict.Predictor, []*network.TripInstance) {
	t.Helper()
	f := geotest.Line(12, 10*time.Minute)
	prepare(f)
	n := network.New(f)
	return predict.New(n), n.Day(geotest.Day).TripInstances(n.Patterns[0])
}

func waitFive(f *gtfs.Feed) { geotest.AddWait(f, held, 300) }

func timepoint(f *gtfs.Feed) { geotest.SetTimepoints(f, held) }

// reach makes an instance reach a stop at a time in Unix s.
func reach(p *predict.Predictor, r *network.TripInstance, stop int, at float64) {
	p.Observe(&predict.Arrival{
		Vehicle: r.Trip.ID, Pattern: r.Pattern, Instance: r, Stop: stop, Arrived: seconds(at), Departed: seconds(at),
	})
}

func seconds(unix float64) time.Time { return time.UnixMilli(int64(unix * 1000)).UTC() }

// predicted returns the prediction of the bus of an instance, seen at a distance along the line at a time in Unix s.
func predicted(t *testing.T, p *predict.Predictor, r *network.TripInstance, along, at float64,
	stop int,
) predict.StopPrediction {
	t.Helper()
	b := &predict.Bus{
		Vehicle: r.Trip.ID, Pattern: r.Pattern, Instance: r, Along: along, Next: r.Pattern.NextStop(along), Time: seconds(at),
	}
	for _, s := range p.Predict(nil, b, time.Hour) {
		if s.Index == stop {
			return s
		}
	}
	t.Fatalf("no prediction for stop %d", stop)
	return predict.StopPrediction{}
}

func near(t *testing.T, what string, got time.Time, want float64) {
	t.Helper()
	if off := got.Sub(seconds(want)); off.Abs() > 2*time.Second {
		t.Errorf("%s: %v after what is right", what, off)
	}
}

func TestBusOnTimeIsHeldUntilItsDeparture(t *testing.T) {
	p, trips := heldLine(t, waitFive)
	r := trips[4]
	arrives, next := float64(r.Arrives(held)), float64(r.Arrives(held+1))
	place := r.Pattern.Along[held]
	near(t, "two stops before", predicted(t, p, r, r.Pattern.Along[held-2], arrives-180, held+1).P50, next)
	for _, stood := range []float64{0, 60, 200, 290} {
		s := predicted(t, p, r, place+5, arrives+stood, held+1)
		near(t, "while it stands", s.P50, next)
		if left := seconds(float64(r.Departs(held))); s.P10.Before(left) || s.Expected.Before(left) {
			t.Errorf("after %v s it is told before its departure: %+v", stood, s)
		}
	}
	near(t, "beyond the stop", predicted(t, p, r, place+250, arrives+60, held+1).P50, arrives+60+45)
	near(t, "when it is late", predicted(t, p, r, place, arrives+400, held+1).P50, arrives+400+90)
	near(t, "when it is early", predicted(t, p, r, place, arrives-120, held+3).P50, float64(r.Arrives(held+3)))
}

func TestHoldIsNotTakenForDriving(t *testing.T) {
	p, trips := heldLine(t, waitFive)
	for _, r := range trips[:6] { // on time, so that each stands 300 s
		for i := range r.Pattern.Stops {
			reach(p, r, i, float64(r.Arrives(i)))
		}
	}
	r := trips[7]
	late := float64(r.Arrives(held)) + 600
	near(t, "a late bus drives on", predicted(t, p, r, r.Pattern.Along[held], late, held+1).P50, late+90)
}

func TestTimepointHoldsAsFarAsBusesWaitThere(t *testing.T) {
	for name, waits := range map[string]bool{"a city that holds": true, "a city that does not": false} {
		p, trips := heldLine(t, timepoint)
		for k, r := range trips[:40] {
			early, stay := float64(k%5)*90, 0.0
			if waits {
				stay = early
			}
			at := float64(r.Arrives(held)) - early
			reach(p, r, held-1, at-90)
			reach(p, r, held, at)
			reach(p, r, held+1, at+stay+90)
		}
		r := trips[50]
		at := float64(r.Arrives(held)) - 300
		took := predicted(t, p, r, r.Pattern.Along[held-1]+400, at-18, held+1).P50.Sub(seconds(at)).Seconds()
		if waits && took < 350 || !waits && took > 150 {
			t.Errorf("%s: %v s from an arrival 5 minutes early to the next stop, 90 s away", name, took)
		}
	}
}

func TestTimesThatAreAllExactHoldNobody(t *testing.T) {
	p, trips := heldLine(t, func(f *gtfs.Feed) {
		for _, trip := range f.Trips {
			for k := range trip.StopTimes {
				trip.StopTimes[k].Timepoint = gtfs.TimepointExact
			}
		}
	})
	at := float64(trips[4].Arrives(held)) - 300
	near(t, "an early bus", predicted(t, p, trips[4], trips[4].Pattern.Along[held], at, held+1).P50, at+90)
}

func TestFrequentBusStandsAsLongAsTheTimetableSays(t *testing.T) {
	p, trips := heldLine(t, func(f *gtfs.Feed) {
		waitFive(f)
		f.Trips = f.Trips[:1]
		f.Trips[0].Frequencies = []gtfs.Frequency{{Start: 6 * 3600, End: 22 * 3600, Headway: 600}}
	})
	r := trips[4]
	at := float64(r.Arrives(held)) + 220 // without exact times this is not late
	place := r.Pattern.Along[held]
	near(t, "approaching", predicted(t, p, r, r.Pattern.Along[held-1], at-90, held+1).P50, at+300+90)
	near(t, "without a known arrival", predicted(t, p, r, place, at+100, held+1).P50, at+100+90)
	reach(p, r, held-1, at-90)
	reach(p, r, held, at)
	near(t, "standing", predicted(t, p, r, place+10, at+200, held+1).P50, at+300+90)
	near(t, "standing for longer", predicted(t, p, r, place+10, at+400, held+1).P50, at+400+90)
}

func TestUnknownTripStandsAsLongAsTheTimetableSays(t *testing.T) {
	p, trips := heldLine(t, waitFive)
	pattern := trips[0].Pattern
	now := float64(trips[4].Arrives(held))
	b := &predict.Bus{Pattern: pattern, Along: pattern.Along[held-1], Next: held, Time: seconds(now)}
	stops := p.Predict(nil, b, time.Hour)
	near(t, "the stop behind the hold", stops[1].P50, now+90+300+90)
}

// TestHoldingIsLearnedWhereTheTimetableSaysNothing has a city that holds early buses at a stop without any mark, and
// one in which the same earliness changes nothing.
func TestHoldingIsLearnedWhereTheTimetableSaysNothing(t *testing.T) {
	took := func(share float64) float64 {
		p, trips := heldLine(t, asPlanned)
		for k, r := range trips[:60] {
			early := float64(k%5) * 90
			at := float64(r.Arrives(held)) - early
			reach(p, r, held-1, at-90)
			reach(p, r, held, at)
			reach(p, r, held+1, at+share*early+90)
		}
		r := trips[70]
		at := float64(r.Arrives(held)) - 300
		return predicted(t, p, r, r.Pattern.Along[held-1]+400, at-18, held+1).P50.Sub(seconds(at)).Seconds()
	}
	if free, holding := took(0), took(0.6); free > 110 || holding < 220 {
		t.Errorf("5 minutes early to the next stop: %v s where nobody is held, %v s where buses are held by 60 %%",
			free, holding)
	}
}
