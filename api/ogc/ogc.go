// Package ogc serves the live state as layers for GIS by OGC API – Features, part 1 (OGC 17-069r4). It implements the
// conformance classes core, GeoJSON and OpenAPI 3.0 as far as QGIS and GDAL need them.
package ogc

import (
	"net/http"

	"nhip"
	"nhip/api/air"
	"nhip/api/geojson"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/api/scope"
	"nhip/api/transit"

	"github.com/go-chi/chi/v5"
	"github.com/paulmach/orb"
)

const (
	root         = "/ogc"
	contractType = "application/vnd.oai.openapi+json;version=3.0" // exactly this spelling, or QGIS finds no layers
	crs84        = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
	conformsTo   = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
)

// Handler serves OGC API – Features.
type Handler struct {
	Transit  *transit.Model
	Air      *air.Model
	Live     *live.State
	Clock    nhip.Clock
	Contract func() (map[string]any, error) // OpenAPI document of /ogc, see CutContract
	rest.Responder
}

// link is a link in a document. Each document has only one format, so there is no link with rel=alternate.
type link struct {
	Href  string `json:"href"`
	Rel   string `json:"rel"`
	Type  string `json:"type"`
	Title string `json:"title,omitempty"`
}

// readQuery reads the known parameters, and f, whose only value is json.
func readQuery(r *http.Request, known ...string) *rest.Query {
	q := rest.ReadQuery(r, append(known, "f")...)
	if f := q.Text("f"); f != "" && f != "json" {
		q.Fail("f", "must be json, got %q", f)
	}
	return q
}

// getLanding answers GET /ogc with the landing page.
func (h *Handler) getLanding(w http.ResponseWriter, r *http.Request) error {
	if q := readQuery(r); q.Err != nil {
		return q.Err
	}
	base := h.BaseURL(r) + root
	return h.JSON(w, "", struct {
		Title       string `json:"title"`
		Description string `json:"description"`
		Links       []link `json:"links"`
	}{"Nhịp", "Không khí và xe buýt của thành phố. Air and buses of the city.", []link{
		{base, "self", "application/json", "This document"},
		{base + "/api", "service-desc", contractType, "API definition"},
		{base + "/conformance", "conformance", "application/json", "Conformance classes"},
		{base + "/collections", "data", "application/json", "Collections"},
	}})
}

// getConformance answers GET /ogc/conformance.
func (h *Handler) getConformance(w http.ResponseWriter, r *http.Request) error {
	if q := readQuery(r); q.Err != nil {
		return q.Err
	}
	return h.JSON(w, "", map[string][]string{
		"conformsTo": {conformsTo + "core", conformsTo + "geojson", conformsTo + "oas30"},
	})
}

// collection is the description of a layer in an answer.
type collection struct {
	ID          string   `json:"id"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Extent      *extent  `json:"extent,omitempty"` // nil if the layer is empty
	ItemType    string   `json:"itemType"`
	CRS         []string `json:"crs"`
	Links       []link   `json:"links"`
}

type extent struct {
	Spatial spatialExtent `json:"spatial"`
}

type spatialExtent struct {
	BBox [][4]float64 `json:"bbox"`
	CRS  string       `json:"crs"`
}

// describe returns the description of a layer; base is the URL of the landing page.
func (h *Handler) describe(l *layer, base string, view scope.View) collection {
	url := base + "/collections/" + l.id
	return collection{
		ID: l.id, Title: l.title, Description: l.description, Extent: extentOf(l.features(h, asked{anyTime, view})),
		ItemType: "feature", CRS: []string{crs84},
		Links: []link{
			{url, "self", "application/json", l.title},
			{url + "/items", "items", geojson.ContentType, l.title},
		},
	}
}

// extentOf returns the bounding box of features, nil if there are none. It must contain all of them, because a GIS
// requests no features outside it.
func extentOf(all []feature) *extent {
	bound := orb.MultiPoint{}.Bound()
	for _, f := range all {
		bound = bound.Union(f.geometry.Bound())
	}
	if bound.IsEmpty() {
		return nil
	}
	return &extent{spatialExtent{[][4]float64{{bound.Min[0], bound.Min[1], bound.Max[0], bound.Max[1]}}, crs84}}
}

// listCollections answers GET /ogc/collections.
func (h *Handler) listCollections(w http.ResponseWriter, r *http.Request) error {
	if q := readQuery(r); q.Err != nil {
		return q.Err
	}
	base := h.BaseURL(r) + root
	all := []collection{}
	for _, l := range layers() {
		all = append(all, h.describe(&l, base, rest.ScopeOf(r)))
	}
	return h.JSON(w, "", struct {
		Links       []link       `json:"links"`
		Collections []collection `json:"collections"`
	}{[]link{{base + "/collections", "self", "application/json", "Collections"}}, all})
}

// layerOf returns the layer that the path of a request names, or an error with nhip.CodeNotFound.
func layerOf(r *http.Request) (*layer, error) {
	id := chi.URLParam(r, "collection")
	for _, l := range layers() {
		if l.id == id {
			return &l, nil
		}
	}
	return nil, nhip.Errorf(nhip.CodeNotFound, "collection", "there is no collection %q", id)
}

// getCollection answers GET /ogc/collections/{collection}.
func (h *Handler) getCollection(w http.ResponseWriter, r *http.Request) error {
	l, err := layerOf(r)
	if q := readQuery(r); err == nil {
		err = q.Err
	}
	if err != nil {
		return err
	}
	return h.JSON(w, "", h.describe(l, h.BaseURL(r)+root, rest.ScopeOf(r)))
}
