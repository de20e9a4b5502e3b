// Package tts decodes uplinks of The Things Stack v3, the LoRaWAN network of The Things Network and
// The Things Industries, as its MQTT server and its webhooks send them.
//
// The topic is v3/<application>@<tenant>/devices/<device>/up, without @<tenant> in the open source
// edition, or nhip/in/tts/<device> for what came in another way:
//
//	{"end_device_ids":{"device_id":"air-07","application_ids":{"application_id":"hanoi-air"}},
//	 "received_at":"2026-02-16T15:50:00.412Z",
//	 "uplink_message":{"f_port":2,"f_cnt":4711,"frm_payload":"AWcBDQ==",
//	  "decoded_payload":{"air":{"pm2_5":38.1,"pm10":61.5},"temperature":27.8},
//	  "rx_metadata":[{"gateway_ids":{"gateway_id":"roof-2"},"time":"2026-02-16T15:49:59.981Z"}],
//	  "received_at":"2026-02-16T15:50:00.207Z"}}
//
// The station is <application_id>.<device_id>, as in hanoi-air.air-07: neither holds a dot. What decoded_payload means is the device's own affair, so the feed's
// fields say it, by dotted paths: air.pm2_5 is pm25 in µg/m³. The averaging period is the feed's, or
// 10 minutes.
//
// Traps:
//
//   - Of the four times, uplink_message.received_at is the measurement's: the Network Server sets it,
//     once for an uplink, by a clock that is kept. rx_metadata[].time and settings.time come from
//     gateways, of which some have no clock, each has its own time for the same uplink, and their
//     order is chance; the outer received_at is the Application Server's, and later. As the time is
//     the uplink's and not the delivery's, an uplink that comes twice, or again with the metadata of
//     other gateways, gives the same facts.
//   - Without a payload formatter there is only frm_payload, bytes in base64. That is an error and
//     not a reading: set a formatter for the device, or its application, in The Things Stack.
//   - A device sends other payloads on other ports (its battery, its settings). One that holds none
//     of the feed's fields is an error, or a misspelt field would be silent for ever. A null is a
//     value the device knows and does not have.
//   - device_id is unique within an application only: the station names both. Tenants of one cluster may
//     have an application of the same name; give each a collector, or its devices other names.
//   - Joins, acknowledgements and other events have no uplink_message: they are taken, and say no
//     fact. Uplinks without any payload are taken too.
//   - "simulated":true marks what somebody typed into the console; its readings carry the mark.
//   - Fields that are empty, 0 or false are left out of the message, but not of decoded_payload.
//
// To test one: in the console, application → MQTT or webhook, or
//
//	mosquitto_pub -t nhip/in/tts/air-07 -f uplink.json
package tts

import (
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"
)

// Decoder reads The Things Stack's messages to applications.
var Decoder = decode.Decoder{Format: "tts", Version: 1, Decode: read}

const (
	carried = "nhip/in/tts/" // and the device
	decoded = "decoded_payload"
)

// message is what we read of one.
type message struct {
	in        *decode.Input
	s         jsonscan.Scanner
	app       string
	device    string
	uplink    bool // it has an uplink_message
	payload   bool // with bytes in it
	decoded   bool // and what they mean
	simulated bool
	received  time.Time // by the Network Server
	box       decode.Box
}

func read(in decode.Input, out *nhip.Facts) error {
	device, event, err := readTopic(in.Topic)
	if err != nil {
		return err
	}
	m := message{in: &in, s: jsonscan.New(in.Payload)}
	if err := m.read(); err != nil {
		return err
	}
	if err := m.check(device, event); err != nil {
		return err
	}
	m.readings(out)
	return nil
}

// readTopic returns the device and the event that a topic names, each "" where it names none.
func readTopic(topic string) (device, event string, err error) {
	if strings.HasPrefix(topic, carried) {
		return decode.Device(topic), "", nil
	}
	rest, ok := strings.CutPrefix(topic, "v3/")
	if !ok {
		return "", "", nil
	}
	_, rest, _ = strings.Cut(rest, "/") // the application
	if rest, ok = strings.CutPrefix(rest, "devices/"); ok {
		device, event, ok = strings.Cut(rest, "/")
	}
	if !ok || device == "" || event == "" {
		return "", "", nhip.Errorf(nhip.Malformed, "topic", "must be v3/<application>/devices/<device>/<event>")
	}
	return device, event, nil
}

func (m *message) read() error {
	err := m.s.Object(func(key []byte) error {
		if m.s.Null() {
			return nil
		}
		return m.field(key)
	})
	if err == nil {
		err = m.s.End()
	}
	return err
}

func (m *message) field(key []byte) (err error) {
	switch string(key) {
	case "end_device_ids":
		return m.s.Object(m.id)
	case "uplink_message":
		m.uplink = true
		return m.s.Object(m.uplinkField)
	case "simulated":
		m.simulated, err = m.s.Bool()
		return err
	}
	return m.s.Skip()
}

func (m *message) id(key []byte) (err error) {
	switch string(key) {
	case "device_id":
		m.device, err = m.s.String()
		return err
	case "application_ids":
		return m.s.Object(m.application)
	}
	return m.s.Skip()
}

func (m *message) application(key []byte) (err error) {
	if string(key) != "application_id" {
		return m.s.Skip()
	}
	m.app, err = m.s.String()
	return err
}

func (m *message) uplinkField(key []byte) (err error) {
	if m.s.Null() {
		return nil
	}
	switch string(key) {
	case decoded:
		m.decoded = true
		return decode.Mapped(m.in, &m.s, "uplink_message."+decoded, &m.box)
	case "frm_payload":
		var bytes []byte
		bytes, err = m.s.Text()
		m.payload = len(bytes) > 0
		return err
	case "received_at":
		m.received, err = decode.Time(&m.s)
		return err
	}
	return m.s.Skip()
}

// check holds the message against its topic and against what an uplink must have.
func (m *message) check(device, event string) error {
	switch {
	case m.device == "":
		return nhip.Errorf(nhip.Missing, "end_device_ids.device_id", "is required")
	case m.app == "":
		return nhip.Errorf(nhip.Missing, "end_device_ids.application_ids.application_id", "is required")
	case device != "" && device != m.device:
		return nhip.Errorf(nhip.Malformed, "end_device_ids.device_id", "must be the topic's device %q, got %q", decode.Clip(device), decode.Clip(m.device))
	case event == "up" && !m.uplink:
		return nhip.Errorf(nhip.Missing, "uplink_message", "is required under the topic of an uplink")
	case m.payload && !m.decoded:
		return nhip.Errorf(nhip.Missing, "uplink_message."+decoded, "is required: set a payload formatter for the device in The Things Stack")
	case m.decoded && m.received.IsZero():
		return nhip.Errorf(nhip.Missing, "uplink_message.received_at", "is required")
	}
	return nil
}

func (m *message) readings(out *nhip.Facts) {
	first := len(out.Readings)
	m.box.Station, m.box.Time = m.app+"."+m.device, m.received
	m.box.Period = m.in.Feed.PeriodOr(decode.MappedPeriod)
	m.box.AppendTo(out)
	if !m.simulated {
		return
	}
	for i := range out.Readings[first:] {
		out.Readings[first+i].Origin = nhip.Simulated
	}
}
