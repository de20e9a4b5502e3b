package stationfile

import (
	"strconv"
	"unsafe"

	"nhip"
	"nhip/collector/decode"
)

// maxNumber is the largest length of a number in bytes. Instruments write shorter ones.
const maxNumber = 32

// number parses a decimal number with a point or a comma, a sign and an exponent. Other numbers that strconv accepts
// (hexadecimal, "NaN", "Inf", underscores) are an error.
func number(text []byte) (float64, error) {
	if len(text) > maxNumber || !decimal(text) {
		return 0, nhip.Errorf(nhip.CodeMalformed, "value", "must be a decimal number, got %q", decode.Clip(string(text)))
	}
	var pointed [maxNumber]byte
	for i, c := range text {
		if c == ',' {
			c = '.'
		}
		pointed[i] = c
	}
	v, err := strconv.ParseFloat(unsafe.String(&pointed[0], len(text)), 64) // does not keep the string
	if err != nil {
		return 0, nhip.Errorf(nhip.CodeOutOfRange, "value",
			"exceeds the range of a 64-bit float: %q", decode.Clip(string(text)))
	}
	return v, nil
}

// decimal reports whether text is [+-]digits[.digits][e[+-]digits], with a point or a comma.
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

// digits returns the text after its leading digits, and reports whether there were any.
func digits(text []byte) (rest []byte, ok bool) {
	n := 0
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	return text[n:], n > 0
}
