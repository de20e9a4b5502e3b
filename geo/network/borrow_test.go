package network_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// corner is where the street of cornered turns from east to north.
var corner = orb.Point{105.85, 21.03}

// onStreet returns the place that many metres along a street that turns north after 2000 m, and beside it.
func onStreet(along, beside float64) orb.Point {
	if along <= 2000 {
		at := geo.PointAtBearingAndDistance(corner, 270, 2000-along)
		return geo.PointAtBearingAndDistance(at, 180, beside)
	}
	at := geo.PointAtBearingAndDistance(corner, 0, along-2000)
	return geo.PointAtBearingAndDistance(at, 90, beside)
}

// tripThrough returns a trip without a shape.
func tripThrough(f *gtfs.Feed, id string, points ...orb.Point) *gtfs.Trip {
	t := &gtfs.Trip{ID: id, Route: &gtfs.Route{ID: id, Agency: f.Agencies[0]}, Service: f.Services[0]}
	for i, at := range points {
		s := &gtfs.Stop{ID: fmt.Sprint(id, " ", i), Point: at}
		when := gtfs.Time(6*3600 + 60*i)
		t.StopTimes = append(t.StopTimes, gtfs.StopTime{Stop: s, Arrival: when, Departure: when, Dist: gtfs.NoDist})
	}
	return t
}

// cornered returns the network of an express line that calls at the ends of a street of 4 km, and of a local
// line with a
// stop every 400 m, whose stops lie beside those of the express line. change may change the trips.
func cornered(beside float64, change func(express, local *gtfs.Trip)) *network.Network {
	f := geotest.Line(2, time.Hour)
	var stops []orb.Point
	for along := 0.0; along <= 4000; along += 400 {
		stops = append(stops, onStreet(along, beside))
	}
	express, local := tripThrough(f, "express", onStreet(0, 0), onStreet(4000, 0)), tripThrough(f, "local", stops...)
	if change != nil {
		change(express, local)
	}
	f.Trips = []*gtfs.Trip{express, local}
	return network.New(f)
}

// TestLineThatNothingDrawsBorrowsStops checks that an express line follows the street of the local one, and where it
// does not.
func TestLineThatNothingDrawsBorrowsStops(t *testing.T) {
	const direct = 2828.0 // m
	for name, c := range map[string]struct {
		beside float64
		change func(express, local *gtfs.Trip)
		metres float64
	}{
		"stops across the street":    {30, nil, 4000},
		"stops too far to walk":      {150, nil, direct},
		"the local line drives back": {30, func(_, l *gtfs.Trip) { reverse(l) }, direct},
		"the local line has few stops": {30, func(_, l *gtfs.Trip) {
			l.StopTimes = []gtfs.StopTime{l.StopTimes[0], l.StopTimes[10]}
		}, direct},
		"a shape draws the express": {30, func(e, _ *gtfs.Trip) {
			e.Shape = &gtfs.Shape{ID: "s", Line: orb.LineString{e.StopTimes[0].Stop.Point, e.StopTimes[1].Stop.Point}}
		}, direct},
		"the path is too long": {30, func(_, l *gtfs.Trip) {
			for i := range l.StopTimes[1:10] { // away from the corner, in a wide arc
				s := l.StopTimes[i+1].Stop
				s.Point = geo.PointAtBearingAndDistance(s.Point, 135, 1500)
			}
		}, direct},
	} {
		n := cornered(c.beside, c.change)
		p := n.Patterns[0]
		if off := math.Abs(p.Length() - c.metres); off > 150 {
			t.Errorf("%s: the express line has %.0f m, want about %.0f", name, p.Length(), c.metres)
		}
		if p.Along[0] != 0 || p.Along[1] != p.Length() {
			t.Errorf("%s: stops at %v of %.0f m", name, p.Along, p.Length())
		}
	}
	n := cornered(30, nil)
	plane := network.PlaneAt(corner)
	for _, c := range n.Near(nil, &plane, network.Heading{}) {
		if c.Pattern == n.Patterns[0] && c.Metres < 60 {
			return
		}
	}
	t.Error("the express line does not pass the corner")
}

func reverse(t *gtfs.Trip) {
	last := len(t.StopTimes) - 1
	for i := range (last + 1) / 2 {
		a, b := &t.StopTimes[i], &t.StopTimes[last-i]
		a.Stop, b.Stop = b.Stop, a.Stop
	}
}

// TestBorrowingIsBounded makes a timetable whose stops are all at one of two places: each has thousands of neighbours.
func TestBorrowingIsBounded(t *testing.T) {
	f := geotest.Line(2, time.Hour)
	f.Trips = nil
	for i := range 3000 {
		f.Trips = append(f.Trips, tripThrough(f, fmt.Sprint(i), onStreet(0, 0), onStreet(200, 0), onStreet(4000, 0)))
	}
	began := time.Now()
	n := network.New(f)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
	for _, p := range n.Patterns {
		if p.Length() > 1.5*3000+2*100 {
			t.Fatalf("a line of %.0f m", p.Length())
		}
	}
}

// TestLooseLines checks how far beside a line Near finds a bus: as far as a street may lie beside the straight line
// between two stops, where nothing draws it.
func TestLooseLines(t *testing.T) {
	for _, drawn := range []bool{false, true} {
		n := cornered(500, func(e, _ *gtfs.Trip) {
			if drawn {
				e.Shape = &gtfs.Shape{ID: "s", Line: orb.LineString{e.StopTimes[0].Stop.Point, e.StopTimes[1].Stop.Point}}
			}
		})
		p := n.Patterns[0]
		for _, c := range []struct {
			along, beside float64
			loose, found  bool // found if the line is loose, if it is drawn
		}{
			{0.5, 90, true, true},
			{0.5, 280, true, false},
			{0.5, 320, false, false},
			{0.001, 90, true, true},
			{0.001, 110, false, false},
			{0.02, 140, true, false},
		} {
			on, bearing := p.At(c.along * p.Length())
			plane := network.PlaneAt(geo.PointAtBearingAndDistance(on, bearing+90, c.beside))
			found := false
			for _, x := range n.Near(nil, &plane, network.Heading{}) {
				found = found || x.Pattern == p
			}
			if want := c.loose && !drawn || c.found; found != want {
				t.Errorf("drawn %v, %.0f m beside %.3f of the line: found %v", drawn, c.beside, c.along, found)
			}
		}
	}
}

// TestNearFindsLooseLines compares Near with a search of all lines, which nothing draws.
func TestNearFindsLooseLines(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, centre := range []orb.Point{{105.8, 21}, {179.99, -16.8}, {24.9, 69.5}} {
		f := geotest.Line(2, time.Hour)
		f.Trips = nil
		around := func(lon, lat float64) orb.Point {
			return orb.Point{wrap(centre[0] + (rnd.Float64()-0.5)*lon), centre[1] + (rnd.Float64()-0.5)*lat}
		}
		for i := range 40 {
			f.Trips = append(f.Trips, tripThrough(f, fmt.Sprint(i), around(0.05, 0.03), around(0.05, 0.03), around(0.05, 0.03)))
		}
		n := network.New(f)
		for range 300 {
			plane := network.PlaneAt(around(0.06, 0.04))
			found := make(map[*network.Pattern]bool)
			for _, c := range n.Near(nil, &plane, network.Heading{}) {
				found[c.Pattern] = true
			}
			for _, p := range n.Patterns {
				m := p.Between(&plane, network.Heading{}, 0, p.Length())
				if m.Metres < m.Reach()-0.5 && !found[p] {
					t.Fatalf("a line %.0f m away, of which %.0f m may be, is not found", m.Metres, m.Reach())
				}
			}
		}
	}
}
