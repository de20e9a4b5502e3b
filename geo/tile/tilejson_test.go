package tile

import (
	"encoding/json"
	"math"
	"testing"

	"nhip"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

func TestAirDescribesEveryProperty(t *testing.T) {
	s := station("a", hanoi, 0)
	for _, q := range []nhip.Quantity{
		nhip.PM1, nhip.PM25, nhip.PM10, nhip.TSP, nhip.SO2, nhip.NO, nhip.NO2, nhip.CO, nhip.O3,
		nhip.Temperature, nhip.Humidity, nhip.Pressure,
	} {
		s.Values[q] = nhip.LiveValue{Value: 1}
	}
	sc := sceneOf(hills())
	sc.Stations = []nhip.Station{s}
	sc.Zones = NewZoneMap([]ZoneArea{
		{
			"z", "district",
			nhip.LocalizedText{Vi: "a", En: "b"},
			orb.MultiPolygon{{orb.Bound{Min: orb.Point{105, 20}, Max: orb.Point{107, 22}}.ToRing()}},
		},
	})
	index := func() (float64, nhip.AQICategory, bool) { return 60, sc.Categories[1].AQICategory, true }
	sc.StationIndex = func(*nhip.Station) (float64, nhip.AQICategory, bool) { return index() }
	sc.ZoneIndex = func(int) (float64, nhip.AQICategory, bool) { return index() }
	doc := Air("https://x", "", orb.Bound{})
	near := propertiesOf(t, sceneTile(t, sc, tileAt(hanoi, 11)))
	sc.Stations = append(sc.Stations, station("b", hanoi, 0))
	for name, of := range propertiesOf(t, sceneTile(t, sc, tileAt(hanoi, 3))) {
		for k, v := range of {
			near[name][k] = v
		}
	}
	if len(near) != len(doc.VectorLayers) {
		t.Errorf("%d layers, %d described", len(near), len(doc.VectorLayers))
	}
	for name, of := range near {
		checkFields(t, doc, name, of)
	}
}

func TestTransitDescribesEveryProperty(t *testing.T) {
	n := city(2, 50)
	doc := Transit("https://x", "", orb.Bound{})
	at := tileAt(n.Stops[0].Point, StopsZoom)
	buses, err := Buses(at, []*nhip.Bus{{
		ID: "1", Agency: "a", Time: now, Lon: n.Stops[0].Point[0], Lat: n.Stops[0].Point[1], Route: "r", Line: "32",
		Headsign: "h", Occupancy: "FULL", Bearing: nhip.Some(1.5),
	}}, now)
	if err != nil {
		t.Fatal(err)
	}
	layers := propertiesOf(t, append(mustTile(t, n, at), buses...))
	if len(layers) != len(doc.VectorLayers) {
		t.Errorf("%d layers, %d described", len(layers), len(doc.VectorLayers))
	}
	for name, of := range layers {
		checkFields(t, doc, name, of)
	}
}

// propertiesOf returns the properties of all features of each layer.
func propertiesOf(t *testing.T, b []byte) map[string]map[string]any {
	t.Helper()
	out := make(map[string]map[string]any)
	for name, l := range decode(t, b) {
		out[name] = make(map[string]any)
		for _, f := range l.Features {
			for k, v := range f.Properties {
				out[name][k] = v
			}
		}
	}
	return out
}

// checkFields compares the description of a layer with the properties of its features.
func checkFields(t *testing.T, doc TileJSON, layer string, properties map[string]any) {
	t.Helper()
	for _, l := range doc.VectorLayers {
		if l.ID != layer {
			continue
		}
		for name := range properties {
			if l.Fields[name] == "" {
				t.Errorf("%s.%s is not described", layer, name)
			}
		}
		if len(l.Fields) != len(properties) {
			t.Errorf("%s: %d fields described, %d properties", layer, len(l.Fields), len(properties))
		}
		return
	}
	t.Errorf("no layer %q", layer)
}

func TestTileJSON(t *testing.T) {
	b, err := json.Marshal(Transit("https://nhip.example", "", orb.Bound{
		Min: orb.Point{105.5, 20.8}, Max: orb.Point{106, 21.3},
	}))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "vector_layers")
	want := map[string]any{
		"tilejson": "3.0.0", "name": "Transit",
		"tiles":   []any{"https://nhip.example/tiles/transit/{z}/{x}/{y}.mvt"},
		"minzoom": 0., "maxzoom": float64(DetailZoom),
		"bounds": []any{105.5, 20.8, 106., 21.3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTileJSONBounds(t *testing.T) {
	world := [4]float64{-180, -85.0511287798066, 180, 85.0511287798066}
	for _, c := range []struct {
		name string
		b    orb.Bound
		want [4]float64
	}{
		{"not set", orb.Bound{}, world},
		{"empty", orb.MultiPoint{}.Bound(), world},
		{"NaN", orb.Bound{Min: orb.Point{math.NaN(), 0}, Max: orb.Point{1, 1}}, world},
		{"too wide", orb.Bound{Min: orb.Point{-400, -90}, Max: orb.Point{400, math.Inf(1)}}, world},
		{
			"rounded",
			orb.Bound{Min: orb.Point{105.123456, -20.123456}, Max: orb.Point{105.223456, 20.9}},
			[4]float64{105.12345, -20.12346, 105.22346, 20.9},
		},
	} {
		if got := Air("", "", c.b).Bounds; got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
