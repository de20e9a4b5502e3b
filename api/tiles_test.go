package api

import (
	"bytes"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"

	"nhip"
	"nhip/api/resttest"
	"nhip/geo/tile"
	"nhip/internal/topics"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
)

// embassyTile is the tile of the station of withStation.
const embassyTile = "/tiles/air/10/812/450.mvt"

// withStation returns an api with one station.
func withStation(t *testing.T) *API {
	t.Helper()
	a := newAPI(t)
	receive(t, a, topics.LiveAirTopic("embassy"), nhip.Station{
		ID: "embassy", Time: noon, Lat: nhip.Some(21.02), Lon: nhip.Some(105.81),
		Values: map[nhip.Quantity]nhip.LiveValue{
			nhip.PM25: {Value: 69.2, Time: noon, Period: 3600, Flag: nhip.FlagNotEvaluated},
		},
	})
	return a
}

func TestTileHeaders(t *testing.T) {
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
		t.Errorf("gzip body differs: %v", err)
	}
	etag := plain.Header().Get("ETag")
	if etag == "" || etag == zipped.Header().Get("ETag") || plain.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("ETags %q and %q, Vary %q", etag, zipped.Header().Get("ETag"), plain.Header().Get("Vary"))
	}
	if w := get(t, a, embassyTile, "If-None-Match", `"x", `+etag); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("unchanged: %d", w.Code)
	}
	receive(t, a, topics.LiveAirTopic("embassy"), nhip.Station{
		ID: "embassy", Time: noon, Lat: nhip.Some(21.02), Lon: nhip.Some(105.82),
	})
	if w := get(t, a, embassyTile, "If-None-Match", etag); w.Code != http.StatusOK {
		t.Errorf("changed: %d", w.Code)
	}
}

func TestEmptyAndMissingTiles(t *testing.T) {
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

func TestTransitTile(t *testing.T) {
	shape := orb.LineString{{105.80, 21.02}, {105.85, 21.03}}
	a := newAPI(t, func(o *Options) {
		o.Network = &tile.TransitMap{
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
	if _, props := resttest.Features(t, get(t, a, "/v1/buses")); props[0]["line"] != "32" {
		t.Errorf("bus without the line of its route: %v", props[0])
	}
}

func TestAirTiles(t *testing.T) {
	a := withMonitors(t)
	const path = "/tiles/air/11/1626/901"
	layers := decodeTile(t, get(t, a, path+".mvt").Body.Bytes())
	if layers["isobands"] == nil || len(layers["stations"].Features) < 5 ||
		layers["stations"].Features[0].Properties["aqi"] == nil {
		t.Errorf("%v", layers)
	}
	for _, c := range []struct {
		path   string
		pixels int
	}{{".png", 256}, {"@2x.png", 512}, {".png?index=US_EPA&quantity=pm25&v=7", 256}} {
		w := get(t, a, path+c.path)
		img, err := png.Decode(w.Body)
		if err != nil || img.Bounds().Dx() != c.pixels || w.Header().Get("Content-Type") != "image/png" ||
			w.Header().Get("ETag") == "" {
			t.Errorf("%s: %d %v %v", c.path, w.Code, w.Header(), err)
		}
	}
	if w := get(t, a, path+".png?quantity=so2"); w.Code != http.StatusNoContent {
		t.Errorf("quantity without readings: %d", w.Code)
	}
	if w := get(t, a, "/tiles/air/11/5/5.mvt"); w.Code != http.StatusNoContent {
		t.Errorf("far away: %d", w.Code)
	}
	for path, code := range map[string]int{
		"/tiles/air/99/0/0.mvt": 404, "/tiles/air/1/2/0.png": 404, "/tiles/air/11/-1/902.mvt": 404,
		"/tiles/air/11/x/902.png": 404, "/tiles/air/11/01626/902.mvt": 404,
		"/tiles/air/11/1626/901.mvt?quantity=pm99": 400, "/tiles/air/11/1626/901.png?quantity=temperature": 400,
		"/tiles/air/11/1626/901.mvt?index=x":                   400,
		"/tiles/air/11/1626/901.mvt?time=2026-02-16T12:10:00Z": 400, "/tiles/air/11/1626/901.png?time=yesterday": 400,
		"/tiles/transit/11/1626/901.mvt?time=2030-01-01T00:00:00Z": 400,
	} {
		if w := get(t, a, path); w.Code != code || !strings.Contains(w.Body.String(), `"detail"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func decodeTile(t *testing.T, body []byte) map[string]*mvt.Layer {
	t.Helper()
	layers, err := mvt.Unmarshal(body)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]*mvt.Layer)
	for _, l := range layers {
		out[l.Name] = l
	}
	return out
}

// TestTileCompression checks that a tile is sent as gzip at first, and as brotli when it is requested repeatedly.
func TestTileCompression(t *testing.T) {
	a := withMonitors(t)
	const path = "/tiles/air/11/1626/901.mvt"
	plain := get(t, a, path)
	var seen []string
	for range 4 {
		w := get(t, a, path, "Accept-Encoding", "gzip, deflate, br, zstd")
		seen = append(seen, w.Header().Get("Content-Encoding"))
		if w.Header().Get("Content-Encoding") == "br" {
			body, err := io.ReadAll(brotli.NewReader(w.Body))
			if err != nil || !bytes.Equal(body, plain.Body.Bytes()) {
				t.Errorf("brotli body differs: %v", err)
			}
		}
	}
	if seen[0] != "gzip" || seen[3] != "br" {
		t.Errorf("encodings %v", seen)
	}
	if w := get(t, a, path, "Accept-Encoding", "br"); w.Header().Get("Content-Encoding") != "br" {
		t.Errorf("only br accepted: %q", w.Header().Get("Content-Encoding"))
	}
	if n := a.tiles.Len(); n != 1 {
		t.Errorf("%d cached tiles", n)
	}
}

// TestUnchangedTileIsNotSentAgain requests a tile while its encoding changes from gzip to brotli.
func TestUnchangedTileIsNotSentAgain(t *testing.T) {
	a := withMonitors(t)
	const path = "/tiles/air/11/1626/901.mvt"
	tag := ""
	for i := range 6 {
		w := get(t, a, path, "Accept-Encoding", "gzip, br", "If-None-Match", tag)
		if tag = w.Header().Get("ETag"); (w.Code == http.StatusNotModified) != (i > 0) {
			t.Errorf("request %d: status %d", i+1, w.Code)
		}
	}
}
