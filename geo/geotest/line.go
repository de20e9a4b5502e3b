// Package geotest generates small timetables for tests.
package geotest

import (
	"fmt"
	"time"

	"nhip"
	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
)

// Day is a service day of the generated timetables, which have service on every day of 2026.
const Day = gtfs.Date(20260302)

// TimeZone is the time zone of the generated timetables.
var TimeZone = time.FixedZone("Asia/Ho_Chi_Minh", 7*3600)

// Line returns a feed of one route with two directions along a parallel of latitude. Stops are 500 m and 90 s
// apart. Trips depart every headway from 06:00 until 22:00. The two trips of a block go out and come back.
func Line(stops int, headway time.Duration) *gtfs.Feed {
	a := &gtfs.Agency{ID: "HN", Name: "Test", URL: "http://example.org", Location: TimeZone}
	s := &gtfs.Service{
		ID: "all", Start: 20260101, End: 20261231, Weekdays: [7]bool{true, true, true, true, true, true, true},
	}
	r := &gtfs.Route{ID: "R1", Agency: a, ShortName: "01", LongName: "Cầu Giấy - Long Biên", Type: 3}
	f := &gtfs.Feed{Agencies: []*gtfs.Agency{a}, Services: []*gtfs.Service{s}, Routes: []*gtfs.Route{r}}
	for i := range stops {
		f.Stops = append(f.Stops, &gtfs.Stop{
			ID: fmt.Sprintf("S%d", i), Name: fmt.Sprintf("Stop %d", i), Point: At(float64(i) * StopGap),
		})
	}
	for direction := range 2 {
		shape := &gtfs.Shape{ID: fmt.Sprintf("W%d", direction)}
		for i := range stops {
			k := i
			if direction == 1 {
				k = stops - 1 - i
			}
			shape.Line = append(shape.Line, f.Stops[k].Point)
		}
		f.Shapes = append(f.Shapes, shape)
	}
	span := gtfs.Time(stops-1) * LinkTime
	for n, start := 0, gtfs.Time(6*3600); start < 22*3600; n, start = n+1, start+gtfs.Time(headway.Seconds()) {
		for direction := range 2 {
			begin := start + gtfs.Time(direction)*(span+300)
			t := &gtfs.Trip{
				ID: fmt.Sprintf("T%d-%d", n, direction), Route: r, Service: s, Shape: f.Shapes[direction],
				Direction: nhip.Some(direction),
				Block:     fmt.Sprintf("B%d", n), Headsign: []string{"Long Biên", "Cầu Giấy"}[direction],
			}
			for i := range stops {
				k := i
				if direction == 1 {
					k = stops - 1 - i
				}
				at := begin + gtfs.Time(i)*LinkTime
				t.StopTimes = append(t.StopTimes, gtfs.StopTime{
					Stop: f.Stops[k], Arrival: at, Departure: at, Sequence: int32(i), Dist: gtfs.NoDist,
				})
			}
			f.Trips = append(f.Trips, t)
		}
	}
	return f
}

// Distances and times of Line.
const (
	StopGap  = 500.0          // m
	LinkTime = gtfs.Time(90)  // s
	Speed    = StopGap / 90.0 // m/s
)

// At returns the point that many metres east of the first stop of Line.
func At(east float64) orb.Point {
	const metresPerDegree = 103_850 // of longitude at 21.0278° N
	return orb.Point{105.80 + east/metresPerDegree, 21.0278}
}
