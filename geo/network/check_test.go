package network_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb"
)

// expanding returns a feed of n trips, each with a path of its own that calls at stops in turn.
func expanding(n, calls int, a, b orb.Point, shape *gtfs.Shape) *gtfs.Feed {
	f := geotest.Line(2, time.Hour)
	route, service := f.Routes[0], f.Services[0]
	f.Trips = nil
	ends := [2]*gtfs.Stop{{ID: "a", Point: a}, {ID: "b", Point: b}}
	for i := range n {
		t := &gtfs.Trip{ID: fmt.Sprint("t", i), Route: route, Service: service, Shape: shape}
		for k := range calls {
			s := *ends[k%2]
			s.ID = fmt.Sprint(s.ID, i)
			t.StopTimes = append(t.StopTimes, gtfs.StopTime{Stop: &s, Dist: gtfs.NoDist})
		}
		f.Trips = append(f.Trips, t)
	}
	return f
}

func TestCheckRefusesTimetablesThatExpand(t *testing.T) {
	hanoi, near, far := orb.Point{105.8, 21}, orb.Point{105.9, 21}, orb.Point{-74.2, -20}
	long := &gtfs.Shape{ID: "s"}
	for i := range 100_000 {
		long.Line = append(long.Line, orb.Point{105.8 + float64(i%2)/1e6, 21})
	}
	for name, c := range map[string]struct {
		feed *gtfs.Feed
		rule string
	}{
		"a thousand patterns of 10 km":       {expanding(1000, 2, hanoi, near, nil), ""},
		"patterns around the earth":          {expanding(25, 2, hanoi, far, nil), "longer than 400000 km"},
		"patterns along a shape of 100,000":  {expanding(200, 2, hanoi, near, long), "more than 10000000 points"},
		"a trip to and fro around the earth": {expanding(1, 25, hanoi, far, nil), "longer than 400000 km"},
		"a trip with more stops than a line": {expanding(1, 40_000, hanoi, hanoi, nil), "too many stops and points"},
	} {
		err := network.Check(c.feed)
		if c.rule == "" && err != nil || c.rule != "" && (err == nil || !strings.Contains(err.Error(), c.rule)) {
			t.Errorf("%s: %v, want %q", name, err, c.rule)
		}
	}
}

func TestPatternsShareTheLineOfAShape(t *testing.T) {
	shape := &gtfs.Shape{ID: "s", Line: orb.LineString{{105.8, 21}, {105.85, 21}, {105.9, 21}}}
	n := network.New(expanding(2, 2, shape.Line[0], shape.Line[2], shape))
	if a, b := n.Patterns[0].Line, n.Patterns[1].Line; len(a) != 3 || &a[0] != &b[0] {
		t.Errorf("%v, %v", a, b)
	}
	// A shape without a length is no line: each pattern has the line of its own stops.
	shape.Line = orb.LineString{{105.8, 21}, {105.8, 21}}
	f := expanding(2, 2, orb.Point{105.8, 21}, orb.Point{105.9, 21}, shape)
	f.Trips[1].StopTimes[1].Stop.Point = orb.Point{106, 21}
	n = network.New(f)
	if a, b := n.Patterns[0].Length(), n.Patterns[1].Length(); b < a*1.5 {
		t.Errorf("%v m, %v m", a, b)
	}
}
