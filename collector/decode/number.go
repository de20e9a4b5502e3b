package decode

import (
	"bytes"
	"strings"

	"nhip"
	"nhip/collector/decode/jsonscan"
)

// Measured reads a number that cheap instruments write as a number or as text, and their words for
// "none": see ParseMeasured.
func Measured(s *jsonscan.Scanner) (nhip.Opt[float64], error) {
	switch s.Next() {
	case 'n':
		if s.Null() {
			return nhip.Opt[float64]{}, nil
		}
	case '"':
		text, err := s.Text()
		if err != nil {
			return nhip.Opt[float64]{}, err
		}
		return ParseMeasured(text)
	}
	return Float(s)
}

// ParseMeasured reads a number written as text. Blank, "nan", "unavailable" and "unknown" say that
// there is none, which is never 0. Anything else that is no decimal number (hexadecimal, "inf", a
// comma for the point) is an error.
func ParseMeasured(text []byte) (nhip.Opt[float64], error) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return nhip.Opt[float64]{}, nil
	}
	s := jsonscan.New(text)
	v, err := s.Float()
	if err == nil {
		err = s.End()
	}
	if err == nil {
		return nhip.Some(v), nil
	}
	for _, none := range [...]string{"nan", "unavailable", "unknown"} {
		if strings.EqualFold(string(text), none) {
			return nhip.Opt[float64]{}, nil
		}
	}
	if nhip.ErrorCode(err) == nhip.OutOfRange {
		return nhip.Opt[float64]{}, err
	}
	return nhip.Opt[float64]{}, nhip.Errorf(nhip.Malformed, "", "must be a number, got %q", text)
}
