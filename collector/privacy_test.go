package collector

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip/internal/fleet"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/topics"
)

// fleetOf publishes the entry of a station; an empty position removes it.
func (h *harness) fleetOf(t *testing.T, station, position string) {
	t.Helper()
	c, err := mqtt.Dial(t.Context(), mqtt.Options{URL: h.broker, ClientID: "fleet"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	payload := ""
	if position != "" {
		payload = `{"id":"` + station + `","kind":"low-cost","position":"` + position + `"}`
	}
	c.Publish(topics.FleetStationTopic(station), 1, true, []byte(payload)).Wait()
}

// hides waits until the live state of a station hides its position, or shows it.
func hides(t *testing.T, l *mqtttest.Listener, station string, want bool) {
	t.Helper()
	l.Wait(t, station, func(m mqtttest.Message) bool {
		hidden := strings.Contains(m.Payload, `"private":true`)
		if m.Topic == topics.LiveAirTopic(station) && hidden == strings.Contains(m.Payload, `"lat"`) {
			t.Errorf("private %t with the payload %s", hidden, m.Payload)
		}
		return m.Topic == topics.LiveAirTopic(station) && hidden == want
	})
}

// TestPrivacyEndsOnlyByAnEntry: a station whose entry said private stays private without the entry, over restarts and
// crashes, until an entry says public.
func TestPrivacyEndsOnlyByAnEntry(t *testing.T) {
	h := newHarness(t)
	h.fleetOf(t, "home", fleet.Private)
	h.start(t)
	l := h.listen(t, topics.LiveAir)
	h.accept(t, "nhip/in/reading/home", pm25At(noon, 5))
	hides(t, l, "home", true)
	h.accept(t, "nhip/in/reading/park", pm25At(noon, 5)) // which no fleet ever named
	hides(t, l, "park", false)

	h.fleetOf(t, "home", "")
	h.accept(t, "nhip/in/reading/home", pm25At(noon.Add(1e9), 6))
	hides(t, l, "home", true)
	h.crash(t)
	h.start(t)
	h.accept(t, "nhip/in/reading/home", pm25At(noon.Add(2e9), 7))
	hides(t, l, "home", true)

	h.fleetOf(t, "home", fleet.Public)
	hides(t, l, "home", false)
	h.fleetOf(t, "home", "")
	h.stop(t)
	h.start(t)
	h.accept(t, "nhip/in/reading/home", pm25At(noon.Add(3e9), 8))
	hides(t, l, "home", false)
}

// TestDamagedListOfPrivateStations hides every station that the fleet does not name.
func TestDamagedListOfPrivateStations(t *testing.T) {
	h := newHarness(t)
	if err := os.WriteFile(filepath.Join(h.dir, "private-stations.json"), []byte(`["home",`), 0o600); err != nil {
		t.Fatal(err)
	}
	h.start(t)
	l := h.listen(t, topics.LiveAir)
	h.accept(t, "nhip/in/reading/home", pm25At(noon, 5))
	hides(t, l, "home", true)
	h.stop(t) // another start must not forget it
	h.start(t)
	h.accept(t, "nhip/in/reading/home", pm25At(noon.Add(1e9), 6))
	hides(t, l, "home", true)
	h.fleetOf(t, "home", fleet.Public)
	hides(t, l, "home", false)
}

// TestUnknownStationsMayBePrivate sets the rule for stations that no fleet has named.
func TestUnknownStationsMayBePrivate(t *testing.T) {
	h := newHarness(t)
	h.private = true
	h.start(t)
	l := h.listen(t, topics.LiveAir)
	h.accept(t, "nhip/in/reading/park", pm25At(noon, 5))
	hides(t, l, "park", true)
	h.fleetOf(t, "park", fleet.Public)
	hides(t, l, "park", false)
	h.fleetOf(t, "park", "")
	hides(t, l, "park", true)
}
