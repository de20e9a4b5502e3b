package decode

import (
	"bytes"
	"strings"

	"nhip"
	"nhip/collector/decode/jsonscan"
)

// Measured reads a number as low-cost instruments send it: as a number or as text, and with words for "none"; see
// ParseMeasured. Numbers that stand for "no value", as -999 does, are none, too.
func Measured(s *jsonscan.Scanner) (nhip.Opt[float64], error) {
	v, err := measured(s)
	if x, ok := v.Get(); ok && nhip.IsNoValue(x) {
		return nhip.Opt[float64]{}, err
	}
	return v, err
}

func measured(s *jsonscan.Scanner) (nhip.Opt[float64], error) {
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

// ParseMeasured parses a number as text. Blank text, "nan", "unavailable" and "unknown" mean that there is no value,
// which is never 0. Anything else that is not a decimal number (hexadecimal, "inf", a decimal comma) is an error.
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
	if nhip.ErrorCode(err) == nhip.CodeOutOfRange {
		return nhip.Opt[float64]{}, err
	}
	return nhip.Opt[float64]{}, nhip.Errorf(nhip.CodeMalformed, "", "must be a number, got %q", text)
}
