package tile

import (
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/isoband"
	"nhip/geo/surface"

	"github.com/paulmach/orb/maptile"
)

// AirScene is the content of the air tiles at one time. It must not change after its first tile was made.
type AirScene struct {
	Time         time.Time           // determines which stations are stale
	Index        *surface.Raster     // unrounded; nil without an index
	Categories   []aqi.CategoryBound // of the scale of Index, the cleanest first
	Stations     []nhip.Station
	StationIndex func(*nhip.Station) (index float64, level nhip.AQICategory, ok bool) // may be nil
	Zones        *ZoneMap                                                             // may be nil
	ZoneIndex    func(k int) (index float64, level nhip.AQICategory, ok bool)         // of zone k; may be nil
}

// Tile returns a tile with the layers isobands (a polygon for each category of the index, with level, name_vi,
// name_en, color, from and to), zones (see NewZoneMap) and stations. Layers without features in the tile and its
// buffer are omitted; Tile returns nil if all are. Tiles that Address does not return are an error. Tile is safe
// for concurrent use.
func (s *AirScene) Tile(t maptile.Tile) ([]byte, error) {
	if err := check(t); err != nil {
		return nil, err
	}
	f := newFrame(t)
	b := s.isobands(f).appendTo(nil)
	b = s.zones(f).appendTo(b)
	return s.stations(f, int(t.Z)).appendTo(b), nil
}

// Isobands are computed on a lattice with bandSteps steps along a tile's side, the same for neighbouring tiles,
// and one more step on each side. A step is as wide as the buffer.
const (
	bandSteps = extent / buffer
	bandNodes = bandSteps + 3
)

func (s *AirScene) isobands(f frame) *layer {
	l := newLayer("isobands")
	if s.Index == nil || !f.overlaps(s.Index.Grid) {
		return l
	}
	for k, area := range isoband.Bands(f.lattice(s.Index), thresholds(s.Categories)) {
		g := geometry{kind: polygonKind}
		for _, polygon := range area {
			for i, ring := range polygon {
				vertices := make([]vertex, len(ring))
				for n, p := range ring {
					vertices[n] = vertex{round((p[0] - 1) * buffer), round((p[1] - 1) * buffer)}
				}
				if drawn := g.addRing(vertices, i == 0); i == 0 && !drawn {
					break // the outer ring has vanished, and its holes with it
				}
			}
		}
		if !g.empty() {
			l.add(s.Categories[k].Name.En, g, s.band(k)...)
		}
	}
	return l
}

// band returns the properties of the isoband of category k.
func (s *AirScene) band(k int) []property {
	c := &s.Categories[k]
	properties := []property{
		{"level", number(float64(c.Number))},
		{"name_vi", text(c.Name.Vi)},
		{"name_en", text(c.Name.En)},
		{"color", text(c.Color)},
	}
	if k > 0 {
		properties = append(properties, property{"from", number(c.From)})
	}
	if k < len(s.Categories)-1 {
		properties = append(properties, property{"to", number(s.Categories[k+1].From)})
	}
	return properties
}

// thresholds returns the lower bounds of all categories but the first.
func thresholds(categories []aqi.CategoryBound) []float64 {
	out := make([]float64, 0, len(categories))
	for _, c := range categories[1:] {
		out = append(out, c.From)
	}
	return out
}

// overlaps reports whether a lattice overlaps the frame or its buffer.
func (f frame) overlaps(g surface.Grid) bool {
	b := f.bound()
	size := float64(g.Size)
	return float64(g.X) < b.Max[0]*size && float64(g.X+g.W) > b.Min[0]*size && float64(g.Y) < b.Max[1]*size &&
		float64(g.Y+g.H) > b.Min[1]*size
}

// lattice samples a raster at the nodes for the isobands of the frame.
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
