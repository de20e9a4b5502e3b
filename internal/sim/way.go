package sim

import (
	"fmt"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/simplify"

	"nhip/geo/gtfs"
)

// drawLine finds the line's pieces of street and draws its way out and back.
func (n *Network) drawLine(l line) (*drawnLine, error) {
	through, err := junctionsOf(l.via)
	if err != nil {
		return nil, err
	}
	d := &drawnLine{line: l}
	for i := range d.ways {
		d.ways[i] = n.drawWay(through)
		slices.Reverse(through)
	}
	return d, nil
}

// junctionsOf fills in the junctions that lie between those a line names.
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

// alongStreet returns the junctions from one to another on the street that has both, or nil.
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

func (n *Network) drawWay(through []string) way {
	w := way{from: through[0], to: through[len(through)-1]}
	for i := 1; i < len(through); i++ {
		w.edges = append(w.edges, n.edges[[2]string{through[i-1], through[i]}])
	}
	w.shape = n.shape(w.edges)
	w.stops = n.stopsOf(&w)
	return w
}

// shapeTolerance is how far the shape may stray from the drawn lane, in metres: far under what a
// receiver knows.
const shapeTolerance = 0.7

// shape joins the pieces, rounds the corners and keeps to the right.
func (n *Network) shape(edges []*edge) orb.LineString {
	var middle orb.LineString
	for i, e := range edges {
		from := min(i, 1) // every piece after the first begins where the last one ended
		middle = append(middle, e.middle[from:]...)
	}
	lane := keepRight(roundCorners(roundCorners(middle)), laneOffset)
	lane = simplify.DouglasPeucker(shapeTolerance).LineString(lane) // flat metres, not degrees
	for i, p := range lane {
		lane[i] = rounded(n.plane.globe(p))
	}
	return lane
}

// nearTerminal is how near to a terminal a line needs no other stop, in metres.
const nearTerminal = 200

// stopsOf lists the stops of a way: its terminals and what stands at its side of the streets.
func (n *Network) stopsOf(w *way) []*gtfs.Stop {
	first, last := n.ends[w.from], n.ends[w.to]
	stops := []*gtfs.Stop{first}
	for _, e := range w.edges {
		for _, s := range e.stops {
			if n.apart(s, first) > nearTerminal && n.apart(s, last) > nearTerminal {
				stops = append(stops, s)
			}
		}
	}
	return append(stops, last)
}

func (n *Network) apart(a, b *gtfs.Stop) float64 {
	return length(minus(n.plane.flat(a.Point), n.plane.flat(b.Point)))
}
