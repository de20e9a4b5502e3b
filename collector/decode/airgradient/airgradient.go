// Package airgradient decodes the messages that AirGradient monitors (ONE, Open Air) publish by MQTT. They have the
// same content as http://airgradient_<serial>.local/measures/current.
//
//	topic    airgradient/readings/84fce612f5b8
//	payload  {"wifi":-46,"serialno":"84fce612f5b8","pm01":3,"pm02":7,"pm10":8,"pm003Count":442,
//	          "atmp":25.87,"atmpCompensated":24.47,"rhum":43,"rhumCompensated":49,"rco2":447,
//	          "boot":6,"firmware":"3.1.3","model":"O-1PST"}
//
// pm01, pm02 and pm10 are PM1, PM2.5 and PM10 in µg/m³ (the sensor's atmospheric values), atmp is in °C, rhum in %. The
// station is the last level of the topic, both under airgradient/readings/ and under nhip/in/airgradient/, because the
// gateway checks the topic of a device. Under airgradient/readings/ this level is the serial number, and a payload with
// another serialno is rejected; in other topics a monitor may have any name, and serialno is not read.
//
// Traps of the format:
//
//   - pm02 is PM2.5; there is no pm25.
//   - pm02Compensated, atmpCompensated and rhumCompensated are corrected by the monitor, with rules that depend on its
//     firmware and settings. They are not read, because raw values are stored, and our own correction would correct
//     them twice. atmp and rhum of an Open Air are measured inside its case.
//   - pm01Standard and similar fields are for industrial air (CF=1), pm01Count and similar ones are particle counts.
//   - There is no time. Facts have the time of arrival and are undated, so buffering on the way makes them late.
//   - A field is absent until its sensor is warm, and after it failed. A message without values is accepted and
//     contains no facts.
//   - -1 for particles and humidity, and -1000 or less for temperatures, mean that the sensor does not answer: there is
//     no value.
//   - Monitors with two particle sensors have the values of each under channels.1 and channels.2. The fields at the top
//     are their means (or the value of the working sensor) and are used; the values of both channels are kept too, to
//     detect differences.
//   - Firmware updates add fields. Fields that are not listed above are skipped, including CO2, the VOC and NOx indices
//     and the state of the monitor.
//
// The averaging period is the minute between two messages, unless the feed declares another.
//
// To test a monitor: set its mqttBrokerUrl to mqtt://<user>:<password>@<this host>:1883, or publish the response of
// /measures/current:
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

// Decoder decodes messages of AirGradient monitors.
var Decoder = decode.Decoder{Format: "airgradient", Version: 5, Decode: read}

// defaultPeriod is the interval at which the firmware publishes.
const defaultPeriod = time.Minute

func read(in decode.Input, out *nhip.Facts) error {
	values := decode.ValueSet{
		Station: decode.Device(in.Topic), Time: in.Arrival(), Period: in.Feed.PeriodOr(defaultPeriod),
	}
	s := jsonscan.New(in.Payload)
	var both channels
	faults := in.Faults()
	err := s.Object(func(key []byte) error {
		if string(key) == "channels" {
			return both.read(&s, &faults)
		}
		if string(key) == "serialno" && strings.HasPrefix(in.Topic, nativeTopic) {
			return checkSerial(&s, values.Station)
		}
		q := quantity(key)
		if q == "" {
			return s.Skip()
		}
		if s.Null() {
			return nil
		}
		return number(&s, &faults, "", key, func(v float64) {
			if !isInvalid(q, v) {
				values.Add(q, v)
			}
		})
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return err
	}
	out.Undated = true
	both.addTo(&values)
	values.AppendTo(out)
	return nil
}

// channels are the particle concentrations of each of two sensors.
type channels [2]map[nhip.Quantity]float64

// read reads the object under channels, and skips other quantities than particles.
func (c *channels) read(s *jsonscan.Scanner, faults *decode.Faults) error {
	if s.Null() {
		return nil
	}
	return s.Object(func(channel []byte) error {
		i := 0
		switch string(channel) {
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
			return number(s, faults, "channels."+string(channel), key, func(v float64) {
				if !isInvalid(q, v) {
					c[i][q] = v
				}
			})
		})
	})
}

// number reads a number and passes it to set. Another value is rejected alone.
func number(s *jsonscan.Scanner, faults *decode.Faults, row string, key []byte, set func(float64)) error {
	fault, broken := decode.Recover(s, func() error {
		v, err := s.Float()
		if err == nil {
			set(v)
		}
		return err
	})
	if fault != nil {
		faults.Reject(decode.InRow(row, jsonscan.InField(fault, string(key))))
	}
	return broken
}

func (c *channels) addTo(values *decode.ValueSet) {
	for q, first := range c[0] {
		if second, ok := c[1][q]; ok {
			values.Channels(q, first, second)
		}
	}
}

// nativeTopic is the prefix of topics of the firmware, which the serial number follows.
const nativeTopic = "airgradient/readings/"

// checkSerial returns an error if the payload is that of another monitor.
func checkSerial(s *jsonscan.Scanner, station string) error {
	if s.Null() {
		return nil
	}
	serial, err := s.Text()
	if err == nil && string(serial) != station {
		return nhip.Errorf(nhip.CodeMalformed, "serialno", "must be that of the topic, %q, got %q", station, serial)
	}
	return err
}

// isInvalid reports whether the firmware writes a number for "invalid": -1 for particles and humidity, -1000 and less
// for temperatures (utils.cpp of the firmware).
func isInvalid(q nhip.Quantity, v float64) bool {
	if q == nhip.Temperature {
		return v <= -1000
	}
	return v == -1 || nhip.IsNoValue(v)
}

// quantity returns the quantity of a field, or "" if the field is not used.
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
