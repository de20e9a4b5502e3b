package network_test

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb"
)

func TestPatternsOfLine(t *testing.T) {
	n := network.New(geotest.Line(11, 15*time.Minute))
	must(t, len(n.Patterns) == 2, "got %d, want %d", len(n.Patterns), 2)
	must(t, n.LinkCount() == 20, "got %v, want %v", n.LinkCount(), 20)
	out := n.Patterns[0]
	must(t, out.Headsign == "Long Biên", "got %v, want %v", out.Headsign, "Long Biên")
	must(t, math.Abs(out.Length()-5000) <= 25, "got %v, want %v", out.Length(), 5000)
	for i, along := range out.Along {
		must(t, math.Abs(along-float64(i)*500) <= 3, "got %v, want %v", along, float64(i)*500)
	}
	must(t, out.NextStop(-1) == 0, "got %v, want %v", out.NextStop(-1), 0)
	must(t, out.NextStop(out.Along[0]) == 1, "got %v, want %v", out.NextStop(out.Along[0]), 1)
	must(t, out.NextStop(out.Length()+1) == 11, "got %v, want %v", out.NextStop(out.Length()+1), 11)
	must(t, n.Pattern(out.ID) == out, "got %v, want %v", n.Pattern(out.ID), out)
}

// A lollipop line passes its first stops twice: the order of the stops determines which pass is meant.
func TestStopsOfLollipopLine(t *testing.T) {
	f := geotest.Line(5, time.Hour)
	trip := f.Trips[0]
	a, b := f.Stops[0], f.Stops[4]
	trip.Shape.Line = orb.LineString{a.Point, b.Point, a.Point}
	trip.StopTimes = []gtfs.StopTime{
		{Stop: a, Departure: 0},
		{Stop: f.Stops[2], Arrival: 60, Departure: 60, Sequence: 1},
		{Stop: b, Arrival: 120, Departure: 120, Sequence: 2},
		{Stop: f.Stops[1], Arrival: 200, Departure: 200, Sequence: 3},
		{Stop: a, Arrival: 300, Departure: 300, Sequence: 4},
	}
	f.Trips = f.Trips[:1]
	p := network.New(f).Patterns[0]
	for i, want := range []float64{0, 1000, 2000, 3500, 4000} {
		must(t, math.Abs(p.Along[i]-want) <= 5, "got %v, want %v", p.Along[i], want)
	}
}

// Near must find what a search of all lines finds, anywhere on earth.
func TestNearFindsEveryPattern(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, centre := range []orb.Point{{105.8, 21}, {179.99, -16.8}, {-179.995, 65}, {10, 0}, {24.9, 69.5}} {
		f := geotest.Line(2, 24*time.Hour)
		trips := f.Trips
		f.Trips = nil
		for range 40 {
			tr := *trips[0]
			tr.Shape = &gtfs.Shape{ID: string(rune('a' + len(f.Trips)))}
			at := centre
			for range 6 {
				at = orb.Point{wrap(at[0] + (rnd.Float64()-0.5)*0.02), at[1] + (rnd.Float64()-0.5)*0.01}
				tr.Shape.Line = append(tr.Shape.Line, at)
			}
			tr.StopTimes = []gtfs.StopTime{
				{Stop: &gtfs.Stop{ID: "first", Point: tr.Shape.Line[0]}}, {Stop: &gtfs.Stop{ID: "last", Point: at}, Arrival: 600},
			}
			f.Trips = append(f.Trips, &tr)
		}
		n := network.New(f)
		for range 300 {
			p := orb.Point{wrap(centre[0] + (rnd.Float64()-0.5)*0.05), centre[1] + (rnd.Float64()-0.5)*0.03}
			at := network.PlaneAt(p)
			found := make(map[*network.Pattern]bool)
			for _, c := range n.Near(nil, &at, network.Heading{}) {
				found[c.Pattern] = true
			}
			for _, q := range n.Patterns {
				m := q.Between(&at, network.Heading{}, 0, q.Length())
				if math.Abs(m.Metres-network.MatchRadius) > 0.5 {
					must(t, found[q] == (m.Metres < network.MatchRadius), "got %v, want %v", found[q], m.Metres < network.MatchRadius)
				}
			}
		}
	}
}

func wrap(lon float64) float64 {
	if lon > 180 {
		return lon - 360
	}
	if lon < -180 {
		return lon + 360
	}
	return lon
}

func TestTripInstancesOfDay(t *testing.T) {
	n := network.New(geotest.Line(11, 15*time.Minute))
	d := n.Day(geotest.Day)
	instances := d.TripInstances(n.Patterns[0])
	must(t, len(instances) == 64, "got %d, want %d", len(instances), 64)
	must(t, instances[0].Departs(0) == time.Date(2026, 3, 2, 6, 0, 0, 0, geotest.TimeZone).Unix(), "got %v, want %v",
		instances[0].Departs(0), time.Date(2026, 3, 2, 6, 0, 0, 0, geotest.TimeZone).Unix())
	must(t, instances[0].Next == d.TripInstances(n.Patterns[1])[0], "got %v, want %v", instances[0].Next,
		d.TripInstances(n.Patterns[1])[0])
	must(t, math.Abs(instances[0].Scheduled(250)-float64(instances[0].Departs(0)+45)) <= 1, "got %v, want %v",
		instances[0].Scheduled(250), float64(instances[0].Departs(0)+45))
	must(t, d.TripInstancesOf(instances[3].Trip)[0] == instances[3], "got %v, want %v",
		d.TripInstancesOf(instances[3].Trip)[0], instances[3])
	must(t, n.Day(geotest.Day) == d, "got %v, want %v", n.Day(geotest.Day), d)
}

func TestHanoiTimetable(t *testing.T) {
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: no timetable of Hanoi")
	}
	f, err := gtfs.ReadFile(filepath.Join(dir, "gtfs-hanoi", "hanoi-derived-gtfs.zip"))
	must(t, err == nil, "%v", err)
	n := network.New(f)
	must(t, len(n.Patterns) == 195, "got %d, want %d", len(n.Patterns), 195)
	for _, p := range n.Patterns {
		for i := range p.Stops {
			at, _ := p.At(p.Along[i])
			f := network.PlaneAt(at)
			must(t, p.Between(&f, network.Heading{}, p.Along[i], p.Along[i]).Metres <= 1.0, "got %v, want <= %v",
				p.Between(&f, network.Heading{}, p.Along[i], p.Along[i]).Metres, 1.0)
			if i > 0 {
				must(t, p.Along[i] >= p.Along[i-1], "got %v, want >= %v", p.Along[i], p.Along[i-1])
			}
		}
	}
}

func must(t *testing.T, ok bool, format string, args ...any) {
	t.Helper()
	if !ok {
		t.Fatalf(format, args...)
	}
}
