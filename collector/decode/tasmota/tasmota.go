// Package tasmota decodes the sensor telemetry of devices with Tasmota firmware.
//
//	topic    tele/balcony/SENSOR
//	payload  {"Time":"2026-02-16T22:58:02","BME280":{"Temperature":24.7,"Humidity":81.2,
//	          "DewPoint":21.2,"Pressure":1008.4},
//	          "PMS5003":{"CF1":41,"CF2.5":66,"CF10":72,"PM1":33,"PM2.5":52,"PM10":64,"PB0.3":6423},
//	          "PressureUnit":"hPa","TempUnit":"C"}
//
// The station is the topic without the levels tele and SENSOR, or the last level under nhip/in/tasmota/. Each sensor of
// the device is an object under its name with PM1, PM2.5 and PM10 (also PM1_0, PM2_5) in µg/m³, Temperature, Humidity
// in %, Pressure.
//
// Traps of the format:
//
//   - Time is local time in the zone of the device, without an offset. The feed must declare the zone
//     (zone: Asia/Ho_Chi_Minh); without it the time is read as UTC, and messages of a device in Hanoi are rejected
//     because they are seven hours in the future. SetOption52 1 lets the device send its offset, which then counts. A
//     time that a clock change skips or repeats is rejected, because it does not determine the instant.
//   - A device that has not reached its time server yet sends times in 1970, which are rejected as too old.
//   - TempUnit may be F (SetOption8), PressureUnit mmHg or inHg (SetOption24): they are at the end of the message and
//     apply to all sensors. Without them the units are °C and hPa.
//   - CF1, CF2.5 and CF10 of the Plantower sensors are for industrial air (CF=1); PM1, PM2.5 and PM10 are the
//     atmospheric values, which are used.
//   - SeaPressure and DewPoint are computed and not read.
//   - Objects that are not listed in sensors.go are skipped, such as ENERGY of a plug, and ESP32.Temperature, which is
//     that of the processor.
//   - Two sensors may measure the same quantity. The first one in sensors.go counts, and of two sensors of the same
//     type ("DS18B20-1", "DS18B20-2") the first name in alphabetical order.
//   - null means that the sensor failed: the value is missing, never 0. Firmware before 6.3 writes nan instead, which
//     is no JSON.
//   - With the commands Time 3 and Time 4 a device sends Unix seconds, as Epoch beside Time or as Time. They count, and
//     need no zone.
//   - Builds before 2018 in other languages than English have translated names, which are not recognized.
//
// A value is the state of the sensor when the device sends it, every 5 minutes (TelePeriod), which is the averaging
// period unless the feed declares another.
//
// To test a device, copy a message from its console (the command TelePeriod sends one at once) and:
//
//	mosquitto_pub -t tele/balcony/SENSOR -q 1 -m '{"Time":…}'
//
// Source: github.com/arendst/Tasmota, tasmota/tasmota_xsns_sensor, and its documentation.
package tasmota

import (
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"
)

// Decoder decodes SENSOR messages of Tasmota.
var Decoder = decode.Decoder{Format: "tasmota", Version: 3, Decode: read}

// telePeriod is the default interval of messages (command TelePeriod).
const telePeriod = 5 * time.Minute

// message is a SENSOR message.
type message struct {
	values       decode.ValueSet
	tempUnit     string
	pressureUnit string
	hasEpoch     bool // the time is Unix seconds
	faults       decode.Faults
}

func read(in decode.Input, out *nhip.Facts) error {
	station, err := station(in.Topic)
	if err != nil {
		return err
	}
	m := message{values: decode.ValueSet{Station: station, Period: in.Feed.PeriodOr(telePeriod)}, faults: in.Faults()}
	s := jsonscan.New(withoutNaN(in.Payload))
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
		err = m.convertUnits()
	}
	if err != nil {
		return err
	}
	m.values.AppendTo(out)
	return nil
}

// station returns the device in a topic of Tasmota or under nhip/in/. A device's full topic can be set, so the levels
// beside "tele" and "SENSOR" may be several, and before or after them.
func station(topic string) (string, error) {
	if strings.HasPrefix(topic, "nhip/in/") {
		return decode.Device(topic), nil
	}
	levels := strings.Split(topic, "/")
	isSensor := slices.Contains(levels, "SENSOR")
	name := slices.DeleteFunc(levels, func(level string) bool {
		return level == "tele" || level == "SENSOR" || level == ""
	})
	if len(name) == 0 || !isSensor {
		return "", nhip.Errorf(nhip.CodeMalformed, "topic", "must contain the device, as tele/<device>/SENSOR does")
	}
	return strings.Join(name, "/"), nil
}

func (m *message) field(s *jsonscan.Scanner, key []byte, zone *time.Location) (err error) {
	switch string(key) {
	case "Time":
		if s.Next() != '"' { // command Time 4
			return m.epoch(s)
		}
		var text []byte
		if text, err = s.Text(); err == nil && !m.hasEpoch {
			m.values.Time, err = decode.LocalTime(string(text), zone)
		}
		return err
	case "Epoch": // command Time 3, beside the local time
		return m.epoch(s)
	case "TempUnit":
		m.tempUnit, err = s.String()
		return err
	case "PressureUnit":
		m.pressureUnit, err = s.String()
		return err
	}
	if rank, ok := sensorRank(key); ok {
		return m.sensor(s, decode.Instrument{Rank: rank, Name: key})
	}
	return s.Skip()
}

// epoch reads a time as Unix seconds, which needs no zone.
func (m *message) epoch(s *jsonscan.Scanner) error {
	seconds, err := s.Int()
	if err == nil {
		m.values.Time, m.hasEpoch = time.Unix(int64(seconds), 0).UTC(), true
	}
	return err
}

// sensor reads the object of one sensor.
func (m *message) sensor(s *jsonscan.Scanner, instrument decode.Instrument) error {
	return s.Object(func(key []byte) error {
		q := quantity(key)
		if q == "" {
			return s.Skip()
		}
		if s.Null() {
			return nil
		}
		fault, broken := decode.Recover(s, func() error {
			v, err := s.Float()
			if err == nil && !nhip.IsNoValue(v) {
				m.values.Offer(q, v, instrument)
			}
			return err
		})
		if fault != nil { // it costs the value
			m.faults.Reject(decode.InRow(string(instrument.Name), jsonscan.InField(fault, string(key))))
		}
		return broken
	})
}

// convertUnits checks the message, and converts the values whose units are at its end.
func (m *message) convertUnits() error {
	if m.values.Empty() {
		return nil
	}
	if m.values.Time.IsZero() {
		return nhip.Errorf(nhip.CodeMissing, "Time", "is required")
	}
	if m.values.Has(nhip.Temperature) {
		convert, err := temperatureConverter(m.tempUnit)
		if err != nil {
			return err
		}
		m.values.Convert(nhip.Temperature, convert)
	}
	if m.values.Has(nhip.Pressure) {
		pascals, err := pascalsPer(m.pressureUnit)
		if err != nil {
			return err
		}
		m.values.Convert(nhip.Pressure, func(p float64) float64 { return p * pascals })
	}
	return nil
}

// quantity returns the quantity of a sensor's field, or "" if the field is not used.
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

// temperatureConverter returns the conversion of a temperature unit to °C.
func temperatureConverter(unit string) (func(float64) float64, error) {
	switch unit {
	case "C", "":
		return func(c float64) float64 { return c }, nil
	case "F":
		return decode.Celsius, nil
	}
	return nil, nhip.Errorf(nhip.CodeOutOfRange, "TempUnit", "must be C or F, got %q", unit)
}

// pascalsPer returns a pressure unit in Pa.
func pascalsPer(unit string) (float64, error) {
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
	return 0, nhip.Errorf(nhip.CodeOutOfRange, "PressureUnit", "must be hPa, mbar, kPa, Pa, mmHg, inHg or psi, got %q",
		unit)
}
