package app_test

import (
	"fmt"
	"net/http"
	"testing"

	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/fleet"
)

// TestMonitorPushesOverHTTP pushes a reading as a device and as the operator.
func TestMonitorPushesOverHTTP(t *testing.T) {
	p := apptest.Up(t, t.TempDir(), fmt.Sprintf("fleet: %q", fleetFile(t, fmt.Sprintf(
		"devices: [{id: 84fce612f5b8, feed: airgradient, secrets: [%s]}]", fleet.Digest("s")))))
	c := p.API(t)
	reading := `{"pm02":7,"pm10":8,"atmp":25.87,"rhum":43}`
	post := func(path, secret string) int {
		t.Helper()
		return c.Post(t, path, reading, "Authorization", "Bearer "+secret).Status
	}
	if got := post("/in/airgradient/84fce612f5b8", "s"); got != http.StatusNoContent {
		t.Fatalf("push: %d", got)
	}
	var stations apptest.Features
	awaittest.True(t, "the station is live", func() bool {
		apptest.Decode(t, c.Get(t, "/v1/stations"), &stations)
		return len(stations.Features) == 1
	})
	for _, r := range []struct {
		path, secret string
		want         int
	}{
		{"/in/airgradient/another", "s", http.StatusUnauthorized},
		{"/in/tasmota/84fce612f5b8", "s", http.StatusForbidden},
		{"/in/airgradient/84fce612f5b8", "wrong", http.StatusUnauthorized},
	} {
		if got := post(r.path, r.secret); got != r.want {
			t.Errorf("%s with the secret %q: %d, want %d", r.path, r.secret, got, r.want)
		}
	}
	a := c.Post(t, "/in/sensor-community/esp8266-1",
		`{"esp8266id":"1","sensordatavalues":[{"value_type":"SDS_P2","value":"12.30"}]}`,
		"Authorization", "Bearer "+p.Token(t), "X-Sensor", "esp8266-1")
	if a.Status != http.StatusNoContent {
		t.Errorf("push as the operator: %d %s", a.Status, a.Body)
	}
	awaittest.True(t, "the operator's station is live, too", func() bool {
		apptest.Decode(t, c.Get(t, "/v1/stations"), &stations)
		return len(stations.Features) == 2
	})
}
