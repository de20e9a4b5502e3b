package gtfs_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/gtfs"
)

// A feed written to an archive is read back, and its timetable answers which trips run on a day.
func ExampleRead() {
	var archive bytes.Buffer
	if err := geotest.Line(3, time.Hour).Write(&archive); err != nil {
		fmt.Println(err)
		return
	}
	feed, err := gtfs.Read(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	first, last := feed.Period()
	fmt.Println(len(feed.Stops), "stops,", len(feed.Trips), "trips, from", first, "to", last)
	for _, inst := range feed.TripInstances(gtfs.Date(20260302))[:3] {
		fmt.Println(inst.Trip.ID, "to", inst.Trip.Headsign, inst.Start, "to", inst.End())
	}
	// Output:
	// 3 stops, 32 trips, from 20260101 to 20261231
	// T0-0 to Long Biên 06:00:00 to 06:03:00
	// T0-1 to Cầu Giấy 06:08:00 to 06:11:00
	// T1-0 to Long Biên 07:00:00 to 07:03:00
}

// Every fault of a file is reported with its line and field.
func ExampleError() {
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	file, _ := z.Create("agency.txt")
	fmt.Fprint(file, "agency_name,agency_url,agency_timezone\nHanoi Bus,http://bus.example,Asia/Nowhere\n")
	_ = z.Close()
	_, err := gtfs.Read(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	fmt.Println(err)
	// Output: agency.txt:2: agency_timezone: must be an IANA time zone, got "Asia/Nowhere"
}

// Feeds of several operators become one; an id that is already in use gets the number of its feed.
func ExampleMerge() {
	feed, err := gtfs.Merge(geotest.Line(2, time.Hour), geotest.Line(2, time.Hour))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range feed.Stops {
		fmt.Println(s.ID, s.Name)
	}
	// Output:
	// S0 Stop 0
	// S1 Stop 1
	// 2:S0 Stop 0
	// 2:S1 Stop 1
}

// A service day may end after midnight.
func ExampleDate_At() {
	t, _ := gtfs.ParseTime("24:05:00")
	hanoi := time.FixedZone("Asia/Ho_Chi_Minh", 7*3600)
	fmt.Println(gtfs.Date(20260216).At(t, hanoi))
	// Output: 2026-02-17 00:05:00 +0700 Asia/Ho_Chi_Minh
}
