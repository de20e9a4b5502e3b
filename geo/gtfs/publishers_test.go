package gtfs_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"nhip/geo/gtfs"
)

// utf16Text returns a text as UTF-16, with a byte order mark if there is one in the text.
func utf16Text(order binary.AppendByteOrder, text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

// edited returns a change of one file of the small feed.
func edited(file string, oldNew ...string) map[string]string {
	return map[string]string{file: strings.NewReplacer(oldNew...).Replace(small[file])}
}

// everywhere returns a change of all files.
func everywhere(change func(string) string) map[string]string {
	files := make(map[string]string)
	for name, text := range small {
		files[name] = change(text)
	}
	return files
}

// joined returns the changes of several files.
func joined(all ...map[string]string) map[string]string {
	files := make(map[string]string)
	for _, changes := range all {
		for name, text := range changes {
			files[name] = text
		}
	}
	return files
}

// whole reports whether both trips run over all their stops.
func whole(f *gtfs.Feed) bool {
	return len(f.Trips) == 2 && f.Trip("t1") != nil && len(f.Trip("t1").StopTimes) == 3 && f.Trip("t2") != nil &&
		len(f.Trip("t2").StopTimes) == 2 && f.Stop("s1").Point.Lat() == 21 && f.Stop("s2").Name == "Hai"
}

// TestFaultsOfPublishersAreFoundAndCostLittle reads timetables as publishers get them wrong: each is used, the flaw is
// found, and what does not depend on it is there.
func TestFaultsOfPublishersAreFoundAndCostLittle(t *testing.T) {
	in := func(zone string) func(*gtfs.Feed) bool {
		return func(f *gtfs.Feed) bool {
			hanoi := mustRead(t, small).Location()
			if zone != "" {
				hanoi = mustRead(t, with(edited("agency.txt", "Asia/Ho_Chi_Minh", zone))).Location()
			}
			return whole(f) && gtfs.SameZone(f.Location(), hanoi)
		}
	}
	zone := func(name string) map[string]string { return edited("agency.txt", "Asia/Ho_Chi_Minh", name) }
	for name, c := range map[string]struct {
		files map[string]string
		code  string // of a finding
		right func(*gtfs.Feed) bool
	}{
		"UTF-16, little endian": {
			everywhere(func(s string) string { return utf16Text(binary.LittleEndian, "\ufeff"+s) }), "invalid_character", whole,
		},
		"UTF-16, big endian, CRLF": {
			everywhere(func(s string) string {
				return utf16Text(binary.BigEndian, "\ufeff"+strings.ReplaceAll(s, "\n", "\r\n"))
			}), "invalid_character", whole,
		},
		"UTF-16 without a mark": {
			everywhere(func(s string) string { return utf16Text(binary.LittleEndian, s) }), "invalid_character", whole,
		},
		"semicolons": {
			everywhere(func(s string) string { return strings.ReplaceAll(s, ",", ";") }), "csv_parsing_failed", whole,
		},
		"semicolons and decimal commas": {
			everywhere(func(s string) string {
				return strings.NewReplacer(",", ";", "21.0", "21,0", "105.8", "105,8").Replace(s)
			}),
			"invalid_float", whole,
		},
		"tabs with blank values": {
			everywhere(func(s string) string { return strings.ReplaceAll(s, ",", "\t") }), "csv_parsing_failed", whole,
		},
		"bars in one file": {
			edited("stops.txt", ",", "|"), "csv_parsing_failed", whole,
		},
		"decimal commas in quotes": {
			edited("stops.txt", "21.00,105.80", `"21,00","105,80"`), "invalid_float", whole,
		},
		"zone of the capital":    {zone("Asia/Hanoi"), "invalid_timezone", in("")},
		"zone in small letters":  {zone("asia/ho_chi_minh"), "invalid_timezone", in("")},
		"zone with blanks":       {zone("Asia/Ho Chi Minh"), "invalid_timezone", in("")},
		"zone as an offset":      {zone("UTC+7"), "invalid_timezone", in("Etc/GMT-7")},
		"zone as a full offset":  {zone("GMT+07:00"), "invalid_timezone", in("Etc/GMT-7")},
		"zone west of Greenwich": {zone("-0500"), "invalid_timezone", in("Etc/GMT+5")},
		"second agency's offset": {
			joined(
				map[string]string{"agency.txt": small["agency.txt"] + "B,Xe,http://b.example,UTC+7\n"},
				map[string]string{"routes.txt": "route_id,agency_id,route_short_name,route_type\nr1,B,01,3\n"},
			), "invalid_timezone", in(""),
		},
		"two byte order marks": {everywhere(func(s string) string { return "\ufeff\ufeff" + s }), "", whole},
		"whole numbers with decimal commas": {
			map[string]string{"stop_times.txt": strings.NewReplacer(",1\n", ";1,0\n", ",2\n", ";2,0\n", ",", ";").Replace(
				"trip_id,arrival_time,departure_time,stop_id,stop_sequence\nt1,07:00:00,07:00:10,s1,1\n" +
					"t1,07:05:00,07:05:20,s2,2\nt1,07:10:00,07:10:00,s3,3\nt2,23:50:00,23:50:00,s1,1\n" +
					"t2,24:05:00,24:05:00,s3,2\n")},
			"invalid_integer", whole,
		},
		"a whole number that may be a thousand": {
			map[string]string{"frequencies.txt": "trip_id;start_time;end_time;headway_secs\nt1;06:00:00;07:00:00;1,000\n"},
			"invalid_integer", func(f *gtfs.Feed) bool { return whole(f) && len(f.Trip("t1").Frequencies) == 0 },
		},
		"zone with a small word":      {zone("america/port_of_spain"), "invalid_timezone", in("America/Port_of_Spain")},
		"zone of an area in capitals": {zone("us/eastern"), "invalid_timezone", in("US/Eastern")},
		"zone in small capitals":      {zone("utc"), "invalid_timezone", in("UTC")},
		"zone of Etc":                 {zone("etc/gmt-7"), "invalid_timezone", in("Etc/GMT-7")},
		"the separator in a first line": {
			everywhere(func(s string) string { return "sep=;\r\n" + strings.ReplaceAll(s, ",", ";") }),
			"csv_parsing_failed", whole,
		},
		"the comma in a first line, UTF-16": {
			everywhere(func(s string) string { return utf16Text(binary.LittleEndian, "\ufeff\"sep=,\"\n"+s) }),
			"invalid_character", whole,
		},
		"days with slashes": {
			map[string]string{"calendar_dates.txt": "service_id,date,exception_type\nwd,2026/3/03,2\n"},
			"invalid_date", func(f *gtfs.Feed) bool { return whole(f) && !f.Trip("t1").Service.Active(20260303) },
		},
		"days with midnight": {
			map[string]string{"calendar_dates.txt": "service_id,date,exception_type\nwd,2026-03-03 00:00:00,2\n"},
			"invalid_date", func(f *gtfs.Feed) bool { return whole(f) && !f.Trip("t1").Service.Active(20260303) },
		},
		"days as decimal numbers": {
			map[string]string{"calendar_dates.txt": "service_id,date,exception_type\nwd,20260303.0,2\n"},
			"invalid_date", func(f *gtfs.Feed) bool { return whole(f) && !f.Trip("t1").Service.Active(20260303) },
		},
		"times of half days": {
			edited("stop_times.txt", "7:00:00,07:00:10", "7:00 am,7:00:10 AM", "23:50:00,23:50:00", "11:50:00 PM,11.50 p.m."),
			"invalid_time", func(f *gtfs.Feed) bool {
				return whole(f) && f.Trip("t1").StopTimes[0].Departure == 25210 &&
					f.Trip("t2").StopTimes[0].Departure == 85800
			},
		},
		"second agency's bad zone": {
			map[string]string{"agency.txt": small["agency.txt"] + "B,Xe,http://b.example,Hanoi\n"}, "invalid_timezone", in(""),
		},
		"stop_times out of order": {
			map[string]string{"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" +
				"t1,07:10:00,07:10:00,s3,3\nt2,24:05:00,24:05:00,s3,2\nt1,7:00:00,07:00:10,s1,1\n" +
				"t2,23:50:00,23:50:00,s1,1\nt1,07:05:00,07:05:20,s2,2\n"},
			"", whole,
		},
		"stop_sequence twice": {
			edited("stop_times.txt", "s3,3\n", "s3,3\nt1,07:12:00,07:12:00,s1,3\n"), "duplicate_key", func(f *gtfs.Feed) bool {
				return len(f.Trip("t1").StopTimes) >= 3 && len(f.Trip("t2").StopTimes) == 2
			},
		},
		"times with blanks, dots and a.m.": {
			edited("stop_times.txt", "07:05:00,07:05:20", "7.05 AM,7.05 AM"), "invalid_time", func(f *gtfs.Feed) bool {
				return len(f.Trip("t1").StopTimes) == 3 && f.Trip("t1").StopTimes[1].Arrival > 25200
			},
		},
		"a route without an agency of several": {
			joined(
				map[string]string{"agency.txt": small["agency.txt"] + "B,Xe,http://b.example,Asia/Ho_Chi_Minh\n"},
				map[string]string{"routes.txt": "route_id,route_short_name,route_type\nr1,01,3\n"},
			), "missing_required_field", whole,
		},
		"a route type of Google's extension": {
			edited("routes.txt", "Ba,3", "Ba,704"), "", whole,
		},
		"a route type in words": {
			edited("routes.txt", "Ba,3", "Ba,bus"), "", whole,
		},
		"exception without a type": {
			map[string]string{"calendar_dates.txt": "service_id,date,exception_type\nwd,20260302,\nwd,20260303,2\n"},
			"missing_required_field", func(f *gtfs.Feed) bool {
				s := f.Trip("t1").Service
				return whole(f) && s.Active(20260302) && !s.Active(20260303)
			},
		},
		"a day that does not exist": {
			map[string]string{"calendar_dates.txt": "service_id,date,exception_type\nwd,20260231,2\nwd,20260303,2\n"},
			"", func(f *gtfs.Feed) bool { return whole(f) && !f.Trip("t1").Service.Active(20260303) },
		},
		"weekdays in words": {
			edited("calendar.txt", "wd,1,1,1,1,1,0,0", "wd,yes,1,1,1,1,0,0"), "", func(f *gtfs.Feed) bool {
				return len(f.Trips) == 2 && f.Trip("t1").Service.Active(20260303)
			},
		},
		"frequencies of an unknown trip": {
			map[string]string{"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nnone,06:00:00,07:00:00,600\n"},
			"foreign_key_violation", whole,
		},
		"a headway in words": {
			map[string]string{"frequencies.txt": "trip_id,start_time,end_time,headway_secs\nt1,06:00:00,07:00:00,10 min\n"},
			"", whole,
		},
		"shape points without a sequence": {
			edited("shapes.txt", "105.80,2,", "105.80,,"), "", whole,
		},
		"a shape on 0,0": {
			edited("shapes.txt", "sh,21.04,105.80,2", "sh,0,0,2"), "", whole,
		},
		"a stop on 0,0": {
			edited("stops.txt", "21.04,105.80", "0,0"), "stop_without_location", func(f *gtfs.Feed) bool {
				return len(f.Trip("t1").StopTimes) == 2 && f.Stop("s2").Name == "Hai"
			},
		},
		"quotes of a word processor": {
			edited("stops.txt", "Ba,", "“Ba”,"), "", whole,
		},
		"a blank line and a comment at the end": {
			edited("trips.txt", "r1,wd,t2,0,sh\n", "r1,wd,t2,0,sh\n\n# end of file\n"), "", whole,
		},
		"NUL bytes after the last row": {
			map[string]string{"trips.txt": small["trips.txt"] + strings.Repeat("\x00", 50)}, "", whole,
		},
		"a column name in quotes, with a blank": {
			edited("trips.txt", "trip_id", `" trip_id "`), "", whole,
		},
		"ids with blanks around them": {
			edited("stop_times.txt", "t2,", " t2 ,"), "", whole,
		},
		"a parent that is its own parent": {
			map[string]string{"stops.txt": "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n" +
				"s1,Một,21.00,105.80,0,s1\ns2,Hai,21.01,105.80,0,\ns3,Ba,21.04,105.80,0,s2\n"}, "", whole,
		},
		"two headers": {
			edited("trips.txt", "r1,wd,t2", strings.SplitAfter(small["trips.txt"], "\n")[0]+"r1,wd,t2"),
			"foreign_key_violation", whole,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := read(t, with(c.files))
			if err != nil {
				t.Fatal(err)
			}
			found := f.Findings().List
			ofCode := func(f gtfs.Finding) bool { return (f.Code == c.code || c.code == "") && f.File != "" && f.Done != "" }
			if !c.right(f) || c.code != "" && !slices.ContainsFunc(found, ofCode) {
				t.Errorf("want the finding %q, got %+v", c.code, found)
			}
			t.Logf("%+v", found)
		})
	}
}

// TestTimetableInWhichNothingRunsIsRefused reads timetables whose files are all there, and whose trips have no calls.
func TestTimetableInWhichNothingRunsIsRefused(t *testing.T) {
	header, rows, _ := strings.Cut(small["stop_times.txt"], "\n")
	first, _, _ := strings.Cut(rows, "\n")
	for name, text := range map[string]string{"a header only": header + "\n", "one call": header + "\n" + first + "\n"} {
		if _, err := read(t, with(map[string]string{"stop_times.txt": text})); err == nil {
			t.Errorf("%s: is used", name)
		}
	}
}

// TestZoneOfTheConfiguration uses the configured zone if no agency has a usable one.
func TestZoneOfTheConfiguration(t *testing.T) {
	own := mustRead(t, small).Agencies[0]
	const hanoi = "Asia/Ho_Chi_Minh"
	for zone, want := range map[string]string{"Hanoi time": hanoi, "": hanoi, "Asia/Tokyo": "Asia/Tokyo"} {
		r := archive(t, with(edited("agency.txt", "Asia/Ho_Chi_Minh", zone)))
		f, findings, err := gtfs.Options{Agency: own}.Read(r, r.Size())
		if err != nil || f.Location().String() != want || f.Agencies[0].Name != "Agency" {
			t.Fatalf("%q: %v", zone, err)
		}
		if told := findings.Count(gtfs.SeverityWarning) > 0; told == (zone == want) {
			t.Errorf("%q: %+v", zone, findings.List)
		}
	}
	if _, err := read(t, with(edited("agency.txt", "Asia/Ho_Chi_Minh", "Hanoi time"))); err == nil {
		t.Error("a timetable without a zone is used")
	}
}

func TestFeedWithoutAgenciesHasLocation(t *testing.T) {
	if zone := new(gtfs.Feed).Location(); zone == nil {
		t.Error("no location")
	}
}
