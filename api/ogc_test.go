package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"nhip/api/livetest"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/internal/fleet"
	"nhip/internal/topics"
)

// ogcLayers are the ids of all collections.
var ogcLayers = []string{"stations", "readings-now", "stops", "routes", "zones"}

type ogcLink struct{ Href, Rel, Type string }

// ogcDescription is the description of a collection.
type ogcDescription struct {
	ID     string
	Links  []ogcLink
	Extent struct {
		Spatial struct{ BBox [][4]float64 }
	}
}

// ogcPage is a page of features.
type ogcPage struct {
	NumberMatched, NumberReturned int
	Links                         []ogcLink
	Features                      []struct {
		ID         string
		Properties map[string]any
	}
}

// ogcGet decodes an answer of status 200.
func ogcGet(t *testing.T, a *API, path string, into any) {
	t.Helper()
	w := get(t, a, path)
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s %v", path, w.Code, w.Body, err)
	}
}

// linkTo returns the path of the link with a relation, "" if there is none.
func linkTo(t *testing.T, links []ogcLink, name string) string {
	t.Helper()
	for _, l := range links {
		if l.Rel == name {
			u, err := url.Parse(l.Href)
			if err != nil {
				t.Fatal(err)
			}
			return u.RequestURI()
		}
	}
	return ""
}

// TestOGCLinksReachEveryFeature follows the links from the landing page to every feature.
func TestOGCLinksReachEveryFeature(t *testing.T) {
	a := withMonitors(t, func(o *Options) {
		o.Zones, o.Timetable = testZones(), network.New(geotest.Line(21, 15*time.Minute))
	})
	var landing struct{ Links []ogcLink }
	ogcGet(t, a, "/ogc/", &landing)
	for name, kind := range map[string]string{
		"service-desc": "application/vnd.oai.openapi+json;version=3.0", "data": "application/json",
		"conformance": "application/json",
	} {
		found := false
		for _, l := range landing.Links {
			found = found || l.Rel == name && l.Type == kind
		}
		if w := get(t, a, linkTo(t, landing.Links, name)); !found || w.Code != http.StatusOK ||
			!strings.HasPrefix(w.Header().Get("Content-Type"), kind) {
			t.Errorf("%s: %v, then %d as %s", name, landing.Links, w.Code, w.Header().Get("Content-Type"))
		}
	}
	var collections struct{ Collections []ogcDescription }
	ogcGet(t, a, linkTo(t, landing.Links, "data"), &collections)
	if len(collections.Collections) != 5 {
		t.Errorf("%d collections", len(collections.Collections))
	}
	for _, c := range collections.Collections {
		seen := make(map[string]bool)
		total := 0
		for next := linkTo(t, c.Links, "items") + "?limit=5"; next != ""; {
			var page ogcPage
			ogcGet(t, a, next, &page)
			if page.NumberReturned != len(page.Features) {
				t.Errorf("%s: numberReturned %d, %d features", c.ID, page.NumberReturned, len(page.Features))
			}
			for _, f := range page.Features {
				if seen[f.ID] {
					t.Errorf("%s: %s is repeated", c.ID, f.ID)
				}
				seen[f.ID] = true
				var one struct{ ID string }
				ogcGet(t, a, "/ogc/collections/"+c.ID+"/items/"+url.PathEscape(f.ID), &one)
				if one.ID != f.ID {
					t.Errorf("%s: requested %q, got %q", c.ID, f.ID, one.ID)
				}
			}
			total, next = page.NumberMatched, linkTo(t, page.Links, "next")
		}
		if want := map[string]int{
			"stations": 12, "readings-now": 12, "stops": 21, "routes": 1,
			"zones": 3,
		}[c.ID]; len(seen) != want || total != want {
			t.Errorf("%s: %d of %d features, want %d", c.ID, len(seen), total, want)
		}
	}
}

func TestOGCFilters(t *testing.T) {
	a := withMonitors(t, func(o *Options) { o.Zones = testZones() })
	old := livetest.Monitor(12, noon.Add(-5*time.Hour), 10)
	receive(t, a, topics.LiveAirTopic("m12"), old)
	receive(t, a, topics.LiveAirTopic("m13"), livetest.Monitor(13, noon, 10))
	receive(t, a, topics.FleetStationTopic("m13"), fleet.Station{ID: "m13", Position: fleet.Private})
	count := func(path string) int {
		t.Helper()
		var page ogcPage
		ogcGet(t, a, "/ogc/collections/"+path, &page)
		return page.NumberMatched
	}
	east := 0
	for i := range 13 {
		if p := livetest.MonitorPoint(i); p[0] >= 105.852 && p[1] >= 20 && p[1] <= 22 {
			east++
		}
	}
	for path, want := range map[string]int{
		"stations/items": 13, "stations/items?bbox=105.852,20,110,22": east,
		"stations/items?bbox=105.852,20,0,110,22,9000": east, "stations/items?bbox=170,-10,-170,10": 0,
		"stations/items?bbox=105.852,20,-100,22": east, "stations/items?datetime=2026-02-16T12:00:00Z": 12,
		"stations/items?datetime=../2026-02-16T11:00:00Z": 1,
		"stations/items?datetime=2026-02-16T06:00:00Z/..": 13, "stations/items?datetime=2026-02-17T00:00:00Z/": 0,
		"readings-now/items?limit=1000000": 13,
		"zones/items":                      3, "zones/items?datetime=2025-01-01T00:00:00Z": 1,
		"zones/items?bbox=105.9,21,105.95,21.05": 1, "stops/items": 0, "stations/items?offset=99": 13,
		"stations/items?limit=99999999999999999999":    13,
		"zones/items?datetime=2025-01-01T00:00:00Z/..": 4, "zones/items?datetime=../2025-01-01T00:00:00Z": 1,
		"zones/items?datetime=2025-07-01T00:00:00Z": 3,
	} {
		if got := count(path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	var zone struct{ Properties map[string]any }
	ogcGet(t, a, "/ogc/collections/zones/items/ward:east", &zone)
	if zone.Properties["vn_aqi"] == nil || zone.Properties["name_vi"] != "Phường Đông" ||
		zone.Properties["from"] != "2025-07-01T00:00:00Z" {
		t.Errorf("%v", zone.Properties)
	}
	for path, field := range map[string]string{
		"stations/items?limit=0": "limit", "stations/items?limit=x": "limit", "stations/items?offset=-1": "offset",
		"stations/items?bbox=1,2,3": "bbox", "stations/items?bbox=1,9,2,3": "bbox",
		"stations/items?datetime=today": "datetime", "stations/items?datetime=../..": "datetime",
		"stations/items?datetime=2026-02-02T00:00:00Z/2026-02-01T00:00:00Z": "datetime",
		"stations/items?datetime=..":                                        "datetime",
		"stations/items?limit=-1":                                           "limit", "stations/items?limit=1.5": "limit",
		"stations/items?limit=": "limit", "stations/items?bbox=1,2,3,4,5": "bbox", "stations/items?bbox=1,2,3,NaN": "bbox",
		"stations/items?bbox=0,0,0,0&bbox=1,1,1,1": "bbox", "stations/items?datetime=2026-02-16": "datetime",
		"stations/items?datetime=/": "datetime", "stations/items/m00?limit=1": "limit",
		"stations/items?crs=x": "crs", "stations/items?f=html": "f", "stations?limit=1": "limit",
		"stations/items?bbox-crs=x": "bbox-crs",
	} {
		if w := get(t, a, "/ogc/collections/"+path); w.Code != http.StatusBadRequest ||
			!strings.Contains(w.Body.String(), fmt.Sprintf(`"field":%q`, field)) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/none", "/none/items", "/stations/items/none"} {
		if w := get(t, a, "/ogc/collections"+path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestOGCTransitLayers(t *testing.T) {
	a, n := newTransitAPI(t)
	for layer, want := range map[string]int{"stops": len(n.Feed.Stops), "routes": len(n.Feed.Routes)} {
		var page ogcPage
		ogcGet(t, a, "/ogc/collections/"+layer+"/items?limit=10000", &page)
		if page.NumberReturned == 0 || page.NumberReturned > want {
			t.Errorf("%s: %d of %d", layer, page.NumberReturned, want)
		}
	}
	var stop struct{ Properties map[string]any }
	var page ogcPage
	ogcGet(t, a, "/ogc/collections/stops/items", &page)
	ogcGet(t, a, "/ogc/collections/stops/items/"+url.PathEscape(page.Features[0].ID), &stop)
	if stop.Properties["lines"] == "" {
		t.Errorf("%v", stop.Properties)
	}
}
