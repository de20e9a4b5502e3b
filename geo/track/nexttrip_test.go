package track_test

import (
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/track"
)

// TestBusThatTakesItsNextTripAtTheTerminalWaits drives a trip of 21 stops, whose last stop is the first one of the trip
// back, and lets the bus wait there: it has not begun the trip back until it leaves.
func TestBusThatTakesItsNextTripAtTheTerminalWaits(t *testing.T) {
	for _, signsOn := range []bool{true, false} {
		d := newDrive(t)
		if signsOn {
			d.trip = "T4-0"
		}
		d.along(morning(7, 0, 0), 0, 10_000)
		if signsOn {
			d.trip = "T4-1" // departs at 07:35
		}
		var s track.State
		for i := range 8 {
			s = d.at(morning(7, 31, 0).Add(time.Duration(i)*20*time.Second), geotest.At(10_000-float64(i)))
			must(t, s.Status == track.StatusLayover, "signs on %v: %s at the terminal", signsOn, s.Status)
			for _, e := range s.StopEvents {
				must(t, e.Stop == 20, "signs on %v: passed %+v", signsOn, e)
			}
		}
		if signsOn {
			must(t, s.Instance != nil && s.Instance.Trip.ID == "T4-1" && s.Next == 1 && s.Deviation == 0,
				"waits for %+v, next stop %d, deviation %.0f s", s.Instance, s.Next, s.Deviation)
		}
		s, passed := d.along(morning(7, 35, 0), 10_000, 8800)
		must(t, s.Status == track.StatusInService && s.Instance != nil && s.Instance.Trip.ID == "T4-1",
			"signs on %v: %s on %+v after the departure", signsOn, s.Status, s.Instance)
		must(t, !signsOn || len(passed) > 0 && passed[0].Stop == 0 && !passed[0].Departed.IsZero(),
			"stop events %+v, want the departure first", passed)
	}
}

// TestDepartureBetweenSparsePositions has a bus stand at its first stop at one position and be 222 m beyond it at the
// next, two minutes later: it left 40 s before, not right after the first one.
func TestDepartureBetweenSparsePositions(t *testing.T) {
	d := newDrive(t)
	d.trip = "T4-0"
	for _, minute := range []int{-6, -4, -2} {
		s := d.at(morning(7, minute, 50), geotest.At(0))
		must(t, s.Status == track.StatusLayover, "%s before the departure", s.Status)
	}
	s := d.at(morning(7, 0, 50), geotest.At(40*geotest.Speed))
	must(t, len(s.StopEvents) == 1 && s.StopEvents[0].Stop == 0, "stop events %+v, want the departure", s.StopEvents)
	off := s.StopEvents[0].Departed.Sub(morning(7, 0, 10))
	must(t, off.Abs() < 6*time.Second, "departed %v off", off)
}
