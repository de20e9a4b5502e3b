package tile

import (
	"sync"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
	"github.com/paulmach/orb/maptile"
)

// StopsZoom is the zoom from which a network's tiles have stops: further out they would cover it.
const StopsZoom = 12

// Network is what is drawn of a transit network. It must not change, and not be copied, once its
// first tile is made.
type Network struct {
	Routes  []Route
	Stops   []Stop
	Outline orb.Polygon // around everything, see NewOutline; may be nil

	once sync.Once
	flat flat
}

// Route is a line of the network with the ways it takes. Coordinates are WGS84 lon, lat.
type Route struct {
	ID     string // GTFS route_id
	Line   string // the number shown to riders
	Name   string
	Color  string // as #rrggbb; may be empty
	Shapes []orb.LineString
}

// Stop is a place to board.
type Stop struct {
	ID, Name string
	Point    orb.Point // WGS84 lon, lat
}

// Tile returns a tile with the layers outline (a polygon), routes (lines with route, line, name and
// color) and, from StopsZoom, stops (points with id and name). Layers without anything in the tile
// or its buffer are left out; it returns nil when all are. Coordinates that are no place are left
// out, and so is what is too small to see. A t that Address would not have made is an error. Tile
// may be called from any goroutine.
func (n *Network) Tile(t maptile.Tile) ([]byte, error) {
	if err := check(t); err != nil {
		return nil, err
	}
	n.once.Do(n.flatten)
	f := newFrame(t)
	var b []byte
	b = n.outline(f).appendTo(b)
	b = n.routes(f, int(t.Z)).appendTo(b)
	if t.Z >= StopsZoom {
		b = n.stops(f).appendTo(b)
	}
	return b, nil
}

func (n *Network) outline(f frame) *layer {
	l := newLayer("outline")
	g := geometry{kind: polygonKind}
	g.addPolygon(f, n.flat.outline)
	if !g.empty() {
		l.add("outline", g)
	}
	return l
}

func (n *Network) routes(f frame, zoom int) *layer {
	l := newLayer("routes")
	bound := f.bound()
	for i, shapes := range n.flat.at(zoom) {
		g := geometry{kind: lineKind}
		for _, s := range shapes {
			if !s.bound.Intersects(bound) {
				continue
			}
			for _, part := range clip.LineString(bound, s.line) {
				g.addLine(f.places(part))
			}
		}
		if g.empty() {
			continue
		}
		r := &n.Routes[i]
		l.add(r.ID, g, property{"route", text(r.ID)}, property{"line", text(r.Line)}, property{"name", text(r.Name)}, property{"color", text(r.Color)})
	}
	return l
}

func (n *Network) stops(f frame) *layer {
	l := newLayer("stops")
	bound := f.bound()
	for _, s := range n.flat.stops {
		if p := f.nearby(s.point); bound.Contains(p) {
			x, y := f.units(p)
			l.point(s.ID, x, y, property{"id", text(s.ID)}, property{"name", text(s.Name)})
		}
	}
	return l
}

// places returns points on the map in the tile's units.
func (f frame) places(points []orb.Point) []place {
	places := make([]place, len(points))
	for i, p := range points {
		places[i].x, places[i].y = f.units(p)
	}
	return places
}
