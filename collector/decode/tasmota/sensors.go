package tasmota

import "bytes"

// sensors are the sensors of outdoor air that Tasmota supports, by their names in messages. If two sensors of a device
// measure the same quantity, the first one in this list counts. Particle sensors are in the order of the
// manufacturers' tolerances. For temperature and humidity, dedicated sensors come first, in the order of their
// tolerances, then those that other components or their own current warm (pressure, CO2 and particle sensors).
var sensors = [...]string{
	// particles
	"SPS30", "PMS5003", "PMSA003I", "PMS3003", "HPMA", "SDS0X1", "VINDRIKTNING",
	// temperature and humidity
	"SHT4X", "SHT3X", "SHTC3", "ENS210", "HTU21", "SI7021", "SI7020", "SI7013", "HDC2010", "HDC1080", "SHT1X",
	"AHT1X", "AHT2X", "AM2301", "AM2320", "DS18B20", "DS18S20", "DS1822", "DHT11",
	// temperature, humidity and pressure
	"BME280", "BME680", "BMP280", "BMP180", "SPL06", "QMP6988",
	// sensors that are warmed
	"SEN5X", "SEN60", "SEN62", "SEN63C", "SEN65", "SEN66", "SEN68", "SEN69C", "SCD40", "SCD30",
}

// sensorRank returns the index in sensors of an object's name. If a device has two sensors of the same type, Tasmota
// appends an index or an address after "-" or "_" (SetOption64): "DS18B20-1", "SHT3X_45".
func sensorRank(name []byte) (rank int, known bool) {
	if at := bytes.IndexAny(name, "-_"); at >= 0 {
		name = name[:at]
	}
	for i, p := range sensors {
		if string(name) == p {
			return i, true
		}
	}
	return 0, false
}
