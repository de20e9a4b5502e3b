package sim

import (
	"math"
	"sort"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"

	"nhip/geo/gtfs"
)

// path is a way on the ground with metres along it.
type path struct {
	line    orb.LineString // WGS84 lon, lat
	along   []float64      // metres from the beginning, by point
	bearing []float64      // degrees clockwise from north in [0, 360), by piece
}

func newPath(line orb.LineString) *path {
	p := &path{line: line, along: make([]float64, len(line)), bearing: make([]float64, len(line)-1)}
	for i := 1; i < len(line); i++ {
		d := geo.DistanceHaversine(line[i-1], line[i])
		p.along[i] = p.along[i-1] + d
		switch {
		case d > 0:
			p.bearing[i-1] = turn(geo.Bearing(line[i-1], line[i]))
		case i > 1: // a point that is there twice has no direction of its own
			p.bearing[i-1] = p.bearing[i-2]
		}
	}
	return p
}

// turn brings an angle into [0, 360).
func turn(degrees float64) float64 {
	d := math.Mod(degrees, 360)
	if d < 0 {
		d += 360
	}
	return d
}

func (p *path) length() float64 { return p.along[len(p.along)-1] }

// at returns the place at d metres and the piece it is on. The search begins at piece hint: a bus
// moves little from fix to fix.
func (p *path) at(d float64, hint int) (orb.Point, int) {
	i := min(max(hint, 0), len(p.bearing)-1)
	for i > 0 && p.along[i] > d {
		i--
	}
	for i < len(p.bearing)-1 && p.along[i+1] < d {
		i++
	}
	piece := p.along[i+1] - p.along[i]
	if piece == 0 {
		return p.line[i], i
	}
	t := min(max((d-p.along[i])/piece, 0), 1)
	return between(p.line[i], p.line[i+1], t), i
}

// project returns where between from and to metres the path is nearest to q, and how far off.
func (p *path) project(q orb.Point, from, to float64) (d, off float64) {
	f := newPlane(q) // q is the origin: distances to it are lengths
	off = math.Inf(1)
	first := max(sort.SearchFloat64s(p.along, from)-1, 0)
	for i := first; i < len(p.bearing) && p.along[i] <= to; i++ {
		a, b := f.flat(p.line[i]), f.flat(p.line[i+1])
		t := nearestShare(a, b)
		at := min(max(blend(p.along[i], p.along[i+1], t), from), to)
		here, _ := p.at(at, i)
		if o := length(f.flat(here)); o < off {
			d, off = at, o
		}
	}
	return d, off
}

// nearestShare returns at which share of the way from a to b the origin is nearest.
func nearestShare(a, b orb.Point) float64 {
	ab := minus(b, a)
	n := ab[0]*ab[0] + ab[1]*ab[1]
	if n == 0 {
		return 0
	}
	return min(max(-(a[0]*ab[0]+a[1]*ab[1])/n, 0), 1)
}

// pattern is a path and where on it the stops are; trips that go the same way share it.
type pattern struct {
	path  *path
	stops []float64 // metres along, never falling
}

// offShape is how far a stop may be from its trip's shape before the shape is not believed, in
// metres.
const offShape = 200

// newPattern lays a trip's stops on its shape: by the feed's own distances where it gives them,
// else by the nearest place ahead. Without a shape that fits, the way is straight from stop to stop.
func newPattern(t *gtfs.Trip) *pattern {
	if t.Shape != nil {
		p := newPath(t.Shape.Line)
		if stops := p.stopsByDist(t); stops != nil {
			return &pattern{p, stops}
		}
		if stops := p.stopsByPlace(t.StopTimes); stops != nil {
			return &pattern{p, stops}
		}
	}
	line := make(orb.LineString, len(t.StopTimes))
	for i := range t.StopTimes {
		line[i] = t.StopTimes[i].Stop.Point
	}
	p := newPath(line)
	return &pattern{p, p.along}
}

// stopsByDist turns the feed's shape_dist_traveled, in whatever unit, into metres; nil without.
func (p *path) stopsByDist(t *gtfs.Trip) []float64 {
	dists := t.Shape.Dists
	if dists == nil {
		return nil
	}
	stops := make([]float64, len(t.StopTimes))
	for i := range t.StopTimes {
		d := t.StopTimes[i].Dist
		if d == gtfs.NoDist {
			return nil
		}
		k := min(max(sort.Search(len(dists), func(k int) bool { return dists[k] >= d }), 1), len(dists)-1)
		t, span := 0.0, float64(dists[k]-dists[k-1])
		if span > 0 {
			t = min(max(float64(d-dists[k-1])/span, 0), 1)
		}
		stops[i] = blend(p.along[k-1], p.along[k], t)
		if i > 0 {
			stops[i] = max(stops[i], stops[i-1])
		}
	}
	return stops
}

// stopsByPlace looks for each stop ahead of the one before, not much farther than the crow flies:
// a way may pass a place twice. It returns nil where a stop is off the path.
func (p *path) stopsByPlace(calls []gtfs.StopTime) []float64 {
	stops := make([]float64, len(calls))
	for i := range calls {
		from, to := 0.0, p.length()
		if i > 0 {
			crow := geo.DistanceHaversine(calls[i-1].Stop.Point, calls[i].Stop.Point)
			from = stops[i-1]
			to = min(to, from+2*crow+1000) // streets are rarely twice as long; a loop may add some
		}
		d, off := p.project(calls[i].Stop.Point, from, to)
		if off > offShape {
			return nil
		}
		stops[i] = d
	}
	return stops
}
