package decode

import (
	"strings"
	"unicode/utf8"

	"nhip"
)

// dimension is the physical dimension of a unit, named by the unit to which values are converted.
type dimension string

const (
	concentration dimension = "µg/m³"
	mixingRatio   dimension = "ppb"
	temperature   dimension = "°C"
	share         dimension = "%"
	pressure      dimension = "Pa"
	speed         dimension = "m/s"
	direction     dimension = "°"
)

// unit converts a value v to the unit of its dimension: (v − zero) × factor.
type unit struct {
	dimension dimension
	factor    float64
	zero      float64
}

// units are the known units, as normalizeUnit spells them. "Nm³" is the normal cubic metre of Vietnam's ambient
// standard, at 25 °C and 760 mmHg (QCVN 05:2023/BTNMT), which equals our m³; a normal cubic metre at 0 °C would differ.
// Millimetres and inches of mercury are the conventional ones (NIST SP 811, appendix B).
var units = map[string]unit{
	"ug/m3":    {concentration, 1, 0},
	"ug/nm3":   {concentration, 1, 0},
	"mg/m3":    {concentration, 1000, 0},
	"mg/nm3":   {concentration, 1000, 0},
	"ppb":      {mixingRatio, 1, 0},
	"ppm":      {mixingRatio, 1000, 0},
	"oc":       {temperature, 1, 0},
	"c":        {temperature, 1, 0},
	"degc":     {temperature, 1, 0},
	"cel":      {temperature, 1, 0},
	"doc":      {temperature, 1, 0},
	"of":       {temperature, 5.0 / 9, 32},
	"f":        {temperature, 5.0 / 9, 32},
	"degf":     {temperature, 5.0 / 9, 32},
	"k":        {temperature, 1, 273.15},
	"%":        {share, 1, 0},
	"%rh":      {share, 1, 0},
	"1":        {share, 100, 0},
	"fraction": {share, 100, 0},
	"pa":       {pressure, 1, 0},
	"hpa":      {pressure, 100, 0},
	"mbar":     {pressure, 100, 0},
	"kpa":      {pressure, 1000, 0},
	"mmhg":     {pressure, 133.322387415, 0},
	"inhg":     {pressure, 3386.389, 0},
	"m/s":      {speed, 1, 0},
	"mps":      {speed, 1, 0},
	"km/h":     {speed, 1 / 3.6, 0},
	"kmh":      {speed, 1 / 3.6, 0},
	"kn":       {speed, 1852.0 / 3600, 0},
	"kt":       {speed, 1852.0 / 3600, 0},
	"knots":    {speed, 1852.0 / 3600, 0},
	"mph":      {speed, 0.44704, 0},
	"o":        {direction, 1, 0},
	"deg":      {direction, 1, 0},
	"degree":   {direction, 1, 0},
	"degrees":  {direction, 1, 0},
	"do":       {direction, 1, 0},
}

// Convert converts a value of q to the platform's unit (nhip.Quantity.Unit). It accepts these units, in upper or lower
// case and with or without spaces:
//
//	gases and particles  µg/m³ ug/m3 µg/Nm³ mg/m³ mg/Nm³
//	gases                ppb ppm, at 25 °C and 1 atm
//	temperature          °C oC C ℃ degC Cel độC, °F F degF, K
//	humidity             % %RH, and 1 or fraction for 0…1
//	pressure             Pa hPa mbar kPa mmHg inHg
//	wind speed           m/s mps, km/h kmh, kn kt knots, mph
//	wind direction       ° deg degree degrees độ
//
// and "" for the platform's unit of q. The error is an *nhip.Error for the field "unit": CodeUnknownField for an
// unknown quantity or unit, CodeMalformed for a unit that does not apply to q. A number that stands for "no value", as
// -999 does, is an error for the field "value": in another unit it might pass for a value.
func Convert(q nhip.Quantity, v float64, in string) (float64, error) {
	if !q.Known() {
		return 0, nhip.Errorf(nhip.CodeUnknownField, "unit", "%q is not a known quantity", string(q))
	}
	if nhip.IsNoValue(v) {
		return 0, nhip.Errorf(nhip.CodeOutOfRange, "value", "%v stands for no value", v)
	}
	if in == "" {
		return v, nil
	}
	var buf [maxUnitLength]byte
	u, ok := units[string(normalizeUnit(buf[:0], in))]
	if !ok {
		return 0, nhip.Errorf(nhip.CodeUnknownField, "unit", "%q is not a known unit", Clip(in))
	}
	v = (v - u.zero) * u.factor
	mass, isGas := q.MolarMass()
	switch {
	case string(u.dimension) == q.Unit():
		return v, nil
	case u.dimension == mixingRatio && isGas:
		return v * mass / nhip.MolarVolume, nil
	case u.dimension == mixingRatio && q.Unit() == string(concentration):
		return 0, nhip.Errorf(nhip.CodeMalformed, "unit",
			"%q does not apply to %s: particles have no molar mass", Clip(in), q)
	}
	return 0, nhip.Errorf(nhip.CodeMalformed, "unit", "%q is not a unit of %s, which is in %s", Clip(in), q, q.Unit())
}

// maxUnitLength is larger than the length of any known unit, in bytes after normalizeUnit.
const maxUnitLength = 12

// normalizeUnit appends the spelling of a unit in units: lower case, u for both micro signs, o for all degree signs,
// without spaces. No two of our units differ only in case.
func normalizeUnit(out []byte, in string) []byte {
	for _, r := range in {
		switch {
		case len(out) >= maxUnitLength-1:
			return out
		case r == ' ' || r == '\u00a0' || r == '^':
		case r == 'µ' || r == 'μ': // U+00B5 and U+03BC
			out = append(out, 'u')
		case r == '³':
			out = append(out, '3')
		case r == 'đ' || r == 'Đ': // độ, a degree
			out = append(out, 'd')
		case r == 'ộ' || r == 'Ộ':
			out = append(out, 'o')
		case r == '°' || r == 'º' || r == '˚':
			out = append(out, 'o')
		case r == '℃':
			out = append(out, "oc"...)
		case r == '℉':
			out = append(out, "of"...)
		case r >= 'A' && r <= 'Z':
			out = append(out, byte(r)+'a'-'A')
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		default:
			out = append(out, '?') // not in any known unit
		}
	}
	return out
}

// maxQuote is the length in bytes of received text that an error quotes.
const maxQuote = 32

// Clip returns a copy of received text that is short enough for an error.
func Clip(text string) string {
	if len(text) <= maxQuote {
		return strings.Clone(text)
	}
	return text[:maxQuote] + "…"
}
