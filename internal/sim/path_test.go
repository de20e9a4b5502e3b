package sim

import (
	"math"
	"slices"
	"testing"

	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
	"pgregory.net/rapid"
)

// anyPath generates a path in Hanoi with turns of at most 30°, so that it does not return to itself at once.
func anyPath(t *rapid.T) *path {
	at, heading := cityCenter, rapid.Float64Range(0, 360).Draw(t, "heading")
	line := orb.LineString{at}
	for range rapid.IntRange(1, 12).Draw(t, "segments") {
		heading += rapid.Float64Range(-30, 30).Draw(t, "turn")
		at = geo.PointAtBearingAndDistance(at, heading, rapid.Float64Range(5, 400).Draw(t, "segment"))
		line = append(line, at)
	}
	return newPath(line)
}

func TestPathAtAndProjectAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPath(t)
		d := rapid.Float64Range(0, p.length()).Draw(t, "d")
		at, segment := p.at(d, rapid.IntRange(-1, 20).Draw(t, "hint"))
		if d < p.along[segment]-1e-6 || d > p.along[segment+1]+1e-6 {
			t.Fatalf("%f m is on segment %d from %f to %f", d, segment, p.along[segment], p.along[segment+1])
		}
		back, off := p.project(at, max(d-50, 0), min(d+50, p.length()))
		if math.Abs(back-d) > 0.5 || off > 0.5 {
			t.Fatalf("%f m is projected to %f, at a distance of %f m", d, back, off)
		}
	})
}

func TestPathBearing(t *testing.T) {
	o := cityCenter
	p := newPath(orb.LineString{
		o,
		{o[0] + 0.01, o[1]},
		{o[0] + 0.01, o[1]},
		{o[0] + 0.01, o[1] - 0.01},
		{o[0], o[1] - 0.01},
	})
	for i, want := range []float64{90, 90, 180, 270} { // the repeated point keeps the course
		if got := p.bearing[i]; math.Abs(got-want) > 0.1 {
			t.Errorf("segment %d has bearing %.1f°, want %.0f°", i, got, want)
		}
	}
	if at, _ := p.at(p.along[1], 1); at != p.line[1] {
		t.Errorf("point on a segment of length 0: %v", at)
	}
}

// TestPatternWithoutDistancesOrShape checks that stops are located by position without shape_dist_traveled, and that
// the path is straight without a shape.
func TestPatternWithoutDistancesOrShape(t *testing.T) {
	for _, trip := range firstTrips(simulatedFeed(t)) {
		want := newPattern(trip)
		bare := *trip
		bare.Shape = &gtfs.Shape{ID: "bare", Line: trip.Shape.Line}
		got := newPattern(&bare)
		for i := range want.stops {
			if math.Abs(want.stops[i]-got.stops[i]) > 15 {
				t.Fatalf("trip %s: stop %d at %.0f m by position and %.0f m by distance",
					trip.ID, i, got.stops[i], want.stops[i])
			}
		}
		bare.Shape = nil
		if got := newPattern(&bare); len(got.path.line) != len(trip.StopTimes) ||
			got.stops[len(got.stops)-1] != got.path.length() {
			t.Fatalf("trip %s: path without a shape has %d points", trip.ID, len(got.path.line))
		}
	}
}

func TestPatternAcceptsAnyUnitOfDistance(t *testing.T) {
	trip := firstTrips(simulatedFeed(t))[0]
	want := newPattern(trip)
	miles := *trip
	shape := *trip.Shape
	shape.Dists = slices.Clone(shape.Dists)
	for i := range shape.Dists {
		shape.Dists[i] /= 1609
	}
	miles.Shape, miles.StopTimes = &shape, slices.Clone(trip.StopTimes)
	for i := range miles.StopTimes {
		miles.StopTimes[i].Dist /= 1609
	}
	for i, d := range newPattern(&miles).stops {
		if math.Abs(d-want.stops[i]) > 0.1 {
			t.Errorf("stop %d is at %f m in miles and %f m in metres", i, d, want.stops[i])
		}
	}
}

func TestPatternIgnoresDistantShape(t *testing.T) {
	trip := *firstTrips(simulatedFeed(t))[0]
	trip.Shape = &gtfs.Shape{Line: orb.LineString{{10, 50}, {10, 51}}}
	if got := newPattern(&trip).path.line[0]; got != trip.StopTimes[0].Stop.Point {
		t.Errorf("the path starts at %v", got)
	}
}
