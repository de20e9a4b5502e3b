package tile

import (
	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
)

// ZoneArea is a zone as it is drawn: a name and an area, without the period of validity of zone.Zone.
type ZoneArea struct {
	ID, Kind string
	Name     nhip.LocalizedText
	Area     orb.MultiPolygon // WGS84 lon, lat
}

// ZoneMap holds projected zones, so that the work shared by all tiles is done once.
type ZoneMap struct {
	zones     []ZoneArea
	projected [][]projectedPolygon
}

type projectedPolygon struct {
	polygon orb.Polygon
	bound   orb.Bound
}

// NewZoneMap projects zones. Tiles draw them as the layer zones: polygons with id, kind, name_vi, name_en and, if
// there is an index, aqi, level and color.
func NewZoneMap(zones []ZoneArea) *ZoneMap {
	z := &ZoneMap{zones, make([][]projectedPolygon, len(zones))}
	for k := range zones {
		for _, polygon := range zones[k].Area {
			var projected orb.Polygon
			for _, ring := range polygon {
				projected = append(projected, orb.Ring(project(ring)))
			}
			if len(projected) > 0 && len(projected[0]) > 3 {
				z.projected[k] = append(z.projected[k], projectedPolygon{projected, projected[0].Bound()})
			}
		}
	}
	return z
}

func (s *AirScene) zones(f frame) *layer {
	l := newLayer("zones")
	if s.Zones == nil {
		return l
	}
	bound := f.bound()
	for k := range s.Zones.zones {
		g := geometry{kind: polygonKind}
		for _, p := range s.Zones.projected[k] {
			if p.bound.Intersects(bound) {
				g.addPolygon(f, p.polygon)
			}
		}
		if g.empty() {
			continue
		}
		z := &s.Zones.zones[k]
		properties := []property{
			{"id", text(z.ID)},
			{"kind", text(z.Kind)},
			{"name_vi", text(z.Name.Vi)},
			{"name_en", text(z.Name.En)},
		}
		l.add(z.Kind+"/"+z.ID, g, append(properties, indexProperties(s.ZoneIndex, k)...)...)
	}
	return l
}

// addPolygon clips a polygon to the frame and adds the rest. It adds nothing if a hole covers the whole frame.
func (g *geometry) addPolygon(f frame, polygon orb.Polygon) {
	before, pen := len(g.commands), g.pen
	remaining := int64(0)
	for i, ring := range polygon {
		vertices := f.vertices(clip.Ring(f.bound(), ring.Clone())) // clip.Ring writes to its argument
		area := max(doubleArea(vertices), -doubleArea(vertices))
		if drawn := g.addRing(vertices, i == 0); i == 0 && !drawn {
			return // the outer ring has vanished, and its holes with it
		}
		if i > 0 {
			area = -area
		}
		remaining += area
	}
	if remaining <= 0 {
		g.commands, g.pen = g.commands[:before], pen
	}
}

// indexProperties returns the properties of an index, or nil without an index.
func indexProperties[T any](indexOf func(T) (float64, nhip.AQICategory, bool), item T) []property {
	if indexOf == nil {
		return nil
	}
	index, level, ok := indexOf(item)
	if !ok {
		return nil
	}
	return []property{{"aqi", number(index)}, {"level", number(float64(level.Number))}, {"color", text(level.Color)}}
}
