package stationfile

import "nhip"

// parameter is what a name in a file stands for.
type parameter struct {
	of       kind
	quantity nhip.Quantity // of a measured one
}

type kind int

const (
	unknown    kind = iota
	measured        // a quantity of ours
	passedOver      // of the air, or of anything, and none of ours
	elsewhere       // of wastewater or of a chimney, never of the air
)

// parameters are the symbols of the Circular (annex 15, table 34) and what stations write for them,
// spelt as lookUp does. PM1.0 is PM1 and PM10 is not.
var parameters = map[string]parameter{
	"PM1": {measured, nhip.PM1}, "PM01": {measured, nhip.PM1}, "PM1.0": {measured, nhip.PM1}, "PM.1": {measured, nhip.PM1}, "PM.1.0": {measured, nhip.PM1},
	"PM2.5": {measured, nhip.PM25}, "PM25": {measured, nhip.PM25}, "PM.2.5": {measured, nhip.PM25}, "PM.25": {measured, nhip.PM25},
	"PM10": {measured, nhip.PM10}, "PM.10": {measured, nhip.PM10},
	"TSP": {measured, nhip.TSP}, "SO2": {measured, nhip.SO2}, "NO": {measured, nhip.NO}, "NO2": {measured, nhip.NO2},
	"CO": {measured, nhip.CO}, "O3": {measured, nhip.O3},
	"TEMP": {measured, nhip.Temperature}, "TEMPERATURE": {measured, nhip.Temperature},
	"RH": {measured, nhip.Humidity}, "HUM": {measured, nhip.Humidity}, "HUMIDITY": {measured, nhip.Humidity},
	"P": {measured, nhip.Pressure}, "PRESS": {measured, nhip.Pressure}, "PRESSURE": {measured, nhip.Pressure}, "BARO": {measured, nhip.Pressure},

	"NOX": {of: passedOver}, "CO2": {of: passedOver}, "H2S": {of: passedOver}, "NH3": {of: passedOver}, "CH4": {of: passedOver},
	"THC": {of: passedOver}, "NMHC": {of: passedOver}, "VOC": {of: passedOver}, "TVOC": {of: passedOver}, "VHG": {of: passedOver}, "HG": {of: passedOver}, "PB": {of: passedOver},
	"BENZENE": {of: passedOver}, "BENZEN": {of: passedOver}, "TOLUENE": {of: passedOver}, "TOLUEN": {of: passedOver},
	"ETHYLBENZENE": {of: passedOver}, "XYLENE": {of: passedOver}, "XYLEN": {of: passedOver},
	"WIND": {of: passedOver}, "WINDSPD": {of: passedOver}, "WINDSPEED": {of: passedOver}, "WIND.SPEED": {of: passedOver}, "WS": {of: passedOver},
	"WINDDIR": {of: passedOver}, "WINDDIRECTION": {of: passedOver}, "WIND.DIR": {of: passedOver}, "WD": {of: passedOver},
	"RAIN": {of: passedOver}, "RADIATION": {of: passedOver}, "SOLAR": {of: passedOver}, "UV": {of: passedOver}, "NOISE": {of: passedOver},
	"FLOW": {of: passedOver}, "BATTERY": {of: passedOver}, // a dust monitor has a flow of its own

	// Only what can't be of the air. The Circular's other symbols (Cl, PM, HCl …) need no entry here:
	// a file of wastewater or of a chimney has one of these beside them.
	"PH": {of: elsewhere}, "TSS": {of: elsewhere}, "COD": {of: elsewhere}, "BOD": {of: elsewhere}, "BOD5": {of: elsewhere},
	"NH4": {of: elsewhere}, "TP": {of: elsewhere}, "TN": {of: elsewhere}, "TOC": {of: elsewhere},
	"COLOR": {of: elsewhere}, "COLOUR": {of: elsewhere}, "O2": {of: elsewhere},
}

// longestName is longer than any name we know, in bytes.
const longestName = 16

// lookUp finds what a name stands for: in any case, and with comma, hyphen or underscore for the
// point.
func lookUp(name []byte) parameter {
	if len(name) > longestName {
		return parameter{}
	}
	var spelt [longestName]byte
	for i, c := range name {
		switch {
		case c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		case c == ',' || c == '-' || c == '_':
			c = '.'
		}
		spelt[i] = c
	}
	return parameters[string(spelt[:len(name)])]
}
