package gtfs_test

import (
	"strings"
	"testing"
)

func TestOverlappingTripsOfBlockAreFound(t *testing.T) {
	calls := "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
	for trip, at := range map[string][2]string{
		"a1": {"08:00:00", "08:30:00"}, "a2": {"08:20:00", "08:40:00"}, "a3": {"08:30:00", "08:50:00"},
		"b1": {"08:00:00", "08:30:00"}, "b2": {"08:29:00", "08:40:00"}, // in whole minutes
		"c1": {"08:00:00", "08:30:00"}, "c2": {"08:20:00", "08:40:00"}, // on other days
		"d1": {"08:00:00", "08:30:00"}, "d2": {"08:20:00", "08:40:00"}, // without a block
	} {
		calls += trip + "," + at[0] + "," + at[0] + ",s1,1\n" + trip + "," + at[1] + "," + at[1] + ",s3,2\n"
	}
	trips := "route_id,service_id,trip_id,block_id\n"
	for _, row := range []string{
		"wd,a1,A", "wd,a2,A", "wd,a3,A", "wd,b1,B", "wd,b2,B", "wd,c1,C", "we,c2,C", "wd,d1,", "wd,d2,",
	} {
		trips += "r1," + row + "\n"
	}
	f := mustRead(t, with(map[string]string{
		"calendar.txt": small["calendar.txt"] + "we,0,0,0,0,0,1,1,20260101,20261231\n",
		"trips.txt":    trips, "stop_times.txt": calls,
	}))
	list := f.Findings().List
	if len(list) != 1 || list[0].Code != "block_trips_with_overlapping_stop_times" ||
		!strings.Contains(list[0].Message, "a1 and a2 of the block A") {
		t.Errorf("findings: %+v", list)
	}
}
