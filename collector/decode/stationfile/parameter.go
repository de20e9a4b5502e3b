package stationfile

import "nhip"

// parameter is the meaning of a name in a file.
type parameter struct {
	use      use
	quantity nhip.Quantity // if measured
}

// use is how the decoder treats a parameter.
type use int

const (
	unknown  use = iota
	measured     // a quantity of the platform
	ignored      // another parameter of air, or one that is not specific
	notAir       // a parameter of wastewater or flue gas, never of air
)

// parameters are the symbols of the Circular (annex 15, table 34) and their variants in files, spelt as in lookUp.
// PM1.0 is PM1; PM10 is not.
var parameters = map[string]parameter{
	"PM1": {measured, nhip.PM1}, "PM01": {measured, nhip.PM1}, "PM1.0": {measured, nhip.PM1}, "PM.1": {measured, nhip.PM1},
	"PM.1.0": {measured, nhip.PM1},
	"PM2.5":  {measured, nhip.PM25}, "PM25": {measured, nhip.PM25}, "PM.2.5": {measured, nhip.PM25}, "PM.25": {
		measured, nhip.PM25,
	},
	"PM10": {measured, nhip.PM10}, "PM.10": {measured, nhip.PM10},
	"TSP": {measured, nhip.TSP}, "SO2": {measured, nhip.SO2}, "NO": {measured, nhip.NO}, "NO2": {measured, nhip.NO2},
	"CO": {measured, nhip.CO}, "O3": {measured, nhip.O3},
	"TEMP": {measured, nhip.Temperature}, "TEMPERATURE": {measured, nhip.Temperature},
	"RH": {measured, nhip.Humidity}, "HUM": {measured, nhip.Humidity}, "HUMIDITY": {measured, nhip.Humidity},
	"P": {measured, nhip.Pressure}, "PRESS": {measured, nhip.Pressure}, "PRESSURE": {measured, nhip.Pressure},
	"BARO": {measured, nhip.Pressure},

	"NOX": {use: ignored}, "CO2": {use: ignored}, "H2S": {use: ignored}, "NH3": {use: ignored}, "CH4": {use: ignored},
	"THC": {use: ignored}, "NMHC": {use: ignored}, "VOC": {use: ignored}, "TVOC": {use: ignored}, "VHG": {use: ignored},
	"HG": {use: ignored}, "PB": {use: ignored},
	"BENZENE": {use: ignored}, "BENZEN": {use: ignored}, "TOLUENE": {use: ignored}, "TOLUEN": {use: ignored},
	"ETHYLBENZENE": {use: ignored}, "XYLENE": {use: ignored}, "XYLEN": {use: ignored},
	"WIND":    {use: ignored}, // speed or direction
	"WINDSPD": {measured, nhip.WindSpeed}, "WINDSPEED": {measured, nhip.WindSpeed},
	"WIND.SPEED": {measured, nhip.WindSpeed}, "WS": {measured, nhip.WindSpeed},
	"WINDDIR": {measured, nhip.WindDirection}, "WINDDIRECTION": {measured, nhip.WindDirection},
	"WIND.DIR": {measured, nhip.WindDirection}, "WD": {measured, nhip.WindDirection},
	"RAIN": {use: ignored}, "RADIATION": {use: ignored}, "SOLAR": {use: ignored}, "UV": {use: ignored}, "NOISE": {
		use: ignored,
	},
	"FLOW": {use: ignored}, "BATTERY": {use: ignored}, // a dust monitor has a flow of its own

	// Only parameters that can't be of air. The other symbols of the Circular (Cl, PM, HCl …) need no entry, because a
	// file about wastewater or flue gas contains at least one of these.
	"PH": {use: notAir}, "TSS": {use: notAir}, "COD": {use: notAir}, "BOD": {use: notAir}, "BOD5": {use: notAir},
	"NH4": {use: notAir}, "TP": {use: notAir}, "TN": {use: notAir}, "TOC": {use: notAir},
	"COLOR": {use: notAir}, "COLOUR": {use: notAir}, "O2": {use: notAir},
}

// maxName is the largest length of a name in bytes. All known names are shorter.
const maxName = 16

// lookUp returns the parameter with a name, in upper or lower case, and with a comma, hyphen or underscore instead of a
// point.
func lookUp(name []byte) parameter {
	if len(name) > maxName {
		return parameter{}
	}
	var normalized [maxName]byte
	for i, c := range name {
		switch {
		case c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		case c == ',' || c == '-' || c == '_':
			c = '.'
		}
		normalized[i] = c
	}
	return parameters[string(normalized[:len(name)])]
}
