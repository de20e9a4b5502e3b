package network

import (
	"math"

	"github.com/paulmach/orb"
)

// metresPerDegree is the length of a degree of latitude on the sphere that orb uses.
const metresPerDegree = math.Pi / 180 * orb.EarthRadius

// LocalPlane is a plane in metres around a point. It is accurate near that point only.
type LocalPlane struct {
	Point orb.Point
	cos   float64
}

// PlaneAt returns the plane around p.
func PlaneAt(p orb.Point) LocalPlane { return LocalPlane{p, math.Cos(p.Lat() * math.Pi / 180)} }

// xy returns the position of q in metres east and north of the plane's point.
func (f *LocalPlane) xy(q orb.Point) (x, y float64) {
	d := q[0] - f.Point[0]
	if d > 180 {
		d -= 360
	} else if d < -180 {
		d += 360
	}
	return d * f.cos * metresPerDegree, (q[1] - f.Point[1]) * metresPerDegree
}

// MetresSquared returns the squared distance to q in metres². It takes some ns and is meant for comparing near
// points.
func (f *LocalPlane) MetresSquared(q orb.Point) float64 {
	x, y := f.xy(q)
	return x*x + y*y
}

// Match is a place on a pattern's line.
type Match struct {
	Along  float64 // metres from the beginning of the line
	Metres float64 // distance to the matched point
	East   float64 // direction of the line there, as a unit vector
	North  float64
	Loose  float64 // metres by which the bus may be beside the line because nothing draws it here; 0 if a shape does
}

// Limits of a line that nothing draws. A street between two stops may lie a quarter of their distance beside the
// straight line; 300 m are a block of houses in any direction.
const (
	looseShare = 0.25
	maxReach   = 300.0
)

// reachOf returns how far beside a place of that looseness, in metres, a bus may be on the line.
func reachOf(loose float64) float64 { return min(maxReach, MatchRadius+looseShare*loose) }

// Reach returns how far from a place a bus may be that is on the line, in metres: MatchRadius, and more where nothing
// draws the line.
func (m *Match) Reach() float64 { return reachOf(m.Loose) }

// looseness returns Match.Loose at a part (0 to 1) of a segment. A parabola over the segment: the line is certain at
// its stops only.
func (p *Pattern) looseness(segment int, part float64) float64 {
	if p.chords == nil || !p.chords[segment] {
		return 0
	}
	return 4 * part * (1 - part) * (p.cumulative[segment+1] - p.cumulative[segment])
}

// matchSegment returns the point of segment i that is nearest to the plane's point.
func (p *Pattern) matchSegment(f *LocalPlane, i int) Match {
	ax, ay := f.xy(p.Line[i])
	bx, by := f.xy(p.Line[i+1])
	dx, dy := bx-ax, by-ay
	long := dx*dx + dy*dy
	part := 0.0
	if long > 0 {
		part = min(max(-(ax*dx+ay*dy)/long, 0), 1)
	}
	m := Match{
		Along:  p.cumulative[i] + part*(p.cumulative[i+1]-p.cumulative[i]),
		Metres: math.Hypot(ax+part*dx, ay+part*dy),
		Loose:  p.looseness(i, part),
	}
	if long > 0 {
		root := math.Sqrt(long)
		m.East, m.North = dx/root, dy/root
	}
	return m
}

// Heading is the direction of a bus as a unit vector. The zero Heading is unknown.
type Heading struct{ East, North float64 }

// HeadingOf converts degrees clockwise from north to a Heading.
func HeadingOf(degrees float64) Heading {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return Heading{East: sin, North: cos}
}

// HeadingMismatch returns how much the line's direction differs from a heading: 0 same or unknown, 1 across, 2
// opposite.
func (m *Match) HeadingMismatch(h Heading) float64 {
	if h == (Heading{}) || m.East == 0 && m.North == 0 {
		return 0
	}
	return 1 - (m.East*h.East + m.North*h.North)
}

// headingPenalty is the distance in metres that weighs as much as a heading mismatch of 1.
const headingPenalty = 40

// Cost ranks the matches of one position: the distance to the line plus a penalty for the heading mismatch.
func (m *Match) Cost(h Heading) float64 { return m.Metres + headingPenalty*m.HeadingMismatch(h) }

// Between returns the best match on the part of the line between two distances along it.
func (p *Pattern) Between(f *LocalPlane, h Heading, from, to float64) Match {
	return p.matchSegments(f, h, p.segment(from), p.segment(to), from, to)
}

// matchSegments returns the best match on segments first to last, limited to a part of the line.
func (p *Pattern) matchSegments(f *LocalPlane, h Heading, first, last int, from, to float64) Match {
	var best Match
	cost := math.Inf(1)
	for i := first; i <= last; i++ {
		m := p.matchSegment(f, i)
		if m.Along < from || m.Along > to {
			m = p.moveMatch(f, m, min(max(m.Along, from), to))
		}
		if c := m.Cost(h); c < cost {
			best, cost = m, c
		}
	}
	return best
}

// moveMatch moves a match to another place along the line.
func (p *Pattern) moveMatch(f *LocalPlane, m Match, along float64) Match {
	i, part := p.place(along)
	x, y := f.xy(p.pointOn(i, part))
	m.Along, m.Metres, m.Loose = along, math.Hypot(x, y), p.looseness(i, part)
	return m
}

// Candidate is a pattern near a place.
type Candidate struct {
	Pattern *Pattern
	Match
}

// MatchRadius is the distance within which Near finds patterns whose line is drawn, in metres.
const MatchRadius = 100

// Near appends the best match of every pass of every pattern within Match.Reach of a place. A pattern that passes
// the place twice has two candidates.
func (n *Network) Near(dst []Candidate, f *LocalPlane, h Heading) []Candidate {
	for _, s := range n.grid.at(f.Point) {
		p := n.Patterns[s.pattern]
		m := p.matchSegments(f, h, int(s.first), int(s.last), 0, p.Length())
		if m.Metres <= m.Reach() {
			dst = append(dst, Candidate{p, m})
		}
	}
	return dst
}
