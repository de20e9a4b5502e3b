package realtime_test

import (
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/realtime"
)

// TestChangesConcernTheirRunsOnly applies updates of one trip to runs of it: on its day, at its start, and at a stop at
// which the line calls twice.
func TestChangesConcernTheirRunsOnly(t *testing.T) {
	feed := geotest.Line(6, time.Hour)
	trip := feed.Trips[0]
	trip.StopTimes[4].Stop = trip.StopTimes[1].Stop // a loop
	trip.Frequencies = []gtfs.Frequency{{Start: 6 * 3600, End: 9 * 3600, Headway: 3600, Exact: true}}
	n := network.New(feed)
	runs := n.Day(geotest.Day).TripInstances(n.PatternOf(trip))
	runs = runs[:min(len(runs), 2)]
	if len(runs) < 2 || runs[0].Trip != trip || runs[1].Trip != trip {
		t.Fatalf("the runs are %v", runs)
	}
	now := time.Unix(runs[0].Departs(0), 0)
	twice := trip.StopTimes[1].Stop.ID
	skipped := func(seq nhip.Opt[int]) []nhip.StopUpdate {
		return []nhip.StopUpdate{{Stop: twice, Sequence: seq, Relationship: nhip.StopSkipped}}
	}
	second := nhip.Some(int(trip.StopTimes[4].Sequence))
	for name, c := range map[string]struct {
		update nhip.TripUpdate
		made   time.Time // of the feed
		off    [2]bool   // the runs that are canceled
		skips  int       // the stop that the first run skips; 0 for none
	}{
		"the day":          {nhip.TripUpdate{StartDate: geotest.Day.String()}, now, [2]bool{true, true}, 0},
		"another day":      {nhip.TripUpdate{StartDate: "20260401"}, now, [2]bool{}, 0},
		"one start":        {nhip.TripUpdate{StartTime: "07:00"}, now, [2]bool{false, true}, 0},
		"no day":           {nhip.TripUpdate{}, now, [2]bool{true, true}, 0},
		"no day, long ago": {nhip.TripUpdate{}, now.Add(-25 * time.Hour), [2]bool{}, 0},
		"a stop": {
			nhip.TripUpdate{Relationship: nhip.TripScheduled, Stops: skipped(nhip.Opt[int]{})}, now, [2]bool{}, 1,
		},
		"its second call": {nhip.TripUpdate{Relationship: nhip.TripScheduled, Stops: skipped(second)}, now, [2]bool{}, 4},
		"an extra run":    {nhip.TripUpdate{Relationship: nhip.TripAdded, Stops: skipped(second)}, now, [2]bool{}, 0},
	} {
		c.update.Trip = trip.ID
		if c.update.Relationship == "" {
			c.update.Relationship = nhip.TripCanceled
		}
		change := realtime.Change{Update: &c.update, Feed: &nhip.ServiceFeed{Time: c.made}}
		for i, run := range runs {
			if change.Cancels(run) != c.off[i] {
				t.Errorf("%s: run %d is canceled: %t", name, i, !c.off[i])
			}
		}
		for stop := range trip.StopTimes {
			if skips := change.Skips(runs[0], stop); skips != (stop == c.skips && c.skips > 0) {
				t.Errorf("%s: the stop %d is skipped: %t", name, stop, skips)
			}
		}
	}
}
