// Package edr serves the air by OGC API – Environmental Data Retrieval 1.1 (OGC 19-086r6), as CoverageJSON and GeoJSON:
// the air between the monitors, now and at past hours, and the hourly means of the stations.
package edr

import (
	"context"
	"maps"
	"net/http"
	"sync"

	"nhip"
	"nhip/api/air"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/internal/influx"

	"github.com/go-chi/chi/v5"
)

const (
	root         = "/ogc/edr"
	contractType = "application/vnd.oai.openapi+json;version=3.0"
	conformsTo   = "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/"
)

// History is the part of the database that the surface reads itself.
type History interface {
	// Rollups yields hours, days or months, oldest first.
	Rollups(ctx context.Context, q influx.RollupQuery, yield func(influx.RollupRow) error) error
}

// Handler serves EDR.
type Handler struct {
	Air      *air.Model
	Live     *live.State
	Stations *catalog.Catalog
	History  History
	Slots    rest.QuerySlots // of queries of the history
	Clock    nhip.Clock
	Contract func() (map[string]any, error) // OpenAPI document of /ogc/edr, see CutContract
	rest.Responder
}

// Routes registers the handlers of what describes the data.
func (h *Handler) Routes(r chi.Router) {
	r.Get(root, h.Handle(h.getLanding))
	r.Get(root+"/", h.Handle(h.getLanding))
	r.Get(root+"/conformance", h.Handle(h.getConformance))
	r.Get(root+"/api", h.Handle(h.getAPI))
	r.Group(func(r chi.Router) {
		r.Use(h.WhenReady) // extents depend on the live state
		r.Get(root+"/collections", h.Handle(h.listCollections))
		r.Get(root+"/collections/{collection}", h.Handle(h.getCollection))
		r.Get(root+"/collections/stations/locations", h.Handle(h.listLocations))
	})
}

// DataRoutes registers the handlers of the data, which may query the history.
func (h *Handler) DataRoutes(r chi.Router) {
	r.Use(h.WhenReady)
	for _, c := range collections() {
		for _, query := range c.queries {
			if query.handle != nil {
				r.Get(root+"/collections/"+c.id+"/"+query.path, h.Handle(func(w http.ResponseWriter, r *http.Request) error {
					return query.handle(h, w, r)
				}))
			}
		}
	}
}

// link is a link in a document.
type link struct {
	Href      string     `json:"href"`
	Rel       string     `json:"rel"`
	Type      string     `json:"type,omitempty"`
	Title     string     `json:"title,omitempty"`
	Templated bool       `json:"templated,omitempty"`
	Variables *variables `json:"variables,omitempty"`
}

// readQuery reads the parameters of a description: f, whose only value is json.
func readQuery(r *http.Request) *rest.Query {
	q := rest.ReadQuery(r, "f")
	if f := q.Text("f"); f != "" && f != "json" {
		q.Fail("f", "must be json, got %q", f)
	}
	return q
}

// getLanding answers GET /ogc/edr with the landing page.
func (h *Handler) getLanding(w http.ResponseWriter, r *http.Request) error {
	if q := readQuery(r); q.Err != nil {
		return q.Err
	}
	base := h.BaseURL(r) + root
	return h.JSON(w, "", struct {
		Title       string `json:"title"`
		Description string `json:"description"`
		Links       []link `json:"links"`
	}{
		"Nhịp EDR",
		"Không khí của thành phố: ước tính giữa các trạm và số liệu trạm. The city's air: estimates between the " +
			"monitors, and the monitors.",
		[]link{
			{Href: base, Rel: "self", Type: rest.FormatJSON, Title: "This document"},
			{Href: base + "/api", Rel: "service-desc", Type: contractType, Title: "API definition"},
			{Href: base + "/conformance", Rel: "conformance", Type: rest.FormatJSON, Title: "Conformance classes"},
			{Href: base + "/collections", Rel: "data", Type: rest.FormatJSON, Title: "Collections"},
		},
	})
}

// getConformance answers GET /ogc/edr/conformance.
func (h *Handler) getConformance(w http.ResponseWriter, r *http.Request) error {
	if q := readQuery(r); q.Err != nil {
		return q.Err
	}
	classes := []string{"http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections"}
	for _, part := range []string{"core", "collections", "queries", "json", "geojson", "edr-geojson", "covjson", "oas30"} {
		classes = append(classes, conformsTo+part)
	}
	for _, part := range []string{"conf/core", "conf/geojson", "req/edr-geojson"} { // what clients of 1.0 look for
		classes = append(classes, "http://www.opengis.net/spec/ogcapi-edr-1/1.0/"+part)
	}
	return h.JSON(w, "", map[string][]string{"conformsTo": classes})
}

// getAPI answers GET /ogc/edr/api.
func (h *Handler) getAPI(w http.ResponseWriter, r *http.Request) error {
	if q := readQuery(r); q.Err != nil {
		return q.Err
	}
	part, err := h.Contract()
	if err != nil {
		return err
	}
	doc := maps.Clone(part)
	doc["servers"] = []map[string]any{{"url": h.BaseURL(r) + root}}
	return h.JSONAs(w, contractType, "", doc)
}

// CutContract returns a function that extracts the paths below /ogc/edr from the contract, an OpenAPI document in YAML,
// on its first call. The paths of the result are relative to the landing page. The caller must not change it.
func CutContract(contract []byte) func() (map[string]any, error) {
	return sync.OnceValues(func() (map[string]any, error) { return rest.ContractPart(contract, root) })
}
