package nhip

// MolarVolume is the volume of one mole of an ideal gas at 25 °C and 1 atm (101,325 Pa), in litres: R·T/p with
// R = 8.314462618 J/(mol·K), CODATA 2018.
const MolarVolume = 24.465

// molarMasses are in g/mol; NIST Chemistry WebBook, SRD 69.
var molarMasses = map[Quantity]float64{
	SO2: 64.064,
	NO:  30.0061,
	NO2: 46.0055,
	CO:  28.0101,
	O3:  47.9982,
}

// MolarMass returns the molar mass of q in g/mol, and false where q is not a gas.
func (q Quantity) MolarMass() (float64, bool) {
	m, ok := molarMasses[q]
	return m, ok
}
