package decode

import (
	"strings"
	"unicode/utf8"

	"nhip"
)

// dimension is what kind of thing a unit measures.
type dimension string

const (
	concentration dimension = "µg/m³" // the factor leads to µg/m³
	mixingRatio   dimension = "ppb"   // the factor leads to ppb
	temperature   dimension = "°C"
	share         dimension = "%"
	pressure      dimension = "Pa"
)

// unit turns v into its dimension's own unit by (v − zero) × factor.
type unit struct {
	dimension dimension
	factor    float64
	zero      float64
}

// units are the known ones, spelt as spell writes them. "Nm³" is the normal cubic metre of Vietnam's
// ambient standard, which is at 25 °C and 760 mmHg (QCVN 05:2023/BTNMT) and thus our m³; a normal
// cubic metre at 0 °C would be another. Millimetres and inches of mercury are the conventional ones
// (NIST SP 811, appendix B).
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
}

// Convert turns a value of q into q's unit inside the platform (nhip.Quantity.Unit). It knows, in
// any case and with or without spaces,
//
//	gases and particles  µg/m³ ug/m3 µg/Nm³ mg/m³ mg/Nm³
//	gases                ppb ppm, at 25 °C and 1 atm
//	temperature          °C oC C ℃ degC Cel, °F F degF, K
//	humidity             % %RH, and 1 or fraction for 0…1
//	pressure             Pa hPa mbar kPa mmHg inHg
//
// and "" for q's own unit. The error is an *nhip.Error for the field "unit": UnknownField for a
// quantity or unit that is not known, Malformed for a unit that q is not measured in.
func Convert(q nhip.Quantity, v float64, in string) (float64, error) {
	if !q.Known() {
		return 0, nhip.Errorf(nhip.UnknownField, "unit", "%q is not a known quantity", string(q))
	}
	if in == "" {
		return v, nil
	}
	var buf [longestUnit]byte
	u, ok := units[string(spell(buf[:0], in))]
	if !ok {
		return 0, nhip.Errorf(nhip.UnknownField, "unit", "%q is not a known unit", Clip(in))
	}
	v = (v - u.zero) * u.factor
	mass, isGas := q.MolarMass()
	switch {
	case string(u.dimension) == q.Unit():
		return v, nil
	case u.dimension == mixingRatio && isGas:
		return v * mass / nhip.MolarVolume, nil
	case u.dimension == mixingRatio && q.Unit() == string(concentration):
		return 0, nhip.Errorf(nhip.Malformed, "unit", "%q can't be said of %s: particles have no molar mass", Clip(in), q)
	}
	return 0, nhip.Errorf(nhip.Malformed, "unit", "%q is no unit of %s, which is in %s", Clip(in), q, q.Unit())
}

// longestUnit is longer than any unit we know, in bytes of spell; what is longer is not one of them.
const longestUnit = 12

// spell appends the one spelling that units has of what people write: lower case, u for both micro
// signs, o for the signs that stand for degrees, no spaces. Case tells none of our units apart.
func spell(out []byte, in string) []byte {
	for _, r := range in {
		switch {
		case len(out) >= longestUnit-1:
			return out
		case r == ' ' || r == '\u00a0' || r == '^':
		case r == 'µ' || r == 'μ': // U+00B5 and U+03BC
			out = append(out, 'u')
		case r == '³':
			out = append(out, '3')
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
			out = append(out, '?') // no unit of ours holds it
		}
	}
	return out
}

// longestQuote is how much of a sender's text an error repeats, in bytes.
const longestQuote = 32

// Clip returns a copy of a sender's text that is short enough for an error.
func Clip(text string) string {
	if len(text) <= longestQuote {
		return strings.Clone(text)
	}
	return text[:longestQuote] + "…"
}
