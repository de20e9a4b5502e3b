package network_test

import (
	"slices"
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/network"
)

// TestTripInstancesWithin compares the instances of spans with those that all stops of all instances give.
func TestTripInstancesWithin(t *testing.T) {
	n := network.New(geotest.Line(21, 15*time.Minute))
	day := n.Day(geotest.Day)
	p := n.Patterns[0]
	all := day.TripInstances(p)
	found := 0
	for from := day.Zero; from < day.Zero+30*3600; from += 1800 {
		for _, span := range []int64{0, 600, 7200} {
			within := day.TripInstancesWithin(p, from, from+span)
			found += len(within)
			for _, x := range all {
				calls := x.Departs(0) <= from+span && x.Departs(p.Last()) >= from
				if calls != slices.Contains(within, x) {
					t.Fatalf("from %d for %d s: the trip of %d is listed: %v", from-day.Zero, span, x.Start, !calls)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no trip was found")
	}
}

// TestSequenceCountsTheBlock follows the blocks of a line.
func TestSequenceCountsTheBlock(t *testing.T) {
	n := network.New(geotest.Line(21, 15*time.Minute))
	longest := 0
	for _, p := range n.Patterns {
		for _, x := range n.Day(geotest.Day).TripInstances(p) {
			before := 0
			for y := x.Previous; y != nil; y = y.Previous {
				before++
			}
			if x.Sequence != before {
				t.Errorf("%s: %d, %d before it", x.Trip.ID, x.Sequence, before)
			}
			longest = max(longest, before)
		}
	}
	if longest == 0 {
		t.Error("no trip has one before it")
	}
}
