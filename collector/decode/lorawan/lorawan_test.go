package lorawan

import (
	"testing"

	"nhip"
)

func TestTopicParse(t *testing.T) {
	server := Topic{Application: "v3/", Device: "devices/", Event: "event/", In: "nhip/in/tts/", Form: "v3/…"}
	for topic, want := range map[string][2]string{
		"v3/hanoi@ttn/devices/air-07/event/up": {"air-07", "up"},
		"v3/hanoi/devices/air-07/event/a/b":    {"air-07", "a/b"},
		"nhip/in/tts/air-07":                   {"air-07", ""},
		"nhip/in/tts/a%2Fb":                    {"a/b", ""},
		"my/own/topic":                         {"", ""},
	} {
		if device, event, err := server.Parse(topic); err != nil || device != want[0] || event != want[1] {
			t.Errorf("%s: %q, %q, %v, want %q", topic, device, event, err, want)
		}
	}
	for _, topic := range []string{
		"v3/", "v3/hanoi", "v3/hanoi/devices/", "v3/hanoi/devices/air-07", "v3/hanoi/devices/air-07/up",
		"v3/hanoi/devices//event/up", "v3/hanoi/devices/air-07/event/", "v3/hanoi/gateways/air-07/event/up",
	} {
		if device, event, err := server.Parse(topic); nhip.ErrorCode(err) != nhip.CodeMalformed {
			t.Errorf("%s: %q, %q, %v, want malformed", topic, device, event, err)
		}
	}
}
