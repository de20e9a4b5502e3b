package sim

import (
	"fmt"
	"slices"

	"nhip/geo/gtfs"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/simplify"
)

// drawLine finds the line's streets and draws both directions.
func (g *StreetGraph) drawLine(l line) (*drawnLine, error) {
	through, err := junctionsOf(l.via)
	if err != nil {
		return nil, err
	}
	d := &drawnLine{line: l}
	for i := range d.directions {
		d.directions[i] = g.drawDirection(through)
		slices.Reverse(through)
	}
	return d, nil
}

// junctionsOf returns the junctions of via with those in between.
func junctionsOf(via []string) ([]string, error) {
	through := []string{via[0]}
	for i := 1; i < len(via); i++ {
		part := alongStreet(via[i-1], via[i])
		if part == nil {
			return nil, fmt.Errorf("no street joins %q and %q", via[i-1], via[i])
		}
		through = append(through, part[1:]...)
	}
	return through, nil
}

// alongStreet returns the junctions between two junctions, inclusive, on the street that has both, or nil.
func alongStreet(from, to string) []string {
	for _, s := range streets {
		i, j := slices.Index(s.along, from), slices.Index(s.along, to)
		if i < 0 || j < 0 {
			continue
		}
		part := slices.Clone(s.along[min(i, j) : max(i, j)+1])
		if i > j {
			slices.Reverse(part)
		}
		return part
	}
	return nil
}

func (g *StreetGraph) drawDirection(through []string) lineDirection {
	w := lineDirection{from: through[0], to: through[len(through)-1]}
	for i := 1; i < len(through); i++ {
		w.edges = append(w.edges, g.edges[[2]string{through[i-1], through[i]}])
	}
	w.shape = g.shape(w.edges)
	w.stops = g.stopsOf(&w)
	return w
}

// shapeTolerance is the maximum deviation of the shape from the drawn lane, in metres: far below the error of a
// receiver.
const shapeTolerance = 0.7

// shape joins the edges, rounds the corners and moves the line to the right lane.
func (g *StreetGraph) shape(edges []*edge) orb.LineString {
	var middle orb.LineString
	for i, e := range edges {
		from := min(i, 1) // each further edge starts with the end of the previous one
		middle = append(middle, e.centerline[from:]...)
	}
	lane := keepRight(roundCorners(roundCorners(middle)), laneOffset)
	lane = simplify.DouglasPeucker(shapeTolerance).LineString(lane) // in metres of the plane
	for i, p := range lane {
		lane[i] = rounded(g.plane.toWGS84(p))
	}
	return lane
}

// terminalRadius is the distance from a terminal, in metres, within which a line has no other stop.
const terminalRadius = 200

// stopsOf returns the stops of a direction: the terminals and the stops on its side of the streets.
func (g *StreetGraph) stopsOf(w *lineDirection) []*gtfs.Stop {
	first, last := g.terminalStops[w.from], g.terminalStops[w.to]
	stops := []*gtfs.Stop{first}
	for _, e := range w.edges {
		for _, s := range e.stops {
			if g.distance(s, first) > terminalRadius && g.distance(s, last) > terminalRadius {
				stops = append(stops, s)
			}
		}
	}
	return append(stops, last)
}

func (g *StreetGraph) distance(a, b *gtfs.Stop) float64 {
	return length(subtract(g.plane.toPlane(a.Point), g.plane.toPlane(b.Point)))
}
