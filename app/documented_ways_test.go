package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"
)

// documentedFeeds are the default feeds of the senders below, and a Tasmota feed with one more level.
const documentedFeeds = `
feeds:
- {topic: airgradient/readings/+, format: airgradient, agency: hanoi}
- {topic: tele/+/+/SENSOR, format: tasmota, agency: hanoi, zone: Asia/Ho_Chi_Minh}
- {topic: v3/+/devices/+/up, format: tts, agency: hanoi, fields: pm2_5=pm25}
- {topic: application/+/device/+/event/up, format: chirpstack, agency: hanoi, fields: pm2_5=pm25}
- {topic: nhip/in/ufms-bus/+, format: ufms-bus, agency: hanoi}
`

// TestDocumentedWaysInReachTheAPI sends as docs/fleet.md and docs/formats.md describe it: one web hook for all devices
// of a network, an AirGradient monitor with the client id of its firmware, a Tasmota device whose topic has two levels
// and whose clock is in Unix seconds, and the box of a bus, whose plate is in the message.
func TestDocumentedWaysInReachTheAPI(t *testing.T) {
	devices := "devices:\n"
	for id, feed := range map[string]string{
		"ward-network": "tts", "school-network": "chirpstack", "84fce6120099": "airgradient", "gate": "tasmota",
		"depot": "ufms-bus",
	} {
		devices += fmt.Sprintf("- {id: %q, feed: %s, secrets: [%s]}\n", id, feed, fleet.Digest("secret of "+id))
	}
	p := apptest.Up(t, t.TempDir(), fmt.Sprintf("fleet: %q%s", fleetFile(t, devices), documentedFeeds))
	c := p.API(t)
	const stations = 2 + 2 + 1 + 1
	now := time.Now().UTC()
	stamp := now.Format(time.RFC3339)
	post := func(path, id, body string) {
		t.Helper()
		if a := c.Post(t, path, body, "Authorization", "Bearer secret of "+id); a.Status != http.StatusNoContent {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	for _, device := range []string{"roof-1", "roof-2"} {
		post("/in/tts/ward-network", "ward-network", fmt.Sprintf(`{"end_device_ids":{"device_id":%q,"application_ids":`+
			`{"application_id":"ward"}},"uplink_message":{"frm_payload":"AQI=","decoded_payload":{"pm2_5":21.5},`+
			`"received_at":%q}}`, device, stamp))
	}
	for _, device := range []string{"24e124710c000001", "24e124710c000002"} {
		post("/in/chirpstack/school-network?event=up", "school-network", fmt.Sprintf(
			`{"time":%q,"deviceInfo":{"devEui":%q},"data":"AQI=","object":{"pm2_5":22.5}}`, stamp, device))
	}
	for _, m := range []struct{ id, client, topic, payload string }{
		{"84fce6120099", "ESP32_120099", "airgradient/readings/84fce6120099", `{"pm02":7,"rhum":-1}`},
		{
			"gate", "DVES_6A3B1C", "tele/ward-3/gate/SENSOR",
			fmt.Sprintf(`{"Time":%d,"AM2301":{"Temperature":nan},"SDS0X1":{"PM2.5":12.5}}`, now.Unix()),
		},
		{
			"depot", "depot", "nhip/in/ufms-bus/depot",
			fmt.Sprintf(`{"msgType":"MsgType_BusWayPoint","msgBusWayPoint":{"vehicle":"29B-123.45","datetime":%d,`+
				`"x":105.8523,"y":21.0287,"speed":30,"working":true}}`, now.Unix()),
		},
	} {
		device, err := mqtt.Dial(t.Context(), mqtt.Options{
			URL: p.MQTT, ClientID: m.client, Username: m.id, Password: "secret of " + m.id,
		})
		if err != nil {
			t.Fatalf("%s: %v", m.client, err)
		}
		t.Cleanup(device.Close)
		acked := device.Publish(m.topic, 1, false, []byte(m.payload))
		if !acked.WaitTimeout(awaittest.Timeout) || acked.Error() != nil {
			t.Errorf("%s: not acknowledged: %v", m.topic, acked.Error())
		}
	}
	for path, n := range map[string]int{"/v1/stations": stations, "/v1/buses": 1} {
		var live apptest.Features
		awaittest.True(t, path+" has all senders", func() bool {
			apptest.Decode(t, c.Get(t, path), &live)
			return len(live.Features) == n
		})
	}
}
