package purpleair

import "bytes"

// field is a field of the API that the decoder uses.
type field uint8

const (
	other field = iota
	otherPM25
	sensorIndex
	lastSeen
	latitude
	longitude
	humidity
	temperature
	pressure
	pm1CF1
	pm1
	pm25CF1
	pm25CF1A
	pm25CF1B
	pm10CF1
	pm10
	fields // number of fields
)

// fieldOf returns the field with a name.
func fieldOf(name []byte) field {
	switch string(name) {
	case "sensor_index":
		return sensorIndex
	case "last_seen":
		return lastSeen
	case "latitude":
		return latitude
	case "longitude":
		return longitude
	case "humidity":
		return humidity
	case "temperature":
		return temperature
	case "pressure":
		return pressure
	case "pm1.0_cf_1":
		return pm1CF1
	case "pm1.0":
		return pm1
	case "pm2.5_cf_1":
		return pm25CF1
	case "pm2.5_cf_1_a":
		return pm25CF1A
	case "pm2.5_cf_1_b":
		return pm25CF1B
	case "pm10.0_cf_1":
		return pm10CF1
	case "pm10.0":
		return pm10
	}
	if bytes.HasPrefix(name, []byte("pm2.5")) {
		return otherPM25
	}
	return other
}

// String returns the API's name of a field, or "" if it is ambiguous.
func (f field) String() string {
	return [fields]string{
		"", "", "sensor_index", "last_seen", "latitude", "longitude", "humidity", "temperature", "pressure",
		"pm1.0_cf_1", "pm1.0", "pm2.5_cf_1", "pm2.5_cf_1_a", "pm2.5_cf_1_b", "pm10.0_cf_1", "pm10.0",
	}[f]
}

// ambiguous reports whether the field stands for several names.
func (f field) ambiguous() bool { return f == other || f == otherPM25 }

// fieldSet is the set of fields in a response.
type fieldSet uint32

func (s *fieldSet) add(f field)     { *s |= 1 << f }
func (s fieldSet) has(f field) bool { return s&(1<<f) != 0 }

// missing returns the name of a required field that is not in the set, or "".
func (s fieldSet) missing() string {
	switch {
	case !s.has(sensorIndex):
		return sensorIndex.String()
	case !s.has(lastSeen):
		return lastSeen.String()
	case s.has(pm25CF1) || s.has(pm25CF1A) || s.has(pm25CF1B):
		return ""
	case s.has(otherPM25) || s>>humidity == 0: // the measured fields begin with humidity
		return pm25CF1.String()
	}
	return ""
}
