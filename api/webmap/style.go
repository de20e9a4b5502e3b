package webmap

import (
	"encoding/json"
	"net/http"
	"net/url"

	"nhip/api/rest"
)

// themeColors are the colors of the layers, by theme.
type themeColors struct{ ground, outline, route, stop, bus, stale, ring string }

var themes = map[string]themeColors{
	"light": {"#f3f1ec", "#e6e3dc", "#5b6b7a", "#33414e", "#0b66c2", "#8a949e", "#ffffff"},
	"dark":  {"#15191e", "#1d232a", "#8496a8", "#c4d0dc", "#5bb0ff", "#6b7680", "#0d1014"},
}

// getStyle answers GET /styles/nhip.json: a MapLibre style of all layers. It has no base map and no text, so that it
// needs neither fonts nor sprites.
func (h *Handler) getStyle(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "theme", "quantity", "index", "time")
	theme := q.Text("theme")
	if theme == "" {
		theme = "light"
	}
	colors, known := themes[theme]
	if !known {
		q.Fail("theme", "must be light or dark, got %q", theme)
	}
	q.Scale("index")
	q.SurfaceQuantity("quantity", "index")
	q.PastTime("time", h.Clock.Now())
	if q.Err != nil {
		return q.Err
	}
	transit := ""
	if t := q.Values.Get("time"); t != "" {
		transit = "?time=" + url.QueryEscape(t)
	}
	q.Values.Del("theme")
	air := q.Values.Encode()
	if air != "" {
		air = "?" + air
	}
	return h.JSON(w, rest.NoStore, mapStyle(theme, &colors, h.BaseURL(r), air, transit))
}

// pictureSize is the size of the picture tiles, pixels.
const pictureSize = 256

// object is a JSON object of a MapLibre style.
type object = map[string]any

// mapStyle returns the style. air and transit are the queries of the tiles' addresses.
func mapStyle(theme string, c *themeColors, base, air, transit string) object {
	categoryColor := json.RawMessage(`["coalesce",["get","color"],"#9aa3ab"]`)
	ifStale := func(then, otherwise any) []any {
		return []any{"case", []any{"==", []any{"get", "state"}, "stale"}, then, otherwise}
	}
	return object{
		"version": 8, "name": "Nhịp, " + theme, "center": []float64{105.85, 21.03}, "zoom": 11,
		"sources": object{
			"air":     object{"type": "vector", "url": base + "/tiles/air.json" + air},
			"field":   object{"type": "raster", "url": base + "/tiles/air.png.json" + air, "tileSize": pictureSize},
			"transit": object{"type": "vector", "url": base + "/tiles/transit.json" + transit},
		},
		"layers": []object{
			{"id": "ground", "type": "background", "paint": object{"background-color": c.ground}},
			{
				"id": "outline", "type": "fill", "source": "transit", "source-layer": "outline",
				"paint": object{"fill-color": c.outline},
			},
			{"id": "field", "type": "raster", "source": "field", "paint": object{"raster-resampling": "linear"}},
			{
				"id": "isobands", "type": "line", "source": "air", "source-layer": "isobands",
				"paint": object{"line-color": []any{"get", "color"}, "line-width": 1, "line-opacity": 0.6},
			},
			{
				"id": "zones", "type": "line", "source": "air", "source-layer": "zones",
				"paint": object{"line-color": c.route, "line-width": 0.8, "line-dasharray": []float64{3, 2}},
			},
			{"id": "routes", "type": "line", "source": "transit", "source-layer": "routes", "paint": object{
				"line-color": []any{"case", []any{"==", []any{"get", "color"}, ""}, c.route, []any{"get", "color"}},
				"line-width": 1.4, "line-opacity": 0.7,
			}},
			{
				"id": "stops", "type": "circle", "source": "transit", "source-layer": "stops", "minzoom": 14,
				"paint": object{
					"circle-color": c.ring, "circle-radius": 3, "circle-stroke-color": c.stop, "circle-stroke-width": 1,
				},
			},
			{"id": "stations", "type": "circle", "source": "air", "source-layer": "stations", "paint": object{
				"circle-color": categoryColor, "circle-radius": []any{"case", []any{"has", "count"}, 11, 8},
				"circle-stroke-color": c.ring, "circle-stroke-width": 2,
				"circle-opacity": ifStale(0.5, 1),
			}},
			{"id": "buses", "type": "circle", "source": "transit", "source-layer": "buses", "paint": object{
				"circle-color": ifStale(c.stale, c.bus), "circle-radius": 4.5, "circle-stroke-color": c.ring,
				"circle-stroke-width": 1.2,
			}},
		},
	}
}
