package ufms

import (
	"strings"
	"unicode"

	"nhip"
	"nhip/collector/decode"
)

// maxPlate is the largest length of a number plate in bytes, including separators. Vietnam's plates are shorter.
const maxPlate = 32

// Plate returns the canonical form of a number plate: capital letters and digits only, as in 29B12345. It removes
// spaces, dots, hyphens and underscores, so that "29B-123.45", "29b 12345" and "29B12345" are one vehicle. The error
// is an *nhip.Error for the field "vehicle": CodeMissing if nothing is left, CodeMalformed for other characters.
func Plate(text string) (string, error) {
	if len(text) > maxPlate {
		return "", nhip.Errorf(nhip.CodeMalformed, "vehicle", "must be a number plate, got %q", decode.Clip(text))
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) || r == '.' || r == '-' || r == '_':
		case r >= '0' && r <= '9', unicode.IsLetter(r):
			b.WriteRune(unicode.ToUpper(r))
		default:
			return "", nhip.Errorf(nhip.CodeMalformed, "vehicle", "must be a number plate, got %q", decode.Clip(text))
		}
	}
	if b.Len() == 0 {
		return "", nhip.Errorf(nhip.CodeMissing, "vehicle", "is required")
	}
	return b.String(), nil
}
