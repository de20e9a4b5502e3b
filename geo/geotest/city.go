package geotest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"nhip"
	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
)

// City returns a feed the size of Hanoi's for each of the given number of cities, which lie side by side. Each
// city has 195 patterns of 33 stops in a box of 27 × 28 km and a departure every 15 minutes from 05:00 until
// 22:00.
func City(cities int) *gtfs.Feed {
	rnd := rand.New(rand.NewPCG(1, 1))
	a := &gtfs.Agency{ID: "HN", Name: "Test", URL: "http://example.org", Location: TimeZone}
	s := &gtfs.Service{
		ID: "all", Start: 20260101, End: 20261231, Weekdays: [7]bool{true, true, true, true, true, true, true},
	}
	f := &gtfs.Feed{Agencies: []*gtfs.Agency{a}, Services: []*gtfs.Service{s}}
	side := int(math.Ceil(math.Sqrt(float64(cities))))
	for c := range cities {
		corner := orb.Point{103 + 0.27*float64(c%side), 19 + 0.26*float64(c/side)}
		for i := range 195 {
			addRoute(f, fmt.Sprintf("%d-%d", c, i), i%2, corner, rnd)
		}
	}
	return f
}

// addRoute adds a route with one random path.
func addRoute(f *gtfs.Feed, id string, direction int, corner orb.Point, rnd *rand.Rand) {
	r := &gtfs.Route{ID: id, Agency: f.Agencies[0], ShortName: id, Type: 3}
	f.Routes = append(f.Routes, r)
	at := orb.Point{corner[0] + 0.26*rnd.Float64(), corner[1] + 0.25*rnd.Float64()}
	bearing := 2 * math.Pi * rnd.Float64()
	shape := &gtfs.Shape{ID: id}
	var stops []*gtfs.Stop
	for i := range 33 * 4 {
		if i%4 == 0 {
			stop := &gtfs.Stop{ID: fmt.Sprintf("%s-%d", id, i/4), Name: "Stop", Point: at}
			stops = append(stops, stop)
			f.Stops = append(f.Stops, stop)
		}
		shape.Line = append(shape.Line, at)
		bearing += 0.3 * rnd.NormFloat64()
		at = orb.Point{at[0] + 0.0013*math.Sin(bearing), at[1] + 0.0013*math.Cos(bearing)}
		if at[0] < corner[0] || at[0] > corner[0]+0.26 || at[1] < corner[1] || at[1] > corner[1]+0.25 {
			bearing += math.Pi / 2
		}
	}
	f.Shapes = append(f.Shapes, shape)
	for n, start := 0, gtfs.Time(5*3600); start < 22*3600; n, start = n+1, start+900 {
		t := &gtfs.Trip{
			ID: fmt.Sprintf("%s-%d", id, n), Route: r, Service: f.Services[0], Shape: shape, Direction: nhip.Some(direction),
		}
		for i, stop := range stops {
			at := start + gtfs.Time(i)*LinkTime
			t.StopTimes = append(t.StopTimes, gtfs.StopTime{
				Stop: stop, Arrival: at, Departure: at, Sequence: int32(i), Dist: gtfs.NoDist,
			})
		}
		f.Trips = append(f.Trips, t)
	}
}
