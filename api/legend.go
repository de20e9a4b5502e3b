package api

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"

	"nhip"
	"nhip/geo/aqi"
	"nhip/internal/problem"
)

// legendClass is one class of a scale. From and To are of the index as it is told, both included.
type legendClass struct {
	nhip.Level
	From   float64           `json:"from"`
	To     nhip.Opt[float64] `json:"to,omitzero"` // the last has none
	Advice *aqi.Advice       `json:"advice,omitempty"`
}

// getLegend answers GET /v1/legend.
func (a *API) getLegend(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "index")
	scale := q.scale("index")
	if q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	answer := struct {
		Scale      nhip.Scale      `json:"scale"`
		Source     string          `json:"source"`
		Quantities []nhip.Quantity `json:"quantities"` // of which tiles can be asked
		Reach      float64         `json:"reach_m"`    // to the nearest monitor, beyond which nothing is told
		Unknown    nhip.Name       `json:"unknown"`    // what no colour means
		Pale       nhip.Name       `json:"pale"`       // what a pale one means
		Classes    []legendClass   `json:"classes"`
	}{
		Scale: scale, Source: aqi.SourceOf(scale), Reach: a.sky.reach,
		Unknown: nhip.Name{Vi: "Không đủ trạm quan trắc gần đó.", En: "No monitor is near enough."},
		Pale:    nhip.Name{Vi: "Màu càng nhạt, ước tính càng kém chắc chắn.", En: "The paler, the less sure the estimate."},
	}
	for _, av := range aqi.Averages(scale) {
		if n := len(answer.Quantities); n == 0 || answer.Quantities[n-1] != av.Quantity {
			answer.Quantities = append(answer.Quantities, av.Quantity)
		}
	}
	step := 1.0 // of the index as it is told
	if scale == nhip.WHO {
		step = 0.01
	}
	from := 0.0
	for _, l := range aqi.Levels(scale) {
		c := legendClass{Level: l.Level, From: from}
		if !math.IsInf(l.To, 1) {
			c.To, from = nhip.Some(l.To), roundTo(l.To+step, 100)
		}
		if advice, ok := aqi.AdviceFor(&nhip.AQI{Scale: scale, Level: l.Level}); ok {
			c.Advice = &advice
		}
		answer.Classes = append(answer.Classes, c)
	}
	w.Header().Set("Cache-Control", "public, max-age=86400")
	sendJSON(w, answer)
}

// Colours of the map's own layers, by theme.
type themeColours struct{ ground, outline, route, stop, bus, stale, ring string }

var themes = map[string]themeColours{
	"light": {"#f3f1ec", "#e6e3dc", "#5b6b7a", "#33414e", "#0b66c2", "#8a949e", "#ffffff"},
	"dark":  {"#15191e", "#1d232a", "#8496a8", "#c4d0dc", "#5bb0ff", "#6b7680", "#0d1014"},
}

// getStyle answers GET /styles/nhip.json: a MapLibre style of all our layers, without a base map and without text, so
// that it needs neither fonts nor sprites.
func (a *API) getStyle(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "theme", "quantity", "index", "time")
	theme := q.text("theme")
	if theme == "" {
		theme = "light"
	}
	colours, known := themes[theme]
	if !known {
		q.fail("theme", "must be light or dark, got %q", theme)
	}
	q.surfaced("quantity", "index")
	q.then("time", a.o.Clock.Now())
	if q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	air, transit := q.values, ""
	air.Del("theme")
	if t := air.Get("time"); t != "" {
		transit = "?time=" + url.QueryEscape(t)
	}
	query := air.Encode()
	if query != "" {
		query = "?" + query
	}
	base := a.publicURL(r)
	problem.WriteJSON(w, http.StatusOK, "application/json", mapStyle(theme, &colours, base, query, transit))
}

// styled is one layer or source of a MapLibre style.
type styled = map[string]any

func mapStyle(theme string, c *themeColours, base, air, transit string) styled {
	ofLevel := json.RawMessage(`["coalesce",["get","colour"],"#9aa3ab"]`)
	live := func(yes, no any) []any { return []any{"case", []any{"==", []any{"get", "state"}, "stale"}, no, yes} }
	return styled{
		"version": 8, "name": "Nhịp, " + theme, "center": []float64{105.85, 21.03}, "zoom": 11,
		"sources": styled{
			"air":     styled{"type": "vector", "url": base + "/tiles/air.json" + air},
			"field":   styled{"type": "raster", "url": base + "/tiles/air.png.json" + air, "tileSize": tilePixels},
			"transit": styled{"type": "vector", "url": base + "/tiles/transit.json" + transit},
		},
		"layers": []styled{
			{"id": "ground", "type": "background", "paint": styled{"background-color": c.ground}},
			{"id": "outline", "type": "fill", "source": "transit", "source-layer": "outline", "paint": styled{"fill-color": c.outline}},
			{"id": "field", "type": "raster", "source": "field", "paint": styled{"raster-resampling": "linear"}},
			{"id": "isobands", "type": "line", "source": "air", "source-layer": "isobands", "paint": styled{"line-color": []any{"get", "colour"}, "line-width": 1, "line-opacity": 0.6}},
			{"id": "zones", "type": "line", "source": "air", "source-layer": "zones", "paint": styled{"line-color": c.route, "line-width": 0.8, "line-dasharray": []float64{3, 2}}},
			{"id": "routes", "type": "line", "source": "transit", "source-layer": "routes", "paint": styled{
				"line-color": []any{"case", []any{"==", []any{"get", "color"}, ""}, c.route, []any{"get", "color"}}, "line-width": 1.4, "line-opacity": 0.7,
			}},
			{"id": "stops", "type": "circle", "source": "transit", "source-layer": "stops", "minzoom": 14, "paint": styled{"circle-color": c.ring, "circle-radius": 3, "circle-stroke-color": c.stop, "circle-stroke-width": 1}},
			{"id": "stations", "type": "circle", "source": "air", "source-layer": "stations", "paint": styled{
				"circle-color": ofLevel, "circle-radius": []any{"case", []any{"has", "count"}, 11, 8}, "circle-stroke-color": c.ring, "circle-stroke-width": 2,
				"circle-opacity": live(1, 0.5),
			}},
			{"id": "buses", "type": "circle", "source": "transit", "source-layer": "buses", "paint": styled{
				"circle-color": live(c.bus, c.stale), "circle-radius": 4.5, "circle-stroke-color": c.ring, "circle-stroke-width": 1.2,
			}},
		},
	}
}
