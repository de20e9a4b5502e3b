package app_test

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/apitest"
	"nhip/app"
	"nhip/app/apptest"
	"nhip/geo/geotest"
	"nhip/internal/awaittest"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/maptile"
)

// TestAirBetweenMonitors publishes a day of ten monitors and asks for the air between them, now and in the past, as
// riders, analysts and maps do.
func TestAirBetweenMonitors(t *testing.T) {
	noon := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)
	here := geotest.At(3000)
	o := apptest.Options(t, t.TempDir(), fmt.Sprintf("gtfs: %q\nzones: [{file: %q, kind: ward}]",
		apptest.TimetableFile(t), wardFile(t, here)))
	o.Clock = nhip.NewReplayClock(noon.Add(5*time.Minute), 1)
	p := apptest.Start(t, app.Up, o)
	var readings []apptest.Message
	for hour := 30; hour >= 0; hour-- {
		for i := range 10 {
			end := noon.Add(-time.Duration(hour) * time.Hour)
			readings = append(readings, monitorReading(i, here, end, 20+float64(hour)+5*float64(i)))
		}
	}
	p.Publish(t, readings...)
	p.Publish(t, apptest.Drive("29B-1", noon.Add(-3*time.Hour), 600)...)
	c := p.API(t)
	checkAirHere(t, c, here, noon, len(readings))
	checkAirAnswers(t, c, here, noon)
	tile := maptile.At(here, 12)
	checkTileReaders(t, c, fmt.Sprintf("/tiles/air/12/%d/%d", tile.X, tile.Y), tile)
	checkLayerReaders(t, c, p.HTTP)
}

// wardFile writes a zone file with one ward around a place.
func wardFile(t *testing.T, around orb.Point) string {
	t.Helper()
	box := orb.Bound{Min: around, Max: around}.Pad(0.02)
	return apptest.WriteFile(t, "zones.geojson", fmt.Sprintf(
		`{"type":"FeatureCollection","features":[{"type":"Feature","id":"1","properties":{"name":"Phường"},`+
			`"geometry":{"type":"Polygon","coordinates":[[[%[1]f,%[2]f],[%[3]f,%[2]f],[%[3]f,%[4]f],[%[1]f,%[4]f],`+
			`[%[1]f,%[2]f]]]}}]}`, box.Min[0], box.Min[1], box.Max[0], box.Max[1]))
}

// monitorReading returns the reading of monitor i for an hour. The monitors stand around a place.
func monitorReading(i int, around orb.Point, end time.Time, pm25 float64) apptest.Message {
	p := orb.Point{around[0] + 0.02*float64(i%4-1), around[1] + 0.02*float64(i/4-1)}
	return apptest.Message{Topic: fmt.Sprintf("nhip/in/reading/monitor-%d", i), Payload: fmt.Sprintf(
		`{"time":%q,"period":"1h","lat":%f,"lon":%f,"values":{"pm25":%g,"no2":%g}}`,
		end.Format(time.RFC3339), p.Lat(), p.Lon(), pm25, pm25/2)}
}

// checkAirHere compares the air of a place now with six hours ago, when it was worse.
func checkAirHere(t *testing.T, c *apitest.Client, here orb.Point, noon time.Time, readings int) {
	t.Helper()
	at := fmt.Sprintf("%f,%f", here.Lat(), here.Lon())
	var now, past struct {
		Time time.Time
		AQI  *struct {
			Value      float64
			SubIndices []struct{ Concentration float64 } `json:"sub_indices"`
		}
	}
	awaittest.True(t, "the air is estimated", func() bool {
		apptest.Decode(t, c.Get(t, apitest.Query("/v1/air", "at", at)), &now)
		return now.AQI != nil && now.Time.Equal(noon)
	})
	apptest.AwaitAssessed(t, c, readings)
	six := noon.Add(-6 * time.Hour).Format(time.RFC3339)
	apptest.Decode(t, c.Get(t, apitest.Query("/v1/air", "at", at, "time", six)), &past)
	if past.AQI == nil || past.AQI.SubIndices[0].Concentration < now.AQI.SubIndices[0].Concentration+4 {
		t.Errorf("six hours ago %+v, now %+v", past.AQI, now.AQI)
	}
}

// checkAirAnswers checks that each answer about the air contains a text.
func checkAirAnswers(t *testing.T, c *apitest.Client, here orb.Point, noon time.Time) {
	t.Helper()
	at := fmt.Sprintf("%f,%f", here.Lat(), here.Lon())
	tile := maptile.At(here, 12)
	tiles := func(layer string) string { return fmt.Sprintf("/tiles/%s/12/%d/%d", layer, tile.X, tile.Y) }
	past := noon.Add(-3 * time.Hour).Add(10 * time.Minute).Format(time.RFC3339)
	before := "?time=" + past
	for path, want := range map[string]string{
		apitest.Query("/v1/zones", "at", at): `"aqi":`, "/v1/zones.geojson" + before: `"MultiPolygon"`,
		"/v1/legend?index=WHO":                               `"reach_m":10000`,
		"/styles/nhip.json?theme=dark":                       `"version":8`,
		"/tiles/air.json?quantity=pm25":                      "quantity=pm25",
		"/tiles/air.png.json":                                `{y}.png`,
		"/v1/routes/R1/air":                                  `"known_pct":100`,
		"/v1/stops/S6":                                       `"air":{"scale":"VN_AQI"`,
		tiles("air") + ".png":                                "PNG",
		tiles("air") + "@2x.png" + before:                    "PNG",
		tiles("air") + ".mvt":                                "isobands",
		tiles("air") + ".mvt" + before:                       "isobands",
		tiles("transit") + ".mvt" + before:                   "buses",
		apitest.Query("/v1/departures", "near", at):          `"air":`,
		apitest.Query("/v1/buses", "near", at, "time", past): `"29B-1"`,
	} {
		if a := c.Get(t, path); a.Status != http.StatusOK || !bytes.Contains(a.Body, []byte(want)) {
			t.Errorf("%s: %d, without %s: %.300q", path, a.Status, want, a.Body)
		}
	}
}

// checkTileReaders reads tiles with decoders that are not ours: orb's, image/png and, if it is installed, GDAL.
func checkTileReaders(t *testing.T, c *apitest.Client, path string, at maptile.Tile) {
	t.Helper()
	tile := c.Get(t, path+".mvt").Body
	layers, err := mvt.Unmarshal(tile)
	if err != nil || len(layers) != 3 {
		t.Errorf("orb reads %d layers: %v", len(layers), err)
	}
	img, err := png.Decode(bytes.NewReader(c.Get(t, path+"@2x.png").Body))
	if err != nil || img.Bounds().Dx() != 512 {
		t.Errorf("image/png reads %v: %v", img, err)
	}
	ogrinfo, err := exec.LookPath("ogrinfo")
	if err != nil {
		t.Log("GDAL (gdal-bin) is not installed: the tile is not read with it")
		return
	}
	file := filepath.Join(t.TempDir(), "tile.pbf")
	if err := os.WriteFile(file, tile, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), ogrinfo, "-ro", "-al", "-q", "MVT:"+file,
		"-oo", fmt.Sprintf("X=%d", at.X), "-oo", fmt.Sprintf("Y=%d", at.Y), "-oo", fmt.Sprintf("Z=%d", at.Z)).CombinedOutput()
	for _, want := range []string{
		"Layer name: isobands", "Layer name: stations", "Layer name: zones", "name_en", "aqi (Integer)",
	} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("GDAL does not show %q: %v %.2000s", want, err, out)
		}
	}
}

// checkLayerReaders follows the OGC API's links, and reads every layer with GDAL, if it is installed.
func checkLayerReaders(t *testing.T, c *apitest.Client, url string) {
	t.Helper()
	for _, path := range []string{
		"/ogc", "/ogc/conformance", "/ogc/api", "/ogc/collections", "/ogc/collections/zones",
		"/ogc/collections/zones/items/ward:1",
	} {
		if a := c.Get(t, path); a.Status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	ogrinfo, err := exec.LookPath("ogrinfo")
	if err != nil {
		t.Log("GDAL (gdal-bin) is not installed: the layers are not read with it")
	}
	for layer, count := range map[string]int{"stations": 10, "readings-now": 20, "stops": 21, "routes": 1, "zones": 1} {
		a := c.Get(t, "/ogc/collections/"+layer+"/items?limit=7&bbox=100,10,110,30")
		if !bytes.Contains(a.Body, fmt.Appendf(nil, `"numberMatched":%d`, count)) {
			t.Errorf("%s: %.300s", layer, a.Body)
		}
		if ogrinfo == "" {
			continue
		}
		// Pages of 7 make it follow links.
		out, err := exec.CommandContext(t.Context(), ogrinfo, "-ro", "-al", "-oo", "PAGE_SIZE=7",
			"OAPIF:"+url+"/ogc", layer).CombinedOutput()
		read := bytes.Count(out, []byte("\nOGRFeature("))
		if err != nil || read != count || !bytes.Contains(out, []byte("WGS 84")) {
			t.Errorf("GDAL reads %s as %v %.1500s", layer, err, out)
		}
	}
}
