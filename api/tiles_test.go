package api

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"nhip"
	"nhip/geo/tile"
	"nhip/internal/mqtt"

	"github.com/klauspost/compress/gzip"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
)

// embassyTile is where the station of these tests lies.
const embassyTile = "/tiles/air/10/812/450.mvt"

func withStation(t *testing.T) *API {
	t.Helper()
	a := newAPI(t)
	hear(t, a, mqtt.LiveAirTopic("embassy"), nhip.Station{
		ID: "embassy", Time: noon, Lat: nhip.Some(21.02), Lon: nhip.Some(105.81),
		Values: map[nhip.Quantity]nhip.LiveValue{nhip.PM25: {Value: 69.2, Time: noon, Period: 3600, Flag: nhip.NotEvaluated}},
	})
	return a
}

func TestATileIsServedTheWayMapsLikeIt(t *testing.T) {
	a := withStation(t)
	plain := get(t, a, embassyTile)
	layers, err := mvt.Unmarshal(plain.Body.Bytes())
	if err != nil || len(layers) != 1 || layers[0].Features[0].Properties["pm25"] != 69.2 {
		t.Fatalf("%d %v %v", plain.Code, layers, err)
	}
	zipped := get(t, a, embassyTile, "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(unzipped, plain.Body.Bytes()) {
		t.Errorf("gzip holds other bytes: %v", err)
	}
	etag := plain.Header().Get("ETag")
	if etag == "" || etag == zipped.Header().Get("ETag") || plain.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("ETags %q and %q, Vary %q", etag, zipped.Header().Get("ETag"), plain.Header().Get("Vary"))
	}
	if w := get(t, a, embassyTile, "If-None-Match", `"x", `+etag); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("unchanged: %d", w.Code)
	}
	hear(t, a, mqtt.LiveAirTopic("embassy"), nhip.Station{ID: "embassy", Time: noon, Lat: nhip.Some(21.02), Lon: nhip.Some(105.82)})
	if w := get(t, a, embassyTile, "If-None-Match", etag); w.Code != http.StatusOK {
		t.Errorf("changed: %d", w.Code)
	}
}

func TestTilesThatAreNone(t *testing.T) {
	a := withStation(t)
	for _, c := range []struct {
		path   string
		status int
	}{
		{"/tiles/air/10/0/0.mvt", http.StatusNoContent},
		{"/tiles/transit/10/812/450.mvt", http.StatusNoContent},
		{"/tiles/air/99/0/0.mvt", http.StatusNotFound},
		{"/tiles/air/1/2/0.mvt", http.StatusNotFound},
		{"/tiles/air/1/-1/0.mvt", http.StatusNotFound},
		{"/tiles/air/1/a/0.mvt", http.StatusNotFound},
		{"/tiles/air/1/01/0.mvt", http.StatusNotFound},
		{"/tiles/air/1/+1/0.mvt", http.StatusNotFound},
		{"/tiles/air/99999999999999999999/0/0.mvt", http.StatusNotFound},
		{"/tiles/air/10/812/450.mvt?v=1", http.StatusOK},
	} {
		if w := get(t, a, c.path); w.Code != c.status {
			t.Errorf("%s: %d, want %d", c.path, w.Code, c.status)
		}
	}
}

func TestTheNetworkIsTheGround(t *testing.T) {
	shape := orb.LineString{{105.80, 21.02}, {105.85, 21.03}}
	a := newAPI(t, func(o *Options) {
		o.Network = &tile.Network{
			Routes:  []tile.Route{{ID: "r1", Line: "32", Name: "Giáp Bát - Nhổn", Shapes: []orb.LineString{shape}}},
			Stops:   []tile.Stop{{ID: "s1", Name: "Cầu Giấy", Point: shape[0]}},
			Outline: tile.NewOutline(shape),
		}
	})
	layers, err := mvt.Unmarshal(get(t, a, "/tiles/transit/12/3251/1803.mvt").Body.Bytes())
	if err != nil || len(layers) != 3 {
		t.Errorf("layers %v, %v", layers, err)
	}
	addBus(t, a, nhip.Bus{ID: "1", Lat: 21.02, Lon: 105.8, Route: "r1"})
	if _, props := features(t, get(t, a, "/v1/buses")); props[0]["line"] != "32" {
		t.Errorf("the bus does not carry its route's number: %v", props[0])
	}
}

func TestTileJSONSaysHowTheOutsideReachesUs(t *testing.T) {
	for public, want := range map[string]string{
		"":                      "http://example.com/tiles/air/{z}/{x}/{y}.mvt", // what the request says
		"https://nhip.example/": "https://nhip.example/tiles/air/{z}/{x}/{y}.mvt",
	} {
		a := newAPI(t, func(o *Options) { o.PublicURL = public })
		if w := get(t, a, "/tiles/air.json"); !strings.Contains(w.Body.String(), want) {
			t.Errorf("public URL %q: %s", public, w.Body)
		}
	}
}

// TestATileIsMadeOnce, however many ask for it at once; and one that can't be made is tried again.
func TestATileIsMadeOnce(t *testing.T) {
	c := newTileCache()
	made, hold := 0, make(chan struct{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			got := c.get(tileKey{kind: "k"}, true, func() ([]byte, error) {
				made++ // one at a time, or the race detector tells
				<-hold
				return []byte("tile"), nil
			})
			if string(got.plain()) != "tile" {
				t.Errorf("%q", got.plain())
			}
		})
	}
	close(hold)
	wg.Wait()
	if hits, drawn, _ := c.numbers(); made != 1 || hits != 49 || drawn != 1 {
		t.Errorf("made %d times, %d hits of %d", made, hits, drawn)
	}
	failing := func() ([]byte, error) { made++; return nil, nhip.Errorf(nhip.Internal, "", "no") }
	for range 2 {
		if c.get(tileKey{kind: "bad"}, true, failing).err == nil {
			t.Error("no error")
		}
	}
	if made != 3 || len(c.tiles) != 1 {
		t.Errorf("made %d times, %d are kept", made, len(c.tiles))
	}
}

// TestTilesAreForgotten when they are too many, those that nobody asked for first.
func TestTilesAreForgotten(t *testing.T) {
	c := newTileCache()
	big := func() ([]byte, error) { return make([]byte, 1<<20), nil }
	for i := range 200 {
		c.get(tileKey{kind: "big", version: uint64(i)}, false, big)
		c.get(tileKey{kind: "big"}, false, big)
	}
	if _, made, bytes := c.numbers(); bytes > tileCacheBytes || len(c.tiles) < 60 || made != 200 {
		t.Errorf("%d tiles of %d bytes are kept, %d were made", len(c.tiles), bytes, made)
	}
}

// TestATileThatPanics fails for all who wait for it, and is tried again.
func TestATileThatPanics(t *testing.T) {
	c := newTileCache()
	func() {
		defer func() { _ = recover() }()
		c.get(tileKey{kind: "k"}, true, func() ([]byte, error) { panic("a fault") })
	}()
	if got := c.get(tileKey{kind: "k"}, true, func() ([]byte, error) { return []byte("tile"), nil }); got.err != nil || string(got.plain()) != "tile" {
		t.Errorf("%v", got.err)
	}
}

func TestWhatAClientTakes(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "br": false, "gzip": true, "br, gzip": true, "gzip;q=0": false, "gzip; q=0.0, br": false, "gzip;q=0.5": true, "x-gzip": false, "deflate,gzip;q=1.0": true,
	} {
		if takes(header, "gzip") != want {
			t.Errorf("%q: %v", header, !want)
		}
	}
}
