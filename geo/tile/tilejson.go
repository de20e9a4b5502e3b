package tile

import (
	"maps"
	"math"

	"nhip"

	"github.com/paulmach/orb"
)

// TileJSON tells a client where tiles are and what is in them (TileJSON 3.0.0).
type TileJSON struct {
	TileJSON     string        `json:"tilejson"`
	Name         string        `json:"name,omitempty"`
	Attribution  string        `json:"attribution,omitempty"`
	Tiles        []string      `json:"tiles"` // templates with {z}, {x} and {y}
	MinZoom      int           `json:"minzoom"`
	MaxZoom      int           `json:"maxzoom"` // closer ones are drawn from this one's tiles
	Bounds       [4]float64    `json:"bounds"`  // west, south, east, north in degrees
	VectorLayers []VectorLayer `json:"vector_layers,omitempty"`
}

// VectorLayer tells what one layer holds.
type VectorLayer struct {
	ID          string            `json:"id"`
	Description string            `json:"description,omitempty"`
	MinZoom     int               `json:"minzoom"`
	MaxZoom     int               `json:"maxzoom"`
	Fields      map[string]string `json:"fields"` // what each property says
}

// Air describes the tiles of a Scene, served under base (as https://host, without a slash at the
// end) with a query, as "?index=WHO" or "". Bounds are where there are monitors; when empty, the world.
func Air(base, query string, bounds orb.Bound) TileJSON {
	index := map[string]string{
		"aqi":    "Number. The index, where there is one",
		"level":  "Number. Its class, 1 is the cleanest",
		"colour": "String. That of the class, #RRGGBB",
	}
	fields := map[string]string{
		"id":    "String. The monitor's id",
		"state": "String. live, or stale after two reporting periods of silence",
		"time":  "String. End of the newest value's period, RFC 3339",
		"count": "Number. Of monitors that are drawn as one, below zoom 10",
		"live":  "Number. How many of them are",
	}
	maps.Copy(fields, index)
	for q, name := range quantityNames {
		fields[string(q)] = "Number. " + name + ", " + q.Unit()
	}
	bands := map[string]string{
		"level":   index["level"],
		"name_vi": "String. The class in Vietnamese",
		"name_en": "String. The class in English",
		"colour":  index["colour"],
		"from":    "Number. The least index in it; left out of the first",
		"to":      "Number. Where the next begins; left out of the last",
	}
	zones := map[string]string{
		"id":      "String. The zone's id",
		"kind":    "String. What it is a zone of",
		"name_vi": "String. Its name in Vietnamese",
		"name_en": "String. Its name in English",
	}
	maps.Copy(zones, index)
	return newTileJSON("Air", base+"/tiles/air/{z}/{x}/{y}.mvt"+query, bounds, []VectorLayer{
		{"isobands", "Areas of one class of the index", 0, DeepZoom, bands},
		{"zones", "Zones and their air", 0, DeepZoom, zones},
		{"stations", "Monitors and their newest values", 0, DeepZoom, fields},
	})
}

// AirPicture describes the pictures of the index, as Air does its tiles.
func AirPicture(base, query string, bounds orb.Bound) TileJSON {
	doc := newTileJSON("Air, as pictures", base+"/tiles/air/{z}/{x}/{y}.png"+query, bounds, nil)
	doc.VectorLayers = nil
	return doc
}

// Transit describes the tiles of a Network, as Air does its own.
func Transit(base, query string, bounds orb.Bound) TileJSON {
	return newTileJSON("Transit", base+"/tiles/transit/{z}/{x}/{y}.mvt"+query, bounds, []VectorLayer{
		{"outline", "A polygon around the network", 0, DeepZoom, map[string]string{}},
		{"routes", "Lines of the network", 0, DeepZoom, map[string]string{
			"route": "String. GTFS route_id",
			"line":  "String. The number shown to riders",
			"name":  "String. The route's name",
			"color": "String. #rrggbb, or empty",
		}},
		{"stops", "Places to board", StopsZoom, DeepZoom, map[string]string{
			"id":   "String. GTFS stop_id",
			"name": "String. The stop's name",
		}},
		{"buses", "Buses and where they were last", BusesZoom, DeepZoom, map[string]string{
			"id":        "String. The vehicle, unique within its agency",
			"agency":    "String. Whose it is",
			"route":     "String. GTFS route_id",
			"line":      "String. The number shown to riders",
			"headsign":  "String. Where it says it goes",
			"bearing":   "Number. Degrees clockwise from north",
			"occupancy": "String. A GTFS-realtime occupancy status",
			"state":     "String. live or stale",
			"time":      "String. Of the fix, RFC 3339",
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
	nhip.Temperature: "Temperature of the air",
	nhip.Humidity:    "Relative humidity",
	nhip.Pressure:    "Pressure of the air",
}

func newTileJSON(name, template string, bounds orb.Bound, layers []VectorLayer) TileJSON {
	return TileJSON{
		TileJSON:     "3.0.0",
		Name:         name,
		Tiles:        []string{template},
		MinZoom:      0,
		MaxZoom:      DeepZoom,
		Bounds:       jsonBounds(bounds),
		VectorLayers: layers,
	}
}

// jsonBounds holds bounds to what TileJSON allows; what is empty, no number or not set becomes the
// part of the world that the map's square shows, which is the standard's default.
func jsonBounds(b orb.Bound) [4]float64 {
	const edge = 85.0511287798066 // degrees of latitude
	in := func(v, limit float64) float64 { return max(-limit, min(limit, v)) }
	w := [4]float64{in(b.Min[0], 180), in(b.Min[1], edge), in(b.Max[0], 180), in(b.Max[1], edge)}
	for _, v := range w {
		if math.IsNaN(v) || b.IsEmpty() || b == (orb.Bound{}) {
			return [4]float64{-180, -edge, 180, edge}
		}
	}
	return w
}
