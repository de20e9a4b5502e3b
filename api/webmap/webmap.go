// Package webmap serves the web map, its configuration and base map, and the legend, style and TileJSON of the tiles.
package webmap

import (
	"io/fs"
	"net/http"
	"time"

	"nhip"
	"nhip/api/air"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/api/transit"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Config is the configuration of the web map.
type Config struct {
	Style       string     // URL of a MapLibre style; "" is the built-in one
	PMTiles     string     // path of a base map; "" is none
	Center      [2]float64 // lon, lat, of a map without buses and stations
	Zoom        float64    // of a map without buses and stations
	Attribution string

	// Package api sets these.
	Files     fs.FS          // the built web map; nil serves a page with build instructions
	Simulated bool           // whether the data are simulated, which the map shows
	AirReach  float64        // distance from the nearest monitor up to which the air is estimated, m
	Zone      *time.Location // of times in pages; nil is UTC
	License   rest.License   // of the data
}

// Handler serves the web map and the descriptions of the tiles.
type Handler struct {
	Config  Config
	Transit *transit.Model
	Air     *air.Model
	Live    *live.State
	Clock   nhip.Clock
	API     http.Handler // answers the API's addresses in the process; nil: pages are without data
	rest.Responder
}

// mapAnswer is the answer of GET /v1/map.
type mapAnswer struct {
	Style       *string     `json:"style"`
	PMTiles     string      `json:"pmtiles,omitempty"` // path of the base map
	Center      [2]float64  `json:"center"`
	Zoom        float64     `json:"zoom"`
	Bounds      *[4]float64 `json:"bounds"`
	Attribution string      `json:"attribution"`
	License     *mapLicense `json:"license,omitempty"`
	Simulated   bool        `json:"simulated"`
}

// mapLicense says under what the data may be used, and whom to name as their source.
type mapLicense struct {
	Name   string `json:"name,omitempty"`
	URL    string `json:"url,omitempty"`
	Source string `json:"source,omitempty"`
}

// getMap answers GET /v1/map.
func (h *Handler) getMap(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	c := &h.Config
	answer := mapAnswer{Center: c.Center, Zoom: c.Zoom, Attribution: c.Attribution, Simulated: c.Simulated}
	if l := c.License; l != (rest.License{}) {
		answer.License = &mapLicense{l.Name, l.URL, l.Source}
	}
	if c.Style != "" {
		answer.Style = &c.Style
	}
	if c.PMTiles != "" && c.Style == "" {
		answer.PMTiles = basemapPath
	}
	if b := h.bounds(); !b.IsEmpty() {
		answer.Bounds = &[4]float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}
	}
	return h.JSON(w, rest.NoStore, answer)
}

// viewMargin is how far from the network a bus or station may be to be in the first view, in metres: one that reports
// a place on another continent must not shrink the city to a dot.
const viewMargin = 50_000

// bounds returns the bounds of the timetable's drawing and of the live state, which are empty if both are.
func (h *Handler) bounds() orb.Bound {
	network := h.Transit.Bounds()
	if network.IsEmpty() {
		return h.Live.Bounds(orb.Bound{Min: orb.Point{-180, -90}, Max: orb.Point{180, 90}})
	}
	return network.Union(h.Live.Bounds(geo.BoundPad(network, viewMargin)))
}
