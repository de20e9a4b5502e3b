package tile

import (
	"math"
	"time"

	"nhip"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/maptile"
)

// StationsLayer is the name of the layer of monitors.
const StationsLayer = "stations"

// Stations encodes the monitors in a tile as layer "stations": points with id, state (live or
// stale at now), time (RFC 3339) and a number for each quantity, in Quantity.Unit. Monitors without
// a place are left out. It returns nil when nothing lies in the tile.
func Stations(t maptile.Tile, stations []nhip.Station, now time.Time) ([]byte, error) {
	bound := t.Bound(bufferInTiles)
	fc := geojson.NewFeatureCollection()
	for i := range stations {
		s := &stations[i]
		p, ok := s.Point()
		if !ok || !bound.Contains(p) {
			continue
		}
		fc.Append(stationFeature(t, s, p, now))
	}
	return encode(mvt.Layers{pointLayer(StationsLayer, fc)})
}

func stationFeature(t maptile.Tile, s *nhip.Station, p orb.Point, now time.Time) *geojson.Feature {
	f := geojson.NewFeature(toTile(t, p))
	f.ID = FeatureID(s.ID)
	f.Properties["id"] = s.ID
	f.Properties["state"] = string(s.State(now))
	f.Properties["time"] = s.Time.UTC().Format(time.RFC3339)
	for q, v := range s.Values {
		if !math.IsNaN(v.Value) && !math.IsInf(v.Value, 0) {
			f.Properties[string(q)] = float32(v.Value) // half the bytes, and more digits than a monitor has
		}
	}
	return f
}

// pointLayer wraps features whose geometry is in tile units already.
func pointLayer(name string, fc *geojson.FeatureCollection) *mvt.Layer {
	l := mvt.NewLayer(name, fc)
	l.Version = 2
	l.Extent = extent
	return l
}

// toTile projects a place to the tile's units, y down, rounded.
func toTile(t maptile.Tile, p orb.Point) orb.Point {
	f := maptile.Fraction(p, t.Z)
	return orb.Point{
		math.Round((f[0] - float64(t.X)) * extent),
		math.Round((f[1] - float64(t.Y)) * extent),
	}
}
