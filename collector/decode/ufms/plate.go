package ufms

import (
	"strings"
	"unicode"

	"nhip"
	"nhip/collector/decode"
)

// longestPlate is longer than any plate of Vietnam, with all that people write between its
// characters, in bytes.
const longestPlate = 32

// Plate returns the one form of a number plate: capitals and digits alone, as in 29B12345. Spaces,
// points, hyphens and underscores fall away; "29B-123.45", "29b 12345" and "29B12345" are one
// vehicle. The error is an *nhip.Error for the field "vehicle": Missing where nothing is left,
// Malformed where another character stands.
func Plate(text string) (string, error) {
	if len(text) > longestPlate {
		return "", nhip.Errorf(nhip.Malformed, "vehicle", "must be a number plate, got %q", decode.Clip(text))
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) || r == '.' || r == '-' || r == '_':
		case r >= '0' && r <= '9', unicode.IsLetter(r):
			b.WriteRune(unicode.ToUpper(r))
		default:
			return "", nhip.Errorf(nhip.Malformed, "vehicle", "must be a number plate, got %q", decode.Clip(text))
		}
	}
	if b.Len() == 0 {
		return "", nhip.Errorf(nhip.Missing, "vehicle", "is required")
	}
	return b.String(), nil
}
