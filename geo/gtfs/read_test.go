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

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"

	"nhip/geo/gtfs"
)

// small is a feed with one line of three stops; the tests change a file of it.
var small = map[string]string{
	"agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nA,Agency,http://a.example,Asia/Ho_Chi_Minh\n",
	"stops.txt": "stop_id,stop_name,stop_lat,stop_lon\n" +
		"s1,Một,21.00,105.80\ns2,Hai,21.01,105.80\ns3,Ba,21.04,105.80\n",
	"routes.txt":   "route_id,agency_id,route_short_name,route_long_name,route_type\nr1,A,01,Một - Ba,3\n",
	"calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\nwd,1,1,1,1,1,0,0,20260101,20261231\n",
	"shapes.txt":   "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled\nsh,21.00,105.80,1,0\nsh,21.04,105.80,2,4448\n",
	"trips.txt":    "route_id,service_id,trip_id,direction_id,shape_id\nr1,wd,t1,0,sh\nr1,wd,t2,0,sh\n",
	"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" +
		"t1,7:00:00,07:00:10,s1,1\nt1,07:05:00,07:05:20,s2,2\nt1,07:10:00,07:10:00,s3,3\n" +
		"t2,23:50:00,23:50:00,s1,1\nt2,24:05:00,24:05:00,s3,2\n",
}

// with returns the small feed with some files replaced; an empty one is left out.
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
		t.Fatalf("trip t1 is %+v, not on its route and shape", trip)
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
		t.Errorf("stop s2 is %+v", got)
	}
	if d, ok := trip.Direction.Get(); !ok || d != 0 {
		t.Errorf("direction is %v, %v", d, ok)
	}
	if f.Location().String() != "Asia/Ho_Chi_Minh" {
		t.Errorf("zone is %s", f.Location())
	}
	if f.Trip("nope") != nil {
		t.Error("an unknown id finds a trip")
	}
}

// What feeds in the wild do without being wrong must not change what is read.
func TestReadTolerates(t *testing.T) {
	want := mustRead(t, small)
	for name, changes := range map[string]map[string]string{
		"byte order mark": {"stops.txt": "\ufeff" + small["stops.txt"]},
		"quoted after byte order mark": {
			"stops.txt": "\ufeff" + strings.Replace(small["stops.txt"], "stop_id", `"stop_id"`, 1),
		},
		"CRLF":               {"stops.txt": strings.ReplaceAll(small["stops.txt"], "\n", "\r\n")},
		"no newline at end":  {"stops.txt": strings.TrimSuffix(small["stops.txt"], "\n")},
		"spaces":             {"stops.txt": strings.ReplaceAll(small["stops.txt"], ",", " , ")},
		"unknown file":       {"fares.xlsx": "\x00\x01"},
		"unknown column":     {"trips.txt": "x,route_id,service_id,trip_id,direction_id,shape_id\n,r1,wd,t1,0,sh\n\xff,r1,wd,t2,0,sh\n"},
		"other column order": {"routes.txt": "route_type,route_long_name,route_short_name,route_id,agency_id\n3,Một - Ba,01,r1,A\n"},
		"no agency in route": {"routes.txt": "route_id,route_short_name,route_long_name,route_type\nr1,01,Một - Ba,3\n"},
		"shuffled shape": {
			"shapes.txt": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled\nsh,21.04,105.80,2,4448\nsh,21.00,105.80,1,0\n",
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

func TestReadRefuses(t *testing.T) {
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
	}{
		{"file", map[string]string{"stops.txt": ""}, "stops.txt: the file is required"},
		{"no calendar", map[string]string{"calendar.txt": ""}, "calendar.txt: the file is required"},
		{"empty file", map[string]string{"routes.txt": "\n"}, "routes.txt: is empty"},
		{"column", replace("stops.txt", "stop_lat", "latitude"), "stops.txt:1: stop_lat: the column is required"},
		{"column twice", replace("stops.txt", "stop_name", "stop_id"), "stops.txt:1: stop_id: the column is there twice"},
		{"short row", replace("stops.txt", "s2,Hai,", "s2,"), "stops.txt:3: wrong number of fields"},
		{"open quote", replace("stops.txt", "Hai", `"Hai`), "stops.txt:3: "},
		{"blank id", replace("stops.txt", "s2,Hai", ",Hai"), "stops.txt:3: stop_id: is required"},
		{"blank name", replace("stops.txt", "s2,Hai", "s2,"), "stops.txt:3: stop_name: is required"},
		{"control in id", replace("stops.txt", "s2,Hai", "s\x01,Hai"), "stops.txt:3: stop_id: must be printable"},
		{"not UTF-8", replace("stops.txt", "Hai", "Ha\xff"), "stops.txt:3: stop_name: must be UTF-8"},
		{"stop twice", replace("stops.txt", "s2,Hai", "s1,Hai"), `stops.txt:3: stop_id: "s1" is there twice`},
		{"latitude", replace("stops.txt", "21.01", "91"), "stops.txt:3: stop_lat: "},
		{"longitude", replace("stops.txt", "21.01,105.80", "21.01,181"), "stops.txt:3: stop_lon: "},
		{"null island", replace("stops.txt", "21.01,105.80", "0,0"), "stops.txt:3: stop_lat: "},
		{"NaN", replace("stops.txt", "21.01", "NaN"), `stops.txt:3: stop_lat: must be a number, got "NaN"`},
		{"zone", replace("agency.txt", "Asia/Ho_Chi_Minh", "Asia/Hanoi"), "agency.txt:2: agency_timezone: must be an IANA"},
		{"zone of the machine", replace("agency.txt", "Asia/Ho_Chi_Minh", "Local"), "agency.txt:2: agency_timezone: "},
		{"no agency", map[string]string{"agency.txt": strings.SplitAfter(small["agency.txt"], "\n")[0]}, "agency.txt: must have an agency"},
		{"two zones", map[string]string{"agency.txt": small["agency.txt"] + "B,B,http://b.example,Asia/Bangkok\n"}, "agency.txt:3: agency_timezone: must be the same"},
		{"agency", replace("routes.txt", "r1,A", "r1,B"), `routes.txt:2: agency_id: names the unknown agency "B"`},
		{"route type", replace("routes.txt", ",3", ",bus"), "routes.txt:2: route_type: must be a whole number from 0 to 1799"},
		{"nameless route", replace("routes.txt", "01,Một - Ba", ","), "routes.txt:2: route_short_name: a route must have"},
		{"colour", map[string]string{"routes.txt": "route_id,route_short_name,route_type,route_color\nr1,01,3,#12345\n"}, "routes.txt:2: route_color: must be a colour"},
		{"weekday", replace("calendar.txt", "wd,1", "wd,2"), "calendar.txt:2: monday: must be a whole number from 0 to 1"},
		{"date", replace("calendar.txt", "20261231", "20260230"), `calendar.txt:2: end_date: must be a day as YYYYMMDD, got "20260230"`},
		{"backward calendar", replace("calendar.txt", "20261231", "20251231"), "calendar.txt:2: end_date: must not be before"},
		{"exception", map[string]string{"calendar_dates.txt": "service_id,date,exception_type\nwd,20260101,3\n"}, "calendar_dates.txt:2: exception_type: "},
		{"exception twice", map[string]string{"calendar_dates.txt": "service_id,date,exception_type\nwd,20260101,1\nwd,20260101,2\n"}, "calendar_dates.txt:3: date: "},
		{"one point", map[string]string{"shapes.txt": shape + "sh,21,105,1,0\n"}, "shapes.txt:2: shape_id: shape sh: must have at least two points"},
		{"point twice", map[string]string{"shapes.txt": shape + "sh,21,105,1,0\nsh,21,106,1,1\n"}, "shapes.txt:3: shape_pt_sequence: "},
		{"distance falls", map[string]string{"shapes.txt": shape + "sh,21,105,1,5\nsh,21,106,2,1\n"}, "shapes.txt:3: shape_dist_traveled: "},
		{"negative distance", map[string]string{"shapes.txt": shape + "sh,21,105,1,-1\nsh,21,106,2,1\n"}, "shapes.txt:2: shape_dist_traveled: must not be negative"},
		{"route of trip", replace("trips.txt", "r1,wd,t2", "r9,wd,t2"), `trips.txt:3: route_id: names the unknown route "r9"`},
		{"service of trip", replace("trips.txt", "r1,wd,t2", "r1,we,t2"), `trips.txt:3: service_id: names the unknown service "we"`},
		{"shape of trip", replace("trips.txt", "t2,0,sh", "t2,0,zz"), `trips.txt:3: shape_id: names the unknown shape "zz"`},
		{"direction", replace("trips.txt", "t2,0", "t2,2"), "trips.txt:3: direction_id: "},
		{"trip twice", replace("trips.txt", "t2", "t1"), `trips.txt:3: trip_id: "t1" is there twice`},
		{"trip of call", replace("stop_times.txt", "\nt2", "\nt3"), `stop_times.txt:5: trip_id: names the unknown trip "t3"`},
		{"stop of call", replace("stop_times.txt", "s2", "s7"), `stop_times.txt:3: stop_id: names the unknown stop "s7"`},
		{"time", replace("stop_times.txt", "07:05:00", "7.05"), `stop_times.txt:3: arrival_time: must be a time as HH:MM:SS up to 240:00:00, got "7.05"`},
		{"minute", replace("stop_times.txt", "07:05:00", "07:60:00"), "stop_times.txt:3: arrival_time: "},
		{"departs before arrival", replace("stop_times.txt", "07:05:20", "07:04:59"), "stop_times.txt:3: departure_time: must not be before arrival_time"},
		{"arrives before departure", replace("stop_times.txt", "07:05:00", "07:00:09"), "stop_times.txt:3: arrival_time: must not be before the departure"},
		{"sequence twice", replace("stop_times.txt", "s2,2", "s2,1"), "stop_times.txt:3: stop_sequence: is there twice in its trip"},
		{"no first time", replace("stop_times.txt", "7:00:00,07:00:10", ","), "stop_times.txt:2: arrival_time: is required"},
		{"no last time", replace("stop_times.txt", "24:05:00,24:05:00", ","), "stop_times.txt:6: arrival_time: is required"},
		{"frequency", map[string]string{"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nt1,06:00:00,07:00:00,0\n"}, "frequencies.txt:2: headway_secs: "},
		{"frequency of no trip", map[string]string{"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nt9,06:00:00,07:00:00,60\n"}, "frequencies.txt:2: trip_id: "},
		{"backward frequency", map[string]string{"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nt1,08:00:00,07:00:00,60\n"}, "frequencies.txt:2: end_time: "},
		{"parent", map[string]string{"stops.txt": "stop_id,stop_name,stop_lat,stop_lon,parent_station\ns1,a,21,105,x\n"}, "stops.txt: parent_station: stop s1 names the unknown stop x"},
		{"call at a station", map[string]string{"stops.txt": "stop_id,stop_name,stop_lat,stop_lon,location_type\ns1,a,21,105,1\n"}, `stop_times.txt:2: stop_id: stop "s1" is no platform`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(t, with(c.changes))
			var e *gtfs.Error
			if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestReadInterpolatesLeftOutTimes(t *testing.T) {
	f := mustRead(t, with(map[string]string{
		"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" +
			"t1,07:00:00,07:00:00,s1,1\nt1,,,s2,2\nt1,07:08:00,07:08:00,s3,3\n",
	}))
	got := f.Trip("t1").StopTimes[1]
	if got.Arrival.String() != "07:02:00" || got.Departure != got.Arrival || !got.Estimated {
		t.Errorf("the stop at a quarter of the way is called at %s–%s (estimated %v), want 07:02:00",
			got.Arrival, got.Departure, got.Estimated)
	}
}

func TestReadFileNamesThePath(t *testing.T) {
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
		t.Errorf("a path to nothing: got %v", err)
	}
	if _, err := gtfs.Read(strings.NewReader("not a zip"), 9); !errors.Is(err, zip.ErrFormat) {
		t.Errorf("no archive: got %v", err)
	}
}

// sharedFeed opens a feed of the folder that is not part of the product.
func sharedFeed(t testing.TB, path string) string {
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: the recorded feeds are not here")
	}
	return filepath.Join(dir, path)
}

// The sizes are those that the feeds' own notes and row counts give.
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
			got := size{Routes: len(f.Routes), Stops: len(f.Stops), Trips: len(f.Trips), Shapes: len(f.Shapes), Runs: len(f.Runs(c.day))}
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
