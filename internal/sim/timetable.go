package sim

import (
	"fmt"
	"math"
	"time"

	"nhip/geo/gtfs"
)

// agencyID is the simulated operator's.
const agencyID = "hanoi"

// zone is the city's time zone.
const zone = "Asia/Ho_Chi_Minh"

// The timetable holds on every day that anybody may set the clock to.
const (
	firstDay gtfs.Date = 20100101
	lastDay  gtfs.Date = 20491231
)

// Buses run day and night, so that at any hour there is something to see.
const (
	hour         = 3600
	day          = 24 * hour
	dayBegins    = 5 * hour
	nightBegins  = 22*hour + hour/2
	nightHeadway = 30 * 60
)

// Feed returns the network's timetable as a valid GTFS feed. Each call makes a new one; all are
// equal.
func (n *Network) Feed() (*gtfs.Feed, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, err
	}
	f := &gtfs.Feed{
		Agencies: []*gtfs.Agency{{
			ID: agencyID, Name: "Hanoi buses (simulated)", URL: "https://example.org/nhip-simulated",
			Location: loc, Language: "vi",
		}},
		Stops:    n.stops,
		Services: []*gtfs.Service{{ID: "daily", Weekdays: everyDay, Start: firstDay, End: lastDay}},
		Info: &gtfs.Info{
			Publisher: "Nhịp, simulated network", URL: "https://example.org/nhip-simulated",
			Language: "vi", Version: "simulated-1",
		},
	}
	for i, l := range n.lines {
		addLine(f, l, i)
	}
	return f, nil
}

var everyDay = [7]bool{true, true, true, true, true, true, true}

// addLine adds a line's route, shapes and trips; offset keeps lines from all leaving at once.
func addLine(f *gtfs.Feed, l *drawnLine, offset int) {
	r := l.route(f.Agencies[0])
	f.Routes = append(f.Routes, r)
	for i := range l.ways {
		w := &l.ways[i]
		s := w.gtfsShape(fmt.Sprintf("%s-%d", l.number, i))
		f.Shapes = append(f.Shapes, s)
		stops := newPath(s.Line).stopsAlong(w.stops)
		for _, start := range departures(l.headway*60, (offset*7+i*5)*60) {
			f.Trips = append(f.Trips, &gtfs.Trip{
				ID:    fmt.Sprintf("%s-%d-%02d%02d", l.number, i, start/hour, start/60%60),
				Route: r, Service: f.Services[0], Shape: s, Headsign: terminals[w.to], Direction: directions[i],
				StopTimes: w.calls(stops, start),
			})
		}
	}
}

func (w *way) gtfsShape(id string) *gtfs.Shape {
	p := newPath(w.shape)
	s := &gtfs.Shape{ID: id, Line: w.shape, Dists: make([]float32, len(p.along))}
	for i, d := range p.along {
		s.Dists[i] = float32(math.Round(d*10) / 10)
	}
	return s
}

// stopsAlong lays stops on the path, each ahead of the one before; the ends are the path's.
func (p *path) stopsAlong(stops []*gtfs.Stop) []float64 {
	along := make([]float64, len(stops))
	for i := 1; i < len(stops)-1; i++ {
		from := along[i-1]
		along[i], _ = p.project(stops[i].Point, from, from+8*stopGap) // the longest bridge has 3 km
	}
	along[len(along)-1] = p.length()
	return along
}

// departures lists a day's departures in seconds: thin by night, full by day.
func departures(headway, offset int) []int {
	var list []int
	for t := offset % nightHeadway; t < dayBegins; t += nightHeadway {
		list = append(list, t)
	}
	for t := dayBegins + offset%headway; t < nightBegins; t += headway {
		list = append(list, t)
	}
	for t := nightBegins + offset%nightHeadway; t < day; t += nightHeadway {
		list = append(list, t)
	}
	return list
}

// calls makes the stop times of a trip that leaves at start.
func (w *way) calls(along []float64, start int) []gtfs.StopTime {
	calls := make([]gtfs.StopTime, len(along))
	now := float64(start)
	for i := range calls {
		if i > 0 {
			now += rideTime(along[i]-along[i-1], now)
		}
		arrival := gtfs.Time(math.Round(now))
		if i > 0 && i < len(calls)-1 {
			now += usualDwell
		}
		calls[i] = gtfs.StopTime{
			Stop: w.stops[i], Arrival: arrival, Departure: gtfs.Time(math.Round(now)),
			Sequence: int32(i + 1), Dist: float32(math.Round(along[i]*10) / 10),
		}
	}
	return calls
}
