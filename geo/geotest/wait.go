package geotest

import "nhip/geo/gtfs"

// AddWait lets all trips of a feed wait at their i-th stop.
func AddWait(f *gtfs.Feed, i int, wait gtfs.Time) {
	for _, t := range f.Trips {
		t.StopTimes[i].Departure += wait
		for k := i + 1; k < len(t.StopTimes); k++ {
			t.StopTimes[k].Arrival += wait
			t.StopTimes[k].Departure += wait
		}
	}
}

// SetTimepoints makes the times of all trips approximate, except at their i-th stop.
func SetTimepoints(f *gtfs.Feed, i int) {
	for _, t := range f.Trips {
		for k := range t.StopTimes {
			t.StopTimes[k].Timepoint = gtfs.TimepointApproximate
		}
		t.StopTimes[i].Timepoint = gtfs.TimepointExact
	}
}
