package backtest_test

import (
	"testing"
	"time"

	"nhip/geo/backtest"
	"nhip/geo/board"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/predict"
)

func arrivalAt(trip *network.TripInstance, stop int, at time.Time) *predict.Arrival {
	return &predict.Arrival{Vehicle: "bus", Pattern: trip.Pattern, Instance: trip, Stop: stop, Arrived: at}
}

func TestLiveBoardScoresWhatWasTold(t *testing.T) {
	n := network.New(geotest.Line(stops, 10*time.Minute))
	trip := n.Day(geotest.Day).TripInstances(n.Patterns[0])[0]
	l := backtest.NewLiveBoard()
	told := func(before, told time.Duration, basis board.Basis, waits bool) { // of the arrival at stop 5, at 06:00
		l.Told(trip, 5, six.Add(-before), six.Add(told), basis, waits)
	}
	told(20*time.Minute, 0, board.BasisPosition, false) // too long before
	told(2*time.Minute, 0, board.BasisPosition, false)
	told(2*time.Minute, -2*time.Minute, board.BasisPosition, true) // 2 minutes early
	told(5*time.Minute, -2*time.Minute, board.BasisNextTrip, false)
	told(5*time.Minute, -time.Minute, board.BasisLearned, false)
	told(8*time.Minute, 0, "operator", false)
	told(12*time.Minute, 0, "", false)
	told(-time.Minute, 3*time.Minute, board.BasisPosition, false) // told after it has come
	l.Told(trip, 4, six.Add(-5*time.Minute), six, board.BasisPosition, false)
	l.Told(trip, 6, six.Add(-5*time.Minute), six, board.BasisPosition, false)
	l.Arrived(arrivalAt(trip, 5, six))
	l.Arrived(arrivalAt(trip, 5, six)) // again by another collector
	r := l.Total()
	if r.Minutes != 6 || len(l.Routes()) != 1 || l.Routes()["R1"].Minutes != 6 {
		t.Errorf("%d minutes, by route %+v", r.Minutes, l.Routes())
	}
	near(t, "0–3 min", r.BoardBins[0], 50, 0)
	near(t, "3–6 min", r.BoardBins[1], 100, 0)
	near(t, "6–10 min", r.BoardBins[2], 100, 0)
	near(t, "10–15 min", r.BoardBins[3], 0, 0)
	near(t, "waiting", r.Parts.Waiting, 100.0/3, 0.01)
	near(t, "next trip", r.PartBins.Next.Share, 100.0/6, 0.01)
	near(t, "without a bus", r.Parts.Timetable, 100.0/3, 0.01)
	if r.Ghosts.Promises != 5 || r.Ghosts.Share != 0 {
		t.Errorf("ghosts of buses that came: %+v", r.Ghosts)
	}
}

func TestLiveBoardCountsGhosts(t *testing.T) {
	n := network.New(geotest.Line(stops, 10*time.Minute))
	trips := n.Day(geotest.Day).TripInstances(n.Patterns[0])
	l := backtest.NewLiveBoard()
	l.Told(trips[0], 5, six, six.Add(10*time.Minute), board.BasisLearned, false)
	l.Told(trips[0], 9, six, six.Add(20*time.Minute), board.BasisLearned, false) // further ahead than boards are scored
	l.Told(trips[0], 6, six, six, "", false)
	l.Told(trips[1], 5, six, six.Add(10*time.Minute), board.BasisPosition, false)
	l.Arrived(arrivalAt(trips[1], 5, six.Add(25*time.Minute)))
	l.Told(trips[9], 5, six.Add(39*time.Minute), six.Add(2*time.Hour), board.BasisLearned, false)
	if g := l.Total().Ghosts; g.Promises != 1 || g.Share != 0 {
		t.Errorf("half an hour after the promised time is not over: %+v", g)
	}
	l.Told(trips[9], 5, six.Add(41*time.Minute), six.Add(2*time.Hour), board.BasisLearned, false)
	if g := l.Total().Ghosts; g.Promises != 2 || g.Share != 50 || g.Timetable != 100 || g.Live != 0 {
		t.Errorf("%+v", g)
	}
}

// TestLiveBoardIsBounded promises more than is kept.
func TestLiveBoardIsBounded(t *testing.T) {
	n := network.New(geotest.Line(stops, 10*time.Minute))
	trip := n.Day(geotest.Day).TripInstances(n.Patterns[0])[0]
	l := backtest.NewLiveBoard()
	for range 250_000 {
		l.Told(trip, 5, six, six, board.BasisLearned, false)
	}
	l.Arrived(arrivalAt(trip, 5, six.Add(time.Minute)))
	if r := l.Total(); r.Minutes != 200_000 {
		t.Errorf("%d promises were kept", r.Minutes)
	}
}
