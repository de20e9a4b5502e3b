// Package geotest makes small timetables for tests.
package geotest

import (
	"fmt"
	"time"

	"nhip"
	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
)

// Day is the service day of the made timetables, which run on every day of the year.
const Day = gtfs.Date(20260302)

// Zone is where they are.
var Zone = time.FixedZone("Asia/Ho_Chi_Minh", 7*3600)

// Line makes a feed of one route with two directions along a parallel of latitude: stops 500 m apart, a
// minute and a half from one to the next, a departure each headway from 06:00 until 22:00. Blocks go out
// and come back.
func Line(stops int, headway time.Duration) *gtfs.Feed {
	a := &gtfs.Agency{ID: "HN", Name: "Test", URL: "http://example.org", Location: Zone}
	s := &gtfs.Service{ID: "all", Start: 20260101, End: 20261231, Weekdays: [7]bool{true, true, true, true, true, true, true}}
	r := &gtfs.Route{ID: "R1", Agency: a, ShortName: "01", LongName: "Cầu Giấy - Long Biên", Type: 3}
	f := &gtfs.Feed{Agencies: []*gtfs.Agency{a}, Services: []*gtfs.Service{s}, Routes: []*gtfs.Route{r}}
	for i := range stops {
		f.Stops = append(f.Stops, &gtfs.Stop{ID: fmt.Sprintf("S%d", i), Name: fmt.Sprintf("Stop %d", i), Point: At(float64(i) * StopGap)})
	}
	for way := range 2 {
		shape := &gtfs.Shape{ID: fmt.Sprintf("W%d", way)}
		for i := range stops {
			k := i
			if way == 1 {
				k = stops - 1 - i
			}
			shape.Line = append(shape.Line, f.Stops[k].Point)
		}
		f.Shapes = append(f.Shapes, shape)
	}
	span := gtfs.Time(stops-1) * LinkTime
	for n, start := 0, gtfs.Time(6*3600); start < 22*3600; n, start = n+1, start+gtfs.Time(headway.Seconds()) {
		for way := range 2 {
			begin := start + gtfs.Time(way)*(span+300)
			t := &gtfs.Trip{
				ID: fmt.Sprintf("T%d-%d", n, way), Route: r, Service: s, Shape: f.Shapes[way], Direction: nhip.Some(way),
				Block: fmt.Sprintf("B%d", n), Headsign: []string{"Long Biên", "Cầu Giấy"}[way],
			}
			for i := range stops {
				k := i
				if way == 1 {
					k = stops - 1 - i
				}
				at := begin + gtfs.Time(i)*LinkTime
				t.StopTimes = append(t.StopTimes, gtfs.StopTime{Stop: f.Stops[k], Arrival: at, Departure: at, Sequence: int32(i), Dist: gtfs.NoDist})
			}
			f.Trips = append(f.Trips, t)
		}
	}
	return f
}

// The measures of Line.
const (
	StopGap  = 500.0          // m
	LinkTime = gtfs.Time(90)  // s
	Speed    = StopGap / 90.0 // m/s
)

// At is the place that many metres east of the first stop.
func At(east float64) orb.Point {
	const metresPerDegree = 103_850 // of longitude at 21.0278° N
	return orb.Point{105.80 + east/metresPerDegree, 21.0278}
}
