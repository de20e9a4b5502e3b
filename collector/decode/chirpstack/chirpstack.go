// Package chirpstack decodes uplink events of ChirpStack v4, the LoRaWAN server that one can run
// oneself, as its MQTT integration sends them in JSON.
//
// The topic is application/<application>/device/<devEui>/event/up, or nhip/in/chirpstack/<devEui>
// for what came in another way:
//
//	{"deduplicationId":"8a3f2b1c-5d6e-4f70-8192-a3b4c5d6e7f8","time":"2026-02-16T15:50:00.207+00:00",
//	 "deviceInfo":{"applicationId":"52f1…","deviceName":"Hoàn Kiếm 2","devEui":"24e124710c001234"},
//	 "fCnt":4711,"fPort":2,"data":"AWcBDQ==",
//	 "object":{"air":{"pm2_5":38.1,"pm10":61.5},"temperature":27.8},
//	 "rxInfo":[{"gatewayId":"0016c001f1500812","gwTime":"2026-02-16T15:50:00.207+00:00"}]}
//
// The station is deviceInfo.devEui in lower case: it is burnt into the device, unique in the world
// and in the topic, while deviceName is anybody's to change and may stand twice. What object means
// is the device's own affair, so the feed's fields say it, by dotted paths: air.pm2_5 is pm25 in
// µg/m³. The averaging period is the feed's, or 10 minutes.
//
// Traps:
//
//   - time is the one time of the uplink: the server takes it from a gateway with GPS, else from a
//     gateway's clock, else from its own, and sends it along however often it delivers. rxInfo holds a
//     time for each gateway, in an order that is chance, and is not read. So an uplink that comes
//     twice gives the same facts. A gateway whose clock is wrong and has no GPS dates its devices
//     wrongly; such facts are turned away as future or too old.
//   - Without a codec in the device profile there is only data, bytes in base64. That is an error and
//     not a reading.
//   - A device sends other payloads on other ports (its battery, its settings). One that holds none
//     of the feed's fields is an error, or a misspelt field would be silent for ever. A null is a
//     value the device knows and does not have.
//   - Events other than up (join, ack, txack, status, log, location, integration) are taken, and say
//     no fact; so are uplinks without any payload.
//   - ChirpStack v3 has no deviceInfo, and a devEUI in base64: an error.
//   - The integration can be set to Protobuf (json=false). This is the JSON.
//
// To test one: copy an event from the device's Events tab into up.json, then
//
//	mosquitto_pub -t nhip/in/chirpstack/24e124710c001234 -f up.json
package chirpstack

import (
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"
)

// Decoder reads ChirpStack v4's events.
var Decoder = decode.Decoder{Format: "chirpstack", Version: 1, Decode: read}

const (
	carried = "nhip/in/chirpstack/" // and the device
	up      = "up"                  // the event that carries values
	euiLen  = 16                    // 64 bits in hexadecimal
)

// message is what we read of an event.
type message struct {
	in      *decode.Input
	s       jsonscan.Scanner
	event   string // that the topic names; "" when it names none
	device  string
	time    time.Time
	payload bool // it has bytes
	decoded bool // and what they mean
	box     decode.Box
}

func read(in decode.Input, out *nhip.Facts) error {
	device, event, err := readTopic(in.Topic)
	if err != nil {
		return err
	}
	m := message{in: &in, s: jsonscan.New(in.Payload), event: event}
	if err := m.read(); err != nil {
		return err
	}
	if err := m.check(device); err != nil {
		return err
	}
	m.box.Station, m.box.Time = m.device, m.time
	m.box.Period = in.Feed.PeriodOr(decode.MappedPeriod)
	m.box.AppendTo(out)
	return nil
}

// readTopic returns the device and the event that a topic names, each "" where it names none.
func readTopic(topic string) (device, event string, err error) {
	if strings.HasPrefix(topic, carried) {
		return decode.Device(topic), "", nil
	}
	rest, ok := strings.CutPrefix(topic, "application/")
	if !ok {
		return "", "", nil
	}
	_, rest, _ = strings.Cut(rest, "/") // the application
	if rest, ok = strings.CutPrefix(rest, "device/"); ok {
		device, rest, _ = strings.Cut(rest, "/")
		event, ok = strings.CutPrefix(rest, "event/")
	}
	if !ok || device == "" || event == "" {
		return "", "", nhip.Errorf(nhip.Malformed, "topic", "must be application/<application>/device/<devEui>/event/<event>")
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
	case "deviceInfo":
		return m.s.Object(m.id)
	case "time":
		m.time, err = decode.Time(&m.s)
		return err
	}
	if m.event == "" || m.event == up {
		return m.value(key)
	}
	return m.s.Skip()
}

// value reads what only an uplink has.
func (m *message) value(key []byte) error {
	switch string(key) {
	case "object":
		m.decoded = true
		return decode.Mapped(m.in, &m.s, "object", &m.box)
	case "data":
		bytes, err := m.s.Text()
		m.payload = len(bytes) > 0
		return err
	}
	return m.s.Skip()
}

func (m *message) id(key []byte) error {
	if string(key) != "devEui" {
		return m.s.Skip()
	}
	text, err := m.s.String()
	if err != nil {
		return err
	}
	if !isEUI(text) {
		return nhip.Errorf(nhip.Malformed, "", "must be %d hexadecimal digits, got %q", euiLen, decode.Clip(text))
	}
	m.device = strings.ToLower(text)
	return nil
}

func isEUI(text string) bool {
	return len(text) == euiLen && strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// check holds the message against its topic and against what an uplink must have.
func (m *message) check(device string) error {
	switch {
	case m.device == "":
		return nhip.Errorf(nhip.Missing, "deviceInfo.devEui", "is required")
	case device != "" && !strings.EqualFold(device, m.device):
		return nhip.Errorf(nhip.Malformed, "deviceInfo.devEui", "must be the topic's device %q, got %q", decode.Clip(device), m.device)
	case m.payload && !m.decoded:
		return nhip.Errorf(nhip.Missing, "object", "is required: set a codec in the device profile in ChirpStack")
	case m.decoded && m.time.IsZero():
		return nhip.Errorf(nhip.Missing, "time", "is required")
	}
	return nil
}
