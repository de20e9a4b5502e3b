// Package tts decodes uplinks of The Things Stack v3, the LoRaWAN network server of The Things Network and The Things
// Industries, as its MQTT server and its webhooks send them.
//
// The topic is v3/<application>@<tenant>/devices/<device>/up, without @<tenant> in the open source edition, or
// nhip/in/tts/<network> for messages that arrive by other ways. A webhook has one address for all devices of an
// application, so <network> is the sender, whose secret it has, and not the device:
//
//	{"end_device_ids":{"device_id":"air-07","application_ids":{"application_id":"hanoi-air"}},
//	 "received_at":"2026-02-16T15:50:00.412Z",
//	 "uplink_message":{"f_port":2,"f_cnt":4711,"frm_payload":"AWcBDQ==",
//	  "decoded_payload":{"air":{"pm2_5":38.1,"pm10":61.5},"temperature":27.8},
//	  "rx_metadata":[{"gateway_ids":{"gateway_id":"roof-2"},"time":"2026-02-16T15:49:59.981Z"}],
//	  "received_at":"2026-02-16T15:50:00.207Z"}}
//
// The station is <application_id>.<device_id>, as in hanoi-air.air-07; neither id can contain a dot. The structure of
// decoded_payload depends on the device, so the feed's fields map it by dotted paths: air.pm2_5 is pm25 in µg/m³. The
// averaging period is that of the feed, or 10 minutes.
//
// Traps:
//
//   - Of the four times, uplink_message.received_at is that of the measurement: the Network Server sets it once for an
//     uplink, with a synchronized clock. rx_metadata[].time and settings.time come from gateways, of which some have no
//     clock and each has another time for the same uplink, in arbitrary order. The outer received_at is set later by
//     the Application Server. As the time is that of the uplink and not of the delivery, an uplink that is delivered
//     twice, even with the metadata of other gateways, results in the same facts.
//   - Without a payload formatter there is only frm_payload, bytes in base64. This is an error, not a reading: set a
//     formatter for the device or its application in The Things Stack.
//   - Devices send other payloads on other ports (battery, settings). A payload with none of the feed's fields is an
//     error, because otherwise a misspelt field would never be noticed. null means that the device has no value.
//   - device_id is unique only within an application, so the station contains both. Tenants of one cluster may have
//     applications of the same name; use a collector for each, or other names for the devices.
//   - Joins, acknowledgements and other events have no uplink_message: they are accepted and contain no facts, as do
//     uplinks without a payload.
//   - A payload formatter turns no bytes into numbers, too, such as -32 °C. A decoded_payload beside an absent or empty
//     frm_payload is not read: a field mask of a webhook must contain frm_payload.
//   - "simulated":true marks uplinks that were typed into the console; their readings have the origin "simulated".
//   - The server omits fields that are empty, 0 or false, except in decoded_payload.
//
// To test one: in the console, application → MQTT or webhook, or
//
//	mosquitto_pub -t nhip/in/tts/air-07 -f uplink.json
package tts

import (
	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/lorawan"
)

// Decoder decodes messages of The Things Stack to applications.
var Decoder = decode.Decoder{Format: "tts", Version: 2, Decode: read}

var topic = lorawan.Topic{
	Application: "v3/", Device: "devices/", In: "nhip/in/tts/",
	Form: "v3/<application>/devices/<device>/<event>",
}

const (
	decodedName = "uplink_message.decoded_payload"
	timeName    = "uplink_message.received_at" // set by the Network Server
	hint        = "set a payload formatter for the device in The Things Stack"
)

// message is a message to an application.
type message struct {
	lorawan.Uplink
	application string
	device      string
	isUplink    bool // there is an uplink_message
	simulated   bool
}

func read(in decode.Input, out *nhip.Facts) error {
	device, event, err := topic.Parse(in.Topic)
	if err != nil {
		return err
	}
	m := message{Uplink: lorawan.NewUplink(&in)}
	if err := m.Read(m.field); err != nil {
		return err
	}
	if err := m.check(device, event); err != nil {
		return err
	}
	m.appendTo(out)
	return nil
}

func (m *message) field(key []byte) (err error) {
	switch string(key) {
	case "end_device_ids":
		return m.JSON.Object(m.id)
	case "uplink_message":
		m.isUplink = true
		return m.JSON.Object(m.uplinkField)
	case "simulated":
		m.simulated, err = m.JSON.Bool()
		return err
	}
	return m.JSON.Skip()
}

func (m *message) id(key []byte) (err error) {
	switch string(key) {
	case "device_id":
		m.device, err = m.JSON.String()
		return err
	case "application_ids":
		return m.JSON.Object(m.applicationID)
	}
	return m.JSON.Skip()
}

func (m *message) applicationID(key []byte) (err error) {
	if string(key) != "application_id" {
		return m.JSON.Skip()
	}
	m.application, err = m.JSON.String()
	return err
}

func (m *message) uplinkField(key []byte) error {
	if m.JSON.Null() {
		return nil
	}
	switch string(key) {
	case "decoded_payload":
		return m.ReadDecoded(decodedName)
	case "frm_payload":
		return m.ReadPayload()
	case "received_at":
		return m.ReadTime()
	}
	return m.JSON.Skip()
}

// check compares the device with that of the topic, and checks that the fields of an uplink are present.
func (m *message) check(device, event string) error {
	switch {
	case m.device == "":
		return nhip.Errorf(nhip.CodeMissing, "end_device_ids.device_id", "is required")
	case m.application == "":
		return nhip.Errorf(nhip.CodeMissing, "end_device_ids.application_ids.application_id", "is required")
	case device != "" && device != m.device && !m.In.IsDirect():
		return nhip.Errorf(nhip.CodeMalformed, "end_device_ids.device_id", "must be the device of the topic, %q, got %q",
			decode.Clip(device), decode.Clip(m.device))
	case event == "up" && !m.isUplink:
		return nhip.Errorf(nhip.CodeMissing, "uplink_message", "is required in the topic of an uplink")
	}
	return m.Check(decodedName, hint, timeName)
}

// appendTo appends the readings, with the origin of simulated uplinks.
func (m *message) appendTo(out *nhip.Facts) {
	first := len(out.Readings)
	m.AppendTo(out, m.application+"."+m.device)
	if !m.simulated {
		return
	}
	for i := range out.Readings[first:] {
		out.Readings[first+i].Origin = nhip.OriginSimulated
	}
}
