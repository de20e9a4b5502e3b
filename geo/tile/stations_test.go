package tile

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"nhip"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
	"github.com/paulmach/orb/geojson"
	"github.com/paulmach/orb/maptile"
)

func station(id string, p orb.Point, age time.Duration) nhip.Station {
	end := now.Add(-age)
	return nhip.Station{
		ID: id, Time: end, Lat: nhip.Some(p[1]), Lon: nhip.Some(p[0]),
		Values: map[nhip.Quantity]nhip.LiveValue{
			nhip.PM25: {Value: 35.2, Time: end, Period: 3600, Flag: nhip.FlagGood},
		},
	}
}

// stationsTile returns a tile of monitors only.
func stationsTile(t maptile.Tile, stations []nhip.Station) ([]byte, error) {
	return (&AirScene{Time: now, Stations: stations}).Tile(t)
}

func TestStations(t *testing.T) {
	fresh := station("fresh", hanoi, time.Minute)
	fresh.Values[nhip.PM10] = nhip.LiveValue{Value: 999, Time: fresh.Time, Period: 3600, Flag: nhip.FlagFail}
	fresh.Values[nhip.CO] = nhip.LiveValue{Value: math.NaN(), Time: fresh.Time, Period: 3600}
	fresh.Values[nhip.NO2] = nhip.LiveValue{Flag: nhip.FlagMissing}
	fresh.Values[nhip.Temperature] = nhip.LiveValue{Value: -0.5, Time: fresh.Time, Period: 3600, Flag: nhip.FlagSuspect}
	lost := station("lost", hanoi, time.Minute)
	lost.Lat, lost.Lon = nhip.Opt[float64]{}, nhip.Opt[float64]{}
	all := []nhip.Station{
		station("silent", orb.Point{105.86, 21.03}, 3*time.Hour), fresh, lost,
		station("gone", hanoi, 31*24*time.Hour),
		station("elsewhere", orb.Point{2.35, 48.85}, time.Minute),
		station("nowhere", orb.Point{math.NaN(), 21}, time.Minute),
	}
	at := tileAt(hanoi, 12)
	b, err := stationsTile(at, all)
	if err != nil {
		t.Fatal(err)
	}
	features := decode(t, b)["stations"].Features
	got := map[string]map[string]any{}
	for _, f := range features {
		got[f.Properties["id"].(string)] = f.Properties
	}
	want := map[string]map[string]any{
		"fresh":  {"id": "fresh", "state": "live", "time": "2026-02-16T15:59:00Z", "pm25": 35.2, "temperature": -0.5},
		"silent": {"id": "silent", "state": "stale", "time": "2026-02-16T13:00:00Z", "pm25": 35.2},
	}
	if diff := cmp.Diff(want, got,
		cmp.Transformer("map", func(p geojson.Properties) map[string]any { return p })); diff != "" {
		t.Error(diff)
	}
	if f := features[0]; f.ID != float64(number53("fresh")) {
		t.Errorf("id %v (%T), want %d", f.ID, f.ID, number53("fresh"))
	}
	checkPlace(t, features, at)

	slices.Reverse(all)
	if again, _ := stationsTile(at, all); !bytes.Equal(b, again) {
		t.Error("the tile depends on the order of stations")
	}
}

// checkPlace checks that the first feature is at hanoi, within one tile unit.
func checkPlace(t *testing.T, features []*geojson.Feature, at maptile.Tile) {
	t.Helper()
	l := decodeBack(features[0].Geometry.(orb.Point), at)
	if d := geo.DistanceHaversine(l, hanoi); d > 2.5 {
		t.Errorf("point at %v, %v m off", l, d)
	}
}

// decodeBack converts tile units to WGS84.
func decodeBack(p orb.Point, at maptile.Tile) orb.Point {
	deep := maptile.New(at.X<<12+uint32(p[0]), at.Y<<12+uint32(p[1]), at.Z+12) // 4096 = 2^12
	return orb.Point{deep.Bound().Min[0], deep.Bound().Max[1]}
}

func TestStationsEmpty(t *testing.T) {
	b, err := stationsTile(tileAt(hanoi, 12), []nhip.Station{station("far", orb.Point{2.35, 48.85}, 0)})
	if err != nil || b != nil {
		t.Errorf("got %d bytes, %v; want nil", len(b), err)
	}
}

func TestStationsInBuffer(t *testing.T) {
	at := tileAt(hanoi, 12)
	edge := at.Bound().Max[0]
	unit := (edge - at.Bound().Min[0]) / extent
	for _, c := range []struct {
		units float64
		want  bool
	}{{-1, true}, {buffer - 1, true}, {buffer + 1, false}} {
		s := []nhip.Station{station("edge", orb.Point{edge + c.units*unit, hanoi[1]}, 0)}
		if b, _ := stationsTile(at, s); (b != nil) != c.want {
			t.Errorf("%v units beyond the edge: drawn %v", c.units, b != nil)
		}
	}
	// On the other side of the antimeridian, 0.001° or 24 units away.
	for _, lon := range []float64{179.999, -180, 180} {
		b, _ := stationsTile(maptile.New(0, 512, 10), []nhip.Station{station("fiji", orb.Point{lon, -0.1}, 0)})
		if b == nil {
			t.Errorf("station at longitude %v is not in the buffer of the first tile", lon)
		}
		checkTile(t, b)
	}
}

func TestStationIDsAreUnique(t *testing.T) {
	twice := []nhip.Station{station("a", hanoi, 0), station("a", hanoi, 0)}
	b, err := stationsTile(tileAt(hanoi, 12), twice)
	if err != nil {
		t.Fatal(err)
	}
	if f := decode(t, b)["stations"].Features; len(f) != 2 || f[1].ID != nil {
		t.Errorf("%d features, id %v of the second", len(f), f[1].ID)
	}
}

func TestNumber53(t *testing.T) {
	// FNV-1a of "a" is af63dc4c8601ec8c (test vectors of the FNV page).
	if got := number53("a"); got != 0xaf63dc4c8601ec8c&(1<<53-1) {
		t.Errorf("%x", got)
	}
}
