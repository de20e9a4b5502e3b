package app_test

import (
	"testing"

	"nhip/app"
	"nhip/app/apptest"
)

// TestAirInBrowser opens the map of the air of a simulated city with areas in Chromium: its past hours, its picture,
// its embedded page, the time without a network or a server, and the budgets of a throttled phone. The full form adds a
// silent line, slow 3G, live data and memory.
func TestAirInBrowser(t *testing.T) {
	script := requireBrowser(t, "air.mjs")
	zones := apptest.WriteFile(t, "zones.geojson", `{"type":"FeatureCollection","features":[
		{"type":"Feature","properties":{"code":"west","name":"Phía tây"},"geometry":{"type":"Polygon","coordinates":
			[[[105.70,20.90],[105.84,20.90],[105.84,21.16],[105.70,21.16],[105.70,20.90]]]}},
		{"type":"Feature","properties":{"code":"east","name":"<b>Phía đông</b>"},"geometry":{"type":"Polygon","coordinates":
			[[[105.84,20.90],[105.96,20.90],[105.96,21.16],[105.84,21.16],[105.84,20.90]]]}}]}`)
	o := apptest.Options(t, t.TempDir(), "zones: [{file: "+zones+", kind: district}]")
	o.Simulate = true
	o.Buses = 40
	runInBrowser(t, apptest.Start(t, app.Up, o), script)
}
