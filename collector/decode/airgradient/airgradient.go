// Package airgradient decodes what AirGradient monitors (ONE, Open Air) publish over MQTT, which is
// also what they answer on http://airgradient_<serial>.local/measures/current.
//
//	topic    airgradient/readings/84fce612f5b8
//	payload  {"wifi":-46,"serialno":"84fce612f5b8","pm01":3,"pm02":7,"pm10":8,"pm003Count":442,
//	          "atmp":25.87,"atmpCompensated":24.47,"rhum":43,"rhumCompensated":49,"rco2":447,
//	          "boot":6,"firmware":"3.1.3","model":"O-1PST"}
//
// pm01, pm02 and pm10 are PM1, PM2.5 and PM10 in µg/m³ (the sensor's atmospheric values), atmp is in
// °C, rhum in %. The station is the topic's last level, under airgradient/readings/ as under
// nhip/in/airgradient/: a topic has been checked against who speaks. Under airgradient/readings/ the level
// is the serial number, and a payload with another serialno is turned away; elsewhere a monitor may have any
// name, and serialno is not looked at.
//
// Traps of the format:
//
//   - pm02 is PM2.5. There is no pm25.
//   - pm02Compensated, atmpCompensated and rhumCompensated are corrected by the monitor, by rules
//     that change with its firmware and settings. They are left out: raw stays, and our own
//     correction of a corrected value would count twice. Mind that atmp and rhum of an Open Air are
//     those inside its case.
//   - pm01Standard and its like are for factory air (CF=1), pm01Count and its like are particles.
//   - There is no time. The time is that of arrival, the facts are undated, so a line
//     that buffers makes them late.
//   - Fields are absent until a sensor is warm, and again when it fails. A message without any value
//     is accepted and says nothing.
//   - Monitors with two particle sensors nest each one's values under channels.1 and channels.2; the
//     fields at the top are their means (of the one that is left, when one has failed) and are the
//     ones taken. Both channels' particles stand beside them, so that it can be seen when they disagree.
//   - Firmware updates add fields. What is not listed above is passed over, also CO2, the VOC and
//     NOx indices and everything about the monitor itself.
//
// The averaging period is the minute between two messages, unless the feed declares another.
//
// To test a monitor: set its mqttBrokerUrl to mqtt://<user>:<password>@<this host>:1883, or publish
// the answer of /measures/current:
//
//	mosquitto_pub -t airgradient/readings/84fce612f5b8 -q 1 -f current.json
//
// Source: github.com/airgradienthq/arduino, docs/local-server.md.
package airgradient

import (
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"
)

// Decoder reads AirGradient's measures.
var Decoder = decode.Decoder{Format: "airgradient", Version: 3, Decode: read}

// interval is how often the firmware publishes.
const interval = time.Minute

func read(in decode.Input, out *nhip.Facts) error {
	box := decode.Box{
		Station: decode.Device(in.Topic), Time: in.Arrival(), Period: in.Feed.PeriodOr(interval),
	}
	s := jsonscan.New(in.Payload)
	var both channels
	err := s.Object(func(key []byte) error {
		if string(key) == "channels" {
			return both.read(&s)
		}
		if string(key) == "serialno" && strings.HasPrefix(in.Topic, native) {
			return claim(&s, box.Station)
		}
		q := quantity(key)
		if q == "" {
			return s.Skip()
		}
		if s.Null() {
			return nil
		}
		v, err := s.Float()
		box.Add(q, v)
		return err
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return err
	}
	out.Undated = true
	both.addTo(&box)
	box.AppendTo(out)
	return nil
}

// channels are the particles that each of two sensors counts.
type channels [2]map[nhip.Quantity]float64

// read reads what stands under channels; what is no particle is passed over.
func (c *channels) read(s *jsonscan.Scanner) error {
	if s.Null() {
		return nil
	}
	return s.Object(func(number []byte) error {
		i := 0
		switch string(number) {
		case "1":
		case "2":
			i = 1
		default:
			return s.Skip()
		}
		if s.Null() {
			return nil
		}
		c[i] = make(map[nhip.Quantity]float64)
		return s.Object(func(key []byte) error {
			q := quantity(key)
			if q != nhip.PM1 && q != nhip.PM25 && q != nhip.PM10 {
				return s.Skip()
			}
			if s.Null() {
				return nil
			}
			v, err := s.Float()
			c[i][q] = v
			return err
		})
	})
}

func (c *channels) addTo(box *decode.Box) {
	for q, first := range c[0] {
		if second, ok := c[1][q]; ok {
			box.Channels(q, first, second)
		}
	}
}

// native is where the firmware publishes, each monitor under its serial number.
const native = "airgradient/readings/"

// claim refuses a payload that says it is another monitor's.
func claim(s *jsonscan.Scanner, station string) error {
	if s.Null() {
		return nil
	}
	serial, err := s.Text()
	if err == nil && string(serial) != station {
		return nhip.Errorf(nhip.Malformed, "serialno", "must be the topic's: %q speaks on the topic of %q", serial, station)
	}
	return err
}

// quantity tells what a field measures, "" for what is none of ours.
func quantity(key []byte) nhip.Quantity {
	switch string(key) {
	case "pm01":
		return nhip.PM1
	case "pm02":
		return nhip.PM25
	case "pm10":
		return nhip.PM10
	case "atmp":
		return nhip.Temperature
	case "rhum":
		return nhip.Humidity
	}
	return ""
}
