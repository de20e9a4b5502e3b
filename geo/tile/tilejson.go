package tile

import (
	"nhip"

	"github.com/paulmach/orb"
)

// TileJSON describes a set of tiles (TileJSON 3.0.0).
type TileJSON struct {
	TileJSON     string        `json:"tilejson"`
	Name         string        `json:"name"`
	Attribution  string        `json:"attribution,omitempty"`
	Tiles        []string      `json:"tiles"`
	MinZoom      int           `json:"minzoom"`
	MaxZoom      int           `json:"maxzoom"`
	Bounds       *[4]float64   `json:"bounds,omitempty"`
	VectorLayers []VectorLayer `json:"vector_layers"`
}

// VectorLayer describes one layer.
type VectorLayer struct {
	ID          string            `json:"id"`
	Description string            `json:"description"`
	MinZoom     int               `json:"minzoom"`
	MaxZoom     int               `json:"maxzoom"`
	Fields      map[string]string `json:"fields"`
}

// clientMaxZoom is the deepest zoom that clients need to ask for: beyond it they magnify, and a
// tile unit is 4 cm there already.
const clientMaxZoom = 16

func newTileJSON(name, tiles string, bound orb.Bound, layers ...VectorLayer) TileJSON {
	doc := TileJSON{TileJSON: "3.0.0", Name: name, Tiles: []string{tiles}, MaxZoom: clientMaxZoom, VectorLayers: layers}
	if !bound.IsEmpty() {
		doc.Bounds = &[4]float64{bound.Min[0], bound.Min[1], bound.Max[0], bound.Max[1]}
	}
	return doc
}

// Air describes the tiles at base + /tiles/air. The bounds are left out when bound is empty.
func Air(base string, bound orb.Bound) TileJSON {
	fields := map[string]string{
		"id": "station", "state": "live or stale", "time": "of the newest value, RFC 3339",
	}
	for _, q := range nhip.Quantities() {
		fields[string(q)] = "Number, " + q.Unit()
	}
	return newTileJSON("Nhịp: air", base+"/tiles/air/{z}/{x}/{y}.mvt", bound, VectorLayer{
		ID: StationsLayer, Description: "Monitors with their newest values", MaxZoom: clientMaxZoom, Fields: fields,
	})
}

// Transit describes the tiles at base + /tiles/transit. The bounds are left out when bound is empty.
func Transit(base string, bound orb.Bound) TileJSON {
	return newTileJSON("Nhịp: network", base+"/tiles/transit/{z}/{x}/{y}.mvt", bound,
		VectorLayer{ID: OutlineLayer, Description: "Around everything", MaxZoom: clientMaxZoom, Fields: map[string]string{}},
		VectorLayer{ID: RoutesLayer, Description: "Lines", MaxZoom: clientMaxZoom, Fields: map[string]string{
			"route": "GTFS route_id", "line": "number shown to riders", "name": "String", "color": "#RRGGBB",
		}},
		VectorLayer{ID: StopsLayer, Description: "Stops", MinZoom: stopsFrom, MaxZoom: clientMaxZoom, Fields: map[string]string{
			"id": "GTFS stop_id", "name": "String",
		}},
	)
}
