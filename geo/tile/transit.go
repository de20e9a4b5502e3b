package tile

import (
	"sync"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
	"github.com/paulmach/orb/maptile"
)

// StopsZoom is the zoom from which transit tiles have stops: at lower zooms they would hide the lines.
const StopsZoom = 12

// TransitMap is the content of the transit tiles. It must not be copied, and must not change after its first tile
// was made.
type TransitMap struct {
	Routes  []Route
	Stops   []Stop
	Outline orb.Polygon // around the network, see NewOutline; may be nil

	once      sync.Once
	projected projectedNetwork
}

// Route is a route with its paths. Coordinates are WGS84 lon, lat.
type Route struct {
	ID     string // GTFS route_id
	Line   string // the short name shown to riders
	Name   string
	Color  string // #rrggbb; may be empty
	Shapes []orb.LineString
}

// Stop is a stop where riders board.
type Stop struct {
	ID, Name string
	Point    orb.Point // WGS84 lon, lat
}

// Tile returns a tile with the layers outline (a polygon), routes (lines with route, line, name and color) and,
// from StopsZoom, stops (points with id and name). Layers without features in the tile and its buffer are
// omitted; Tile returns nil if all are. Invalid coordinates and features too small to see are omitted, too. Tiles
// that Address does not return are an error. Tile is safe for concurrent use.
func (n *TransitMap) Tile(t maptile.Tile) ([]byte, error) {
	if err := check(t); err != nil {
		return nil, err
	}
	n.once.Do(n.project)
	f := newFrame(t)
	var b []byte
	b = n.outline(f).appendTo(b)
	b = n.routes(f, int(t.Z)).appendTo(b)
	if t.Z >= StopsZoom {
		b = n.stops(f).appendTo(b)
	}
	return b, nil
}

// Bound returns the box around all that the tiles draw, in WGS84 lon, lat; it is empty if they draw nothing.
func (n *TransitMap) Bound() orb.Bound {
	n.once.Do(n.project)
	return n.projected.bound
}

func (n *TransitMap) outline(f frame) *layer {
	l := newLayer("outline")
	g := geometry{kind: polygonKind}
	g.addPolygon(f, n.projected.outline)
	if !g.empty() {
		l.add("outline", g)
	}
	return l
}

func (n *TransitMap) routes(f frame, zoom int) *layer {
	l := newLayer("routes")
	bound := f.bound()
	for i, shapes := range n.projected.at(zoom) {
		g := geometry{kind: lineKind}
		for _, s := range shapes {
			if !s.bound.Intersects(bound) {
				continue
			}
			for _, part := range clip.LineString(bound, s.line) {
				g.addLine(f.vertices(part))
			}
		}
		if g.empty() {
			continue
		}
		r := &n.Routes[i]
		l.add(r.ID, g, property{"route", text(r.ID)}, property{"line", text(r.Line)}, property{"name", text(r.Name)},
			property{"color", text(r.Color)})
	}
	return l
}

func (n *TransitMap) stops(f frame) *layer {
	l := newLayer("stops")
	bound := f.bound()
	for _, s := range n.projected.stops {
		if p := f.nearby(s.point); bound.Contains(p) {
			x, y := f.units(p)
			l.point(s.ID, x, y, property{"id", text(s.ID)}, property{"name", text(s.Name)})
		}
	}
	return l
}

// vertices converts map coordinates to tile units.
func (f frame) vertices(points []orb.Point) []vertex {
	vertices := make([]vertex, len(points))
	for i, p := range points {
		vertices[i].x, vertices[i].y = f.units(p)
	}
	return vertices
}
