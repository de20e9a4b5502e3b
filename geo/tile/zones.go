package tile

import (
	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
)

// Zone is an area with a name.
type Zone struct {
	ID, Kind string
	Name     nhip.Name
	Area     orb.MultiPolygon // WGS84 lon, lat
}

// Zones are areas on the map: what all tiles have in common is worked out once.
type Zones struct {
	zones []Zone
	flat  [][]flatPolygon
}

type flatPolygon struct {
	polygon orb.Polygon
	bound   orb.Bound
}

// NewZones makes areas ready for drawing. In tiles they are the layer zones: polygons with id, kind, name_vi, name_en
// and, where there is an index, aqi, level and colour.
func NewZones(zones []Zone) *Zones {
	z := &Zones{zones, make([][]flatPolygon, len(zones))}
	for k := range zones {
		for _, polygon := range zones[k].Area {
			var flat orb.Polygon
			for _, ring := range polygon {
				flat = append(flat, orb.Ring(flatten(ring)))
			}
			if len(flat) > 0 && len(flat[0]) > 3 {
				z.flat[k] = append(z.flat[k], flatPolygon{flat, flat[0].Bound()})
			}
		}
	}
	return z
}

func (s *Scene) zones(f frame) *layer {
	l := newLayer("zones")
	if s.Zones == nil {
		return l
	}
	bound := f.bound()
	for k := range s.Zones.zones {
		g := geometry{kind: polygonKind}
		for _, p := range s.Zones.flat[k] {
			if p.bound.Intersects(bound) {
				g.addPolygon(f, p.polygon)
			}
		}
		if g.empty() {
			continue
		}
		z := &s.Zones.zones[k]
		properties := []property{{"id", text(z.ID)}, {"kind", text(z.Kind)}, {"name_vi", text(z.Name.Vi)}, {"name_en", text(z.Name.En)}}
		l.add(z.Kind+"/"+z.ID, g, append(properties, indexProperties(s.ZoneAir, k)...)...)
	}
	return l
}

// addPolygon clips a polygon to the frame and draws what is left: nothing of one whose hole fills the frame.
func (g *geometry) addPolygon(f frame, polygon orb.Polygon) {
	before, pen := len(g.commands), g.pen
	left := int64(0)
	for i, ring := range polygon {
		places := f.places(clip.Ring(f.bound(), ring.Clone())) // it writes to the ring it is given
		area := max(doubleArea(places), -doubleArea(places))
		if drawn := g.addRing(places, i == 0); i == 0 && !drawn {
			return // holes in nothing
		}
		if i > 0 {
			area = -area
		}
		left += area
	}
	if left <= 0 {
		g.commands, g.pen = g.commands[:before], pen
	}
}

// indexProperties says what an index is, where there is one.
func indexProperties[T any](of func(T) (float64, nhip.Level, bool), what T) []property {
	if of == nil {
		return nil
	}
	index, level, ok := of(what)
	if !ok {
		return nil
	}
	return []property{{"aqi", number(index)}, {"level", number(float64(level.Number))}, {"colour", text(level.Colour)}}
}
