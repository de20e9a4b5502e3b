package gtfs_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nhip/geo/gtfs"

	"pgregory.net/rapid"
)

// town returns the files of a feed of several routes, services and trips, which all have shapes of their own.
func town() map[string]string {
	files := maps.Clone(small)
	stops, routes, shapes := "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n",
		"route_id,agency_id,route_short_name,route_type,route_color\n",
		"shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled\n"
	trips, times := "route_id,service_id,trip_id,trip_headsign,direction_id,block_id,shape_id\n",
		"trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type\n"
	calendar := "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
	for i := range 4 {
		routes += fmt.Sprintf("r%d,A,%d,3,00FF00\n", i, 10+i)
		calendar += fmt.Sprintf("c%d,1,1,1,1,1,1,1,20260101,20261231\n", i)
		trips += fmt.Sprintf("r%d,c%d,t%d,\"Bến, %d\",0,b%d,h%d\n", i, i, i, i, i, i)
		for k := range 4 {
			stops += fmt.Sprintf("s%d-%d,\"Trạm %d, %d\",21.0%d,105.8%d,0,\n", i, k, i, k, i, k)
			shapes += fmt.Sprintf("h%d,21.0%d,105.8%d,%d,%d\n", i, i, k, k, k*1000)
			times += fmt.Sprintf("t%d,0%d:%d0:00,0%d:%d0:30,s%d-%d,%d,0\n", i, 6+i, k, 6+i, k, i, k, k)
		}
	}
	maps.Copy(files, map[string]string{
		"stops.txt": stops, "routes.txt": routes, "shapes.txt": shapes, "trips.txt": trips, "stop_times.txt": times,
		"calendar.txt":       calendar,
		"calendar_dates.txt": "service_id,date,exception_type\nc0,20260201,2\nc1,20260201,2\n",
		"frequencies.txt":    "trip_id,start_time,end_time,headway_secs\nt3,06:00:00,07:00:00,600\n",
		"feed_info.txt":      "feed_publisher_name,feed_publisher_url,feed_lang\nA,http://a.example,vi\n",
		"translations.txt":   "table_name,field_name,language,translation,record_id\nstops,stop_name,en,Stop,s0-0\n",
	})
	return files
}

// damages are ways in which a row is damaged.
var damages = []func(t *rapid.T, row string) string{
	func(*rapid.T, string) string { return "" },
	func(_ *rapid.T, row string) string { return row + "\n" + row },
	func(_ *rapid.T, row string) string { return row + ",,," },
	func(_ *rapid.T, row string) string { return strings.Repeat(",", strings.Count(row, ",")) },
	func(t *rapid.T, row string) string { return row[:rapid.IntRange(0, len(row)).Draw(t, "length")] },
	func(t *rapid.T, row string) string { // a value that is something else
		values := strings.Split(row, ",")
		i := rapid.IntRange(0, len(values)-1).Draw(t, "value")
		values[i] = rapid.SampledFrom([]string{
			"", "x", "-1", "99", "1e9", "NaN", "0", `"`, `a"b`, `"x" `, "\xe9t\xe9", "#ffffff", "2026-01-01", "25:61:00",
			"7:5", "\x00", "1.0", strings.Repeat("z", 400), "999999999999999999999", "h9", "s9-9", "\ufeff",
		}).Draw(t, "instead")
		return strings.Join(values, ",")
	},
	func(t *rapid.T, row string) string { // bytes that come from anywhere
		b := []byte(row)
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		return string(b)
	},
}

// TestDamageOfOneRowCostsThatRow damages a row of a good feed. The feed is used, and all trips that do not depend on
// the row are as before. A row of route, service, shape, stops and times n belongs to trip n only.
func TestDamageOfOneRowCostsThatRow(t *testing.T) {
	good := town()
	want := mustRead(t, good)
	if n := len(want.Findings().List); n != 0 {
		t.Fatalf("%d findings of the good feed: %+v", n, want.Findings().List)
	}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(good)), func(s string) bool { return s == "agency.txt" })
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom(names).Draw(r, "file")
		lines := strings.SplitAfter(strings.TrimSuffix(good[name], "\n"), "\n")
		i := rapid.IntRange(1, len(lines)-1).Draw(r, "row")
		row := strings.TrimSuffix(lines[i], "\n")
		lines[i] = rapid.SampledFrom(damages).Draw(r, "damage")(r, row) + "\n"
		files := maps.Clone(good)
		files[name] = strings.Join(lines, "")
		got, err := read(t, files)
		if err != nil {
			r.Fatalf("%s: %q: %v", name, lines[i], err)
		}
		hit := ""
		for k := range 4 {
			if strings.Contains(row, fmt.Sprintf("%d", k)) && belongsTo(name, row, k) {
				hit = fmt.Sprintf("t%d", k)
			}
		}
		for _, trip := range want.Trips {
			if trip.ID == hit {
				continue
			}
			now := got.Trip(trip.ID)
			if now == nil || !slices.EqualFunc(now.StopTimes, trip.StopTimes, sameCall) || (now.Shape == nil) ||
				now.Route.ID != trip.Route.ID || !now.Service.Active(20260302) {
				r.Fatalf("%s: %q costs the trip %s: %+v", name, lines[i], trip.ID, got.Findings().List)
			}
		}
	})
}

// belongsTo reports whether a row of a file belongs to the route, service, shape, stops or trip of a number.
func belongsTo(name, row string, k int) bool {
	id := map[string]string{
		"stops.txt": "s%d-", "routes.txt": "r%d,", "shapes.txt": "h%d,", "stop_times.txt": "t%d,", "trips.txt": "r%d,",
		"calendar.txt": "c%d,", "calendar_dates.txt": "c%d,", "frequencies.txt": "t%d,",
	}[name]
	return id != "" && strings.HasPrefix(row, fmt.Sprintf(id, k))
}

func sameCall(a, b gtfs.StopTime) bool {
	return a.Stop.ID == b.Stop.ID && a.Arrival == b.Arrival && a.Departure == b.Departure && a.Sequence == b.Sequence
}

func TestReadsWhatPublishersWrite(t *testing.T) {
	replace := func(file, old, new string) map[string]string {
		return map[string]string{file: strings.Replace(small[file], old, new, 1)}
	}
	for name, c := range map[string]struct {
		files map[string]string
		right func(f *gtfs.Feed) bool
	}{
		"a blank after a quote": {
			replace("stops.txt", "Hai,", `"Hai, phố" ,`), func(f *gtfs.Feed) bool { return f.Stop("s2").Name == "Hai, phố" },
		},
		"a line break in quotes": {
			replace("stops.txt", "Hai,", "\"Hai\nphố\","), func(f *gtfs.Feed) bool { return f.Stop("s2").Name == "Hai\nphố" },
		},
		"a quote that is not closed": {
			replace("stops.txt", "Hai,", `"Hai,`), func(f *gtfs.Feed) bool {
				return f.Stop("s2").Name == "Hai" && f.Stop("s3") != nil
			},
		},
		"Latin-1": {
			replace("stops.txt", "Hai", "Gare de l'\xe9t\xe9"),
			func(f *gtfs.Feed) bool { return f.Stop("s2").Name == "Gare de l'été" },
		},
		"a time that falls is interpolated": {
			replace("stop_times.txt", "07:05:00,07:05:20", "06:05:00,06:05:20"),
			func(f *gtfs.Feed) bool { at := f.Trip("t1").StopTimes[1]; return at.Estimated && at.Arrival > 25210 },
		},
		"translations of before 2019": {
			map[string]string{"translations.txt": "trans_id,lang,translation\nHai,en,Two\n"},
			func(f *gtfs.Feed) bool { return f.StopName(f.Stop("s2"), "en") == "Two" },
		},
		"an id that is too long": {
			map[string]string{
				"trips.txt":      strings.ReplaceAll(small["trips.txt"], "t2", strings.Repeat("t", 300)),
				"stop_times.txt": strings.ReplaceAll(small["stop_times.txt"], "t2,", strings.Repeat("t", 300)+","),
			},
			func(f *gtfs.Feed) bool {
				trips := f.TripsNamed(strings.Repeat("t", 300))
				return len(trips) == 1 && runs(trips[0])
			},
		},
		"lines of the Macintosh": {
			map[string]string{"stops.txt": strings.ReplaceAll(small["stops.txt"], "\n", "\r")},
			func(f *gtfs.Feed) bool { return len(f.Stops) == 3 },
		},
		"dates with dashes": {
			replace("calendar.txt", "20260101,20261231", "2026-01-01,2026-12-31"),
			func(f *gtfs.Feed) bool { return f.Expires() == 20261231 },
		},
		"a call in an area": {
			map[string]string{
				"stop_times.txt": strings.Replace(small["stop_times.txt"], "stop_sequence\n", "stop_sequence,location_id\n", 1) +
					"t2,,,,3,area\n",
			},
			func(f *gtfs.Feed) bool { return len(f.Trip("t2").StopTimes) == 2 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			if f := mustRead(t, with(c.files)); !c.right(f) {
				t.Errorf("is not read right: %+v", f.Findings().List)
			}
		})
	}
}

// TestReadsFilesInAFolder checks archives that are packed with their folder, and names in capitals.
func TestReadsFilesInAFolder(t *testing.T) {
	files := map[string]string{"__MACOSX/feed/._stops.txt": "x"}
	for name, text := range small {
		files["feed/"+strings.ToUpper(name)] = text
	}
	if f := mustRead(t, files); len(f.Trips) != 2 || f.Findings().Count(gtfs.SeverityWarning) != 1 {
		t.Errorf("%d trips, %+v", len(f.Trips), f.Findings().List)
	}
}

func TestAgencyOfTheConfiguration(t *testing.T) {
	own := mustRead(t, small).Agencies[0]
	header, _, _ := strings.Cut(small["agency.txt"], "\n")
	for _, file := range []string{"", "\n", header, header + "\n", "nonsense\nx\n"} {
		files := with(map[string]string{"agency.txt": file})
		r := archive(t, files)
		f, findings, err := gtfs.Options{Agency: own}.Read(r, r.Size())
		if err != nil || f.Route("r1").Agency.Name != own.Name || findings.Count(gtfs.SeverityWarning) == 0 {
			t.Errorf("%q: %v", file, err)
		}
		if _, err := read(t, files); err == nil {
			t.Errorf("%q is read without an agency of the configuration", file)
		}
	}
}

// TestReadsSharedFeeds reads timetables with one fault each, and real ones that had been refused.
func TestReadsSharedFeeds(t *testing.T) {
	open := []string{
		"gtfs-61-two-zones.zip", "gtfs-60-no-agency-txt.zip", "gtfs-66-id-with-control.zip",
	}
	for _, dir := range []string{"gtfs-quirks", "gtfs-real"} {
		paths, _ := filepath.Glob(filepath.Join(sharedFeed(t, dir), "*.zip"))
		for _, path := range paths {
			f, findings, err := gtfs.Options{}.ReadFile(path)
			told := slices.ContainsFunc(findings.List, func(f gtfs.Finding) bool { return f.File != "" })
			if slices.Contains(open, filepath.Base(path)) {
				continue
			}
			if err != nil || len(f.Trips) == 0 || !told && filepath.Base(path) != "gtfs-45-translations-feed-info.zip" {
				t.Errorf("%s: %v, %d findings", filepath.Base(path), err, len(findings.List))
			}
		}
	}
	if _, err := os.Stat(sharedFeed(t, "gtfs-quirks")); err != nil {
		t.Skip(err)
	}
}

func TestMergeKeepsIdsAndTranslationsApart(t *testing.T) {
	en := func(name string) map[string]string {
		return with(map[string]string{
			"translations.txt": "table_name,field_name,language,translation,record_id,field_value\nstops,stop_name,en," + name +
				" two,s2,\nstops,stop_name,en," + name + " one,,Một\n",
			"agency.txt": strings.Replace(small["agency.txt"], "Asia/Ho_Chi_Minh", map[string]string{
				"Bus": "Asia/Ho_Chi_Minh", "Metro": "Asia/Saigon",
			}[name], 1),
		})
	}
	f, err := gtfs.Merge(mustRead(t, en("Bus")), mustRead(t, en("Metro")))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"s1": "Bus one", "s2": "Bus two", "2:s1": "Metro one", "2:s2": "Metro two"} {
		if got := f.StopName(f.Stop(id), "en"); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	if trips := f.TripsNamed("t1"); len(trips) != 2 || trips[0].ID != "t1" || trips[1].ID != "2:t1" {
		t.Errorf("t1 of both feeds: %v", trips)
	}
}
