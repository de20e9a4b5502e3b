package sim

import (
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"nhip"
	"nhip/geo/gtfs"
)

// How the streets are drawn, in metres.
const (
	streetStep = 50.0 // between drawn points: short enough to show a bend
	wiggle     = 16.0 // how far a drawn street strays from the straight line
	wiggleSize = 650  // over what distance it does
	laneOffset = 5.0  // a bus's lane from the middle of the street
	kerbOffset = 11.0 // a stop's pole from the middle of the street
	stopGap    = 500  // from stop to stop
	stopShift  = 25.0 // a stop stands before the one opposite, so that both are easy to tell apart
)

// oldQuarter is about the middle of the city; everything is drawn around it.
var oldQuarter = orb.Point{105.82, 21.02}

// Network is the simulated city's bus network: streets, stops and lines, drawn from this package's
// own tables.
type Network struct {
	plane plane
	edges map[[2]string]*edge // by its junctions in the direction of travel
	stops []*gtfs.Stop
	ends  map[string]*gtfs.Stop // the stops of the terminals
	lines []*drawnLine
}

// edge is one direction of a street between two junctions.
type edge struct {
	street *street
	middle orb.LineString // flat
	stops  []*gtfs.Stop   // in the direction of travel; none on a bridge
}

// drawnLine is a line with its way out and back.
type drawnLine struct {
	line
	ways [2]way
}

// way is one direction of a line.
type way struct {
	from, to string // terminals
	edges    []*edge
	shape    orb.LineString // WGS84 lon, lat
	stops    []*gtfs.Stop   // from terminal to terminal
}

// City draws the network. It fails only where the package's tables contradict one another.
func City() (*Network, error) {
	n := &Network{plane: newPlane(oldQuarter), edges: map[[2]string]*edge{}, ends: map[string]*gtfs.Stop{}}
	n.drawTerminals()
	if err := n.drawStreets(); err != nil {
		return nil, err
	}
	for _, l := range lines {
		drawn, err := n.drawLine(l)
		if err != nil {
			return nil, fmt.Errorf("line %s: %w", l.number, err)
		}
		n.lines = append(n.lines, drawn)
	}
	n.numberStops()
	return n, nil
}

func (n *Network) addStop(name string, p orb.Point) *gtfs.Stop {
	s := &gtfs.Stop{Name: name, Point: p}
	n.stops = append(n.stops, s)
	return s
}

// numberStops gives ids to the stops at which lines call, and drops the others.
func (n *Network) numberStops() {
	used := map[*gtfs.Stop]bool{}
	for _, l := range n.lines {
		for i := range l.ways {
			for _, s := range l.ways[i].stops {
				used[s] = true
			}
		}
	}
	n.stops = slices.DeleteFunc(n.stops, func(s *gtfs.Stop) bool { return !used[s] })
	for i, s := range n.stops {
		s.ID = fmt.Sprintf("HN%04d", i+1)
	}
}

// drawTerminals goes by the order of the lines, so that ids never depend on a map's order.
func (n *Network) drawTerminals() {
	for _, l := range lines {
		for _, key := range [...]string{l.via[0], l.via[len(l.via)-1]} {
			if n.ends[key] == nil {
				n.ends[key] = n.addStop(terminals[key], n.plane.globe(n.stray(n.plane.flat(junctions[key]))))
			}
		}
	}
}

// drawStreets makes both directions of every piece of street, with its stops.
func (n *Network) drawStreets() error {
	for i := range streets {
		s, done := &streets[i], 0.0
		for k := 1; k < len(s.along); k++ {
			middle, err := n.middle(s.along[k-1], s.along[k])
			if err != nil {
				return fmt.Errorf("street %s: %w", s.name, err)
			}
			there, back := &edge{street: s, middle: middle}, &edge{street: s, middle: reversed(middle)}
			n.edges[[2]string{s.along[k-1], s.along[k]}] = there
			n.edges[[2]string{s.along[k], s.along[k-1]}] = back
			long := lengthOf(middle)
			n.placeStops(there, func(d float64) int { return houseNumber(done+d, true) })
			n.placeStops(back, func(d float64) int { return houseNumber(done+long-d, false) })
			done += long
		}
	}
	return nil
}

// houseNumber counts a house each 8 metres from the street's beginning: odd numbers on the one side
// and even ones on the other.
func houseNumber(d float64, odd bool) int {
	n := 2 * (1 + int(d/8))
	if odd {
		n--
	}
	return n
}

// middle draws the middle of the street between two junctions.
func (n *Network) middle(from, to string) (orb.LineString, error) {
	var line orb.LineString
	for _, key := range [...]string{from, to} {
		if _, known := junctions[key]; !known {
			return nil, fmt.Errorf("junction %q is unknown", key)
		}
	}
	line = append(line, n.plane.flat(junctions[from]))
	for _, p := range bends[[2]string{from, to}] {
		line = append(line, n.plane.flat(p))
	}
	line = resample(append(line, n.plane.flat(junctions[to])), streetStep)
	for i, p := range line {
		line[i] = n.stray(p)
	}
	return line, nil
}

// stray moves a flat point a little, the same for the same point: so streets bend, and still meet
// at their junctions.
func (n *Network) stray(p orb.Point) orb.Point {
	x, y := p[0]/wiggleSize, p[1]/wiggleSize
	return add(p, orb.Point{wiggle * smooth3(1, x, y, 0), wiggle * smooth3(2, x, y, 0)})
}

// placeStops spreads stops evenly, half a gap from either junction, so that the gap from stop to
// stop stays the same where a line turns into another street.
func (n *Network) placeStops(e *edge, house func(along float64) int) {
	if e.street.bridge {
		return
	}
	long := lengthOf(e.middle)
	count := max(1, int(math.Round(long/stopGap)))
	for i := range count {
		d := long / float64(count) * (float64(i) + 0.5)
		place := n.plane.globe(pointAlong(e.middle, d-stopShift, kerbOffset))
		e.stops = append(e.stops, n.addStop(n.stopName(e.street, house(d), place), rounded(place)))
	}
}

// landmarkReach is how near a stop must be to be named after a landmark, in metres.
const landmarkReach = 260

// stopName returns "<landmark> - <number> <street>", or the address alone.
func (n *Network) stopName(s *street, house int, at orb.Point) string {
	address := fmt.Sprintf("%d %s", house, s.name)
	best, name := float64(landmarkReach), ""
	for _, m := range landmarks {
		if d := length(minus(n.plane.flat(m.point), n.plane.flat(at))); d < best {
			best, name = d, m.name
		}
	}
	if name == "" {
		return address
	}
	return name + " - " + address
}

func reversed(line orb.LineString) orb.LineString {
	out := line.Clone()
	out.Reverse()
	return out
}

// rounded keeps six decimals, a tenth of a metre.
func rounded(p orb.Point) orb.Point {
	return orb.Point{math.Round(p[0]*1e6) / 1e6, math.Round(p[1]*1e6) / 1e6}
}

// routeType is GTFS's number for a bus.
const routeType = 3

// route returns the line as GTFS has it.
func (l *drawnLine) route(a *gtfs.Agency) *gtfs.Route {
	return &gtfs.Route{
		ID: l.number, Agency: a, ShortName: l.number, Type: routeType,
		LongName: terminals[l.via[0]] + " - " + terminals[l.via[len(l.via)-1]],
		Color:    "E4002B", TextColor: "FFFFFF",
	}
}

// directions are GTFS's, by way.
var directions = [2]nhip.Opt[int]{nhip.Some(0), nhip.Some(1)}
