package gtfs_test

import (
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/gtfs"
)

// TestNamesOfMergedTimetables translates ids that two timetables share, that only the other has, and that none has.
func TestNamesOfMergedTimetables(t *testing.T) {
	first, second := geotest.Line(5, time.Hour), geotest.Line(5, time.Hour)
	trip, route, stop := second.Trips[0], second.Routes[0], second.Stops[0]
	common := trip.ID
	only := first.Trips[1]
	only.ID = "only-in-the-first"
	alone := geotest.Line(5, time.Hour)
	f, err := gtfs.Merge(first, second)
	if err != nil {
		t.Fatal(err)
	}
	one, two := f.NamesOf(0), f.NamesOf(1)
	for _, c := range []struct{ what, got, want string }{
		{"a trip of the first", one.Trip(common), common},
		{"a trip of the second", two.Trip(common), "2:" + common},
		{"a route of the second", two.Route(route.ID[2:]), route.ID},
		{"a stop of the second", two.Stop(stop.ID[2:]), stop.ID},
		{"an agency of the second", two.Agency(second.Agencies[0].ID[2:]), second.Agencies[0].ID},
		{"a trip that only the first has", two.Trip(only.ID), "2:" + only.ID},
		{"a trip that none has", two.Trip("extra"), "extra"},
		{"no trip", two.Trip(""), ""},
		{"a timetable that was not merged", f.NamesOf(2).Trip(common), common},
		{"a single timetable", alone.NamesOf(0).Trip(common), common},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
}
