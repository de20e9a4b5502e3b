package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/air"
	"nhip/api/geojson"
	"nhip/geo/zone"

	"github.com/paulmach/orb"
)

// testZones returns two wards that cover the city, the district before them, and a ward far away.
func testZones() *zone.Set {
	box := func(west, east float64) orb.MultiPolygon {
		return orb.MultiPolygon{{orb.Bound{Min: orb.Point{west, 20.95}, Max: orb.Point{east, 21.1}}.ToRing()}}
	}
	july := time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)
	return zone.New([]zone.Zone{
		{Kind: "district", ID: "old", Name: nhip.LocalizedText{Vi: "Quận cũ"}, To: july, Area: box(105.7, 106)},
		{
			Kind: "ward", ID: "east", Name: nhip.LocalizedText{Vi: "Phường Đông", En: "East"}, From: july,
			Area: box(105.852, 106),
		},
		{Kind: "ward", ID: "west", Name: nhip.LocalizedText{Vi: "Phường Tây"}, From: july, Area: box(105.7, 105.852)},
		{Kind: "ward", ID: "far", From: july, Area: box(107, 107.1)},
	})
}

func zonesOf(t *testing.T, a *API, query string, header ...string) map[string]air.ZoneRow {
	t.Helper()
	w := get(t, a, "/v1/zones"+query, header...)
	var got struct{ Zones []air.ZoneRow }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s %v", w.Code, w.Body, err)
	}
	out := make(map[string]air.ZoneRow)
	for _, z := range got.Zones {
		out[z.ID] = z
	}
	return out
}

func TestCoordinatesOfZonesAreRounded(t *testing.T) {
	area := orb.MultiPolygon{{{
		{105.80000000000041, 21.01234567891}, {105.9, 21.0}, {105.9, 21.1}, {105.80000000000041, 21.01234567891},
	}}}
	a := withMonitors(t, func(o *Options) { o.Zones = zone.New([]zone.Zone{{Kind: "ward", ID: "w", Area: area}}) })
	body := get(t, a, "/v1/zones.geojson").Body.String()
	want := `"geometry":{"type":"MultiPolygon","coordinates":[[[[105.8,21.0123457],[105.9,21],[105.9,21.1],` +
		`[105.8,21.0123457]]]]}`
	if !strings.Contains(body, want) {
		t.Errorf("%s, want %s", body, want)
	}
}

// TestZones checks the air and the stations of zones, now and at a past time with other zones.
func TestZones(t *testing.T) {
	h := &hourlyHistory{pm25: func(i int, _ time.Time) float64 { return 10 + 10*float64(i) }}
	a := withMonitors(t, withHistory(h), func(o *Options) { o.Zones = testZones() })
	now := zonesOf(t, a, "")
	if len(now) != 3 || now["east"].Air == nil || now["west"].Air == nil || now["far"].Air != nil {
		t.Fatalf("%+v", now)
	}
	east, west := now["east"], now["west"]
	if east.Air.AQI <= west.Air.AQI || east.Air.Max < east.Air.AQI || len(east.Stations)+len(west.Stations) < 8 ||
		east.Air.Parts[0].Mean <= west.Air.Parts[0].Mean {
		t.Errorf("east %+v, west %+v", east.Air, west.Air)
	}
	// The highest PM2.5 in the east is 85 µg/m³, an index of 153, in each of the 12 known hours that has a NowCast.
	if e := east.Exceed; e == nil || e.Hours < 9 || e.Hours != e.Known || now["far"].Exceed != nil {
		t.Errorf("%+v", e)
	}
	secret := addKey(t, a, "lan", nhip.RoleViewer, nhip.Scope{Stations: west.Stations[:1]})
	seen := zonesOf(t, a, "", "Authorization", "Bearer "+secret)
	if e := seen["east"]; len(e.Stations) > 0 || e.Exceed != nil || len(seen["west"].Stations) != 1 || e.Air == nil {
		t.Errorf("as one who sees a station in the west: %+v", seen)
	}
	if got := zonesOf(t, a, "?kind=ward&at=21,105.9"); len(got) != 1 || got["east"].ID == "" {
		t.Errorf("zones at the place: %v", got)
	}
	if got := zonesOf(t, a, "?kind=district"); len(got) != 0 {
		t.Errorf("expired district: %v", got)
	}
	before := zonesOf(t, a, "?time=2025-06-30T12:00:00Z")
	if len(before) != 1 || before["old"].Air == nil || before["old"].Exceed.Known != 24 ||
		before["old"].Exceed.Hours != 24 {
		t.Errorf("%+v", before)
	}
	w := get(t, a, "/v1/zones.geojson?kind=ward")
	var features struct {
		Features []struct {
			ID       string
			Geometry struct{ Type string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &features); err != nil || len(features.Features) != 3 ||
		features.Features[0].ID != "ward/east" || w.Header().Get("Content-Type") != geojson.ContentType {
		t.Errorf("%d %s %v", w.Code, w.Body, err)
	}
	layer := decodeTile(t, get(t, a, "/tiles/air/11/1626/901.mvt").Body.Bytes())["zones"]
	if layer == nil || len(layer.Features) != 2 || layer.Features[0].Properties["aqi"] != east.Air.AQI {
		t.Errorf("%v", layer)
	}
	for query, field := range map[string]string{
		"?kind=": "kind", "?at=x": "at", "?time=2099-01-01T00:00:00Z": "time", "?near=1,1": "near",
	} {
		if w := get(t, a, "/v1/zones"+query); w.Code != http.StatusBadRequest ||
			!strings.Contains(w.Body.String(), `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}
