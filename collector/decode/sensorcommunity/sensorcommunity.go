// Package sensorcommunity decodes what Sensor.Community (once luftdaten.info) speaks, under the
// format's name "sensor-community". Four forms exist; the content tells which it is.
//
// Push: what a node sends to the community's own door (POST /v1/push-sensor-data/), one message for
// each of its sensors.
//
//	topic    nhip/in/sensor-community/esp8266-12345678
//	payload  {"software_version":"NRZ-2024-135",
//	          "sensordatavalues":[{"value_type":"P1","value":"23.45"},{"value_type":"P2","value":"12.30"}]}
//
// Custom API: what a node sends to a door of one's own ("Send data to own API"), all its sensors in
// one message, each name with its sensor's before it.
//
//	payload  {"esp8266id":"12345678","software_version":"NRZ-2024-135",
//	          "sensordatavalues":[{"value_type":"SDS_P1","value":"23.45"},{"value_type":"SDS_P2","value":"12.30"},
//	          {"value_type":"BME280_temperature","value":"29.10"},{"value_type":"interval","value":"145000"}]}
//
// API: what data.sensor.community answers, a list of such records of many sensors (or one of them).
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
// The station of a push and of the custom API is the topic's last level: the node, as X-Sensor names
// it. API and archive hold many sensors and name each by its number, and so do we: the station is
// "15092", as on the community's map and in its file names. A node's SDS011 and its BME280 are two
// stations there, and the same node's pushes are a third: take one road for one node.
//
// Traps of the format:
//
//   - P1 is PM10 and P2 is PM2.5, not the other way round.
//   - Values are text, and some libraries make them numbers; both are read. Blank, "nan",
//     "unavailable" and "unknown" are missing, never 0. Any other text is an error.
//   - A push carries no time: the time is that of arrival and the facts are undated. API and archive
//     are in UTC without saying so, whatever the feed's zone.
//   - The debug output of the firmware calls pressure hPa; what it sends is Pa. pressure_sealevel is
//     a calculation and left out.
//   - Two sensors of a node may measure the same (a BME280 and a DHT22). The one that stands first in
//     parts.go counts. In pushes both say a bare "temperature", and only X-PIN, an HTTP header, tells
//     them apart: such a node should use the custom API.
//   - esp8266id is not looked at: a topic has been checked against who speaks, a payload has not.
//   - One value that can't be read costs its whole message, in an archive its line.
//     Ranges are checked later, value by value.
//   - location.indoor is not looked at. Leave indoor sensors out of what is pulled: their air is not
//     the city's.
//   - Names and columns that are not listed above are passed over: firmware updates add some.
//
// The firmware averages over the time between two messages, 145 s unless its owner changes that. The
// custom API says that time (interval, in ms) and it is the period; for the other forms the period
// is 145 s unless the feed declares another. API and archive repeat the pushes one for one, so the
// same holds there.
//
// To test: let a node's "own API" point at this host, or
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

// Decoder reads all forms of Sensor.Community.
var Decoder = decode.Decoder{Format: "sensor-community", Version: 2, Decode: read}

// usualInterval is how often the firmware sends unless its owner changes it.
const usualInterval = 145 * time.Second

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

// point returns where a sensor stands, when both coordinates are known.
func point(lat, lon nhip.Opt[float64]) nhip.Opt[orb.Point] {
	y, hasLat := lat.Get()
	x, hasLon := lon.Get()
	if !hasLat || !hasLon {
		return nhip.Opt[orb.Point]{}
	}
	return nhip.Some(orb.Point{x, y})
}

// sameStation returns id as text, without new memory when it is the one that came before it.
func sameStation(last string, id []byte) string {
	if last == string(id) {
		return last
	}
	return string(id)
}
