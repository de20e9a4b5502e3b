package network_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// shaped returns a line of 12 stops, 500 m apart, in one direction, with another shape.
func shaped(change func(orb.LineString) orb.LineString) *gtfs.Feed {
	f := geotest.Line(12, time.Hour)
	f.Trips = slices.DeleteFunc(f.Trips, func(t *gtfs.Trip) bool { return t.Direction.Or(0) == 1 })
	line := change(slices.Clone(f.Trips[0].Shape.Line))
	shape := &gtfs.Shape{ID: "other", Line: line}
	for _, t := range f.Trips {
		t.Shape = shape
	}
	return f
}

func moved(line orb.LineString, north float64) orb.LineString {
	for i := range line {
		line[i] = geo.PointAtBearingAndDistance(line[i], 0, north)
	}
	return line
}

// TestShapeThatDoesNotFitIsLeft checks that every stop lies on the line of its path, in order, whatever the shape is.
func TestShapeThatDoesNotFitIsLeft(t *testing.T) {
	stops := geotest.Line(12, time.Hour).Trips[0].StopTimes
	point := func(i int) orb.Point { return stops[i].Stop.Point }
	between := func(from, to int) func(orb.LineString) orb.LineString {
		return func(orb.LineString) orb.LineString { return orb.LineString{point(from), point(to)} }
	}
	const disorder, far, short = "stops_match_shape_out_of_order", "stop_too_far_from_shape",
		"trip_distance_exceeds_shape_distance"
	for name, c := range map[string]struct {
		shape func(orb.LineString) orb.LineString
		code  string
	}{
		"reversed": {func(l orb.LineString) orb.LineString {
			slices.Reverse(l)
			return l
		}, disorder},
		"300 m beside":       {func(l orb.LineString) orb.LineString { return moved(l, 300) }, far},
		"100 m beside":       {func(l orb.LineString) orb.LineString { return moved(l, -100) }, far},
		"the other way":      {between(11, 0), disorder},
		"first half":         {between(0, 5), short},
		"second half":        {between(6, 11), short},
		"without its end":    {between(0, 10), short},
		"a quarter":          {between(0, 3), far},
		"past a stop's loop": {between(0, 11), ""},
	} {
		f := shaped(c.shape)
		p := network.New(f).Patterns[0]
		for i, s := range p.Stops {
			at, _ := p.At(p.Along[i])
			if off := geo.DistanceHaversine(at, s.Point); off > 25 || i > 0 && p.Along[i] <= p.Along[i-1] {
				t.Errorf("%s: stop %d lies %.0f m from its place, which is %.0f m along the line", name, i, off, p.Along[i])
			}
		}
		if p.Length() < 5450 || p.Length() > 5550 {
			t.Errorf("%s: the line has %.0f m", name, p.Length())
		}
		found := network.CheckShapes(f)
		switch {
		case c.code == "" && len(found) > 0:
			t.Errorf("%s: %v", name, found)
		case c.code != "" && (len(found) != 1 || found[0].Code != c.code || found[0].Severity != gtfs.SeverityWarning ||
			!strings.Contains(found[0].Message, "shape other")):
			t.Errorf("%s: found %v, want one %s", name, found, c.code)
		}
	}
}

// TestShapeOfPartKeepsItsCurves checks that the line follows a shape where it has one.
func TestShapeOfPartKeepsItsCurves(t *testing.T) {
	f := shaped(func(orb.LineString) orb.LineString {
		first := geotest.Line(12, time.Hour).Trips[0].StopTimes
		curve := geo.PointAtBearingAndDistance(geo.Midpoint(first[1].Stop.Point, first[2].Stop.Point), 0, 200)
		return orb.LineString{first[0].Stop.Point, first[1].Stop.Point, curve, first[2].Stop.Point, first[7].Stop.Point}
	})
	p := network.New(f).Patterns[0]
	if link := p.Along[2] - p.Along[1]; link < 600 {
		t.Errorf("a link of %.0f m, which has a curve of 640 m", link)
	}
	if rest := p.Along[11] - p.Along[7]; rest < 1990 || rest > 2010 {
		t.Errorf("the stops beyond the shape are %.0f m apart, want 2000", rest)
	}
}

// TestStopInTheWrongPlaceKeepsTheShape checks that the wrong place of one stop does not cost the shape.
func TestStopInTheWrongPlaceKeepsTheShape(t *testing.T) {
	for name, away := range map[string]float64{"a kilometre": 1000, "across the earth": 9_000_000} {
		f := shaped(func(l orb.LineString) orb.LineString { return l })
		stop := f.Trips[0].StopTimes[4].Stop
		stop.Point = geo.PointAtBearingAndDistance(stop.Point, 20, away)
		p := network.New(f).Patterns[0]
		if p.Length() > 5550 || p.Along[5]-p.Along[3] > 1010 {
			t.Errorf("%s: the line has %.0f m", name, p.Length())
		}
		if found := network.CheckShapes(f); len(found) != 1 || found[0].Code != "stop_too_far_from_shape" {
			t.Errorf("%s: found %v", name, found)
		}
	}
}
