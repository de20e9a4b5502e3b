package tile

import (
	"time"

	"nhip"
	"nhip/geo/isoband"
	"nhip/geo/surface"

	"github.com/paulmach/orb/maptile"
)

// Scene is what is drawn of the air at one moment. It must not change once its first tile is made.
type Scene struct {
	Time     time.Time       // what is stale is so by it
	Index    *surface.Raster // before it is rounded; nil where there is none
	Levels   []nhip.Level    // the scale's classes, and from where on each but the first begins
	From     []float64       //
	Stations []nhip.Station
	IndexOf  func(*nhip.Station) (index float64, level nhip.Level, ok bool) // of a station; may be nil
	Zones    *Zones                                                         // may be nil
	ZoneAir  func(k int) (index float64, level nhip.Level, ok bool)         // of zone k; may be nil
}

// Tile returns a tile with the layers isobands (a polygon for each class of the index, with level, name_vi, name_en,
// colour, from and to), zones (see NewZones) and stations. Layers without anything in the tile or its
// buffer are left out; it returns nil when all are. A t that Address would not have made is an error. Tile may be
// called from any goroutine.
func (s *Scene) Tile(t maptile.Tile) ([]byte, error) {
	if err := check(t); err != nil {
		return nil, err
	}
	f := newFrame(t)
	b := s.isobands(f).appendTo(nil)
	b = s.zones(f).appendTo(b)
	return s.stations(f, int(t.Z)).appendTo(b), nil
}

// Isobands are drawn on a lattice of so many steps along a tile's side, which is the same for neighbours, and one
// step beyond: a step is as wide as the buffer.
const (
	bandSteps = extent / buffer
	bandNodes = bandSteps + 3
)

func (s *Scene) isobands(f frame) *layer {
	l := newLayer("isobands")
	if s.Index == nil || !f.overlaps(s.Index.Grid) {
		return l
	}
	for k, area := range isoband.Bands(f.lattice(s.Index), s.From) {
		g := geometry{kind: polygonKind}
		for _, polygon := range area {
			for i, ring := range polygon {
				places := make([]place, len(ring))
				for n, p := range ring {
					places[n] = place{round((p[0] - 1) * buffer), round((p[1] - 1) * buffer)}
				}
				if drawn := g.addRing(places, i == 0); i == 0 && !drawn {
					break // holes in nothing
				}
			}
		}
		if !g.empty() {
			level := &s.Levels[k]
			l.add(level.Name.En, g, s.band(k, level)...)
		}
	}
	return l
}

func (s *Scene) band(k int, level *nhip.Level) []property {
	properties := []property{
		{"level", number(float64(level.Number))},
		{"name_vi", text(level.Name.Vi)},
		{"name_en", text(level.Name.En)},
		{"colour", text(level.Colour)},
	}
	if k > 0 {
		properties = append(properties, property{"from", number(s.From[k-1])})
	}
	if k < len(s.From) {
		properties = append(properties, property{"to", number(s.From[k])})
	}
	return properties
}

// overlaps reports whether a lattice has anything to do with the frame or its buffer.
func (f frame) overlaps(g surface.Grid) bool {
	b := f.bound()
	size := float64(g.Size)
	return float64(g.X) < b.Max[0]*size && float64(g.X+g.W) > b.Min[0]*size && float64(g.Y) < b.Max[1]*size && float64(g.Y+g.H) > b.Min[1]*size
}

// lattice returns a raster at the nodes that isobands of the frame are drawn on.
func (f frame) lattice(r *surface.Raster) isoband.Lattice {
	l := isoband.Lattice{W: bandNodes, H: bandNodes, Values: make([]float32, bandNodes*bandNodes)}
	size := float64(r.Size)
	var columns [bandNodes]float64
	for i := range columns {
		columns[i] = (f.x+float64(i-1)/bandSteps)/f.tiles*size - float64(r.X)
	}
	for j := range bandNodes {
		row := (f.y+float64(j-1)/bandSteps)/f.tiles*size - float64(r.Y)
		for i, column := range columns {
			l.Values[j*bandNodes+i] = float32(r.At(column, row))
		}
	}
	return l
}
