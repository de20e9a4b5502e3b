// Package encode appends JSON values to a byte slice without reflection. The lists of a whole fleet are encoded for
// each request, where encoding/json would cost more than the search in the index.
package encode

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"nhip"
)

// Text appends a JSON string. Invalid UTF-8 becomes U+FFFD.
func Text(b []byte, s string) []byte {
	b = append(b, '"')
	if plainText(s) {
		b = append(b, s...)
		return append(b, '"')
	}
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20:
			b = append(b, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// plainText reports whether a text needs no escaping in JSON. Most texts need none.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' {
			return false
		}
	}
	return utf8.ValidString(s)
}

const hexDigits = "0123456789abcdef"

// Field appends a comma and a string member.
func Field(b []byte, name, value string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return Text(b, value)
}

// OptionalField appends a comma and a string member, or nothing if value is empty.
func OptionalField(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return Field(b, name, value)
}

// TimeField appends a comma and the member "time".
func TimeField(b []byte, t time.Time) []byte {
	b = append(b, `,"time":"`...)
	b = t.AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

// FloatField appends a comma and a number member, or nothing if v is unknown.
func FloatField(b []byte, name string, v nhip.Opt[float64]) []byte {
	f, ok := v.Get()
	if !ok {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return Float(b, f)
}

// NullableField appends a comma and a number member, which is null if v is unknown.
func NullableField(b []byte, name string, v nhip.Opt[float64]) []byte {
	if v.Known() {
		return FloatField(b, name, v)
	}
	return append(append(append(b, ',', '"'), name...), `":null`...)
}

// Float appends the shortest decimal form of f without an exponent.
func Float(b []byte, f float64) []byte { return strconv.AppendFloat(b, f, 'f', -1, 64) }

// Rounded appends f rounded to steps of 1/unit; unit is a power of ten. Integer arithmetic makes it three times as
// fast as formatting a float.
func Rounded(b []byte, f, unit float64) []byte {
	scaled := math.Round(f * unit)
	if !(math.Abs(scaled) < 1<<53) {
		return Float(b, scaled/unit)
	}
	n, u := int64(scaled), int64(unit)
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendInt(b, n/u, 10)
	rest := n % u
	if rest == 0 {
		return b
	}
	b = append(b, '.')
	for rest > 0 {
		u /= 10
		b = append(b, byte('0'+rest/u))
		rest %= u
	}
	return b
}

// Round rounds f to steps of 1/unit.
func Round(f, unit float64) float64 { return math.Round(f*unit) / unit }

// DegreeSteps is the precision of coordinates, in steps per degree: about a centimetre.
const DegreeSteps = 1e7
