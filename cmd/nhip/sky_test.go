package main

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

	"nhip/api/apitest"
	"nhip/geo/geotest"
	"nhip/internal/await"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/maptile"
)

// TestTheAirBetweenTheMonitors takes a day of ten monitors through the whole house, and asks of the places between
// them, now and then, as riders, analysts and maps do.
func TestTheAirBetweenTheMonitors(t *testing.T) {
	dir := t.TempDir()
	noon := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)
	here := geotest.At(3000)
	zones := filepath.Join(dir, "zones.geojson")
	box := orb.Bound{Min: here, Max: here}.Pad(0.02)
	text := fmt.Sprintf(`{"type":"FeatureCollection","features":[{"type":"Feature","id":"1","properties":{"name":"Phường"},"geometry":{"type":"Polygon","coordinates":[[[%f,%f],[%f,%f],[%f,%f],[%f,%f],[%f,%f]]]}}]}`,
		box.Min[0], box.Min[1], box.Max[0], box.Min[1], box.Max[0], box.Max[1], box.Min[0], box.Max[1], box.Min[0], box.Min[1])
	must(t, os.WriteFile(zones, []byte(text), 0o600) == nil, "no zones")
	p := up(t, dir, "--gtfs", lineZip(t), "--clock", noon.Add(5*time.Minute).Format(time.RFC3339), "--config", writeYAML(t, fmt.Sprintf("zones: [{file: %q, kind: ward}]", zones)))
	var said [][2]string
	for hour := 30; hour >= 0; hour-- {
		for i := range 10 {
			said = append(said, monitorSays(i, here, noon.Add(-time.Duration(hour)*time.Hour), 20+float64(hour)+5*float64(i)))
		}
	}
	p.publish(t, said...)
	p.publish(t, drive("29B-1", noon.Add(-3*time.Hour), 600)...)
	c := apitest.New(t, p.HTTP)
	at := fmt.Sprintf("%f,%f", here.Lat(), here.Lon())
	var now, then struct {
		Time time.Time
		AQI  *struct {
			Value      float64
			SubIndices []struct{ Concentration float64 } `json:"sub_indices"`
		}
	}
	await.True(t, "the air is told", func() bool {
		answerInto(t, c.Get(t, apitest.Query("/v1/air", "at", at)), &now)
		return now.AQI != nil && now.Time.Equal(noon)
	})
	p.made(t, c, len(said))
	answerInto(t, c.Get(t, apitest.Query("/v1/air", "at", at, "time", noon.Add(-6*time.Hour).Format(time.RFC3339))), &then)
	if then.AQI == nil || then.AQI.SubIndices[0].Concentration < now.AQI.SubIndices[0].Concentration+4 {
		t.Errorf("6 hours before %+v, now %+v", then.AQI, now.AQI)
	}
	tile := maptile.At(here, 12)
	path := fmt.Sprintf("/tiles/%%s/12/%d/%d", tile.X, tile.Y)
	before := "?time=" + noon.Add(-3*time.Hour).Add(10*time.Minute).Format(time.RFC3339)
	for path, want := range map[string]string{
		apitest.Query("/v1/zones", "at", at): `"aqi":`, "/v1/zones.geojson" + before: `"MultiPolygon"`, "/v1/legend?index=WHO": `"reach_m":10000`,
		"/styles/nhip.json?theme=dark": `"version":8`, "/tiles/air.json?quantity=pm25": "quantity=pm25", "/tiles/air.png.json": `{y}.png`,
		"/v1/routes/R1/air": `"known_pct":100`, "/v1/stops/S6": `"air":{"scale":"VN_AQI"`, apitest.Query("/v1/departures", "near", at): `"air":`,
		apitest.Query("/v1/buses", "near", at, "time", noon.Add(-3*time.Hour).Add(10*time.Minute).Format(time.RFC3339)): `"29B-1"`,
		fmt.Sprintf(path, "air") + ".png": "PNG", fmt.Sprintf(path, "air") + "@2x.png" + before: "PNG",
		fmt.Sprintf(path, "air") + ".mvt": "isobands", fmt.Sprintf(path, "air") + ".mvt" + before: "isobands", fmt.Sprintf(path, "transit") + ".mvt" + before: "buses",
	} {
		if a := c.Get(t, path); a.Status != http.StatusOK || !bytes.Contains(a.Body, []byte(want)) {
			t.Errorf("%s: %d, without %s: %.300q", path, a.Status, want, a.Body)
		}
	}
	checkTilesInOtherHands(t, c, fmt.Sprintf(path, "air"), tile)
	checkLayersInOtherHands(t, c, p.HTTP)
}

// monitorSays is what monitor i says of an hour; they stand around a place.
func monitorSays(i int, around orb.Point, end time.Time, pm25 float64) [2]string {
	p := orb.Point{around[0] + 0.02*float64(i%4-1), around[1] + 0.02*float64(i/4-1)}
	return [2]string{fmt.Sprintf("nhip/in/reading/sky-%d", i), fmt.Sprintf(`{"time":%q,"period":"1h","lat":%f,"lon":%f,"values":{"pm25":%g,"no2":%g}}`,
		end.Format(time.RFC3339), p.Lat(), p.Lon(), pm25, pm25/2)}
}

// checkTilesInOtherHands reads our tiles with decoders that are not ours: orb's, the language's own and, where it is
// installed, GDAL.
func checkTilesInOtherHands(t *testing.T, c *apitest.Client, path string, at maptile.Tile) {
	t.Helper()
	tile := c.Get(t, path+".mvt").Body
	layers, err := mvt.Unmarshal(tile)
	if err != nil || len(layers) != 3 {
		t.Errorf("orb reads %d layers: %v", len(layers), err)
	}
	if img, err := png.Decode(bytes.NewReader(c.Get(t, path+"@2x.png").Body)); err != nil || img.Bounds().Dx() != 512 {
		t.Errorf("%v %v", img, err)
	}
	ogrinfo, err := exec.LookPath("ogrinfo")
	if err != nil {
		t.Log("GDAL (gdal-bin) is not installed: it does not read the tile")
		return
	}
	file := filepath.Join(t.TempDir(), "tile.pbf")
	must(t, os.WriteFile(file, tile, 0o600) == nil, "no tile")
	out, err := exec.CommandContext(t.Context(), ogrinfo, "-ro", "-al", "-q", "MVT:"+file, "-oo", fmt.Sprintf("X=%d", at.X), "-oo", fmt.Sprintf("Y=%d", at.Y), "-oo", fmt.Sprintf("Z=%d", at.Z)).CombinedOutput()
	for _, want := range []string{"Layer name: isobands", "Layer name: stations", "Layer name: zones", "name_en", "aqi (Integer)"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("GDAL does not tell %q: %v %.2000s", want, err, out)
		}
	}
}

// checkLayersInOtherHands walks the OGC API as our contract has it, and has GDAL read every layer back.
func checkLayersInOtherHands(t *testing.T, c *apitest.Client, url string) {
	t.Helper()
	want := map[string]int{"stations": 10, "readings-now": 20, "stops": 21, "routes": 1, "zones": 1}
	for _, path := range []string{"/ogc", "/ogc/conformance", "/ogc/api", "/ogc/collections", "/ogc/collections/zones", "/ogc/collections/zones/items/ward:1"} {
		if a := c.Get(t, path); a.Status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	ogrinfo, err := exec.LookPath("ogrinfo")
	if err != nil {
		t.Log("GDAL (gdal-bin) is not installed: it does not read the layers")
	}
	for layer, count := range want {
		if a := c.Get(t, "/ogc/collections/"+layer+"/items?limit=7&bbox=100,10,110,30"); !bytes.Contains(a.Body, fmt.Appendf(nil, `"numberMatched":%d`, count)) {
			t.Errorf("%s: %.300s", layer, a.Body)
		}
		if ogrinfo == "" {
			continue
		}
		// In pages of 7, so that it has to follow links.
		out, err := exec.CommandContext(t.Context(), ogrinfo, "-ro", "-al", "-oo", "PAGE_SIZE=7", "OAPIF:"+url+"/ogc", layer).CombinedOutput()
		if read := bytes.Count(out, []byte("\nOGRFeature(")); err != nil || read != count || !bytes.Contains(out, []byte("WGS 84")) {
			t.Errorf("GDAL reads %s as %v %.1500s", layer, err, out)
		}
	}
}
