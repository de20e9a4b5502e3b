package main

import (
	"net/http"
	"testing"

	"nhip/api/apitest"
	"nhip/internal/await"
	"nhip/internal/datadir"
)

// TestAMonitorThatSpeaksHTTP pushes as a device and finds it on the map.
func TestAMonitorThatSpeaksHTTP(t *testing.T) {
	p := up(t, t.TempDir())
	secret := secretOf(t, p.succeed(t, "device", "add", "84fce612f5b8", "--feed", "airgradient"))
	c := apitest.New(t, p.HTTP)
	p.awaitFleet(t, c, 1)
	reading := `{"pm02":7,"pm10":8,"atmp":25.87,"rhum":43}`
	if a := c.Post(t, "/in/airgradient/84fce612f5b8", reading, "Authorization", "Bearer "+secret); a.Status != http.StatusNoContent {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	var stations collection
	await.True(t, "the monitor is there", func() bool {
		answerInto(t, c.Get(t, "/v1/stations"), &stations)
		return len(stations.Features) == 1
	})
	for path, want := range map[string]int{
		"/in/airgradient/another":      http.StatusUnauthorized,
		"/in/tasmota/84fce612f5b8":     http.StatusForbidden,
		"/in/airgradient/84fce612f5b8": http.StatusUnauthorized,
	} {
		given := secret // which does not open for another
		if path == "/in/airgradient/84fce612f5b8" {
			given = "wrong"
		}
		if a := c.Post(t, path, reading, "Authorization", "Bearer "+given); a.Status != want {
			t.Errorf("%s: %d %s, want %d", path, a.Status, a.Body, want)
		}
	}
	token, err := datadir.ReadToken(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	way := `{"esp8266id":"1","sensordatavalues":[{"value_type":"SDS_P2","value":"12.30"}]}`
	if a := c.Post(t, "/in/sensor-community/esp8266-1", way, "Authorization", "Bearer "+token, "X-Sensor", "esp8266-1"); a.Status != http.StatusNoContent {
		t.Errorf("the operator: %d %s", a.Status, a.Body)
	}
	await.True(t, "the operator's monitor is there, too", func() bool {
		answerInto(t, c.Get(t, "/v1/stations"), &stations)
		return len(stations.Features) == 2
	})
}
