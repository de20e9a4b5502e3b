package v1

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/api/rest"
	"nhip/api/resttest"
	"nhip/internal/topics"
)

func TestBusesNearestFirst(t *testing.T) {
	a := newServer(t)
	addBus(t, a, nhip.Bus{ID: "far", Lat: 21.10, Lon: 105.85, Route: "02"})
	addBus(t, a, nhip.Bus{
		ID: "near", Lat: 21.031, Lon: 105.85, Route: "01", Speed: nhip.Some(5.5), Bearing: nhip.Some(90.0),
	})
	addBus(t, a, nhip.Bus{ID: "middle", Lat: 21.03, Lon: 105.87, Route: "02", Time: noon.Add(-10 * time.Minute)})
	addBus(t, a, nhip.Bus{ID: "gone", Lat: 21.03, Lon: 105.85, Time: noon.Add(-3 * time.Hour)})
	for _, c := range []struct{ query, want string }{
		{"near=21.03,105.85", "near middle far"},
		{"near=21.03,105.85&limit=2", "near middle"},
		{"near=21.03,105.85&radius=500", "near"},
		{"near=21.03,105.85&route=02", "middle far"},
		{"near=21.03,105.85&bbox=105.86,21,105.9,21.05", "middle"},
		{"", "far middle near"},
		{"route=none", ""},
	} {
		ids, _ := resttest.Features(t, resttest.Get(a, "/v1/buses?"+c.query))
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.query, got, c.want)
		}
	}
	_, props := resttest.Features(t, resttest.Get(a, "/v1/buses?near=21.03,105.85&limit=2"))
	if d := props[0]["distance_m"].(float64); d < 111 || d > 112 {
		t.Errorf("0.001° of latitude is %v m", d)
	}
	if props[0]["state"] != "live" || props[1]["state"] != "stale" || props[1]["age_s"] != 600.0 {
		t.Errorf("freshness: %v, %v", props[0], props[1])
	}
	if props[0]["speed"] != 5.5 || props[0]["bearing"] != 90.0 || props[0]["route"] != "01" {
		t.Errorf("fields of the bus: %v", props[0])
	}
	if _, said := props[1]["speed"]; said {
		t.Error("a bus without a speed shows one")
	}
}

func TestListsAsCSV(t *testing.T) {
	a := newServer(t)
	addBus(t, a, nhip.Bus{
		ID: "1", Lat: 21.031, Lon: 105.85, Route: "32", Line: "32", Headsign: "Giáp Bát, bến xe", Direction: nhip.Some(1),
		Speed: nhip.Some(5.5),
	})
	livetest.Receive(t, a.live, topics.LiveAirTopic("s"), nhip.Station{
		ID: "s", Time: noon, Lat: nhip.Some(21.02), Lon: nhip.Some(105.81), Origin: nhip.OriginSimulated,
		Values: map[nhip.Quantity]nhip.LiveValue{
			nhip.PM25: {Value: 69.2, Time: noon, Period: 3600, Flag: nhip.FlagNotEvaluated}, nhip.CO: {
				Value: 300, Time: noon, Period: 300, Flag: nhip.FlagGood,
			},
		},
	})
	for path, want := range map[string]string{
		"/v1/buses?near=21.03,105.85&format=csv": rest.ByteOrderMark + busColumns +
			`1,hanoi,32,32,"Giáp Bát, bến xe",1,21.031,105.85,5.5,,111.3,2026-02-16T12:00:00.000Z,0,live,,` + "\n",
		"/v1/buses?format=csv": rest.ByteOrderMark + busColumns +
			`1,hanoi,32,32,"Giáp Bát, bến xe",1,21.031,105.85,5.5,,,2026-02-16T12:00:00.000Z,0,live,,` + "\n",
		"/v1/stations?format=csv": rest.ByteOrderMark + stationColumns +
			"s,21.02,105.81,co,300,µg/m³,5m,2026-02-16T12:00:00.000Z,0,live,1,simulated,VN_AQI,,\n" +
			"s,21.02,105.81,pm25,69.2,µg/m³,1h,2026-02-16T12:00:00.000Z,0,live,2,simulated,VN_AQI,,\n",
	} {
		w := resttest.Get(a, path)
		if w.Body.String() != want || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%s:\n%s\nwant\n%s", path, w.Body, want)
		}
	}
	for _, path := range []string{"/v1/buses", "/v1/stations"} {
		if w := resttest.Get(a, path, "Accept", "image/png"); w.Code != http.StatusNotAcceptable {
			t.Errorf("%s as a picture: %d", path, w.Code)
		}
		if w := resttest.Get(a, path, "Accept", "application/geo+json"); w.Code != http.StatusOK {
			t.Errorf("%s as GeoJSON: %d", path, w.Code)
		}
	}
}

func TestListsCountMatches(t *testing.T) {
	a := newServer(t)
	for i := range 30 {
		addBus(t, a, nhip.Bus{ID: fmt.Sprint(i), Lat: 21, Lon: 105})
	}
	for query, want := range map[string]string{
		"":                `"numberMatched":30,"numberReturned":30`,
		"?limit=7":        `"numberMatched":30,"numberReturned":7`,
		"?near=21,105":    `Z","numberReturned":10`,
		"?bbox=0,0,50,50": `"numberMatched":0,"numberReturned":0`,
	} {
		if w := resttest.Get(a, "/v1/buses"+query); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %.120s, want %s", query, w.Body, want)
		}
	}
}

func BenchmarkNearestBuses(b *testing.B) {
	a := newServer(b)
	for i := range 2500 {
		addBus(b, a, nhip.Bus{
			ID: fmt.Sprint(i), Lat: 20.9 + float64(i%50)*0.005, Lon: 105.7 + float64(i/50)*0.005,
			Route: "01", Speed: nhip.Some(5.5), Bearing: nhip.Some(90.0),
		})
	}
	r := httptest.NewRequest(http.MethodGet, "/v1/buses?near=21.03,105.85", nil)
	b.ReportAllocs()
	for b.Loop() {
		a.ServeHTTP(httptest.NewRecorder(), r)
	}
}
