package backtest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"nhip/geo/backtest"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/predict"
)

// TestRivalsAreComparedByTheSameArrivals has a bus at stop 5 at 06:00, of which we and a feed told before.
func TestRivalsAreComparedByTheSameArrivals(t *testing.T) {
	n := network.New(geotest.Line(stops, 10*time.Minute))
	trips := n.Day(geotest.Day).TripInstances(n.Patterns[0])
	var got []string
	r := backtest.NewRivals(func(feed string, at time.Time, o backtest.RivalOutcome) {
		got = append(got, fmt.Sprint(feed, o.Bin, o.Ours, o.Theirs, at.Equal(six)))
	})
	told := func(stop int, before, ours, theirs time.Duration) {
		r.Told("city", trips[0], stop, six.Add(-before), six.Add(ours), six.Add(theirs))
	}
	told(5, 20*time.Minute, 0, 0) // too long before
	told(5, 12*time.Minute, 0, -10*time.Minute)
	told(5, 5*time.Minute, 10*time.Minute, 30*time.Second)
	told(5, 2*time.Minute, -3*time.Minute, time.Minute) // a time that has passed is told as now
	told(4, 2*time.Minute, 0, 0)
	told(6, 2*time.Minute, 0, 0)
	r.Told("city", trips[1], 5, six.Add(-5*time.Minute), six, six)
	r.Arrived(&predict.Arrival{Vehicle: "bus", Pattern: trips[0].Pattern, Stop: 5, Arrived: six}) // its trip is unknown
	r.Arrived(arrivalAt(trips[0], 5, six))
	r.Arrived(arrivalAt(trips[0], 5, six)) // again by another collector
	want := []string{"city3 true false true", "city1 false true true", "city0 false false true"}
	if !slices.Equal(got, want) {
		t.Errorf("outcomes %q, want %q", got, want)
	}
	r.Told("city", trips[0], 9, six.Add(2*time.Hour), six, six) // long after: the others are forgotten
	r.Arrived(arrivalAt(trips[1], 5, six))
	r.Arrived(arrivalAt(trips[0], 6, six))
	if len(got) != len(want) {
		t.Errorf("outcomes of what was told long ago: %q", got[len(want):])
	}
}
