package sim

import (
	"fmt"
	"math"
	"slices"

	"nhip"
	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
)

// Parameters of the drawing, in metres.
const (
	drawStep       = 50.0 // between drawn points: short enough to show a bend
	bendAmplitude  = 16.0 // maximum deviation of a drawn street from the straight line
	bendWavelength = 650  // distance over which it changes
	laneOffset     = 5.0  // a bus's lane from the middle of the street
	kerbOffset     = 11.0 // a stop's pole from the middle of the street
	stopGap        = 500  // from stop to stop
	stopShift      = 25.0 // distance from a stop to the level of the opposite one, so that both are easy to distinguish
)

// cityCenter is the approximate centre of the city and of the drawing.
var cityCenter = orb.Point{105.82, 21.02}

// StreetGraph is the simulated bus network: streets, stops and lines, drawn from the package's tables.
type StreetGraph struct {
	plane         plane
	edges         map[[2]string]*edge // by the two junctions in the direction of travel
	stops         []*gtfs.Stop
	terminalStops map[string]*gtfs.Stop // by junction
	lines         []*drawnLine
}

// edge is one direction of a street between two junctions.
type edge struct {
	street     *street
	centerline orb.LineString // in the plane
	stops      []*gtfs.Stop   // in the direction of travel; none on a bridge
}

// drawnLine is a line with its two directions.
type drawnLine struct {
	line
	directions [2]lineDirection
}

// lineDirection is one direction of a line.
type lineDirection struct {
	from, to string // terminals
	edges    []*edge
	shape    orb.LineString // WGS84 lon, lat
	stops    []*gtfs.Stop   // from terminal to terminal
}

// NewStreetGraph draws the network. It fails only if the package's tables are inconsistent.
func NewStreetGraph() (*StreetGraph, error) {
	g := &StreetGraph{plane: newPlane(cityCenter), edges: map[[2]string]*edge{}, terminalStops: map[string]*gtfs.Stop{}}
	g.drawTerminals()
	if err := g.drawStreets(); err != nil {
		return nil, err
	}
	for _, l := range lines {
		drawn, err := g.drawLine(l)
		if err != nil {
			return nil, fmt.Errorf("line %s: %w", l.number, err)
		}
		g.lines = append(g.lines, drawn)
	}
	g.numberStops()
	return g, nil
}

func (g *StreetGraph) addStop(name string, p orb.Point) *gtfs.Stop {
	s := &gtfs.Stop{Name: name, Point: p}
	g.stops = append(g.stops, s)
	return s
}

// numberStops assigns ids to the stops at which lines call, and removes the others.
func (g *StreetGraph) numberStops() {
	used := map[*gtfs.Stop]bool{}
	for _, l := range g.lines {
		for i := range l.directions {
			for _, s := range l.directions[i].stops {
				used[s] = true
			}
		}
	}
	g.stops = slices.DeleteFunc(g.stops, func(s *gtfs.Stop) bool { return !used[s] })
	for i, s := range g.stops {
		s.ID = fmt.Sprintf("HN%04d", i+1)
	}
}

// drawTerminals adds the stops of terminals in the order of the lines, so that ids do not depend on the order of a map.
func (g *StreetGraph) drawTerminals() {
	for _, l := range lines {
		for _, key := range [...]string{l.via[0], l.via[len(l.via)-1]} {
			if g.terminalStops[key] == nil {
				g.terminalStops[key] = g.addStop(terminals[key], g.plane.toWGS84(g.displace(g.plane.toPlane(junctions[key]))))
			}
		}
	}
}

// drawStreets adds both directions of each street between its junctions, with their stops.
func (g *StreetGraph) drawStreets() error {
	for i := range streets {
		s, start := &streets[i], 0.0
		for k := 1; k < len(s.along); k++ {
			middle, err := g.centerline(s.along[k-1], s.along[k])
			if err != nil {
				return fmt.Errorf("street %s: %w", s.name, err)
			}
			forward, back := &edge{street: s, centerline: middle}, &edge{street: s, centerline: reversed(middle)}
			g.edges[[2]string{s.along[k-1], s.along[k]}] = forward
			g.edges[[2]string{s.along[k], s.along[k-1]}] = back
			end := start + lengthOf(middle)
			g.placeStops(forward, func(d float64) int { return houseNumber(start+d, true) })
			g.placeStops(back, func(d float64) int { return houseNumber(end-d, false) })
			start = end
		}
	}
	return nil
}

// houseNumber returns the number of the house at d metres from the start of a street: one house every 8 m, with odd
// numbers on one side and even ones on the other.
func houseNumber(d float64, odd bool) int {
	n := 2 * (1 + int(d/8))
	if odd {
		n--
	}
	return n
}

// centerline returns the centre line of the street between two junctions.
func (g *StreetGraph) centerline(from, to string) (orb.LineString, error) {
	var line orb.LineString
	for _, key := range [...]string{from, to} {
		if _, known := junctions[key]; !known {
			return nil, fmt.Errorf("junction %q is unknown", key)
		}
	}
	line = append(line, g.plane.toPlane(junctions[from]))
	for _, p := range bends[[2]string{from, to}] {
		line = append(line, g.plane.toPlane(p))
	}
	line = resample(append(line, g.plane.toPlane(junctions[to])), drawStep)
	for i, p := range line {
		line[i] = g.displace(p)
	}
	return line, nil
}

// displace moves a point slightly, depending only on the point, so that streets bend but still meet at their junctions.
func (g *StreetGraph) displace(p orb.Point) orb.Point {
	x, y := p[0]/bendWavelength, p[1]/bendWavelength
	return add(p, orb.Point{bendAmplitude * smooth3(1, x, y, 0), bendAmplitude * smooth3(2, x, y, 0)})
}

// placeStops adds evenly spaced stops, half a gap from either junction, so that the gap stays the same where a line
// turns into another street.
func (g *StreetGraph) placeStops(e *edge, house func(along float64) int) {
	if e.street.bridge {
		return
	}
	total := lengthOf(e.centerline)
	count := max(1, int(math.Round(total/stopGap)))
	for i := range count {
		d := total / float64(count) * (float64(i) + 0.5)
		p := g.plane.toWGS84(pointAlong(e.centerline, d-stopShift, kerbOffset))
		e.stops = append(e.stops, g.addStop(g.stopName(e.street, house(d), p), rounded(p)))
	}
}

// landmarkRadius is the distance from a landmark, in metres, within which stops are named after it.
const landmarkRadius = 260

// stopName returns "<landmark> - <number> <street>", or only the address if no landmark is near.
func (g *StreetGraph) stopName(s *street, house int, at orb.Point) string {
	address := fmt.Sprintf("%d %s", house, s.name)
	best, name := float64(landmarkRadius), ""
	for _, m := range landmarks {
		if d := length(subtract(g.plane.toPlane(m.point), g.plane.toPlane(at))); d < best {
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

// rounded rounds to six decimals, a tenth of a metre.
func rounded(p orb.Point) orb.Point {
	return orb.Point{math.Round(p[0]*1e6) / 1e6, math.Round(p[1]*1e6) / 1e6}
}

// routeType is GTFS's route_type for buses.
const routeType = 3

// route returns the line as a GTFS route.
func (l *drawnLine) route(a *gtfs.Agency) *gtfs.Route {
	return &gtfs.Route{
		ID: l.number, Agency: a, ShortName: l.number, Type: routeType,
		LongName: terminals[l.via[0]] + " - " + terminals[l.via[len(l.via)-1]],
		Color:    "E4002B", TextColor: "FFFFFF",
	}
}

// gtfsDirections has the GTFS direction_id of each direction.
var gtfsDirections = [2]nhip.Opt[int]{nhip.Some(0), nhip.Some(1)}
