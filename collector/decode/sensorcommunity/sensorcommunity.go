// Package sensorcommunity decodes data of Sensor.Community (formerly luftdaten.info). The name of the format is
// "sensor-community". There are four forms, which are recognized by their content.
//
// Push: messages of a node to the community's API (POST /v1/push-sensor-data/), one for each sensor.
//
//	topic    nhip/in/sensor-community/esp8266-12345678
//	payload  {"software_version":"NRZ-2024-135",
//	          "sensordatavalues":[{"value_type":"P1","value":"23.45"},{"value_type":"P2","value":"12.30"}]}
//
// Custom API: messages of a node to an own server ("Send data to own API"), with all sensors in one message and the
// name of the sensor as a prefix.
//
//	payload  {"esp8266id":"12345678","software_version":"NRZ-2024-135",
//	          "sensordatavalues":[{"value_type":"SDS_P1","value":"23.45"},{"value_type":"SDS_P2","value":"12.30"},
//	          {"value_type":"BME280_temperature","value":"29.10"},{"value_type":"interval","value":"145000"}]}
//
// API: responses of data.sensor.community, a list of records of many sensors (or one record).
//
//	payload  [{"timestamp":"2026-02-16 15:58:02","location":{"latitude":"21.028","longitude":"105.852"},
//	          "sensor":{"id":15092,"sensor_type":{"name":"SDS011"}},
//	          "sensordatavalues":[{"value_type":"P1","value":"23.45"},{"value_type":"P2","value":"12.30"}]}]
//
// Archive: a file of archive.sensor.community.
//
//	payload  sensor_id;sensor_type;location;lat;lon;timestamp;P1;durP1;ratioP1;P2;durP2;ratioP2
//	         15092;SDS011;7647;21.028;105.852;2026-02-16T15:58:02;23.45;;;12.30;;
//
// P0, P1 and P2 are PM1, PM10 and PM2.5 in µg/m³; temperature is in °C, humidity in %, pressure in
// Pa.
//
// The station of a push and of the custom API is the last level of the topic: the node, named as in X-Sensor. API and
// archive contain many sensors, each with a number, which is the station: "15092", as on the community's map and in its
// file names. So a node's SDS011 and BME280 are two stations there, and the pushes of the same node are a third one:
// use only one form for each node.
//
// Traps of the format:
//
//   - P1 is PM10 and P2 is PM2.5, not the other way round.
//   - Values are strings, or numbers with some libraries; both are read. Blank text, "nan", "unavailable" and "unknown"
//     mean that there is no value, never 0. Other text is an error.
//   - Pushes contain no time: facts have the time of arrival and are undated. Times in API and archive are UTC,
//     although they have no offset, regardless of the feed's zone.
//   - The firmware's debug output labels pressure as hPa; messages contain Pa. pressure_sealevel is computed and not
//     read.
//   - Two sensors of a node may measure the same quantity (a BME280 and a DHT22). The first one in sensors.go counts.
//     In pushes both have the name "temperature" and differ only in the HTTP header X-PIN: such a node should use the
//     custom API.
//   - esp8266id is not read: the gateway checks the topic of a device, but not its payload.
//   - A value that can't be read is an error of the whole message, or in the archive of its line. Ranges are checked
//     later, value by value.
//   - location.indoor is not read. Exclude indoor sensors from requests.
//   - Other names and columns are skipped, because firmware updates add some.
//
// The firmware averages over the interval of messages, 145 s by default. Messages to a custom API contain the interval
// (in ms), which is the averaging period; for the other forms the period is 145 s unless the feed declares another. API
// and archive contain the pushes one for one.
//
// To test: set a node's "own API" to this host, or
//
//	mosquitto_pub -t nhip/in/sensor-community/esp8266-12345678 -q 1 -f push.json
//	mosquitto_pub -t nhip/in/import/sensor-community/2026-02-16 -q 1 -f 2026-02-16_sds011_sensor_15092.csv
//
// Sources: github.com/opendata-stuttgart, sensors-software/airrohr-firmware and feinstaub-api.
package sensorcommunity

import (
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"

	"github.com/paulmach/orb"
)

// Decoder decodes all forms of Sensor.Community.
var Decoder = decode.Decoder{Format: "sensor-community", Version: 3, Decode: read}

// defaultPeriod is the default interval of the firmware.
const defaultPeriod = 145 * time.Second

func read(in decode.Input, out *nhip.Facts) error {
	s := jsonscan.New(in.Payload)
	switch s.Next() {
	case '{':
		return readOne(&s, &in, out)
	case '[':
		return readList(&s, &in, out)
	}
	return readArchive(&in, out)
}

// point returns the position of a sensor if both coordinates are known.
func point(lat, lon nhip.Opt[float64]) nhip.Opt[orb.Point] {
	y, hasLat := lat.Get()
	x, hasLon := lon.Get()
	if !hasLat || !hasLon {
		return nhip.Opt[orb.Point]{}
	}
	return nhip.Some(orb.Point{x, y})
}

// sameStation returns id as a string, without an allocation if it equals the one before.
func sameStation(last string, id []byte) string {
	if last == string(id) {
		return last
	}
	return string(id)
}
