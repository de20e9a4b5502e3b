package sim

import (
	"math"

	"github.com/paulmach/orb"
)

// metresPerDegree is a degree of latitude on the sphere that orb/geo measures with.
const metresPerDegree = orb.EarthRadius * math.Pi / 180

// plane flattens the neighbourhood of a place into metres east and north of it. Over the 30 km of
// a city the error of a distance stays under 0.2 %.
type plane struct {
	origin orb.Point
	east   float64 // metres per degree of longitude
}

func newPlane(origin orb.Point) plane {
	return plane{origin: origin, east: metresPerDegree * math.Cos(origin.Lat()*math.Pi/180)}
}

// flat returns metres east and north of the origin.
func (f plane) flat(p orb.Point) orb.Point {
	return orb.Point{(p[0] - f.origin[0]) * f.east, (p[1] - f.origin[1]) * metresPerDegree}
}

// globe returns WGS84 lon, lat.
func (f plane) globe(p orb.Point) orb.Point {
	return orb.Point{f.origin[0] + p[0]/f.east, f.origin[1] + p[1]/metresPerDegree}
}

func add(a, b orb.Point) orb.Point { return orb.Point{a[0] + b[0], a[1] + b[1]} }

func minus(a, b orb.Point) orb.Point { return orb.Point{a[0] - b[0], a[1] - b[1]} }

func times(a orb.Point, k float64) orb.Point { return orb.Point{a[0] * k, a[1] * k} }

func length(a orb.Point) float64 { return math.Hypot(a[0], a[1]) }

// between returns the point at share t of the way from a to b.
func between(a, b orb.Point, t float64) orb.Point { return add(a, times(minus(b, a), t)) }

// right returns the unit vector to the right of the way from a to b.
func right(a, b orb.Point) orb.Point {
	d := minus(b, a)
	n := length(d)
	if n == 0 {
		return orb.Point{}
	}
	return orb.Point{d[1] / n, -d[0] / n}
}

// The functions below draw in flat metres.

// resample cuts a line into pieces of at most step, keeping its corners.
func resample(line orb.LineString, step float64) orb.LineString {
	out := orb.LineString{line[0]}
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		n := max(1, int(math.Ceil(length(minus(b, a))/step)))
		for k := 1; k <= n; k++ {
			out = append(out, between(a, b, float64(k)/float64(n)))
		}
	}
	return out
}

// roundCorners cuts a quarter off both sides of every corner (Chaikin), keeping the ends.
func roundCorners(line orb.LineString) orb.LineString {
	out := orb.LineString{line[0]}
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		out = append(out, between(a, b, 0.25), between(a, b, 0.75))
	}
	return append(out, line[len(line)-1])
}

// keepRight moves a line to its right-hand side, where traffic in Vietnam drives.
func keepRight(line orb.LineString, by float64) orb.LineString {
	out := make(orb.LineString, len(line))
	for i, p := range line {
		out[i] = add(p, times(right(line[max(i-1, 0)], line[min(i+1, len(line)-1)]), by))
	}
	return out
}

// lengthOf returns a flat line's length.
func lengthOf(line orb.LineString) float64 {
	sum := 0.0
	for i := 1; i < len(line); i++ {
		sum += length(minus(line[i], line[i-1]))
	}
	return sum
}

// pointAlong returns the point at distance d of a flat line, moved to the right by offset.
func pointAlong(line orb.LineString, d, offset float64) orb.Point {
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		piece := length(minus(b, a))
		if d <= piece || i == len(line)-1 {
			return add(between(a, b, d/piece), times(right(a, b), offset))
		}
		d -= piece
	}
	return line[0]
}
