package sensorcommunity

import (
	"bytes"

	"nhip"
)

// sensors are the sensors that the firmware supports, by the prefixes of their values' names. If two sensors of a node
// measure the same quantity, the first one in this list counts. Particle sensors are in the order of the manufacturers'
// tolerances. So are those of temperature and humidity, except that thermometers without humidity and the DHT, which
// stays at 99.9 % after it was wet, come last. Names without a prefix are those of pushes and, in the custom API, of
// the oldest sensors (DHT22, PPD42).
var sensors = [...]string{
	"SPS30", "NPM", "IPS", "PMS", "HPM", "SDS",
	"SHT3X", "HTU21D", "BME280", "DS18B20", "BMP280", "BMP180", "BMP", "DHT22", "DHT", "SCD30", "",
}

// named returns the index in sensors and the quantity of a name, which is "" if the name is not used.
func named(name []byte) (sensor int, q nhip.Quantity) {
	prefix := name[:0]
	if at := bytes.LastIndexByte(name, '_'); at >= 0 {
		prefix, name = name[:at], name[at+1:]
	}
	if q = quantity(name); q == "" {
		return 0, ""
	}
	for i, p := range sensors {
		if string(prefix) == p {
			return i, q
		}
	}
	return 0, ""
}

// quantity returns the quantity of a name without prefix, or "" if the name is not used.
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

// bit returns a different bit for each result of quantity.
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
