package stationfile

import (
	"strconv"
	"unsafe"

	"nhip"
	"nhip/collector/decode"
)

// longestNumber is longer than any number an instrument writes, in bytes.
const longestNumber = 32

// number reads a decimal number with a point or a comma, a sign and an exponent. What strconv takes
// beside those (hexadecimal, "NaN", "Inf", underscores) is refused.
func number(text []byte) (float64, error) {
	if len(text) > longestNumber || !decimal(text) {
		return 0, nhip.Errorf(nhip.Malformed, "value", "must be a decimal number, got %q", decode.Clip(string(text)))
	}
	var pointed [longestNumber]byte
	for i, c := range text {
		if c == ',' {
			c = '.'
		}
		pointed[i] = c
	}
	v, err := strconv.ParseFloat(unsafe.String(&pointed[0], len(text)), 64) // nothing keeps it
	if err != nil {
		return 0, nhip.Errorf(nhip.OutOfRange, "value", "is no number that a computer can hold: %q", decode.Clip(string(text)))
	}
	return v, nil
}

// decimal reports whether text is [+-]digits[.digits][e[+-]digits], with a comma for the point or
// not.
func decimal(text []byte) bool {
	rest, ok := digits(sign(text))
	if ok && len(rest) > 0 && (rest[0] == '.' || rest[0] == ',') {
		rest, ok = digits(rest[1:])
	}
	if ok && len(rest) > 0 && (rest[0] == 'e' || rest[0] == 'E') {
		rest, ok = digits(sign(rest[1:]))
	}
	return ok && len(rest) == 0
}

func sign(text []byte) []byte {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		return text[1:]
	}
	return text
}

// digits cuts the digits off the front of text and reports whether there were any.
func digits(text []byte) (rest []byte, ok bool) {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return text[n:], n > 0
}
