package tile

import (
	"encoding/json"
	"math"
	"testing"

	"nhip"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
)

func TestAirNamesEveryProperty(t *testing.T) {
	s := station("a", hanoi, 0)
	for _, q := range []nhip.Quantity{
		nhip.PM1, nhip.PM25, nhip.PM10, nhip.TSP, nhip.SO2, nhip.NO, nhip.NO2, nhip.CO, nhip.O3,
		nhip.Temperature, nhip.Humidity, nhip.Pressure,
	} {
		s.Values[q] = nhip.LiveValue{Value: 1}
	}
	b, err := Stations(tileAt(hanoi, 3), []nhip.Station{s}, now)
	if err != nil {
		t.Fatal(err)
	}
	checkFields(t, Air("https://x", orb.Bound{}), "stations", decode(t, b)["stations"].Features[0].Properties)
}

func TestTransitNamesEveryProperty(t *testing.T) {
	n := city(2, 50)
	doc := Transit("https://x", orb.Bound{})
	layers := decode(t, mustTile(t, n, tileAt(n.Stops[0].Point, StopsZoom)))
	if len(layers) != len(doc.VectorLayers) {
		t.Errorf("%d layers, %d named", len(layers), len(doc.VectorLayers))
	}
	for name, l := range layers {
		checkFields(t, doc, name, l.Features[0].Properties)
	}
}

// checkFields holds a layer's document to the properties of a feature that has them all.
func checkFields(t *testing.T, doc TileJSON, layer string, properties map[string]any) {
	t.Helper()
	for _, l := range doc.VectorLayers {
		if l.ID != layer {
			continue
		}
		for name := range properties {
			if l.Fields[name] == "" {
				t.Errorf("%s.%s is not named", layer, name)
			}
		}
		if len(l.Fields) != len(properties) {
			t.Errorf("%s names %d fields and has %d", layer, len(l.Fields), len(properties))
		}
		return
	}
	t.Errorf("no layer %q", layer)
}

func TestTileJSON(t *testing.T) {
	b, err := json.Marshal(Transit("https://nhip.example", orb.Bound{Min: orb.Point{105.5, 20.8}, Max: orb.Point{106, 21.3}}))
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
		"minzoom": 0., "maxzoom": float64(DeepZoom),
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
	} {
		if got := Air("", c.b).Bounds; got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
