package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/api/geojson"
	"nhip/api/livetest"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/zone"
	"nhip/internal/topics"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

// TestOGCDocument checks that /ogc/api is a valid OpenAPI document of the paths below /ogc, with the parameters that a
// GIS looks up, and that the handlers conform to it.
func TestOGCDocument(t *testing.T) {
	a := withMonitors(t, func(o *Options) { o.Zones = testZones() })
	raw := get(t, a, "/ogc/api").Body.Bytes()
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	for path := range doc.Paths.Map() {
		if path != "/" && path != "/api" && path != "/conformance" && !strings.HasPrefix(path, "/collections") {
			t.Errorf("unrelated path %s", path)
		}
	}
	limit := doc.Components.Parameters["limit"].Value.Schema.Value
	if *limit.Max != 10_000 || fmt.Sprint(limit.Default) != "100" || len(doc.Components.Schemas) > 10 {
		t.Errorf("default limit %v, maximum %v; %d schemas", limit.Default, *limit.Max, len(doc.Components.Schemas))
	}
	var ids []any
	for _, id := range ogcLayers {
		ids = append(ids, id)
	}
	ours, err := openapi3.NewLoader().LoadFromData(Contract())
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []*openapi3.T{doc, ours} {
		if diff := cmp.Diff(ids, of.Components.Parameters["collection"].Value.Schema.Value.Enum); diff != "" {
			t.Error(diff)
		}
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{geojson.ContentType, "application/vnd.oai.openapi+json"} {
		openapi3filter.RegisterBodyDecoder(kind, openapi3filter.JSONBodyDecoder)
	}
	for path, status := range map[string]int{
		"/": 200, "/api": 200, "/conformance": 200, "/collections": 200, "/collections/stops": 200, "/?f=html": 400,
		"/collections?limit=1": 400, "/collections/stops?f=html": 400,
		"/collections/zones/items?limit=2&bbox=105,20,106.5,22&datetime=2025-01-01T00:00:00Z/..": 200,
		"/collections/readings-now/items?bbox=105,20,0,106,22,50":                                200,
		"/collections/stops/items?f=json":                                                        200,
		"/collections/stations/items/m00":                                                        200,
		"/collections/stations/items/none":                                                       404,
		"/collections/stations/items?bbox=1":                                                     400,
		"/collections/stations/items?color=red":                                                  400,
		"/collections/stations/items/m00?x=1":                                                    400,
	} {
		w := get(t, a, "/ogc"+path)
		r := httptest.NewRequest(http.MethodGet, "http://example.com/ogc"+path, nil)
		route, params, err := router.FindRoute(r)
		if err != nil || w.Code != status {
			t.Errorf("%s: %d, want %d: %v", path, w.Code, status, err)
			continue
		}
		in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route}
		if err := openapi3filter.ValidateRequest(t.Context(), in); status == 200 && err != nil {
			t.Errorf("%s is accepted against the document: %v", path, err)
		}
		out := &openapi3filter.ResponseValidationInput{
			RequestValidationInput: in, Status: w.Code, Header: w.Header(), Body: io.NopCloser(w.Body),
			Options: &openapi3filter.Options{IncludeResponseStatus: true},
		}
		if err := openapi3filter.ValidateResponse(t.Context(), out); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if zipped := get(t, a, "/ogc/api", "Accept-Encoding", "gzip"); zipped.Header().Get("Content-Encoding") != "gzip" ||
		zipped.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v", zipped.Header())
	}
}

func TestOGCUnavailableUntilLiveStateIsComplete(t *testing.T) {
	a := newAPI(t)
	receive(t, a, topics.CensusTopic("c"), topics.Census{Stations: 1})
	for path, status := range map[string]int{
		"": 200, "/api": 200, "/collections": 503, "/collections/stations": 503, "/collections/stations/items": 503,
		"/collections/stations/items/x": 503,
	} {
		if w := get(t, a, "/ogc"+path); w.Code != status {
			t.Errorf("%s: %d, want %d", path, w.Code, status)
		}
	}
}

// TestOGCFeaturesHaveAllColumns also checks that decimal numbers never look like integers: a GIS derives the columns
// and their types from the first ten features.
func TestOGCFeaturesHaveAllColumns(t *testing.T) {
	a := withMonitors(t, func(o *Options) { o.Zones, o.Timetable = testZones(), network.New(geotest.Line(3, time.Hour)) })
	receive(t, a, topics.LiveAirTopic("bare"), nhip.Station{
		ID: "bare", Name: nhip.LocalizedText{En: "Bare"}, Time: noon, Lat: nhip.Some(21.0), Lon: nhip.Some(105.8),
	})
	for _, id := range ogcLayers {
		var page ogcPage
		path := "/ogc/collections/" + id + "/items?datetime=1990-01-01T00:00:00Z/.."
		ogcGet(t, a, path, &page)
		var first []string
		for _, f := range page.Features {
			var columns []string
			for name, value := range f.Properties {
				columns = append(columns, name)
				switch value.(type) {
				case map[string]any, []any:
					t.Errorf("%s %s: %s is not flat", id, f.ID, name)
				}
			}
			slices.Sort(columns)
			if first == nil {
				first = columns
			}
			if diff := cmp.Diff(first, columns); diff != "" {
				t.Errorf("%s: %s has other columns: %s", id, f.ID, diff)
			}
		}
		if whole := regexp.MustCompile(`"(age_s|value|vn_aqi|vn_aqi_max|area_km2)":\d+[,}]`).Find(get(t, a,
			path).Body.Bytes()); whole != nil {
			t.Errorf("%s: %s looks like an integer", id, whole)
		}
	}
}

// TestOGCZonesOfSeveralPeriods checks the ids of zones that share an id in different periods.
func TestOGCZonesOfSeveralPeriods(t *testing.T) {
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	bent := orb.MultiPolygon{{{{105, 21}, {106, 21}, {106, 21.1}, {105.1, 21.1}, {105.1, 22}, {105, 22}, {105, 21}}}}
	zones := zone.New([]zone.Zone{
		{
			Kind: "ward", ID: "1", To: year(2010),
			Area: orb.MultiPolygon{{orb.Bound{Min: orb.Point{104, 20}, Max: orb.Point{104.5, 20.5}}.ToRing()}},
		},
		{Kind: "ward", ID: "1", From: year(2010), To: year(2020), Area: bent},
		{Kind: "ward", ID: "1", From: year(2020), Area: bent},
		{Kind: "ward", ID: "2", Area: bent},
	})
	a := withMonitors(t, func(o *Options) { o.Zones = zones })
	var layer ogcDescription
	ogcGet(t, a, "/ogc/collections/zones", &layer)
	if diff := cmp.Diff([][4]float64{{104, 20, 106, 22}}, layer.Extent.Spatial.BBox); diff != "" {
		t.Errorf("extent over all times: %s", diff)
	}
	for query, want := range map[string]string{
		"": "ward:1 ward:2", "?datetime=2015-06-01T00:00:00Z": "ward:1@2 ward:2",
		"?datetime=../2010-01-01T00:00:00Z": "ward:1@1 ward:1@2 ward:2",
		"?datetime=2000-01-01T00:00:00Z/..": "ward:1@1 ward:1@2 ward:1 ward:2",
		// the zone is smaller than its bound
		"?bbox=105.5,21.5,105.9,21.9": "", "?bbox=105.01,21.01,105.02,21.02": "ward:1 ward:2",
		"?bbox=105.05,21.5,105.9,21.9": "ward:1 ward:2",
	} {
		var page ogcPage
		ogcGet(t, a, "/ogc/collections/zones/items"+query, &page)
		var ids []string
		for _, f := range page.Features {
			ids = append(ids, f.ID)
			var one struct{ Properties map[string]any }
			ogcGet(t, a, "/ogc/collections/zones/items/"+url.PathEscape(f.ID), &one)
			if diff := cmp.Diff(f.Properties, one.Properties); diff != "" {
				t.Errorf("%s differs: %s", f.ID, diff)
			}
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

// TestOGCBoxMatchesBruteForce compares the stations in random boxes with a search through all stations.
func TestOGCBoxMatchesBruteForce(t *testing.T) {
	a := withMonitors(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		lon, lat := 105.8+0.1*random.Float64(), 20.95+0.1*random.Float64()
		b := orb.Bound{Min: orb.Point{lon, lat}, Max: orb.Point{lon + 0.1*random.Float64(), lat + 0.1*random.Float64()}}
		want := map[string]bool{}
		for i := range 12 {
			if b.Contains(livetest.MonitorPoint(i)) {
				want[fmt.Sprintf("m%02d", i)] = true
			}
		}
		got := map[string]bool{}
		for next := fmt.Sprintf("/ogc/collections/stations/items?limit=2&bbox=%v,%v,%v,%v", b.Min[0], b.Min[1], b.Max[0],
			b.Max[1]); next != ""; {
			var page ogcPage
			ogcGet(t, a, next, &page)
			for _, f := range page.Features {
				got[f.ID] = true
			}
			next = linkTo(t, page.Links, "next")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v: %s", b, diff)
		}
	}
}

// TestGDALReadsEveryLayer reads every feature of every layer with GDAL's OAPIF driver, in small pages.
func TestGDALReadsEveryLayer(t *testing.T) {
	ogrinfo, err := exec.LookPath("ogrinfo")
	if err != nil {
		t.Skip("GDAL (gdal-bin) is not installed")
	}
	a := withMonitors(t, func(o *Options) {
		o.Zones, o.Timetable = testZones(), network.New(geotest.Line(21, 15*time.Minute))
	})
	for i := range 12 { // ten integers, and then a decimal
		s := livetest.Monitor(i, noon, float64(50+i))
		if i > 10 {
			s = livetest.Monitor(i, noon, 69.25)
		}
		receive(t, a, topics.LiveAirTopic(s.ID), s)
	}
	var pages atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, "offset=") {
			pages.Add(1)
		}
		a.server.Handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	read := func(layer string, more ...string) (string, int) {
		out, err := exec.CommandContext(t.Context(), ogrinfo,
			append([]string{"-ro", "-al", "-oo", "PAGE_SIZE=5"},
				append(more, "OAPIF:"+server.URL+"/ogc", layer)...)...).CombinedOutput()
		if err != nil {
			t.Errorf("GDAL reads %s: %v %s", layer, err, out)
		}
		return string(out), bytes.Count(out, []byte("\nOGRFeature("+layer+"):"))
	}
	east := 0
	for i := range 12 {
		if livetest.MonitorPoint(i)[0] >= 105.852 {
			east++
		}
	}
	for layer, want := range map[string]struct {
		count int
		text  []string
	}{
		"stations": {
			12, []string{"Geometry: Point", "vn_aqi: Real", "time: DateTime", "name_en: String", "age_s: Real", "WGS 84"},
		},
		"readings-now": {
			12,
			[]string{
				"value: Real", "value (Real) = 69.25", "quantity (String) = pm25", "unit (String) = µg/m³", "flag: Integer",
			},
		},
		"stops":  {21, []string{"Geometry: Point", "name (String) = Stop 20", "lines (String) = 01"}},
		"routes": {1, []string{"Geometry: Multi Line String", "line (String) = 01", "type (Integer) = 3"}},
		"zones": {
			3,
			[]string{
				"Geometry: Multi Polygon", "name_vi (String) = Phường Đông", "from: DateTime",
				"Extent: (105.700000, 20.950000) - (107.100000, 21.100000)",
			},
		},
	} {
		out, count := read(layer)
		for _, text := range want.text {
			if !strings.Contains(out, text) {
				t.Errorf("%s: the output of GDAL lacks %q: %.3000s", layer, text, out)
			}
		}
		if count != want.count {
			t.Errorf("%s: GDAL reads %d features, want %d", layer, count, want.count)
		}
	}
	if pages.Load() < 8 { // 3 pages of stations, 3 of readings and 5 of stops, without the first ones
		t.Errorf("GDAL followed %d links to further pages", pages.Load())
	}
	if _, count := read("stations", "-spat", "105.852", "20", "110", "22"); count != east {
		t.Errorf("GDAL reads %d stations in the east, want %d", count, east)
	}
}
