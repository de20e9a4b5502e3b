package tasmota

import "bytes"

// parts are the sensors of outdoor air that Tasmota knows, by the names it gives them. Where two of
// a device measure the same, the first in this list counts: particles as the makers' own tolerances
// order them; temperature and humidity first from parts made for it, by tolerance, then from those
// that a neighbouring chip or their own current warms (pressure sensors, CO2 and particle sensors).
var parts = [...]string{
	// particles
	"SPS30", "PMS5003", "PMSA003I", "PMS3003", "HPMA", "SDS0X1", "VINDRIKTNING",
	// temperature and humidity
	"SHT4X", "SHT3X", "SHTC3", "ENS210", "HTU21", "SI7021", "SI7020", "SI7013", "HDC2010", "HDC1080", "SHT1X",
	"AHT1X", "AHT2X", "AM2301", "AM2320", "DS18B20", "DS18S20", "DS1822", "DHT11",
	// with pressure
	"BME280", "BME680", "BMP280", "BMP180", "SPL06", "QMP6988",
	// beside something warm
	"SEN5X", "SEN60", "SEN62", "SEN63C", "SEN65", "SEN66", "SEN68", "SEN69C", "SCD40", "SCD30",
}

// partRank returns the place in parts of an object's name. Tasmota adds an index or an address where
// there are two of a kind, after "-" or "_" as SetOption64 says: "DS18B20-1", "SHT3X_45".
func partRank(name []byte) (rank int, known bool) {
	if at := bytes.IndexAny(name, "-_"); at >= 0 {
		name = name[:at]
	}
	for i, p := range parts {
		if string(name) == p {
			return i, true
		}
	}
	return 0, false
}
