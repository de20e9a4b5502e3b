package sim

import (
	"math"
	"sort"

	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// path is a line on the ground with distances along it.
type path struct {
	line    orb.LineString // WGS84 lon, lat
	along   []float64      // metres from the start, by point
	bearing []float64      // degrees clockwise from north in [0, 360), by segment
}

func newPath(line orb.LineString) *path {
	p := &path{line: line, along: make([]float64, len(line)), bearing: make([]float64, len(line)-1)}
	for i := 1; i < len(line); i++ {
		d := geo.DistanceHaversine(line[i-1], line[i])
		p.along[i] = p.along[i-1] + d
		switch {
		case d > 0:
			p.bearing[i-1] = normalizeDegrees(geo.Bearing(line[i-1], line[i]))
		case i > 1: // a repeated point has no direction of its own
			p.bearing[i-1] = p.bearing[i-2]
		}
	}
	return p
}

// normalizeDegrees maps an angle into [0, 360).
func normalizeDegrees(degrees float64) float64 {
	d := math.Mod(degrees, 360)
	if d < 0 {
		d += 360
	}
	return d
}

func (p *path) length() float64 { return p.along[len(p.along)-1] }

// at returns the point at d metres and its segment. The search starts at segment hint, because a bus moves little
// between fixes.
func (p *path) at(d float64, hint int) (orb.Point, int) {
	i := min(max(hint, 0), len(p.bearing)-1)
	for i > 0 && p.along[i] > d {
		i--
	}
	for i < len(p.bearing)-1 && p.along[i+1] < d {
		i++
	}
	segment := p.along[i+1] - p.along[i]
	if segment == 0 {
		return p.line[i], i
	}
	t := min(max((d-p.along[i])/segment, 0), 1)
	return interpolate(p.line[i], p.line[i+1], t), i
}

// project returns the distance along the path, between from and to metres, at which it is nearest to q, and the
// distance to q there.
func (p *path) project(q orb.Point, from, to float64) (d, off float64) {
	f := newPlane(q) // q is the origin, so that the length of a vector is its distance to q
	off = math.Inf(1)
	first := max(sort.SearchFloat64s(p.along, from)-1, 0)
	for i := first; i < len(p.bearing) && p.along[i] <= to; i++ {
		a, b := f.toPlane(p.line[i]), f.toPlane(p.line[i+1])
		t := nearestFraction(a, b)
		at := min(max(lerp(p.along[i], p.along[i+1], t), from), to)
		here, _ := p.at(at, i)
		if o := length(f.toPlane(here)); o < off {
			d, off = at, o
		}
	}
	return d, off
}

// nearestFraction returns the fraction of the segment from a to b that is nearest to the origin.
func nearestFraction(a, b orb.Point) float64 {
	ab := subtract(b, a)
	n := ab[0]*ab[0] + ab[1]*ab[1]
	if n == 0 {
		return 0
	}
	return min(max(-(a[0]*ab[0]+a[1]*ab[1])/n, 0), 1)
}

// pattern is a path with its stops. Trips with the same shape and stops share one.
type pattern struct {
	path  *path
	stops []float64 // metres along the path, ascending
}

// maxShapeDistance is the maximum distance of a stop from its trip's shape, in metres. Beyond it the shape is ignored.
const maxShapeDistance = 200

// newPattern locates a trip's stops on its shape: with the feed's shape_dist_traveled if present, otherwise by the
// nearest position ahead. Without a usable shape the path is straight from stop to stop.
func newPattern(t *gtfs.Trip) *pattern {
	if t.Shape != nil {
		p := newPath(t.Shape.Line)
		if stops := p.stopsByDist(t); stops != nil {
			return &pattern{p, stops}
		}
		if stops := p.stopsByPosition(t.StopTimes); stops != nil {
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

// stopsByDist converts the feed's shape_dist_traveled, in any unit, to metres. It returns nil if there is none.
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
		stops[i] = lerp(p.along[k-1], p.along[k], t)
		if i > 0 {
			stops[i] = max(stops[i], stops[i-1])
		}
	}
	return stops
}

// stopsByPosition searches each stop after the previous one and not much farther than the straight distance, because a
// path may pass a place twice. It returns nil if a stop is not near the path.
func (p *path) stopsByPosition(calls []gtfs.StopTime) []float64 {
	stops := make([]float64, len(calls))
	for i := range calls {
		from, to := 0.0, p.length()
		if i > 0 {
			straight := geo.DistanceHaversine(calls[i-1].Stop.Point, calls[i].Stop.Point)
			from = stops[i-1]
			to = min(to, from+2*straight+1000) // streets are rarely twice as long; a loop may add more
		}
		d, off := p.project(calls[i].Stop.Point, from, to)
		if off > maxShapeDistance {
			return nil
		}
		stops[i] = d
	}
	return stops
}
