package tile

import (
	"math"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/maptile"
	"github.com/paulmach/orb/planar"
	"github.com/paulmach/orb/simplify"
)

// Names of the network's layers, from below.
const (
	OutlineLayer = "outline"
	RoutesLayer  = "routes"
	StopsLayer   = "stops"
)

// stopsFrom is the zoom from which stops are in the tiles: below it they are a smear.
const stopsFrom = 12

// tolerance is how far simplified lines may leave the true ones, in tile units: half a pixel of the
// 512 a tile is usually drawn at.
const tolerance = 4

// Network is the ground of the map: what a timetable says of streets and stops. It must not change
// once it is in use.
type Network struct {
	Routes  []Route
	Stops   []Stop
	Outline orb.Polygon // around everything; WGS84
}

// Route is a line with the ways it takes.
type Route struct {
	ID, Line, Name string
	Color          string // RRGGBB, or empty
	Shapes         []orb.LineString
}

// Stop is where riders board.
type Stop struct {
	ID, Name string
	Point    orb.Point
}

// Bound returns the box around the network; an empty one when there is none.
func (n *Network) Bound() orb.Bound {
	if n == nil || len(n.Outline) == 0 {
		return orb.MultiPoint{}.Bound()
	}
	return n.Outline.Bound()
}

// Tile encodes the part of the network in a tile: layers "outline", "routes" (route, line, name,
// color) and, from zoom 12, "stops" (id, name). It returns nil when nothing lies in the tile, and
// is safe from any goroutine.
func (n *Network) Tile(t maptile.Tile) ([]byte, error) {
	bound := t.Bound(bufferInTiles)
	if !n.Bound().Intersects(bound) {
		return nil, nil
	}
	layers := mvt.Layers{n.outline(t), n.routes(t, bound)}
	if t.Z >= stopsFrom {
		layers = append(layers, n.stops(t, bound))
	}
	return encode(layers)
}

// box is what is kept of a geometry, in tile units.
func box() orb.Bound {
	return orb.Bound{Min: orb.Point{-buffer, -buffer}, Max: orb.Point{extent + buffer, extent + buffer}}
}

func (n *Network) outline(t maptile.Tile) *mvt.Layer {
	fc := geojson.NewFeatureCollection()
	var rings orb.Polygon
	for _, ring := range n.Outline {
		rings = append(rings, orb.Ring(project(t, orb.LineString(ring))))
	}
	for _, ring := range clip.Polygon(box(), rings) {
		if r := clean(ring); r != nil {
			f := geojson.NewFeature(orb.Polygon{r})
			f.ID = FeatureID(OutlineLayer)
			fc.Append(f)
		}
	}
	return pointLayer(OutlineLayer, fc)
}

// clean makes a clipped ring one that the specification allows: at least three corners, no two the
// same in a row, an area, and the exterior's positive winding in tile units (y down), which is the
// opposite of RFC 7946's. It returns nil where nothing is left.
func clean(ring orb.Ring) orb.Ring {
	r := orb.Ring(dedupe(round(orb.LineString(ring))))
	if len(r) < 4 || planar.Area(r) == 0 {
		return nil
	}
	if r.Orientation() == orb.CW {
		r.Reverse()
	}
	return r
}

func (n *Network) routes(t maptile.Tile, bound orb.Bound) *mvt.Layer {
	fc := geojson.NewFeatureCollection()
	for i := range n.Routes {
		r := &n.Routes[i]
		var parts orb.MultiLineString
		for _, shape := range r.Shapes {
			if shape.Bound().Intersects(bound) {
				parts = append(parts, lines(t, shape)...)
			}
		}
		if len(parts) == 0 {
			continue
		}
		f := geojson.NewFeature(parts)
		f.ID = FeatureID(r.ID)
		f.Properties = geojson.Properties{"route": r.ID, "line": r.Line, "name": r.Name}
		if r.Color != "" {
			f.Properties["color"] = "#" + r.Color
		}
		fc.Append(f)
	}
	return pointLayer(RoutesLayer, fc)
}

// lines projects, simplifies and clips one shape, in that order: simplified after the cut, two
// tiles would disagree at their edge.
func lines(t maptile.Tile, shape orb.LineString) orb.MultiLineString {
	line := simplify.DouglasPeucker(tolerance).LineString(project(t, shape))
	var out orb.MultiLineString
	for _, part := range clip.LineString(box(), line) {
		if part = dedupe(round(part)); len(part) >= 2 {
			out = append(out, part)
		}
	}
	return out
}

func (n *Network) stops(t maptile.Tile, bound orb.Bound) *mvt.Layer {
	fc := geojson.NewFeatureCollection()
	for _, s := range n.Stops {
		if !bound.Contains(s.Point) {
			continue
		}
		f := geojson.NewFeature(toTile(t, s.Point))
		f.ID = FeatureID(s.ID)
		f.Properties = geojson.Properties{"id": s.ID, "name": s.Name}
		fc.Append(f)
	}
	return pointLayer(StopsLayer, fc)
}

// project makes a line of its own in tile units; the network's stays as it is for other tiles.
func project(t maptile.Tile, line orb.LineString) orb.LineString {
	out := make(orb.LineString, len(line))
	for i, p := range line {
		f := maptile.Fraction(p, t.Z)
		out[i] = orb.Point{(f[0] - float64(t.X)) * extent, (f[1] - float64(t.Y)) * extent}
	}
	return out
}

// dedupe drops points that repeat the one before: a zero step is forbidden.
func dedupe(line orb.LineString) orb.LineString {
	out := line[:0]
	for i, p := range line {
		if i == 0 || p != out[len(out)-1] {
			out = append(out, p)
		}
	}
	return out
}

// round puts points on the tile's grid.
func round(line orb.LineString) orb.LineString {
	for i, p := range line {
		line[i] = orb.Point{math.Round(p[0]), math.Round(p[1])}
	}
	return line
}
