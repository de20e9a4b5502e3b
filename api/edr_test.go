package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip/api/livetest"
	"nhip/api/rest"
)

const edrCollections = "/ogc/edr/collections/"

// withPast returns an api whose monitors have a history: PM2.5 rises by 1 µg/m³ an hour.
func withPast(t testing.TB) *API {
	t.Helper()
	return withMonitors(t, func(o *Options) {
		o.History = &hourlyHistory{pm25: func(_ int, end time.Time) float64 {
			return 60 + float64(end.Sub(noon)/time.Hour)
		}}
	})
}

// edrQuery is the address of a data query; values are names and values in turn.
func edrQuery(path string, values ...string) string {
	q := url.Values{}
	for i := 0; i < len(values); i += 2 {
		q.Set(values[i], values[i+1])
	}
	return edrCollections + path + "?" + q.Encode()
}

// covJSON is a Coverage or CoverageCollection.
type covJSON struct {
	Type, ID   string
	Parameters map[string]struct {
		Type             string
		Unit             struct{ Symbol struct{ Value, Type string } }
		ObservedProperty struct{ Label map[string]string }
	}
	Referencing []covReference
	Domain      struct {
		Type, DomainType string
		Axes             map[string]struct {
			DataType    string
			Coordinates []string
			Values      []any
		}
		Referencing []covReference
	}
	Ranges map[string]struct {
		Type, DataType string
		AxisNames      []string
		Shape          []int
		Values         []*float64
	}
	Coverages []covJSON
}

type covReference struct {
	Coordinates []string
	System      struct{ Type, ID, Calendar string }
}

// edrGet returns the coverages of a query, after comparing it with the contract and checking its structure.
func edrGet(t *testing.T, a *API, path string) (covJSON, []covJSON) {
	t.Helper()
	w := checkContract(t, a, path)
	var doc covJSON
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %v %.300s", path, w.Code, err, w.Body)
	}
	all, references := doc.Coverages, doc.Referencing
	if doc.Type == "Coverage" {
		all, references = []covJSON{doc}, doc.Domain.Referencing
	}
	if len(references) != 2 || references[1].System.Calendar != "Gregorian" ||
		(len(doc.Parameters) == 0) != (len(all) == 0) {
		t.Errorf("%s: %v, %d parameters", path, references, len(doc.Parameters))
	}
	for id, p := range doc.Parameters {
		if p.Type != "Parameter" || p.Unit.Symbol.Value == "" || p.ObservedProperty.Label["en"] == "" {
			t.Errorf("%s: parameter %s: %v", path, id, p)
		}
	}
	for i := range all {
		checkCoverage(t, path, &all[i])
	}
	return doc, all
}

// checkCoverage checks that a coverage has the axes of its domain type, and that its ranges fit them.
func checkCoverage(t *testing.T, path string, c *covJSON) {
	t.Helper()
	axes, lengths := map[string][]string{
		"Grid": {"t", "x", "y"}, "Point": {"t", "x", "y"}, "PointSeries": {"t", "x", "y"}, "Trajectory": {"composite"},
	}[c.Domain.DomainType], map[string]int{}
	var names []string
	for name, axis := range c.Domain.Axes {
		names, lengths[name] = append(names, name), len(axis.Values)
	}
	slices.Sort(names)
	if c.Type != "Coverage" || c.Domain.Type != "Domain" || !slices.Equal(names, axes) || len(c.Ranges) == 0 {
		t.Errorf("%s: %s of %s with %v, %d ranges", path, c.Type, c.Domain.DomainType, names, len(c.Ranges))
	}
	if c.Domain.DomainType != "Grid" && c.Domain.DomainType != "Trajectory" && lengths["x"]*lengths["y"] != 1 {
		t.Errorf("%s: a point has %v", path, lengths)
	}
	if c.Domain.DomainType == "Trajectory" {
		for _, tuple := range c.Domain.Axes["composite"].Values {
			if v, ok := tuple.([]any); !ok || len(v) != 3 {
				t.Errorf("%s: tuple %v", path, tuple)
			}
		}
	}
	for id, r := range c.Ranges {
		size := 1
		for i, name := range r.AxisNames {
			size *= r.Shape[i]
			if r.Shape[i] != lengths[name] {
				t.Errorf("%s: %s: axis %s has %d values, the shape %d", path, id, name, lengths[name], r.Shape[i])
			}
		}
		if r.Type != "NdArray" || r.DataType != "float" || len(r.AxisNames) != len(axes) || len(r.Values) != size {
			t.Errorf("%s: %s: %s %v %v with %d values", path, id, r.Type, r.AxisNames, r.Shape, len(r.Values))
		}
	}
}

// known counts the values of a range that are known.
func knownValues(c *covJSON, parameter string) (n int) {
	for _, v := range c.Ranges[parameter].Values {
		if v != nil {
			n++
		}
	}
	return n
}

const (
	edrSquare = "POLYGON((105.84 21.02,105.87 21.02,105.87 21.04,105.84 21.04,105.84 21.02))"
	edrPlace  = "POINT(105.852 21.028)"
	edrDay    = "2026-02-15T13:00:00Z/2026-02-16T12:00:00Z"
)

func TestEDRAir(t *testing.T) {
	a := withPast(t)
	m := livetest.MonitorPoint(0)
	at := fmt.Sprintf("POINT(%f %f)", m[0], m[1])
	doc, _ := edrGet(t, a, edrQuery("air/position", "coords", at))
	if doc.Domain.DomainType != "Point" || len(doc.Ranges) != len(doc.Parameters) || knownValues(&doc, "vn_aqi") != 1 ||
		knownValues(&doc, "pm25") != 1 || knownValues(&doc, "no2") != 0 {
		t.Errorf("now: %v", doc.Ranges)
	}
	low, value, high := doc.Ranges["pm25_low"].Values, doc.Ranges["pm25"].Values, doc.Ranges["pm25_high"].Values
	if low[0] != nil && (*low[0] > *value[0] || *high[0] < *value[0]) {
		t.Errorf("%v to %v around %v", *low[0], *high[0], *value[0])
	}
	doc, _ = edrGet(t, a, edrQuery("air/position", "coords", at, "datetime", edrDay, "parameter-name", "pm25,vn_aqi"))
	series := doc.Ranges["pm25"].Values
	if doc.Domain.DomainType != "PointSeries" || len(series) != 24 || len(doc.Ranges) != 2 || *series[0] >= *series[22] {
		t.Errorf("a day: %s with %d values", doc.Domain.DomainType, len(series))
	}
	swapped := fmt.Sprintf("POINT(%f %f)", m[1], m[0])
	same, _ := edrGet(t, a, edrQuery("air/position", "coords", swapped, "crs", "EPSG:4326", "parameter-name", "pm25"))
	if reference := same.Domain.Referencing[0]; reference.Coordinates[0] != "y" || knownValues(&same, "pm25") != 1 ||
		same.Domain.Axes["x"].Values[0].(float64) < 100 {
		t.Errorf("latitude first: %v", same.Domain)
	}
	grid, _ := edrGet(t, a, edrQuery("air/area", "coords", edrSquare, "parameter-name", "vn_aqi",
		"datetime", "2026-02-16T10:00:00Z/2026-02-16T12:00:00Z"))
	if shape := grid.Ranges["vn_aqi"].Shape; grid.Domain.DomainType != "Grid" || shape[0] != 3 || shape[1] < 10 ||
		knownValues(&grid, "vn_aqi") == 0 {
		t.Errorf("area: %v", shape)
	}
	round, _ := edrGet(t, a, edrQuery("air/radius", "coords", edrPlace, "within", "1", "within-units", "km",
		"parameter-name", "vn_aqi"))
	if n := knownValues(&round, "vn_aqi"); n == 0 || n > len(round.Ranges["vn_aqi"].Values)*9/10 {
		t.Errorf("circle: %d of %d", n, len(round.Ranges["vn_aqi"].Values))
	}
	several, all := edrGet(t, a, edrQuery("air/position", "coords", "MULTIPOINT(105.85 21.03,105.86 21.03)"))
	if several.Type != "CoverageCollection" || len(all) != 2 {
		t.Errorf("two points: %s of %d", several.Type, len(all))
	}
	for _, nothing := range []string{
		edrQuery("air/area", "coords", "POLYGON((5 5,6 5,6 6,5 5))"),
		edrQuery("stations/area", "coords", "POLYGON((5 5,6 5,6 6,5 5))"),
		edrQuery("stations/position", "coords", "POINT(5 5)"),
	} {
		if empty, all := edrGet(t, a, nothing); empty.Type != "CoverageCollection" || len(all) != 0 {
			t.Errorf("elsewhere: %s of %d", empty.Type, len(all))
		}
	}
}

func TestEDRTrajectory(t *testing.T) {
	a := withPast(t)
	start := noon.Add(-5*time.Hour + 30*time.Minute)
	withTimes := fmt.Sprintf("LINESTRINGM(105.84 21.02 %d,105.85 21.03 %d,105.86 21.03 %d)", start.Unix(),
		start.Add(time.Hour).Unix(), start.Add(2*time.Hour).Unix())
	way, _ := edrGet(t, a, edrQuery("air/trajectory", "coords", withTimes, "parameter-name", "pm25"))
	tuples, values := way.Domain.Axes["composite"].Values, way.Ranges["pm25"].Values
	if way.Domain.DomainType != "Trajectory" || knownValues(&way, "pm25") != len(values) ||
		*values[0] >= *values[len(values)-1] ||
		tuples[0].([]any)[0] != start.Format(time.RFC3339) {
		t.Errorf("%v: %d known", tuples[0], knownValues(&way, "pm25"))
	}
	const line = "LINESTRING(105.84 21.02,105.86 21.03)"
	for datetime, last := range map[string]string{
		"": noon.Format(time.RFC3339), "2026-02-16T08:30:00Z": "2026-02-16T08:00:00Z",
		"2026-02-16T08:10:00Z/2026-02-16T09:20:00Z": "2026-02-16T09:20:00Z",
		"2026-02-15T00:00:00Z/..":                   noon.Format(time.RFC3339),
	} {
		values := []string{"coords", line, "parameter-name", "pm25"}
		if datetime != "" {
			values = append(values, "datetime", datetime)
		}
		way, _ := edrGet(t, a, edrQuery("air/trajectory", values...))
		tuples := way.Domain.Axes["composite"].Values
		if got := tuples[len(tuples)-1].([]any)[0]; got != last || len(tuples) < 10 {
			t.Errorf("%q: ends at %v, want %s; %d samples", datetime, got, last, len(tuples))
		}
	}
}

func TestEDRStations(t *testing.T) {
	a := withPast(t)
	doc, _ := edrGet(t, a, edrCollections+"stations/locations/m03")
	series := doc.Ranges["pm25"].Values
	if doc.ID != "m03" || doc.Domain.DomainType != "PointSeries" || len(series) != 24 || *series[23] != 60 ||
		*doc.Ranges["pm25_flag"].Values[0] != 1 || len(doc.Ranges) != 2 {
		t.Errorf("%s: %d values, %d ranges", doc.ID, len(series), len(doc.Ranges))
	}
	near, _ := edrGet(t, a, edrQuery("stations/position", "coords", edrPlace, "datetime", "2026-02-16T08:00:00Z"))
	if near.ID != "m00" || *near.Ranges["pm25"].Values[0] != 56 {
		t.Errorf("nearest: %s %v", near.ID, near.Ranges)
	}
	_, around := edrGet(t, a, edrQuery("stations/radius", "coords", edrPlace, "within", "5000", "within-units", "m"))
	_, inside := edrGet(t, a, edrQuery("stations/area", "coords", edrSquare))
	if len(around) < 4 || len(inside) == 0 || len(inside) >= len(around) {
		t.Errorf("%d around, %d inside", len(around), len(inside))
	}
	var list struct {
		Features []struct {
			ID         string
			Properties map[string]any
		}
	}
	ogcGet(t, a, edrCollections+"stations/locations", &list)
	checkContract(t, a, edrCollections+"stations/locations")
	if len(list.Features) != 12 || list.Features[0].Properties["edrqueryendpoint"] == nil {
		t.Errorf("%d locations: %v", len(list.Features), list.Features)
	}
}

func TestEDRGeoJSON(t *testing.T) {
	a := withPast(t)
	for _, path := range []string{
		edrQuery("air/position", "coords", edrPlace), edrQuery("air/area", "coords", edrSquare, "parameter-name", "vn_aqi"),
		edrQuery("air/trajectory", "coords", "LINESTRING(105.84 21.02,105.86 21.03)"),
		edrQuery("stations/position", "coords", edrPlace), edrCollections + "stations/locations/m03?datetime=../..",
	} {
		w := checkContract(t, a, path+"&f=GeoJSON")
		var page struct {
			Type     string
			Features []struct {
				Geometry   struct{ Type string }
				Properties map[string]any
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || len(page.Features) == 0 ||
			page.Features[0].Geometry.Type != "Point" || page.Features[0].Properties["datetime"] == nil {
			t.Errorf("%s: %d %v %.300s", path, w.Code, err, w.Body)
		}
		byHeader := checkContract(t, a, path, "Accept", "application/geo+json")
		if byHeader.Header().Get("Content-Type") != "application/geo+json" {
			t.Errorf("%s: %s", path, byHeader.Header().Get("Content-Type"))
		}
	}
}

// TestEDRRefusals checks that each bad parameter is refused, and what the problem says about it.
func TestEDRRefusals(t *testing.T) {
	a := withPast(t)
	line := "LINESTRING(105.84 21.02,105.86 21.03)"
	position := func(datetime string) string {
		return edrQuery("air/position", "coords", edrPlace, "datetime", datetime)
	}
	trajectory := func(coords, datetime string) string {
		return edrQuery("air/trajectory", "coords", coords, "datetime", datetime)
	}
	wide := "POLYGON((100 15,110 15,110 25,100 25,100 15))"
	for _, c := range []struct {
		path   string
		status int
		field  string
	}{
		{edrQuery("air/position", "coords", edrPlace, "z", "10"), 400, "z"},
		{edrQuery("air/position", "coords", "POINTZ(105 21 3)"), 400, "coords"},
		{edrQuery("air/position", "coords", "POINT(21.028 105.852)"), 400, "coords"},
		{edrQuery("air/position", "coords", edrSquare), 400, "coords"},
		{edrQuery("air/position", "coords", edrPlace, "crs", "EPSG:3857"), 400, "crs"},
		{edrQuery("air/position", "coords", edrPlace, "f", "NetCDF"), 400, "f"},
		{edrQuery("air/position", "coords", edrPlace, "parameter-name", "ozone"), 400, "parameter-name"},
		{edrQuery("air/position", "coords", edrPlace, "parameter-name", ""), 400, "parameter-name"},
		{position("yesterday"), 400, "datetime"},
		{position("2026-02-17T00:00:00Z"), 400, "datetime"},
		{position("0001-01-01T00:00:00Z"), 400, "datetime"},
		{position("2026-02-16T10:00:00Z/2026-02-16T09:00:00Z"), 400, "datetime"},
		{position("2026-01-16T00:00:00Z/2026-02-16T00:00:00Z"), 413, "datetime"},
		{edrQuery("air/position", "coords", edrPlace, "color", "red"), 400, "color"},
		{edrQuery("air/area", "coords", wide, "datetime", edrDay), 413, "coords"},
		{edrQuery("air/radius", "coords", edrPlace), 400, "within-units"},
		{edrQuery("air/radius", "coords", edrPlace, "within", "1", "within-units", "mile"), 400, "within-units"},
		{edrQuery("air/radius", "coords", edrPlace, "within", "101", "within-units", "km"), 400, "within"},
		{edrQuery("air/radius", "coords", edrPlace, "within-units", "km"), 400, "within"},
		{trajectory("LINESTRINGM(105 21 0,106 21 1)", "2026-02-16T09:00:00Z"), 400, "datetime"},
		{edrQuery("air/trajectory", "coords", "LINESTRINGM(105 21 -5,106 21 1)"), 400, "coords"},
		{edrQuery("air/trajectory", "coords", "LINESTRINGM(105 21 9,106 21 1)"), 400, "coords"},
		{edrQuery("air/trajectory", "coords", "LINESTRINGM(105 21 1,106 21 4000000000)"), 400, "coords"},
		{trajectory(line, "2026-02-01T00:00:00Z/2026-02-16T00:00:00Z"), 413, "datetime"},
		{edrCollections + "stations/locations/m00?datetime=2020-01-01T00:00:00Z/2026-02-16T00:00:00Z", 413, "datetime"},
		{edrCollections + "stations/locations/nobody", 404, "id"},
		{edrCollections + "stations/locations?f=CoverageJSON", 400, "f"},
		{edrCollections + "weather", 404, "collection"},
		{edrCollections + "air?f=html", 400, "f"},
	} {
		w := get(t, a, c.path)
		var problem struct{ Field string }
		if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || w.Code != c.status || problem.Field != c.field {
			t.Errorf("%s: %d %s, want %d about %s", c.path, w.Code, w.Body, c.status, c.field)
		}
	}
	away := withMonitors(t) // without a history
	for _, path := range []string{
		edrQuery("stations/position", "coords", edrPlace),
		edrQuery("air/position", "coords", edrPlace, "datetime", "2026-02-16T09:00:00Z"),
	} {
		if w := checkContract(t, away, path); w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := checkContract(t, away, edrCollections+"air"); w.Code != http.StatusOK {
		t.Errorf("descriptions without a history: %d", w.Code)
	}
}

// TestEDRAbstractTests sends what the abstract tests of the standard describe, as its executable suite does.
func TestEDRAbstractTests(t *testing.T) {
	a := withPast(t)
	var landing, conformance struct {
		Links      []ogcLink
		ConformsTo []string
	}
	ogcGet(t, a, "/ogc/edr/", &landing) // 2 to 5
	for _, rel := range []string{"self", "service-desc", "conformance", "data"} {
		if w := get(t, a, linkTo(t, landing.Links, rel)); w.Code != http.StatusOK {
			t.Errorf("%s: %d", rel, w.Code)
		}
	}
	ogcGet(t, a, "/ogc/edr/conformance?f=json", &conformance) // 6, 7
	for _, class := range []string{"1.1/conf/core", "1.0/conf/core", "1.1/conf/covjson", "1.0/req/edr-geojson"} {
		if !slices.Contains(conformance.ConformsTo, "http://www.opengis.net/spec/ogcapi-edr-1/"+class) {
			t.Errorf("%s is missing", class)
		}
	}
	var list struct{ Collections []edrDescription }
	ogcGet(t, a, "/ogc/edr/collections", &list)
	for _, c := range list.Collections { // 8 to 17
		checkEDRCollection(t, a, &c)
	}
	for _, wrong := range []string{ // 34 to 36, 50 to 52, 82 to 85, 88, 89
		"air/position", "air/position?coords=", "air/position?coords=POINT()", "air/area", "air/area?coords=",
		"air/area?coords=POLYGON()", "air/trajectory", "air/trajectory?coords=", "air/trajectory?coords=LINESTRING()",
		"air/trajectory?coords=LINESTRINGM()", "air/trajectory?coords=LINESTRINGZM()",
		"air/trajectory?coords=LINESTRINGZ()", "stations/position", "stations/area?coords=POLYGON()", "stations/radius",
	} {
		if w := get(t, a, edrCollections+wrong); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, w.Code)
		}
	}
}

// edrDescription is the description of a collection.
type edrDescription struct {
	ID     string
	Links  []ogcLink
	CRS    []string
	Extent struct {
		Spatial  struct{ BBox [][4]float64 }
		Temporal struct{ Interval [][2]*string }
	}
	Queries map[string]struct {
		Link struct {
			Href, Rel string
			Variables struct {
				Formats []string `json:"output_formats"`
			}
		}
	} `json:"data_queries"`
	Parameters map[string]struct {
		Type     string
		Observed struct{ Label string } `json:"observedProperty"`
	} `json:"parameter_names"`
}

// checkEDRCollection checks the description of a collection and sends each of its queries as the suite does: around the
// centre of its extent, for the whole of its time.
func checkEDRCollection(t *testing.T, a *API, c *edrDescription) {
	t.Helper()
	var one edrDescription
	ogcGet(t, a, edrCollections+c.ID, &one)
	checkContract(t, a, edrCollections+c.ID)
	if one.ID != c.ID || len(c.Extent.Spatial.BBox) != 1 || len(c.Extent.Temporal.Interval) != 1 ||
		!strings.HasSuffix(c.CRS[0], "CRS84") || linkTo(t, c.Links, "data") == "" || linkTo(t, c.Links, "self") == "" {
		t.Errorf("%s: %+v", c.ID, c)
	}
	first := ""
	for id, p := range c.Parameters {
		if first == "" || id < first {
			first = id
		}
		if p.Type != "Parameter" || p.Observed.Label == "" {
			t.Errorf("%s: %s: %v", c.ID, id, p)
		}
	}
	b := c.Extent.Spatial.BBox[0]
	x, y := (b[0]+b[2])/2, (b[1]+b[3])/2
	geometry := map[string]string{
		"position": fmt.Sprintf("POINT(%f %f)", x, y), "radius": fmt.Sprintf("POINT(%f %f)", x, y),
		"area":       fmt.Sprintf("POLYGON((%[1]f %[2]f,%[3]f %[2]f,%[3]f %[4]f,%[1]f %[2]f))", x, y, x+0.01, y+0.01),
		"trajectory": fmt.Sprintf("LINESTRING(%f %f,%f %f)", x, y, x+0.01, y+0.01),
	}
	for kind, q := range c.Queries {
		u, err := url.Parse(q.Link.Href)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range q.Link.Variables.Formats {
			values := url.Values{"f": {f}}
			if kind != "locations" {
				values = url.Values{
					"f": {f}, "coords": {geometry[kind]}, "crs": {c.CRS[0]}, "parameter-name": {first},
					"datetime": {"2026-02-01T00:00:00Z/null"},
				}
			}
			if kind == "radius" {
				values.Set("within", "2")
				values.Set("within-units", "km")
			}
			w := checkContract(t, a, u.Path+"?"+values.Encode())
			if text := w.Body.String(); w.Code != http.StatusOK ||
				!strings.Contains(text, "Coverage") && !strings.Contains(text, "Feature") {
				t.Errorf("%s %s as %s: %d %.200s", c.ID, kind, f, w.Code, text)
			}
		}
	}
}

// TestEDRCaches checks that an answer about the past may be kept and one about the present not for long.
func TestEDRCaches(t *testing.T) {
	a := withPast(t)
	for datetime, want := range map[string]string{
		"2026-02-16T11:30:00Z/2026-02-16T12:00:00Z": rest.CacheHour, "2026-02-14T08:00:00Z": rest.CacheDone,
	} {
		w := get(t, a, edrQuery("air/position", "coords", edrPlace, "datetime", datetime))
		if got := w.Header().Get("Cache-Control"); got != want {
			t.Errorf("%s: %q, want %q", datetime, got, want)
		}
	}
}
