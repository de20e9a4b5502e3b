package sim

import (
	"math"

	"github.com/paulmach/orb"
)

// metresPerDegree is the length of a degree of latitude on the sphere of orb/geo.
const metresPerDegree = orb.EarthRadius * math.Pi / 180

// plane is a local projection into metres east and north of an origin. Over the 30 km of a city the error of a distance
// is less than 0.2 %.
type plane struct {
	origin orb.Point
	east   float64 // metres per degree of longitude
}

func newPlane(origin orb.Point) plane {
	return plane{origin: origin, east: metresPerDegree * math.Cos(origin.Lat()*math.Pi/180)}
}

// toPlane projects WGS84 lon, lat to metres east and north of the origin.
func (f plane) toPlane(p orb.Point) orb.Point {
	return orb.Point{(p[0] - f.origin[0]) * f.east, (p[1] - f.origin[1]) * metresPerDegree}
}

// toWGS84 is the inverse of toPlane.
func (f plane) toWGS84(p orb.Point) orb.Point {
	return orb.Point{f.origin[0] + p[0]/f.east, f.origin[1] + p[1]/metresPerDegree}
}

func add(a, b orb.Point) orb.Point { return orb.Point{a[0] + b[0], a[1] + b[1]} }

func subtract(a, b orb.Point) orb.Point { return orb.Point{a[0] - b[0], a[1] - b[1]} }

func scale(a orb.Point, k float64) orb.Point { return orb.Point{a[0] * k, a[1] * k} }

func length(a orb.Point) float64 { return math.Hypot(a[0], a[1]) }

// interpolate returns the point at fraction t of the line from a to b.
func interpolate(a, b orb.Point, t float64) orb.Point { return add(a, scale(subtract(b, a), t)) }

// right returns the unit vector to the right of the direction from a to b.
func right(a, b orb.Point) orb.Point {
	d := subtract(b, a)
	n := length(d)
	if n == 0 {
		return orb.Point{}
	}
	return orb.Point{d[1] / n, -d[0] / n}
}

// The functions below work in the plane, in metres.

// resample splits a line into segments of at most step, and keeps its corners.
func resample(line orb.LineString, step float64) orb.LineString {
	out := orb.LineString{line[0]}
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		n := max(1, int(math.Ceil(length(subtract(b, a))/step)))
		for k := 1; k <= n; k++ {
			out = append(out, interpolate(a, b, float64(k)/float64(n)))
		}
	}
	return out
}

// roundCorners cuts a quarter off both sides of each corner (Chaikin's algorithm), and keeps the ends.
func roundCorners(line orb.LineString) orb.LineString {
	out := orb.LineString{line[0]}
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		out = append(out, interpolate(a, b, 0.25), interpolate(a, b, 0.75))
	}
	return append(out, line[len(line)-1])
}

// keepRight moves a line to the right: Vietnam has right-hand traffic.
func keepRight(line orb.LineString, by float64) orb.LineString {
	out := make(orb.LineString, len(line))
	for i, p := range line {
		out[i] = add(p, scale(right(line[max(i-1, 0)], line[min(i+1, len(line)-1)]), by))
	}
	return out
}

// lengthOf returns a line's length.
func lengthOf(line orb.LineString) float64 {
	sum := 0.0
	for i := 1; i < len(line); i++ {
		sum += length(subtract(line[i], line[i-1]))
	}
	return sum
}

// pointAlong returns the point at distance d along a line, moved to the right by offset.
func pointAlong(line orb.LineString, d, offset float64) orb.Point {
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		segment := length(subtract(b, a))
		if d <= segment || i == len(line)-1 {
			return add(interpolate(a, b, d/segment), scale(right(a, b), offset))
		}
		d -= segment
	}
	return line[0]
}
