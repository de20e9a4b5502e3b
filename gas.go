package nhip

// MolarVolume is what a mole of an ideal gas takes at 25 °C and 1 atm (101,325 Pa), in litres:
// R·T/p with R = 8.314462618 J/(mol·K), CODATA 2018.
const MolarVolume = 24.465

// molarMasses are in g/mol; NIST Chemistry WebBook, SRD 69.
var molarMasses = map[Quantity]float64{
	SO2: 64.064,
	NO:  30.0061,
	NO2: 46.0055,
	CO:  28.0101,
	O3:  47.9982,
}

// MolarMass returns q's in g/mol, and false for what is no gas: a count of particles says nothing of
// their mass.
func (q Quantity) MolarMass() (float64, bool) {
	m, ok := molarMasses[q]
	return m, ok
}
