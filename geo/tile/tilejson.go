package tile

import (
	"maps"
	"math"

	"nhip"

	"github.com/paulmach/orb"
)

// TileJSON describes a tile set (TileJSON 3.0.0).
type TileJSON struct {
	TileJSON     string        `json:"tilejson"`
	Name         string        `json:"name,omitempty"`
	Attribution  string        `json:"attribution,omitempty"`
	Tiles        []string      `json:"tiles"` // templates with {z}, {x} and {y}
	MinZoom      int           `json:"minzoom"`
	MaxZoom      int           `json:"maxzoom"` // clients scale these tiles for higher zooms
	Bounds       [4]float64    `json:"bounds"`  // west, south, east, north in degrees
	VectorLayers []VectorLayer `json:"vector_layers,omitempty"`
}

// VectorLayer describes a layer of vector tiles.
type VectorLayer struct {
	ID          string            `json:"id"`
	Description string            `json:"description,omitempty"`
	MinZoom     int               `json:"minzoom"`
	MaxZoom     int               `json:"maxzoom"`
	Fields      map[string]string `json:"fields"` // description of each property
}

// Air describes the tiles of an AirScene. They are served under base, such as https://host without a trailing
// slash, with a query such as "?index=WHO" or "". bounds must hold all that the tiles draw, because clients request no
// others; if empty, the world.
func Air(base, query string, bounds orb.Bound) TileJSON {
	index := map[string]string{
		"aqi":   "Number. The index, if there is one",
		"level": "Number. Category of the index; 1 is the cleanest",
		"color": "String. Color of the category, #RRGGBB",
	}
	fields := map[string]string{
		"id":    "String. Station id",
		"state": "String. live, or stale after two reporting periods without a value",
		"time":  "String. End of the period of the latest value, RFC 3339",
		"count": "Number. Monitors in the cluster, below zoom 10",
		"live":  "Number. Live monitors in the cluster",
	}
	maps.Copy(fields, index)
	for q, name := range quantityNames {
		fields[string(q)] = "Number. " + name + ", " + q.Unit()
	}
	bands := map[string]string{
		"level":   index["level"],
		"name_vi": "String. Name of the category in Vietnamese",
		"name_en": "String. Name of the category in English",
		"color":   index["color"],
		"from":    "Number. Lowest index of the category; missing for the first",
		"to":      "Number. Lowest index of the next category; missing for the last",
	}
	zones := map[string]string{
		"id":      "String. Zone id",
		"kind":    "String. Kind of zone",
		"name_vi": "String. Name in Vietnamese",
		"name_en": "String. Name in English",
	}
	maps.Copy(zones, index)
	return newTileJSON("Air", base+"/tiles/air/{z}/{x}/{y}.mvt"+query, bounds, []VectorLayer{
		{"isobands", "Areas of one category of the index", 0, DetailZoom, bands},
		{"zones", "Zones with their index", 0, DetailZoom, zones},
		{"stations", "Monitors with their latest values", 0, DetailZoom, fields},
	})
}

// AirRaster describes the PNG tiles of the index, like Air.
func AirRaster(base, query string, bounds orb.Bound) TileJSON {
	doc := newTileJSON("Air, as pictures", base+"/tiles/air/{z}/{x}/{y}.png"+query, bounds, nil)
	doc.VectorLayers = nil
	return doc
}

// Transit describes the tiles of a TransitMap, like Air.
func Transit(base, query string, bounds orb.Bound) TileJSON {
	return newTileJSON("Transit", base+"/tiles/transit/{z}/{x}/{y}.mvt"+query, bounds, []VectorLayer{
		{"outline", "A polygon around the network", 0, DetailZoom, map[string]string{}},
		{"routes", "Lines of the network", 0, DetailZoom, map[string]string{
			"route": "String. GTFS route_id",
			"line":  "String. Short name shown to riders",
			"name":  "String. Name of the route",
			"color": "String. #rrggbb, or empty",
		}},
		{"stops", "Stops where riders board", StopsZoom, DetailZoom, map[string]string{
			"id":   "String. GTFS stop_id",
			"name": "String. Name of the stop",
		}},
		{"buses", "Buses at their latest positions", BusesZoom, DetailZoom, map[string]string{
			"id":        "String. Vehicle id, unique within its agency",
			"agency":    "String. Agency id",
			"route":     "String. GTFS route_id",
			"line":      "String. Short name shown to riders",
			"headsign":  "String. Headsign of the trip",
			"bearing":   "Number. Degrees clockwise from north",
			"occupancy": "String. A GTFS-realtime occupancy status",
			"state":     "String. live or stale",
			"time":      "String. Time of the position, RFC 3339",
		}},
	})
}

var quantityNames = map[nhip.Quantity]string{
	nhip.PM1:         "Particles up to 1 µm",
	nhip.PM25:        "Particles up to 2.5 µm",
	nhip.PM10:        "Particles up to 10 µm",
	nhip.TSP:         "Total suspended particles",
	nhip.SO2:         "Sulphur dioxide",
	nhip.NO:          "Nitrogen monoxide",
	nhip.NO2:         "Nitrogen dioxide",
	nhip.CO:          "Carbon monoxide",
	nhip.O3:          "Ozone",
	nhip.Temperature: "Air temperature",
	nhip.Humidity:    "Relative humidity",
	nhip.Pressure:    "Air pressure",
}

func newTileJSON(name, template string, bounds orb.Bound, layers []VectorLayer) TileJSON {
	return TileJSON{
		TileJSON:     "3.0.0",
		Name:         name,
		Tiles:        []string{template},
		MinZoom:      0,
		MaxZoom:      DetailZoom,
		Bounds:       jsonBounds(bounds),
		VectorLayers: layers,
	}
}

// jsonBounds limits bounds to the values that TileJSON allows. Empty, invalid or unset bounds become the extent
// of the Web Mercator map, which is the default of TileJSON.
func jsonBounds(b orb.Bound) [4]float64 {
	const edge = 85.0511287798066 // degrees of latitude
	in := func(v, limit float64) float64 { return max(-limit, min(limit, v)) }
	w := [4]float64{in(b.Min[0], 180), in(b.Min[1], edge), in(b.Max[0], 180), in(b.Max[1], edge)}
	for _, v := range w {
		if math.IsNaN(v) || b.IsEmpty() || b == (orb.Bound{}) {
			return [4]float64{-180, -edge, 180, edge}
		}
	}
	// Rounded outwards, so that they still hold everything.
	return [4]float64{
		in(math.Floor(w[0]*boundSteps)/boundSteps, 180), in(math.Floor(w[1]*boundSteps)/boundSteps, edge),
		in(math.Ceil(w[2]*boundSteps)/boundSteps, 180), in(math.Ceil(w[3]*boundSteps)/boundSteps, edge),
	}
}

// boundSteps is the precision of bounds, in steps per degree.
const boundSteps = 1e5
