package sim

import (
	"fmt"
	"math"
	"time"

	"nhip/geo/gtfs"
)

// agencyID is the simulated operator's id.
const agencyID = "hanoi"

// timeZone is the city's time zone.
const timeZone = "Asia/Ho_Chi_Minh"

// The timetable's calendar covers every day to which the clock can reasonably be set.
const (
	firstDay gtfs.Date = 20100101
	lastDay  gtfs.Date = 20491231
)

// The buses of the timetable run day and night, so that the map is never empty. Their days begin at dayBegins.
const (
	hour      = 3600
	day       = 24 * hour
	dayBegins = 4 * hour
)

// maxTimetabled is the largest number of buses for which the network's timetable is made. Further ones run as extra
// service.
const maxTimetabled = 1000

// Feed returns the network's timetable as a valid GTFS feed. Each call returns a new, equal one. It has the work of as
// many buses as there are, within bounds: a block is the day of one bus.
func (g *StreetGraph) Feed(buses int) (*gtfs.Feed, error) {
	loc, err := time.LoadLocation(timeZone)
	if err != nil {
		return nil, err
	}
	f := &gtfs.Feed{
		Agencies: []*gtfs.Agency{{
			ID: agencyID, Name: "Hanoi buses (simulated)", URL: "https://example.org/nhip-simulated",
			Location: loc, Language: "vi",
		}},
		Stops:    g.stops,
		Services: []*gtfs.Service{{ID: "daily", Weekdays: everyDay, Start: firstDay, End: lastDay}},
		Info: &gtfs.FeedInfo{
			Publisher: "Nhịp, simulated network", URL: "https://example.org/nhip-simulated",
			Language: "vi", Version: "simulated-1",
		},
	}
	blocks := g.blocks(min(max(buses, 2*len(g.lines)), maxTimetabled))
	for i, l := range g.lines {
		addLine(f, l, blocks[i])
	}
	return f, nil
}

// blocks returns how many buses each line has: more of them if it is longer or more frequent, and at least one.
func (g *StreetGraph) blocks(buses int) []int {
	weights := make([]float64, len(g.lines))
	total := 0.0
	for i, l := range g.lines {
		weights[i] = l.measured().round(12*hour) / float64(l.headway)
		total += weights[i]
	}
	counts, upTo, given := make([]int, len(g.lines)), 0.0, 0
	for i := range counts {
		upTo += weights[i] / total * float64(buses)
		counts[i] = max(int(math.Round(upTo))-given, 1)
		given += counts[i]
	}
	return counts
}

var everyDay = [7]bool{true, true, true, true, true, true, true}

// measuredLine has the distances of a line's stops along its shapes, by direction.
type measuredLine struct {
	shapes [2]*gtfs.Shape
	along  [2][]float64
}

func (l *drawnLine) measured() *measuredLine {
	m := &measuredLine{}
	for i := range l.directions {
		w := &l.directions[i]
		m.shapes[i] = w.gtfsShape(fmt.Sprintf("%s-%d", l.number, i))
		m.along[i] = newPath(m.shapes[i].Line).stopsAlong(w.stops)
	}
	return m
}

// ride returns the time from terminal to terminal in seconds, from a departure in seconds of the day.
func (m *measuredLine) ride(direction int, start float64) float64 {
	now := start
	for i := 1; i < len(m.along[direction]); i++ {
		if i > 1 {
			now += typicalDwell
		}
		now += rideTime(m.along[direction][i]-m.along[direction][i-1], now)
	}
	return now - start
}

// round returns the time of a ride in both directions with their turnarounds.
func (m *measuredLine) round(start float64) float64 {
	return m.ride(0, start) + m.ride(1, start) + 2*typicalTurnaround
}

// departures returns when a bus departs in a day that begins with direction 0 at first, each time on the full minute,
// and when it is ready for the next day.
func (m *measuredLine) departures(first, turnaround float64, trips int) (starts []int, ready float64) {
	now := first
	for i := range trips {
		start := math.Ceil(now/60) * 60
		starts = append(starts, int(start))
		now = start + m.ride(i%2, start) + turnaround
	}
	return starts, now
}

// block returns a day of a bus whose departures follow one another without a gap, also from one day to the next.
func (m *measuredLine) block(first float64) []int {
	trips := 0
	for now := first; ; trips += 2 {
		if _, now = m.departures(now, typicalTurnaround, 2); now > first+day {
			break
		}
	}
	turnaround := float64(typicalTurnaround)
	for range 3 { // with other departures the rides take other times
		_, ready := m.departures(first, turnaround, trips)
		turnaround += (first + day - ready) / float64(trips)
	}
	starts, _ := m.departures(first, turnaround, trips)
	return starts
}

// addLine adds a line's route and shapes, and the trips of a number of blocks, which are evenly spread along the line.
func addLine(f *gtfs.Feed, l *drawnLine, blocks int) {
	r, m := l.route(f.Agencies[0]), l.measured()
	f.Routes = append(f.Routes, r)
	f.Shapes = append(f.Shapes, m.shapes[:]...)
	interval := float64(day) / float64(len(m.block(dayBegins))/2) / float64(blocks)
	for k := range blocks {
		for n, start := range m.block(dayBegins + float64(k)*interval) {
			i := n % 2
			w := &l.directions[i]
			f.Trips = append(f.Trips, &gtfs.Trip{
				ID:    fmt.Sprintf("%s-%d-%02d%02d-%d", l.number, i, start/hour, start/60%60, k+1),
				Route: r, Service: f.Services[0], Shape: m.shapes[i], Headsign: terminals[w.to], Direction: gtfsDirections[i],
				Block: fmt.Sprintf("%s-%d", l.number, k+1), StopTimes: w.calls(m.along[i], start),
			})
		}
	}
}

func (w *lineDirection) gtfsShape(id string) *gtfs.Shape {
	p := newPath(w.shape)
	s := &gtfs.Shape{ID: id, Line: w.shape, Dists: make([]float32, len(p.along))}
	for i, d := range p.along {
		s.Dists[i] = float32(math.Round(d*10) / 10)
	}
	return s
}

// stopsAlong returns the distances of stops along the path, each after the previous one. The first and the last stop
// are the ends of the path.
func (p *path) stopsAlong(stops []*gtfs.Stop) []float64 {
	along := make([]float64, len(stops))
	for i := 1; i < len(stops)-1; i++ {
		from := along[i-1]
		along[i], _ = p.project(stops[i].Point, from, from+8*stopGap) // the longest bridge is 3 km long
	}
	along[len(along)-1] = p.length()
	return along
}

// calls returns the stop times of a trip that departs at start.
func (w *lineDirection) calls(along []float64, start int) []gtfs.StopTime {
	calls := make([]gtfs.StopTime, len(along))
	now := float64(start)
	for i := range calls {
		if i > 0 {
			now += rideTime(along[i]-along[i-1], now)
		}
		arrival := gtfs.Time(math.Round(now))
		if i > 0 && i < len(calls)-1 {
			now += typicalDwell
		}
		calls[i] = gtfs.StopTime{
			Stop: w.stops[i], Arrival: arrival, Departure: gtfs.Time(math.Round(now)),
			Sequence: int32(i + 1), Dist: float32(math.Round(along[i]*10) / 10),
		}
	}
	return calls
}
