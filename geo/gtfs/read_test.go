package gtfs_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nhip/geo/gtfs"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

// small is a feed of one route with three stops. Tests replace files of it.
var small = map[string]string{
	"agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nA,Agency,http://a.example,Asia/Ho_Chi_Minh\n",
	"stops.txt": "stop_id,stop_name,stop_lat,stop_lon\n" +
		"s1,Một,21.00,105.80\ns2,Hai,21.01,105.80\ns3,Ba,21.04,105.80\n",
	"routes.txt": "route_id,agency_id,route_short_name,route_long_name,route_type\nr1,A,01,Một - Ba,3\n",
	"calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\nwd,1,1,1," +
		"1,1,0,0,20260101,20261231\n",
	"shapes.txt": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled\nsh,21.00,105.80,1,0\nsh," +
		"21.04,105.80,2,4448\n",
	"trips.txt": "route_id,service_id,trip_id,direction_id,shape_id\nr1,wd,t1,0,sh\nr1,wd,t2,0,sh\n",
	"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" +
		"t1,7:00:00,07:00:10,s1,1\nt1,07:05:00,07:05:20,s2,2\nt1,07:10:00,07:10:00,s3,3\n" +
		"t2,23:50:00,23:50:00,s1,1\nt2,24:05:00,24:05:00,s3,2\n",
}

// with returns the small feed with some files replaced. A file replaced by "" is left out.
func with(changes map[string]string) map[string]string {
	files := maps.Clone(small)
	for name, text := range changes {
		if files[name] = text; text == "" {
			delete(files, name)
		}
	}
	return files
}

func archive(t testing.TB, files map[string]string) *bytes.Reader {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(files[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b.Bytes())
}

func read(t testing.TB, files map[string]string) (*gtfs.Feed, error) {
	t.Helper()
	r := archive(t, files)
	return gtfs.Read(r, r.Size())
}

func mustRead(t testing.TB, files map[string]string) *gtfs.Feed {
	t.Helper()
	f, err := read(t, files)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestReadSmall(t *testing.T) {
	f := mustRead(t, small)
	trip := f.Trip("t1")
	if trip == nil || trip.Route != f.Route("r1") || trip.Shape != f.Shape("sh") {
		t.Fatalf("trip t1 has the wrong route or shape: %+v", trip)
	}
	want := []gtfs.StopTime{
		{Stop: f.Stop("s1"), Arrival: 25200, Departure: 25210, Sequence: 1, Dist: gtfs.NoDist},
		{Stop: f.Stop("s2"), Arrival: 25500, Departure: 25520, Sequence: 2, Dist: gtfs.NoDist},
		{Stop: f.Stop("s3"), Arrival: 25800, Departure: 25800, Sequence: 3, Dist: gtfs.NoDist},
	}
	if d := cmp.Diff(want, trip.StopTimes); d != "" {
		t.Errorf("stop times (-want +got):\n%s", d)
	}
	if got := f.Stop("s2"); got.Name != "Hai" || got.Point != (orb.Point{105.80, 21.01}) {
		t.Errorf("stop s2: %+v", got)
	}
	if d, ok := trip.Direction.Get(); !ok || d != 0 {
		t.Errorf("direction %v, %v", d, ok)
	}
	if f.Location().String() != "Asia/Ho_Chi_Minh" {
		t.Errorf("time zone %s", f.Location())
	}
	if f.Trip("nope") != nil {
		t.Error("trip found for an unknown id")
	}
}

// Deviations that occur in practice and are allowed must not change the result.
func TestReadTolerates(t *testing.T) {
	want := mustRead(t, small)
	for name, changes := range map[string]map[string]string{
		"byte order mark": {"stops.txt": "\ufeff" + small["stops.txt"]},
		"quoted after byte order mark": {
			"stops.txt": "\ufeff" + strings.Replace(small["stops.txt"], "stop_id", `"stop_id"`, 1),
		},
		"CRLF":              {"stops.txt": strings.ReplaceAll(small["stops.txt"], "\n", "\r\n")},
		"no newline at end": {"stops.txt": strings.TrimSuffix(small["stops.txt"], "\n")},
		"spaces":            {"stops.txt": strings.ReplaceAll(small["stops.txt"], ",", " , ")},
		"unknown file":      {"fares.xlsx": "\x00\x01"},
		"unknown column": {
			"trips.txt": "x,route_id,service_id,trip_id,direction_id,shape_id\n,r1,wd,t1,0,sh\n\xff,r1,wd,t2,0,sh\n",
		},
		"other column order": {
			"routes.txt": "route_type,route_long_name,route_short_name,route_id,agency_id\n3,Một - Ba,01,r1,A\n",
		},
		"no agency in route": {"routes.txt": "route_id,route_short_name,route_long_name,route_type\nr1,01,Một - Ba,3\n"},
		"shuffled shape": {
			"shapes.txt": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled\nsh,21.04,105.80,2," +
				"4448\nsh,21.00,105.80,1,0\n",
		},
		"shuffled stop times": {
			"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" +
				"t2,24:05:00,24:05:00,s3,2\nt1,07:10:00,07:10:00,s3,3\nt1,7:00:00,07:00:10,s1,1\n" +
				"t2,23:50:00,23:50:00,s1,1\nt1,07:05:00,07:05:20,s2,2\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(want, mustRead(t, with(changes)), sameFeed); d != "" {
				t.Errorf("(-small +changed):\n%s", d)
			}
		})
	}
}

// TestFlawsCostNoMore checks that each flaw is found at its place, and that a trip which it does not touch runs.
func TestFlawsCostNoMore(t *testing.T) {
	replace := func(file, old, new string) map[string]string {
		if !strings.Contains(small[file], old) {
			panic(file + " has no " + old)
		}
		return map[string]string{file: strings.Replace(small[file], old, new, 1)}
	}
	shape := "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled\n"
	for _, c := range []struct {
		name    string
		changes map[string]string
		want    string
		refused bool
	}{
		{"missing file", map[string]string{"stops.txt": ""}, "stops.txt: the file is required", true},
		{"no calendar", map[string]string{"calendar.txt": ""}, "calendar.txt: the file is required", true},
		{"empty file", map[string]string{"routes.txt": "\n"}, "routes.txt: is empty", true},
		{
			"missing column", replace("stops.txt", "stop_lat", "latitude"), "stops.txt:1: stop_lat: the column is required",
			true,
		},
		{"duplicate column", replace("stops.txt", "stop_name", "stop_id"), "stops.txt:1: stop_id: duplicate column", false},
		{"short row", replace("stops.txt", "s2,Hai,", "s2,"), "stops.txt:3: has 3 values for 4 columns", false},
		{"open quote", replace("stops.txt", "Hai", `"Hai`), "stops.txt:3: ", false},
		{"blank id", replace("stops.txt", "s2,Hai", ",Hai"), "stops.txt:3: stop_id: is required", false},
		{"blank name", replace("stops.txt", "s2,Hai", "s2,"), "stops.txt:3: stop_name: is required", false},
		{"control in id", replace("stops.txt", "s2,Hai", "s\x01,Hai"), "stops.txt:3: stop_id: must be printable", false},
		{"not UTF-8", replace("stops.txt", "Hai", "Ha\xff"), "stops.txt:3: must be UTF-8", false},
		{"duplicate stop", replace("stops.txt", "s2,Hai", "s1,Hai"), `stops.txt:3: stop_id: duplicate id "s1"`, false},
		{"latitude", replace("stops.txt", "21.01", "91"), "stops.txt:3: stop_lat: ", false},
		{"longitude", replace("stops.txt", "21.01,105.80", "21.01,181"), "stops.txt:3: stop_lon: ", false},
		{"null island", replace("stops.txt", "21.01,105.80", "0,0"), "stops.txt:3: stop_lat: ", false},
		{"NaN", replace("stops.txt", "21.01", "NaN"), `stops.txt:3: stop_lat: must be a number, got "NaN"`, false},
		{
			"time zone", replace("agency.txt", "Asia/Ho_Chi_Minh", "Asia/Nowhere"),
			"agency.txt:2: agency_timezone: must be an IANA", true,
		},
		{"local time zone", replace("agency.txt", "Asia/Ho_Chi_Minh", "Local"), "agency.txt:2: agency_timezone: ", true},
		{
			"no agency",
			map[string]string{"agency.txt": strings.SplitAfter(small["agency.txt"], "\n")[0]},
			"agency.txt: agency_timezone: ", true,
		},
		{
			"two time zones",
			map[string]string{"agency.txt": small["agency.txt"] + "B,B,http://b.example,Asia/Tokyo\n"},
			"agency.txt:3: agency_timezone: must be the same", false,
		},
		{"agency", replace("routes.txt", "r1,A", "r1,B"), `routes.txt:2: agency_id: refers to the unknown agency "B"`, false},
		{
			"route type", replace("routes.txt", ",3", ",bus"), "routes.txt:2: route_type: must be a whole number from 0 to 1799",
			false,
		},
		{
			"route without a name", replace("routes.txt", "01,Một - Ba", ","),
			"routes.txt:2: a route must have", false,
		},
		{
			"color",
			map[string]string{"routes.txt": "route_id,route_short_name,route_type,route_color\nr1,01,3,#12345\n"},
			"routes.txt:2: route_color: must be a color", false,
		},
		{
			"weekday", replace("calendar.txt", "wd,1", "wd,2"), "calendar.txt:2: monday: must be a whole number from 0 to 1",
			false,
		},
		{
			"date", replace("calendar.txt", "20261231", "20260230"),
			`calendar.txt:2: end_date: must be a day as YYYYMMDD, got "20260230"`, false,
		},
		{
			"calendar that ends before it starts", replace("calendar.txt", "20261231", "20251231"),
			"calendar.txt:2: end_date: must not be before", false,
		},
		{
			"exception",
			map[string]string{"calendar_dates.txt": "service_id,date,exception_type\nwd,20260101,3\n"},
			"calendar_dates.txt:2: exception_type: ", false,
		},
		{
			"duplicate exception",
			map[string]string{"calendar_dates.txt": "service_id,date,exception_type\nwd,20260101,1\nwd,20260101,2\n"},
			"calendar_dates.txt:3: date: ", false,
		},
		{
			"one point",
			map[string]string{"shapes.txt": shape + "sh,21,105,1,0\n"},
			"shapes.txt:2: shape_id: the shape sh has only one valid point", false,
		},
		{
			"duplicate point",
			map[string]string{"shapes.txt": shape + "sh,21,105,1,0\nsh,21,106,1,1\n"},
			"shapes.txt:3: shape_pt_sequence: ", false,
		},
		{
			"decreasing distance",
			map[string]string{"shapes.txt": shape + "sh,21,105,1,5\nsh,21,106,2,1\n"},
			"shapes.txt:3: shape_dist_traveled: ", false,
		},
		{
			"negative distance",
			map[string]string{"shapes.txt": shape + "sh,21,105,1,-1\nsh,21,106,2,1\n"},
			"shapes.txt:2: shape_dist_traveled: must not be negative", false,
		},
		{
			"route of trip", replace("trips.txt", "r1,wd,t2", "r9,wd,t2"),
			`trips.txt:3: route_id: refers to the unknown route "r9"`, false,
		},
		{
			"service of trip", replace("trips.txt", "r1,wd,t2", "r1,we,t2"),
			`trips.txt:3: service_id: refers to the unknown service "we"`, false,
		},
		{
			"shape of trip", replace("trips.txt", "t2,0,sh", "t2,0,zz"),
			`trips.txt:3: shape_id: refers to the unknown shape "zz"`, false,
		},
		{"direction", replace("trips.txt", "t2,0", "t2,2"), "trips.txt:3: direction_id: ", false},
		{"duplicate trip", replace("trips.txt", "t2", "t1"), `trips.txt:3: trip_id: duplicate id "t1"`, false},
		{
			"trip of stop time", replace("stop_times.txt", "\nt2", "\nt3"),
			`stop_times.txt:5: trip_id: refers to the trip "t3"`, false,
		},
		{
			"stop of stop time", replace("stop_times.txt", "s2", "s7"),
			`stop_times.txt:3: stop_id: refers to the stop "s7"`, false,
		},
		{
			"time", replace("stop_times.txt", "07:05:00", "7.05"),
			`stop_times.txt:3: arrival_time: must be a time as HH:MM:SS up to 240:00:00, got "7.05"`, false,
		},
		{"minute", replace("stop_times.txt", "07:05:00", "07:60:00"), "stop_times.txt:3: arrival_time: ", false},
		{
			"departs before arrival", replace("stop_times.txt", "07:05:20", "07:04:59"),
			"stop_times.txt:3: departure_time: must not be before arrival_time", false,
		},
		{
			"arrives before departure", replace("stop_times.txt", "07:05:00", "07:00:09"),
			"stop_times.txt:3: arrival_time: must not be before the departure", false,
		},
		{
			"duplicate sequence", replace("stop_times.txt", "s2,2", "s2,1"),
			"stop_times.txt:3: stop_sequence: duplicate sequence number in the trip", false,
		},
		{
			"no first time", replace("stop_times.txt", "7:00:00,07:00:10", ","), "stop_times.txt:2: arrival_time: is required",
			false,
		},
		{
			"no last time", replace("stop_times.txt", "24:05:00,24:05:00", ","), "stop_times.txt:6: arrival_time: is required",
			false,
		},
		{
			"frequency",
			map[string]string{"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nt1,06:00:00,07:00:00,0\n"},
			"frequencies.txt:2: headway_secs: ", false,
		},
		{
			"frequency of an unknown trip",
			map[string]string{"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nt9,06:00:00,07:00:00,60\n"},
			"frequencies.txt:2: trip_id: ", false,
		},
		{
			"frequency that ends before it starts",
			map[string]string{"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nt1,08:00:00,07:00:00,60\n"},
			"frequencies.txt:2: end_time: ", false,
		},
		{
			"parent",
			map[string]string{
				"stops.txt": "stop_id,stop_name,stop_lat,stop_lon,parent_station\ns1,a,21,105,x\ns3,b,21.1,105,\n",
			},
			"stops.txt:2: parent_station: the stop s1 refers to the unknown stop x", false,
		},
		{
			"stop time at a station",
			map[string]string{"stops.txt": "stop_id,stop_name,stop_lat,stop_lon,location_type\ns1,a,21,105,1\ns3,b,21.1,105,\n"},
			`stop_times.txt:2: stop_id: the stop "s1" is no platform`, false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := archive(t, with(c.changes))
			f, findings, err := gtfs.Options{}.Read(r, r.Size())
			place, _, _ := strings.Cut(c.want, ": must")
			found := slices.ContainsFunc(findings.List, func(f gtfs.Finding) bool {
				at := (&gtfs.Error{File: f.File, Line: f.Line, Field: f.Field, Rule: f.Message}).Error()
				return strings.HasPrefix(at, strings.TrimSuffix(place, ": ")) && f.Code != "" && f.Message != "" && f.Done != ""
			})
			if !found {
				t.Errorf("found %+v, want %q", findings.List, c.want)
			}
			switch {
			case c.refused && err == nil:
				t.Error("is not refused")
			case !c.refused && (err != nil || !slices.ContainsFunc(f.Trips, runs)):
				t.Errorf("is refused: %v", err)
			}
		})
	}
}

// runs reports whether a trip calls at two stops.
func runs(t *gtfs.Trip) bool { return len(t.StopTimes) >= 2 }

func TestReadInterpolatesMissingTimes(t *testing.T) {
	f := mustRead(t, with(map[string]string{
		"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" +
			"t1,07:00:00,07:00:00,s1,1\nt1,,,s2,2\nt1,07:08:00,07:08:00,s3,3\n",
	}))
	got := f.Trip("t1").StopTimes[1]
	if got.Arrival.String() != "07:02:00" || got.Departure != got.Arrival || !got.Estimated {
		t.Errorf("stop at a quarter of the way: %s–%s (estimated %v), want 07:02:00",
			got.Arrival, got.Departure, got.Estimated)
	}
}

func TestReadFileErrorHasPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "feed.zip")
	r := archive(t, with(map[string]string{"trips.txt": ""}))
	b := make([]byte, r.Size())
	_, _ = r.Read(b)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := gtfs.ReadFile(path); err == nil || !strings.HasPrefix(err.Error(), path+": trips.txt: ") {
		t.Errorf("got %v", err)
	}
	if _, err := gtfs.ReadFile(path + ".no"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: got %v", err)
	}
	if _, err := gtfs.Read(strings.NewReader("not a zip"), 9); !errors.Is(err, zip.ErrFormat) {
		t.Errorf("not an archive: got %v", err)
	}
}

// sharedFeed returns the path of a recorded feed.
func sharedFeed(t testing.TB, path string) string {
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: no recorded feeds")
	}
	return filepath.Join(dir, path)
}

// The sizes are those in the notes and row counts of the feeds themselves.
func TestReadRealFeeds(t *testing.T) {
	type size struct{ Routes, Stops, Trips, Calls, Shapes, Runs int }
	for _, c := range []struct {
		path string
		day  gtfs.Date
		want size
	}{
		{"gtfs-hanoi/hanoi-derived-gtfs.zip", 20260216, size{98, 2649, 8793, 286_098, 195, 8793}},
		{"gtfs-wmata-3routes/gtfs.zip", 20260216, size{3, 347, 4167, 232_187, 15, 462}},
		{"gtfs-raba-rt/raba.zip", 20990101, size{13, 375, 282, 7346, 28, 0}},
		{"gtfs-bullrunner-rt/bullrunner-gtfs.zip", 20990101, size{6, 125, 15, 473, 6, 0}},
	} {
		t.Run(filepath.Base(c.path), func(t *testing.T) {
			f, err := gtfs.ReadFile(sharedFeed(t, c.path))
			if err != nil {
				t.Fatal(err)
			}
			got := size{
				Routes: len(f.Routes), Stops: len(f.Stops), Trips: len(f.Trips), Shapes: len(f.Shapes),
				Runs: len(f.TripInstances(c.day)),
			}
			for _, trip := range f.Trips {
				got.Calls += len(trip.StopTimes)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func BenchmarkReadHanoi(b *testing.B) {
	path := sharedFeed(b, "gtfs-hanoi/hanoi-derived-gtfs.zip")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := gtfs.ReadFile(path); err != nil {
			b.Fatal(err)
		}
	}
}
