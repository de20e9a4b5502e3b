package gtfs_test

import (
	"strings"
	"testing"

	"nhip/geo/gtfs"
)

func TestBoardingAndTimepoints(t *testing.T) {
	f := mustRead(t, with(map[string]string{
		"routes.txt": "route_id,agency_id,route_short_name,route_type,continuous_pickup,continuous_drop_off\nr1,A,01,3,0,2\n",
		"trips.txt":  "route_id,service_id,trip_id,direction_id,shape_id\nr1,wd,t1,0,sh\n",
		"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type,timepoint," +
			"continuous_pickup,continuous_drop_off\n" +
			"t1,7:00:00,07:00:10,s1,1,0,1,1,0,\nt1,07:05:00,07:05:20,s2,2,2,3,0,1,3\n" +
			"t1,07:07:00,07:07:00,s1,3,,,,,\nt1,07:10:00,07:10:00,s3,4,1,9,7,,\n",
	}))
	calls := f.Trip("t1").StopTimes
	for i, want := range []gtfs.StopTime{
		{Pickup: gtfs.BoardingRegular, DropOff: gtfs.BoardingNone, Timepoint: gtfs.TimepointExact},
		{Pickup: gtfs.BoardingPhone, DropOff: gtfs.BoardingDriver, Timepoint: gtfs.TimepointApproximate},
		{},
		{Pickup: gtfs.BoardingNone}, // values that don't exist are as if they were not given
	} {
		if got := calls[i]; got.Pickup != want.Pickup || got.DropOff != want.DropOff || got.Timepoint != want.Timepoint {
			t.Errorf("call %d: %+v, want %+v", i, got, want)
		}
	}
	var fields []string
	for _, x := range f.Findings().List {
		fields = append(fields, x.Field)
	}
	if got := strings.Join(fields, " "); got != "drop_off_type timepoint" {
		t.Errorf("findings about %q", got)
	}
}
