package truth

import (
	"math"
	"slices"

	"nhip/geo/network"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// fix is one position of a track.
type fix struct {
	time  float64 // Unix s
	point orb.Point
}

// How a track is read. Between two positions a bus is taken to drive straight on at one speed.
const (
	maxGap     = 180.0 // s between two positions; how a bus drove in a longer gap is unknown
	maxSpeed   = 40.0  // m/s; a position out of reach from both sides is an error of the receiver
	reach      = 60.0  // m from a stop within which the track passes it; receivers and stops are that far off
	looseness  = 0.15  // of the distance between two positions, added to reach: the street bends between them
	maxLoose   = 150.0 // m, of that addition
	separation = 40.0  // m that a bus must go away from a stop between two passes
	standing   = 20.0  // m within which a bus that stands at a stop is seen
	terminal   = 60.0  // m around a terminal within which a bus is there: terminals have several bays
	creeping   = 1.5   // m/s; a bus that nears a stop less fast stands there
)

// Costs of a choice of passes. A stop that is not passed costs 1, one that is passed the square of its distance as a
// share of the reach.
const (
	missed  = 1.0
	waiting = 0.02 / 60 // per s from the first to the last pass: of two passes of a terminal, the one next to the trip
)

// pass is one approach of a track to a stop.
type pass struct {
	stop   int
	time   float64   // of the nearest point, Unix s
	point  orb.Point // of the track, nearest to the stop
	before int       // index of the last position before it
	metres float64
	cost   float64
	edge   bool // at an end of what is known of the track: the bus may not have come nearer
}

// withoutJumps returns the positions without repeated times and without those that are out of reach from the ones
// before and after.
func withoutJumps(fixes []fix) []fix {
	kept := make([]fix, 0, len(fixes))
	for i, f := range fixes {
		if n := len(kept); n > 0 {
			last := kept[n-1]
			if f.time <= last.time {
				continue
			}
			if i+1 < len(fixes) && beyond(last, f) && beyond(f, fixes[i+1]) {
				continue
			}
		}
		kept = append(kept, f)
	}
	return kept
}

// beyond reports whether a bus can't have driven from a to b.
func beyond(a, b fix) bool {
	return geo.DistanceHaversine(a.point, b.point) > maxSpeed*(b.time-a.time)+2*reach
}

// option is a pass with the cheapest choice of passes before it.
type option struct {
	pass
	total float64
	from  int // index of the option before, or -1
}

// follow returns the passes of a pattern's stops, in order, that cost least together, and that cost. Stops that the
// track doesn't pass have none.
func follow(p *network.Pattern, fixes []fix) ([]pass, float64) {
	var options []option
	for i, s := range p.Stops {
		known, radius := len(options), radiusOf(p, i)
		for _, a := range approaches(fixes, s.Point) {
			if a.edge && a.metres > radius {
				continue
			}
			a.stop = i
			o := option{pass: a, total: a.cost + missed*float64(i), from: -1}
			for k := range options[:known] {
				b := &options[k]
				if b.time > a.time {
					continue
				}
				cost := b.total + a.cost + missed*float64(i-b.stop-1) + waiting*(a.time-b.time)
				if cost < o.total {
					o.total, o.from = cost, k
				}
			}
			options = append(options, o)
		}
	}
	best, least := -1, missed*float64(len(p.Stops))
	for k := range options {
		if cost := options[k].total + missed*float64(p.Last()-options[k].stop); cost < least {
			best, least = k, cost
		}
	}
	var passes []pass
	for k := best; k >= 0; k = options[k].from {
		passes = append(passes, options[k].pass)
	}
	slices.Reverse(passes)
	return passes, least
}

// radiusOf returns the distance in m within which a bus stands at a stop.
func radiusOf(p *network.Pattern, stop int) float64 {
	if stop == 0 || stop == p.Last() {
		return terminal
	}
	return standing
}

// approaches returns the passes of a stop by a track. Two of them are apart by a place at least separation metres
// farther from the stop than both.
func approaches(fixes []fix, stop orb.Point) []pass {
	var all []pass
	around := planeAt(stop)
	none := pass{metres: math.Inf(1), cost: math.Inf(1)}
	best, farthest, leaving := none, 0.0, false
	end := func() {
		if !leaving && best.cost < missed {
			all = append(all, best)
		}
	}
	see := func(p pass) {
		switch {
		case leaving && p.metres > farthest:
			farthest = p.metres
		case leaving && p.metres < farthest-separation:
			leaving, best = false, p
		case !leaving && (p.metres < best.metres || p.edge && p.metres == best.metres):
			best = p
		case !leaving && p.metres > best.metres+separation:
			end()
			leaving, farthest = true, p.metres
		}
	}
	for i := range len(fixes) - 1 {
		if apart(fixes, i) {
			end() // what the bus did in the gap is unknown
			best, leaving = none, false
			continue
		}
		if i == 0 || apart(fixes, i-1) {
			see(around.passAt(fixes, i, true))
		}
		see(nearest(around, fixes, i))
		see(around.passAt(fixes, i+1, i+2 == len(fixes) || apart(fixes, i+1)))
	}
	end()
	return all
}

// apart reports whether there is a gap after a position.
func apart(fixes []fix, i int) bool { return fixes[i+1].time-fixes[i].time > maxGap }

// passAt returns the pass at a position.
func (f plane) passAt(fixes []fix, i int, edge bool) pass {
	metres := math.Hypot(f.xy(fixes[i].point))
	return pass{
		time: fixes[i].time, point: fixes[i].point, before: i, metres: metres, cost: costAt(metres, 0), edge: edge,
	}
}

// plane is a plane in metres around a point, accurate near it.
type plane struct {
	point orb.Point
	cos   float64
}

func planeAt(p orb.Point) plane { return plane{p, math.Cos(p.Lat() * math.Pi / 180)} }

// xy returns the position of q in m east and north of the plane's point.
func (f plane) xy(q orb.Point) (x, y float64) {
	const perDegree = math.Pi / 180 * orb.EarthRadius
	return math.Remainder(q[0]-f.point[0], 360) * f.cos * perDegree, (q[1] - f.point[1]) * perDegree
}

// nearest returns the point between two positions that is nearest to the plane's point.
func nearest(around plane, fixes []fix, i int) pass {
	a, b := fixes[i], fixes[i+1]
	ax, ay := around.xy(a.point)
	bx, by := around.xy(b.point)
	dx, dy := bx-ax, by-ay
	long, part := dx*dx+dy*dy, 0.0
	if long > 0 {
		part = min(max(-(ax*dx+ay*dy)/long, 0), 1)
	}
	p := pass{
		time: a.time + part*(b.time-a.time), metres: math.Hypot(ax+part*dx, ay+part*dy), before: i,
		point: orb.Point{a.point[0] + part*(b.point[0]-a.point[0]), a.point[1] + part*(b.point[1]-a.point[1])},
	}
	if part == 1 {
		p.before = i + 1
	}
	p.cost = costAt(p.metres, math.Sqrt(long))
	return p
}

// costAt returns the cost of a pass at a distance from its stop, between two positions that far apart.
func costAt(metres, apart float64) float64 {
	x := metres / (reach + min(looseness*apart, maxLoose))
	return missed * x * x
}

// reached returns when a bus reached the place of a pass, Unix s. A bus that stands within a radius in m of it has
// reached it when it came to stand, not when the receiver's noise brought it nearest.
func reached(fixes []fix, p *pass, radius float64) float64 {
	t := p.time
	for i := p.before; i >= 0; i-- {
		metres := geo.DistanceHaversine(fixes[i].point, p.point)
		if metres > radius {
			break
		}
		if metres <= creeping*(p.time-fixes[i].time) {
			t = min(t, fixes[i].time)
		}
	}
	return t
}

// left returns when a bus left the place of a pass, Unix s.
func left(fixes []fix, p *pass) float64 {
	t := p.time
	for i := p.before + 1; i < len(fixes) && geo.DistanceHaversine(fixes[i].point, p.point) <= terminal; i++ {
		t = fixes[i].time
	}
	return t
}
