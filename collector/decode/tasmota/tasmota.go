// Package tasmota decodes the sensor telemetry of devices with Tasmota firmware.
//
//	topic    tele/balcony/SENSOR
//	payload  {"Time":"2026-02-16T22:58:02","BME280":{"Temperature":24.7,"Humidity":81.2,
//	          "DewPoint":21.2,"Pressure":1008.4},
//	          "PMS5003":{"CF1":41,"CF2.5":66,"CF10":72,"PM1":33,"PM2.5":52,"PM10":64,"PB0.3":6423},
//	          "PressureUnit":"hPa","TempUnit":"C"}
//
// The station is the topic's second level, or the last one under nhip/in/tasmota/. Each part of the
// device is an object under its name: PM1, PM2.5, PM10 (also written PM1_0, PM2_5) in µg/m³,
// Temperature, Humidity in %, Pressure.
//
// Traps of the format:
//
//   - Time is the device's own clock in the device's own zone, without an offset. The feed must say
//     the zone (zone: Asia/Ho_Chi_Minh); without one it is read as UTC, and a device in Hanoi seems
//     to speak seven hours from the future, which is refused. SetOption52 1 lets the device send its
//     offset, which then counts. An hour that the zone skips or has twice, when its clocks change,
//     is refused: which instant is meant would be a guess.
//   - A device that has not found its time server yet speaks from 1970, and is refused as too old.
//   - TempUnit may be F (SetOption8), PressureUnit mmHg or inHg (SetOption24): they stand at the end
//     and hold for all parts. Without them it is °C and hPa.
//   - CF1, CF2.5 and CF10 of the Plantower sensors are for factory air (CF=1); PM1, PM2.5 and PM10
//     are the atmospheric values, and are taken.
//   - SeaPressure is a calculation for the sea's level and left out, as DewPoint.
//   - Parts that are not listed in parts.go are passed over: a plug's ENERGY, and with reason
//     ESP32.Temperature and the like, which is that of the processor.
//   - Two parts may measure the same. The one that stands first in parts.go counts, and of two of a
//     kind ("DS18B20-1", "DS18B20-2") the one whose name sorts first.
//   - null is a sensor that fails: missing, never 0.
//   - Builds of before 2018 in other languages than English have translated names; they say nothing
//     here.
//
// A value is what the sensor shows when the device speaks, each 5 minutes (TelePeriod), and that is
// its period unless the feed declares another.
//
// To test a device, take a message from its console (TelePeriod makes it speak at once) and:
//
//	mosquitto_pub -t tele/balcony/SENSOR -q 1 -m '{"Time":…}'
//
// Source: github.com/arendst/Tasmota, tasmota/tasmota_xsns_sensor, and its documentation.
package tasmota

import (
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"
)

// Decoder reads Tasmota's SENSOR messages.
var Decoder = decode.Decoder{Format: "tasmota", Version: 1, Decode: read}

// telePeriod is how often a device speaks unless it is told otherwise (command TelePeriod).
const telePeriod = 5 * time.Minute

// message is what stands around the parts' objects.
type message struct {
	box          decode.Box
	tempUnit     string
	pressureUnit string
}

func read(in decode.Input, out *nhip.Facts) error {
	station, err := station(in.Topic)
	if err != nil {
		return err
	}
	m := message{box: decode.Box{Station: station, Period: in.Feed.PeriodOr(telePeriod)}}
	s := jsonscan.New(in.Payload)
	err = s.Object(func(key []byte) error {
		if s.Null() {
			return nil
		}
		return m.field(&s, key, in.Feed.Zone)
	})
	if err == nil {
		err = s.End()
	}
	if err == nil {
		err = m.finish()
	}
	if err != nil {
		return err
	}
	m.box.AppendTo(out)
	return nil
}

// station takes the device's name from its own topic, or from the one it was carried in under.
func station(topic string) (string, error) {
	if strings.HasPrefix(topic, "nhip/in/") {
		return decode.Device(topic), nil
	}
	name, tele := strings.CutPrefix(topic, "tele/")
	name, sensor := strings.CutSuffix(name, "/SENSOR")
	if !tele || !sensor || strings.Contains(name, "/") {
		return "", nhip.Errorf(nhip.Malformed, "topic", "must be tele/<device>/SENSOR or nhip/in/tasmota/<device>")
	}
	return strings.Clone(name), nil
}

func (m *message) field(s *jsonscan.Scanner, key []byte, zone *time.Location) (err error) {
	switch string(key) {
	case "Time":
		var text []byte
		if text, err = s.Text(); err == nil {
			m.box.Time, err = decode.LocalTime(string(text), zone)
		}
		return err
	case "TempUnit":
		m.tempUnit, err = s.String()
		return err
	case "PressureUnit":
		m.pressureUnit, err = s.String()
		return err
	}
	if rank, known := partRank(key); known {
		return m.part(s, decode.Instrument{Rank: rank, Name: key})
	}
	return s.Skip()
}

// part reads the object of one sensor.
func (m *message) part(s *jsonscan.Scanner, by decode.Instrument) error {
	return s.Object(func(key []byte) error {
		q := quantity(key)
		if q == "" {
			return s.Skip()
		}
		if s.Null() {
			return nil
		}
		v, err := s.Float()
		m.box.Offer(q, v, by)
		return err
	})
}

// finish converts what was read before its unit was known.
func (m *message) finish() error {
	if m.box.Empty() {
		return nil
	}
	if m.box.Time.IsZero() {
		return nhip.Errorf(nhip.Missing, "Time", "is required")
	}
	if m.box.Holds(nhip.Temperature) {
		convert, err := celsius(m.tempUnit)
		if err != nil {
			return err
		}
		m.box.Convert(nhip.Temperature, convert)
	}
	if m.box.Holds(nhip.Pressure) {
		pascals, err := pascals(m.pressureUnit)
		if err != nil {
			return err
		}
		m.box.Convert(nhip.Pressure, func(p float64) float64 { return p * pascals })
	}
	return nil
}

// quantity tells what a field of a part measures, "" for what is none of ours.
func quantity(key []byte) nhip.Quantity {
	switch string(key) {
	case "PM1", "PM1_0":
		return nhip.PM1
	case "PM2.5", "PM2_5":
		return nhip.PM25
	case "PM10":
		return nhip.PM10
	case "Temperature":
		return nhip.Temperature
	case "Humidity":
		return nhip.Humidity
	case "Pressure":
		return nhip.Pressure
	}
	return ""
}

// celsius returns the way from a temperature unit to °C.
func celsius(unit string) (func(float64) float64, error) {
	switch unit {
	case "C", "":
		return func(c float64) float64 { return c }, nil
	case "F":
		return decode.Celsius, nil
	}
	return nil, nhip.Errorf(nhip.OutOfRange, "TempUnit", "must be C or F, got %q", unit)
}

// pascals returns how many Pa a pressure unit has.
func pascals(unit string) (float64, error) {
	switch unit {
	case "hPa", "mbar", "":
		return 100, nil
	case "kPa":
		return 1000, nil
	case "Pa":
		return 1, nil
	case "mmHg":
		return 133.322387415, nil // conventional millimetre of mercury (BIPM)
	case "inHg":
		return 3386.388640341, nil // 25.4 of them
	case "psi":
		return 6894.757293168, nil // pound-force of 4.4482216152605 N on (25.4 mm)²
	}
	return 0, nhip.Errorf(nhip.OutOfRange, "PressureUnit", "must be hPa, mbar, kPa, Pa, mmHg, inHg or psi, got %q", unit)
}
