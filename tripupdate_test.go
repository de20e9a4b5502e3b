package nhip

import "testing"

// TestTripUpdateKeyTellsTripsApart: trips without a trip_id, too.
func TestTripUpdateKeyTellsTripsApart(t *testing.T) {
	seen := make(map[string]int)
	for i, u := range []TripUpdate{
		{Trip: "T1", StartDate: "20260302"},
		{Trip: "T1", StartDate: "20260303"},
		{Route: "R1", Direction: Some(0), StartDate: "20260302", StartTime: "08:00"},
		{Route: "R1", Direction: Some(1), StartDate: "20260302", StartTime: "08:00"},
		{Route: "R1", StartDate: "20260302", StartTime: "08:00"},
		{Route: "R1", StartDate: "20260302", Entity: "a"},
		{Route: "R1", StartDate: "20260302", Entity: "b"},
	} {
		if other, found := seen[u.Key()]; found {
			t.Errorf("updates %d and %d have the key %q", other, i, u.Key())
		}
		seen[u.Key()] = i
	}
	again := TripUpdate{Route: "R1", Direction: Some(1), StartDate: "20260302", StartTime: "08:00", Entity: "c"}
	if i, found := seen[again.Key()]; !found || i != 3 {
		t.Errorf("the key %q depends on the entity's id, which may change with each message", again.Key())
	}
}
