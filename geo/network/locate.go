package network

import (
	"math"

	"github.com/paulmach/orb"
)

// metresPerDegree of latitude, on the sphere that orb measures on.
const metresPerDegree = math.Pi / 180 * orb.EarthRadius

// Place is a point to look at lines from: the centre of a plane in metres that is true near it.
type Place struct {
	Point orb.Point
	cos   float64
}

// From returns the plane around a point.
func From(p orb.Point) Place { return Place{p, math.Cos(p.Lat() * math.Pi / 180)} }

// plane returns where q lies in metres east and north of the place.
func (f *Place) plane(q orb.Point) (x, y float64) {
	d := q[0] - f.Point[0]
	if d > 180 {
		d -= 360
	} else if d < -180 {
		d += 360
	}
	return d * f.cos * metresPerDegree, (q[1] - f.Point[1]) * metresPerDegree
}

// MetresSquared returns the square of the metres to q, true for what is near: good to compare by, some ns.
func (f *Place) MetresSquared(q orb.Point) float64 {
	x, y := f.plane(q)
	return x*x + y*y
}

// Match is a place on a pattern's line.
type Match struct {
	Along  float64 // metres from the line's beginning
	Metres float64 // from the point that was matched
	East   float64 // the line's direction there, as a unit vector
	North  float64
}

// on returns the point of segment i that is nearest to the place.
func (p *Pattern) on(f *Place, i int) Match {
	ax, ay := f.plane(p.Line[i])
	bx, by := f.plane(p.Line[i+1])
	dx, dy := bx-ax, by-ay
	long := dx*dx + dy*dy
	part := 0.0
	if long > 0 {
		part = min(max(-(ax*dx+ay*dy)/long, 0), 1)
	}
	m := Match{
		Along:  p.reach[i] + part*(p.reach[i+1]-p.reach[i]),
		Metres: math.Hypot(ax+part*dx, ay+part*dy),
	}
	if long > 0 {
		root := math.Sqrt(long)
		m.East, m.North = dx/root, dy/root
	}
	return m
}

// Heading is the way a bus moves, as a unit vector; the zero Heading is unknown.
type Heading struct{ East, North float64 }

// HeadingOf turns degrees clockwise from north into a Heading.
func HeadingOf(degrees float64) Heading {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return Heading{East: sin, North: cos}
}

// Against returns how much a line runs against a heading: 0 along it or unknown, 1 across, 2 opposite.
func (m *Match) Against(h Heading) float64 {
	if h == (Heading{}) || m.East == 0 && m.North == 0 {
		return 0
	}
	return 1 - (m.East*h.East + m.North*h.North)
}

// Weighing of matches: a line that runs against the bus's heading counts as that many metres further off.
const metresAgainst = 40

// Cost orders matches of one fix: metres from the line, and more where it runs another way than the bus.
func (m *Match) Cost(h Heading) float64 { return m.Metres + metresAgainst*m.Against(h) }

// Between returns the best match of a place on the line from one metre to another.
func (p *Pattern) Between(f *Place, h Heading, from, to float64) Match {
	return p.among(f, h, p.segment(from), p.segment(to), from, to)
}

// among returns the best match on segments first to last, clamped to a part of the line.
func (p *Pattern) among(f *Place, h Heading, first, last int, from, to float64) Match {
	var best Match
	cost := math.Inf(1)
	for i := first; i <= last; i++ {
		m := p.on(f, i)
		if m.Along < from || m.Along > to {
			m = p.clamped(f, m, min(max(m.Along, from), to))
		}
		if c := m.Cost(h); c < cost {
			best, cost = m, c
		}
	}
	return best
}

// clamped moves a match to another place along the line.
func (p *Pattern) clamped(f *Place, m Match, along float64) Match {
	at, _ := p.At(along)
	x, y := f.plane(at)
	m.Along, m.Metres = along, math.Hypot(x, y)
	return m
}

// Candidate is a pattern near a place.
type Candidate struct {
	Pattern *Pattern
	Match
}

// Reach is how near to a place Near finds patterns, in metres.
const Reach = 100

// Near appends every pass of every pattern within Reach of a place, with its best match.
func (n *Network) Near(dst []Candidate, f *Place, h Heading) []Candidate {
	for _, s := range n.grid.at(f.Point) {
		p := n.Patterns[s.pattern]
		m := p.among(f, h, int(s.first), int(s.last), 0, p.Length())
		if m.Metres <= Reach {
			dst = append(dst, Candidate{p, m})
		}
	}
	return dst
}
