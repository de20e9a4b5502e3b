package edr

import (
	"context"
	"net/http"
	"time"

	"nhip"
	"nhip/api/rest"

	"github.com/go-chi/chi/v5"
	"github.com/paulmach/orb"
)

// The coordinate reference systems of queries and answers.
const (
	crs84    = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
	epsg4326 = "http://www.opengis.net/def/crs/EPSG/0/4326"
)

// wktCRS84 describes WGS 84 in well-known text.
const wktCRS84 = `GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],` +
	`PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]`

// dataQuery is a query that a collection offers. Its path is below that of the collection.
type dataQuery struct {
	kind, path string
	handle     func(h *Handler, w http.ResponseWriter, r *http.Request) error // nil: another route serves it
	formats    []string
}

// dataset is a collection.
type dataset struct {
	id, title, description string
	parameters             []parameter
	queries                []dataQuery
	bound                  func(h *Handler, r *http.Request) orb.Bound // WGS84 lon, lat
}

// collections returns all collections.
func collections() []dataset {
	both := []string{formatCoverageJSON, formatGeoJSON}
	return []dataset{
		{
			id: "air", title: "Không khí · Air between the monitors", parameters: airParameters(),
			description: "VN_AQI and concentrations, estimated for each hour between the monitors, with 80 % intervals",
			bound: func(h *Handler, _ *http.Request) orb.Bound {
				return h.Air.Extent(h.Air.Current())
			},
			queries: []dataQuery{
				{"position", "position", (*Handler).airPosition, both},
				{"radius", "radius", (*Handler).airRadius, both},
				{"area", "area", (*Handler).airArea, both},
				{"trajectory", "trajectory", (*Handler).airTrajectory, both},
			},
		},
		{
			id: "stations", title: "Trạm quan trắc · Stations", parameters: stationParameters(),
			description: "Hourly means of the air monitors, as reviewed, with their quality flags",
			bound:       (*Handler).stationBound,
			queries: []dataQuery{
				{"position", "position", (*Handler).stationPosition, both},
				{"radius", "radius", (*Handler).stationRadius, both},
				{"area", "area", (*Handler).stationArea, both},
				{"locations", "locations", nil, []string{formatGeoJSON}},
				{"locations", "locations/{id}", (*Handler).getLocation, both},
			},
		},
	}
}

// find returns a collection; ok is false if there is none.
func find(id string) (dataset, bool) {
	for _, c := range collections() {
		if c.id == id {
			return c, true
		}
	}
	return dataset{}, false
}

// variables describe a query in its link.
type variables struct {
	Title   string       `json:"title"`
	Kind    string       `json:"query_type"`
	Within  []string     `json:"within_units,omitempty"`
	Formats []string     `json:"output_formats"`
	Default string       `json:"default_output_format"`
	CRS     []crsDetails `json:"crs_details"`
}

type crsDetails struct {
	CRS string `json:"crs"`
	WKT string `json:"wkt"`
}

// description is a collection in an answer.
type description struct {
	ID          string                      `json:"id"`
	Title       string                      `json:"title"`
	Description string                      `json:"description"`
	Links       []link                      `json:"links"`
	Extent      extent                      `json:"extent"`
	Queries     map[string]map[string]link  `json:"data_queries"`
	CRS         []string                    `json:"crs"`
	Formats     []string                    `json:"output_formats"`
	Parameters  map[string]namedDescription `json:"parameter_names"`
}

type extent struct {
	Spatial  spatialExtent  `json:"spatial"`
	Temporal temporalExtent `json:"temporal"`
}

type spatialExtent struct {
	BBox [][4]float64 `json:"bbox"`
	CRS  string       `json:"crs"`
}

type temporalExtent struct {
	Interval [][2]nhip.Opt[time.Time] `json:"interval"`
	TRS      string                   `json:"trs"`
}

const gregorian = `TIMECRS["DateTime",TDATUM["Gregorian Calendar"],CS[TemporalDateTime,1],AXIS["Time (T)",future]]`

// describe returns the description of a collection; first is the time of the oldest reading.
func (h *Handler) describe(r *http.Request, c *dataset, first nhip.Opt[time.Time]) description {
	url := h.BaseURL(r) + root + "/collections/" + c.id
	d := description{
		ID: c.id, Title: c.title, Description: c.description, CRS: []string{crs84, epsg4326},
		Formats: []string{formatCoverageJSON, formatGeoJSON}, Queries: make(map[string]map[string]link),
		Parameters: describeParameters(c.parameters),
		Links: []link{
			{Href: url, Rel: "self", Type: rest.FormatJSON, Title: c.title},
			{Href: url, Rel: "collection", Type: rest.FormatJSON, Title: c.title},
		},
		Extent: extent{
			spatialExtent{[][4]float64{corners(c.bound(h, r))}, crs84},
			temporalExtent{[][2]nhip.Opt[time.Time]{{first, {}}}, gregorian},
		},
	}
	for _, q := range c.queries {
		if q.path != q.kind {
			continue // the list leads to its members
		}
		v := &variables{
			Title: c.title, Kind: q.kind, Formats: q.formats, Default: q.formats[0],
			CRS: []crsDetails{{crs84, wktCRS84}, {epsg4326, wktCRS84}},
		}
		if q.kind == "radius" {
			v.Within = []string{"m", "km"}
		}
		l := link{Href: url + "/" + q.path, Rel: "data", Type: mediaTypes[q.formats[0]], Title: q.kind, Variables: v}
		d.Queries[q.kind] = map[string]link{"link": l}
		d.Links = append(d.Links, link{Href: l.Href, Rel: "data", Type: l.Type, Title: q.kind})
	}
	return d
}

// corners returns a box as in an extent; that of nothing is the world.
func corners(b orb.Bound) [4]float64 {
	if b.IsEmpty() {
		return [4]float64{-180, -90, 180, 90}
	}
	return [4]float64{b.Min[0], b.Min[1], b.Max[0], b.Max[1]}
}

// firstReading returns the time of the oldest reading that a caller sees; unknown while the history is away.
func (h *Handler) firstReading(ctx context.Context) (first nhip.Opt[time.Time]) {
	entries, err := h.Stations.Entries(ctx)
	if err != nil {
		return first
	}
	for _, e := range entries {
		if t, known := first.Get(); !e.First.IsZero() && (!known || e.First.Before(t)) {
			first = nhip.Some(e.First.UTC())
		}
	}
	return first
}

// listCollections answers GET /ogc/edr/collections.
func (h *Handler) listCollections(w http.ResponseWriter, r *http.Request) error {
	if q := readQuery(r); q.Err != nil {
		return q.Err
	}
	first := h.firstReading(r.Context())
	all := []description{}
	for _, c := range collections() {
		all = append(all, h.describe(r, &c, first))
	}
	self := link{Href: h.BaseURL(r) + root + "/collections", Rel: "self", Type: rest.FormatJSON, Title: "Collections"}
	return h.JSON(w, "", struct {
		Links       []link        `json:"links"`
		Collections []description `json:"collections"`
	}{[]link{self}, all})
}

// getCollection answers GET /ogc/edr/collections/{collection}.
func (h *Handler) getCollection(w http.ResponseWriter, r *http.Request) error {
	id := chi.URLParam(r, "collection")
	c, ok := find(id)
	if !ok {
		return nhip.Errorf(nhip.CodeNotFound, "collection", "there is no collection %q", id)
	}
	if q := readQuery(r); q.Err != nil {
		return q.Err
	}
	return h.JSON(w, "", h.describe(r, &c, h.firstReading(r.Context())))
}

// namedDescription is a parameter in the description of a collection.
type namedDescription struct {
	Type        string          `json:"type"`
	ID          string          `json:"id"`
	Label       string          `json:"label"`
	Description string          `json:"description"`
	Property    observed        `json:"observedProperty"`
	Unit        unitDescription `json:"unit"`
	Measurement measurement     `json:"measurementType"`
}

type observed struct {
	ID    string `json:"id,omitempty"`
	Label string `json:"label"`
}

type unitDescription struct {
	Label  string     `json:"label"`
	Symbol unitSymbol `json:"symbol"`
}

type unitSymbol struct {
	Value string `json:"value"`
	Type  string `json:"type"`
}

type measurement struct {
	Method   string `json:"method"`
	Duration string `json:"duration"`
}

// ucumURI names The Unified Code for Units of Measure.
const ucumURI = "http://www.opengis.net/def/uom/UCUM/"

func describeParameters(all []parameter) map[string]namedDescription {
	out := make(map[string]namedDescription, len(all))
	for _, p := range all {
		out[p.id] = namedDescription{
			"Parameter", p.id, p.name.En, p.about.En,
			observed{p.property, p.name.En},
			unitDescription{p.unit, unitSymbol{p.ucum, ucumURI}},
			measurement{p.method, p.duration},
		}
	}
	return out
}
