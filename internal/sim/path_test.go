package sim

import (
	"math"
	"slices"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
	"pgregory.net/rapid"

	"nhip/geo/gtfs"
)

// drawPath draws a way through Hanoi that turns at most at right angles, so that it does not come
// back on itself at once.
func drawPath(t *rapid.T) *path {
	at, heading := oldQuarter, rapid.Float64Range(0, 360).Draw(t, "heading")
	line := orb.LineString{at}
	for range rapid.IntRange(1, 12).Draw(t, "pieces") {
		heading += rapid.Float64Range(-30, 30).Draw(t, "turn")
		at = geo.PointAtBearingAndDistance(at, heading, rapid.Float64Range(5, 400).Draw(t, "piece"))
		line = append(line, at)
	}
	return newPath(line)
}

func TestPathAtAndProjectAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPath(t)
		d := rapid.Float64Range(0, p.length()).Draw(t, "d")
		at, piece := p.at(d, rapid.IntRange(-1, 20).Draw(t, "hint"))
		if d < p.along[piece]-1e-6 || d > p.along[piece+1]+1e-6 {
			t.Fatalf("%f m are on piece %d from %f to %f", d, piece, p.along[piece], p.along[piece+1])
		}
		back, off := p.project(at, max(d-50, 0), min(d+50, p.length()))
		if math.Abs(back-d) > 0.5 || off > 0.5 {
			t.Fatalf("%f m project to %f, %f m off", d, back, off)
		}
	})
}

func TestPathBearing(t *testing.T) {
	o := oldQuarter
	p := newPath(orb.LineString{o, {o[0] + 0.01, o[1]}, {o[0] + 0.01, o[1]}, {o[0] + 0.01, o[1] - 0.01}, {o[0], o[1] - 0.01}})
	for i, want := range []float64{90, 90, 180, 270} { // the point that is there twice keeps the course
		if got := p.bearing[i]; math.Abs(got-want) > 0.1 {
			t.Errorf("piece %d heads %.1f°, want %.0f°", i, got, want)
		}
	}
	if at, _ := p.at(p.along[1], 1); at != p.line[1] {
		t.Errorf("on a piece without length the place is %v", at)
	}
}

// Without the feed's distances the stops must be found by place, and without a shape the way is
// straight.
func TestPatternWithLessToGoBy(t *testing.T) {
	for _, trip := range firstTrips(cityFeed(t)) {
		want := newPattern(trip)
		bare := *trip
		bare.Shape = &gtfs.Shape{ID: "bare", Line: trip.Shape.Line}
		got := newPattern(&bare)
		for i := range want.stops {
			if math.Abs(want.stops[i]-got.stops[i]) > 15 {
				t.Fatalf("trip %s: stop %d at %.0f m by place and %.0f m by distance", trip.ID, i, got.stops[i], want.stops[i])
			}
		}
		bare.Shape = nil
		if got := newPattern(&bare); len(got.path.line) != len(trip.StopTimes) || got.stops[len(got.stops)-1] != got.path.length() {
			t.Fatalf("trip %s: without a shape the way has %d points", trip.ID, len(got.path.line))
		}
	}
}

// Distances may be in any unit.
func TestPatternScalesDistances(t *testing.T) {
	trip := firstTrips(cityFeed(t))[0]
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

// A shape that is somewhere else is not believed.
func TestPatternDropsAShapeThatIsElsewhere(t *testing.T) {
	trip := *firstTrips(cityFeed(t))[0]
	trip.Shape = &gtfs.Shape{Line: orb.LineString{{10, 50}, {10, 51}}}
	if got := newPattern(&trip).path.line[0]; got != trip.StopTimes[0].Stop.Point {
		t.Errorf("the way begins at %v", got)
	}
}
