package track_test

import (
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"
)

// TestTripOfMergedTimetables drives a bus on the line of the second of two timetables that have the same ids.
func TestTripOfMergedTimetables(t *testing.T) {
	const north = 0.1 // degrees from one line to the other
	second := geotest.Line(21, 15*time.Minute)
	for _, s := range second.Stops {
		s.Point[1] += north
	}
	for _, s := range second.Shapes {
		for i := range s.Line {
			s.Line[i][1] += north
		}
	}
	f, err := gtfs.Merge(geotest.Line(21, 15*time.Minute), second)
	if err != nil {
		t.Fatal(err)
	}
	trk := track.New(network.New(f))
	var last track.State
	for _, line := range []struct {
		trip  string
		north float64
	}{{"T4-0", 0}, {"2:T4-0", north}} {
		for i := range 20 {
			at := geotest.At(float64(i) * 20 * geotest.Speed)
			at[1] += line.north
			last = trk.Update(line.trip, &nhip.Position{
				Vehicle: line.trip, Event: nhip.EventPosition, Time: morning(7, 0, 20*i), Point: nhip.Some(at), Trip: "T4-0",
				StartDate: geotest.Day.String(),
			}, "")
		}
		if last.Instance == nil || last.Instance.Trip.ID != line.trip || last.Inferred {
			t.Errorf("a bus on the line of %s is on %+v", line.trip, last.Instance)
		}
	}
}
