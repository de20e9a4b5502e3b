package api

import (
	"net/http"

	"nhip"

	"github.com/go-chi/chi/v5"
	"github.com/paulmach/orb"
)

// OGC API – Features, part 1 (OGC 17-069r4): core, GeoJSON and OpenAPI 3.0, enough for QGIS and GDAL to take our things
// as layers.
const (
	ogcBase    = "/ogc"
	openAPI30  = "application/vnd.oai.openapi+json;version=3.0" // to the letter, or QGIS finds nothing
	crs84      = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
	conformsTo = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
)

// ogcLink is a link, as all its documents have them. There is one form of each, so none has an alternate.
type ogcLink struct {
	Href  string `json:"href"`
	Rel   string `json:"rel"`
	Type  string `json:"type"`
	Title string `json:"title,omitempty"`
}

// ogcRoutes adds its addresses.
func (a *API) ogcRoutes(r chi.Router) {
	r.Get(ogcBase, a.ogcLanding)
	r.Get(ogcBase+"/", a.ogcLanding)
	r.Get(ogcBase+"/conformance", a.ogcConformance)
	r.Get(ogcBase+"/api", a.ogcAPI)
	r.Group(func(r chi.Router) {
		r.Use(a.needCity) // extents, too, are of what was heard
		r.Get(ogcBase+"/collections", a.ogcCollections)
		r.Get(ogcBase+"/collections/{collection}", a.ogcCollection)
		r.Get(ogcBase+"/collections/{collection}/items", a.ogcItems)
		r.Get(ogcBase+"/collections/{collection}/items/{feature}", a.ogcItem)
	})
}

// ogcQuery reads the parameters that are named, and f, which may only ask for JSON.
func ogcQuery(r *http.Request, known ...string) *query {
	q := readQuery(r, append(known, "f")...)
	if f := q.text("f"); f != "" && f != "json" {
		q.fail("f", "must be json, got %q", f)
	}
	return q
}

func (a *API) ogcLanding(w http.ResponseWriter, r *http.Request) {
	if q := ogcQuery(r); q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	base := a.publicURL(r) + ogcBase
	sendJSON(w, struct {
		Title       string    `json:"title"`
		Description string    `json:"description"`
		Links       []ogcLink `json:"links"`
	}{"Nhịp", "Không khí và xe buýt của thành phố. The city's air and its buses.", []ogcLink{
		{base, "self", "application/json", "This page"},
		{base + "/api", "service-desc", openAPI30, "What can be asked"},
		{base + "/conformance", "conformance", "application/json", "What it conforms to"},
		{base + "/collections", "data", "application/json", "The layers"},
	}})
}

func (a *API) ogcConformance(w http.ResponseWriter, r *http.Request) {
	if q := ogcQuery(r); q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	sendJSON(w, map[string][]string{"conformsTo": {conformsTo + "core", conformsTo + "geojson", conformsTo + "oas30"}})
}

// ogcDescription is a collection as it is described.
type ogcDescription struct {
	ID          string    `json:"id"`
	Title       string    `json:"title"`
	Description string    `json:"description"`
	Extent      *ogcReach `json:"extent,omitempty"` // nil while it is empty
	ItemType    string    `json:"itemType"`
	CRS         []string  `json:"crs"`
	Links       []ogcLink `json:"links"`
}

type ogcReach struct {
	Spatial ogcBounds `json:"spatial"`
}

type ogcBounds struct {
	BBox [][4]float64 `json:"bbox"`
	CRS  string       `json:"crs"`
}

func (a *API) describe(l *ogcLayer, base string) ogcDescription {
	at := base + "/collections/" + l.id
	return ogcDescription{ID: l.id, Title: l.title, Description: l.description, Extent: ogcExtent(l.features(a, anyTime)), ItemType: "feature", CRS: []string{crs84}, Links: []ogcLink{
		{at, "self", "application/json", l.title},
		{at + "/items", "items", geoJSON, l.title},
	}}
}

// ogcExtent is the box around features. A GIS asks for nothing beyond it.
func ogcExtent(all []ogcFeature) *ogcReach {
	around := orb.MultiPoint{}.Bound()
	for _, f := range all {
		around = around.Union(f.geometry.Bound())
	}
	if around.IsEmpty() {
		return nil
	}
	return &ogcReach{ogcBounds{[][4]float64{{around.Min[0], around.Min[1], around.Max[0], around.Max[1]}}, crs84}}
}

func (a *API) ogcCollections(w http.ResponseWriter, r *http.Request) {
	if q := ogcQuery(r); q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	base := a.publicURL(r) + ogcBase
	all := []ogcDescription{}
	for _, l := range ogcLayers() {
		all = append(all, a.describe(&l, base))
	}
	sendJSON(w, struct {
		Links       []ogcLink        `json:"links"`
		Collections []ogcDescription `json:"collections"`
	}{[]ogcLink{{base + "/collections", "self", "application/json", "The layers"}}, all})
}

// ogcAsked returns the collection of a request's path.
func ogcAsked(r *http.Request) (*ogcLayer, error) {
	id := chi.URLParam(r, "collection")
	for _, l := range ogcLayers() {
		if l.id == id {
			return &l, nil
		}
	}
	return nil, nhip.Errorf(nhip.NotFound, "collection", "there is no collection %q", id)
}

func (a *API) ogcCollection(w http.ResponseWriter, r *http.Request) {
	l, err := ogcAsked(r)
	if q := ogcQuery(r); err == nil {
		err = q.err
	}
	if err != nil {
		a.problem(w, r, err)
		return
	}
	sendJSON(w, a.describe(l, a.publicURL(r)+ogcBase))
}
