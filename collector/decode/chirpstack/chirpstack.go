// Package chirpstack decodes uplink events of ChirpStack v4, a LoRaWAN network server for own installations, in the
// JSON of its MQTT integration.
//
// The topic is application/<application>/device/<devEui>/event/up, or nhip/in/chirpstack/<network> for messages that
// arrive by other ways. The HTTP integration has one address for all devices of an application, so <network> is the
// sender, whose secret it has, and not the device:
//
//	{"deduplicationId":"8a3f2b1c-5d6e-4f70-8192-a3b4c5d6e7f8","time":"2026-02-16T15:50:00.207+00:00",
//	 "deviceInfo":{"applicationId":"52f1…","deviceName":"Hoàn Kiếm 2","devEui":"24e124710c001234"},
//	 "fCnt":4711,"fPort":2,"data":"AWcBDQ==",
//	 "object":{"air":{"pm2_5":38.1,"pm10":61.5},"temperature":27.8},
//	 "rxInfo":[{"gatewayId":"0016c001f1500812","gwTime":"2026-02-16T15:50:00.207+00:00"}]}
//
// The station is deviceInfo.devEui in lower case. It is fixed in the device, unique worldwide and part of the topic,
// whereas a deviceName can be changed and need not be unique. The structure of object depends on the device, so the
// feed's fields map it by dotted paths: air.pm2_5 is pm25 in µg/m³. The averaging period is that of the feed, or 10
// minutes.
//
// Traps:
//
//   - time is the only time of the uplink. The server takes it from a gateway with GPS, else from a gateway's clock,
//     else from its own clock, and sends the same time with each delivery. rxInfo contains a time for each gateway, in
//     arbitrary order, and is not read. So an uplink that is delivered twice results in the same facts. A gateway with
//     a wrong clock and without GPS causes wrong times of its devices; such facts are rejected as future or too old.
//   - Without a codec in the device profile there is only data, bytes in base64. This is an error, not a reading.
//   - Devices send other payloads on other ports (battery, settings). A payload with none of the feed's fields is an
//     error, because otherwise a misspelt field would never be noticed. null means that the device has no value.
//   - Events other than up (join, ack, txack, status, log, location, integration) are accepted and contain no facts, as
//     do uplinks without a payload.
//   - Events of ChirpStack v3, which have no deviceInfo and a devEUI in base64, are an error.
//   - A codec turns no bytes into numbers, too. An object beside absent or empty data is not read.
//   - The integration can be set to Protobuf (json=false), which this decoder does not read.
//
// To test one: copy an event from the device's Events tab into up.json, then
//
//	mosquitto_pub -t nhip/in/chirpstack/24e124710c001234 -f up.json
package chirpstack

import (
	"strings"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/lorawan"
)

// Decoder decodes events of ChirpStack v4.
var Decoder = decode.Decoder{Format: "chirpstack", Version: 2, Decode: read}

var topic = lorawan.Topic{
	Application: "application/", Device: "device/", Event: "event/", In: "nhip/in/chirpstack/",
	Form: "application/<application>/device/<devEui>/event/<event>",
}

const (
	up      = "up" // the event of uplinks
	euiSize = 16   // 64 bits in hexadecimal
)

// message is an event.
type message struct {
	lorawan.Uplink
	event  string // in the topic, or ""
	device string
}

func read(in decode.Input, out *nhip.Facts) error {
	device, event, err := topic.Parse(in.Topic)
	if err != nil {
		return err
	}
	m := message{Uplink: lorawan.NewUplink(&in), event: event}
	if err := m.Read(m.field); err != nil {
		return err
	}
	if err := m.check(device); err != nil {
		return err
	}
	m.AppendTo(out, m.device)
	return nil
}

func (m *message) field(key []byte) error {
	switch string(key) {
	case "deviceInfo":
		return m.JSON.Object(m.deviceInfo)
	case "time":
		return m.ReadTime()
	}
	if m.event == "" || m.event == up {
		return m.uplinkField(key)
	}
	return m.JSON.Skip()
}

// uplinkField reads a field that only uplinks have.
func (m *message) uplinkField(key []byte) error {
	switch string(key) {
	case "object":
		return m.ReadDecoded("object")
	case "data":
		return m.ReadPayload()
	}
	return m.JSON.Skip()
}

func (m *message) deviceInfo(key []byte) error {
	if string(key) != "devEui" {
		return m.JSON.Skip()
	}
	text, err := m.JSON.String()
	if err != nil {
		return err
	}
	if !isEUI(text) {
		return nhip.Errorf(nhip.CodeMalformed, "", "must be %d hexadecimal digits, got %q", euiSize, decode.Clip(text))
	}
	m.device = strings.ToLower(text)
	return nil
}

func isEUI(text string) bool {
	return len(text) == euiSize && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// check compares the device with that of the topic, and checks that the fields of an uplink are present.
func (m *message) check(device string) error {
	switch {
	case m.device == "":
		return nhip.Errorf(nhip.CodeMissing, "deviceInfo.devEui", "is required")
	case device != "" && !strings.EqualFold(device, m.device) && !m.In.IsDirect():
		return nhip.Errorf(nhip.CodeMalformed, "deviceInfo.devEui", "must be the device of the topic, %q, got %q",
			decode.Clip(device), m.device)
	}
	return m.Check("object", "set a codec in the device profile in ChirpStack", "time")
}
