package sensorcommunity

import (
	"bytes"

	"nhip"
)

// parts are the sensors that the firmware knows, by the names it puts before their values. Where two
// of a node measure the same, the first in this list counts: particles as the makers' own tolerances
// order them; temperature and humidity by tolerance too, but a thermometer without a hygrometer, and
// the DHT, which sticks at 99.9 % when it gets wet, come late. A bare name is a push's, or in the
// custom API that of the oldest sensors (DHT22, PPD42).
var parts = [...]string{
	"SPS30", "NPM", "IPS", "PMS", "HPM", "SDS",
	"SHT3X", "HTU21D", "BME280", "DS18B20", "BMP280", "BMP180", "BMP", "DHT22", "DHT", "SCD30", "",
}

// named tells which part a name belongs to, by its place in parts, and what it measures; "" for what
// is none of ours.
func named(name []byte) (part int, q nhip.Quantity) {
	prefix := name[:0]
	if at := bytes.LastIndexByte(name, '_'); at >= 0 {
		prefix, name = name[:at], name[at+1:]
	}
	if q = quantity(name); q == "" {
		return 0, ""
	}
	for i, p := range parts {
		if string(prefix) == p {
			return i, q
		}
	}
	return 0, ""
}

// quantity tells what a name without its part measures.
func quantity(name []byte) nhip.Quantity {
	switch string(name) {
	case "P0":
		return nhip.PM1
	case "P1":
		return nhip.PM10
	case "P2":
		return nhip.PM25
	case "temperature":
		return nhip.Temperature
	case "humidity":
		return nhip.Humidity
	case "pressure":
		return nhip.Pressure
	}
	return ""
}

// bit gives each quantity of quantity() a bit of its own.
func bit(q nhip.Quantity) uint8 {
	switch q {
	case nhip.PM1:
		return 1
	case nhip.PM10:
		return 2
	case nhip.PM25:
		return 4
	case nhip.Temperature:
		return 8
	case nhip.Humidity:
		return 16
	}
	return 32
}
