package api

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"nhip"
	"nhip/api/livetest"
	"nhip/api/resttest"
	"nhip/geo/tile"
	"nhip/geo/zone"
	"nhip/internal/fleet"
	"nhip/internal/topics"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"
)

// tileJSONBounds returns the bounds of a TileJSON.
func tileJSONBounds(t *testing.T, a *API, path string) orb.Bound {
	t.Helper()
	b := resttest.Decode[tile.TileJSON](t, a.server.Handler, path).Bounds
	return orb.Bound{Min: orb.Point{b[0], b[1]}, Max: orb.Point{b[2], b[3]}}
}

// checkDrawnInside checks that the tiles of a zoom in an area that are not empty touch the bounds, and that there are
// as many as wanted.
func checkDrawnInside(t *testing.T, a *API, template string, area, bounds orb.Bound, zoom maptile.Zoom, least int) {
	t.Helper()
	drawn := 0
	low := maptile.At(orb.Point{area.Min[0], area.Max[1]}, zoom)
	high := maptile.At(orb.Point{area.Max[0], area.Min[1]}, zoom)
	for x := low.X; x <= high.X; x++ {
		for y := low.Y; y <= high.Y; y++ {
			if get(t, a, fmt.Sprintf(template, zoom, x, y)).Code != http.StatusOK {
				continue
			}
			drawn++
			if at := maptile.New(x, y, zoom); !at.Bound().Intersects(bounds) {
				t.Errorf(template+" is drawn and outside %v", zoom, x, y, bounds)
			}
		}
	}
	if drawn < least {
		t.Errorf("%d tiles are drawn, want at least %d", drawn, least)
	}
}

// farWard is a zone 50 km from all monitors.
var farWard = zone.Zone{Kind: "ward", ID: "far", Area: orb.MultiPolygon{{{
	{106.25, 21.3}, {106.35, 21.3}, {106.35, 21.4}, {106.25, 21.4}, {106.25, 21.3},
}}}}

func TestAirBoundsHoldAirZonesAndStations(t *testing.T) {
	a := newAPI(t, func(o *Options) { o.Zones = zone.New([]zone.Zone{farWard}) })
	livetest.ReceiveMonitors(t, a.live)
	addBus(t, a, nhip.Bus{ID: "lost", Lat: 0.1, Lon: 0.1}) // buses are not drawn on the air
	area := orb.Bound{Min: orb.Point{105.4, 20.6}, Max: orb.Point{106.5, 21.5}}
	bounds := tileJSONBounds(t, a, "/tiles/air.json")
	checkDrawnInside(t, a, "/tiles/air/%d/%d/%d.mvt", area, bounds, 12, 20)
	checkDrawnInside(t, a, "/tiles/air/%d/%d/%d.png", area, tileJSONBounds(t, a, "/tiles/air.png.json"), 12, 15)
	if bounds.Min[0] < 105 || bounds.Max[0] > 107 || bounds.Min[1] < 20 || bounds.Max[1] > 22 {
		t.Errorf("bounds %v are far wider than the air", bounds)
	}
}

func TestAirBoundsHoldStationsOfTheFleetThatMayReport(t *testing.T) {
	a := newAPI(t)
	livetest.ReceiveMonitors(t, a.live)
	receive(t, a, topics.FleetStationTopic("silent"), fleet.Station{ID: "silent", At: []float64{104.9, 20.2}})
	near := orb.Bound{Min: orb.Point{104.85, 20.15}, Max: orb.Point{104.95, 20.25}} // its air, up to its reach
	if b := tileJSONBounds(t, a, "/tiles/air.json"); !b.Contains(near.Min) || !b.Contains(near.Max) {
		t.Errorf("bounds %v do not hold %v", b, near)
	}
}

func TestTransitBoundsHoldShapesStopsAndBuses(t *testing.T) {
	shape := orb.LineString{{105.80, 21.02}, {105.85, 21.03}, {105.5, 21.3}, {105.86, 21.0}}
	a := newAPI(t, func(o *Options) {
		o.Network = &tile.TransitMap{
			Routes:  []tile.Route{{ID: "r1", Line: "32", Shapes: []orb.LineString{shape}}},
			Stops:   []tile.Stop{{ID: "s1", Name: "Xa", Point: orb.Point{106.1, 20.8}}},
			Outline: tile.NewOutline([]orb.Point{shape[0], shape[1]}), // of some of the network
		}
	})
	addBus(t, a, nhip.Bus{ID: "1", Lat: 20.5, Lon: 105.9})
	area := orb.Bound{Min: orb.Point{105.3, 20.4}, Max: orb.Point{106.3, 21.5}}
	checkDrawnInside(t, a, "/tiles/transit/%d/%d/%d.mvt", area, tileJSONBounds(t, a, "/tiles/transit.json"), 12, 10)
}

func TestTileBoundsAreTheWorldWhileTheyAreUnknown(t *testing.T) {
	a := newAPI(t, func(o *Options) { o.Zones = zone.New([]zone.Zone{farWard}) }) // the history is away
	livetest.ReceiveMonitors(t, a.live)
	past := "?time=" + noon.Add(-48*time.Hour).Format(time.RFC3339)
	for _, path := range []string{"/tiles/air.json", "/tiles/air.png.json", "/tiles/transit.json"} {
		if b := tileJSONBounds(t, a, path+past); b.Min[0] != -180 || b.Max[0] != 180 {
			t.Errorf("%s: %v", path+past, b)
		}
	}
	a.live.Connected() // a new connection: the state is incomplete
	if b := tileJSONBounds(t, a, "/tiles/air.json"); b.Min[0] != -180 {
		t.Errorf("incomplete state: %v", b)
	}
}

func TestFirstViewLeavesOutBusesFarFromTheNetwork(t *testing.T) {
	shape := orb.LineString{{105.80, 21.02}, {105.85, 21.03}}
	a := newAPI(t, func(o *Options) {
		o.Network = &tile.TransitMap{Routes: []tile.Route{{ID: "r1", Shapes: []orb.LineString{shape}}}}
	})
	addBus(t, a, nhip.Bus{ID: "1", Lat: 21.1, Lon: 105.9})
	addBus(t, a, nhip.Bus{ID: "lost", Lat: 21.02, Lon: 0})
	view := resttest.Decode[struct{ Bounds [4]float64 }](t, a.server.Handler, "/v1/map").Bounds
	if want := [4]float64{105.80, 21.02, 105.9, 21.1}; view != want {
		t.Errorf("bounds %v, want %v", view, want)
	}
}
