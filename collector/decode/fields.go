package decode

import (
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode/jsonscan"
	"nhip/internal/mqtt"
)

// Device returns the device that a topic names in its last level, in memory of its own: a broker's
// topic may be a piece of the packet that also holds the payload.
func Device(topic string) string {
	level := topic[strings.LastIndexByte(topic, '/')+1:]
	if device := mqtt.Unescape(level); device != level {
		return device
	}
	return strings.Clone(level)
}

// Time reads an RFC 3339 time as UTC, cut to the millisecond that is the platform's grain.
func Time(s *jsonscan.Scanner) (time.Time, error) {
	text, err := s.Text()
	if err != nil {
		return time.Time{}, err
	}
	t, ok := parseTime(text)
	if !ok {
		return time.Time{}, nhip.Errorf(nhip.Malformed, "", `must be RFC 3339 with its offset, as in "2026-02-16T15:58:02Z", got %q`, text)
	}
	return t, nil
}

// Float reads a number that may be left out.
func Float(s *jsonscan.Scanner) (nhip.Opt[float64], error) {
	f, err := s.Float()
	return nhip.Some(f), err
}

// Bool reads true or false where it may be left out.
func Bool(s *jsonscan.Scanner) (nhip.Opt[bool], error) {
	b, err := s.Bool()
	return nhip.Some(b), err
}

// Int reads a whole number that may be left out.
func Int(s *jsonscan.Scanner) (nhip.Opt[int], error) {
	n, err := s.Int()
	return nhip.Some(n), err
}

// Bearing reads degrees clockwise from north; 360, which many receivers say for north, becomes 0.
func Bearing(s *jsonscan.Scanner) (nhip.Opt[float64], error) {
	f, err := s.Float()
	if f == 360 {
		f = 0
	}
	return nhip.Some(f), err
}

// Origin reads the mark of a simulated fact, the only origin a payload can claim.
func Origin(s *jsonscan.Scanner) (nhip.Origin, error) {
	text, err := s.Text()
	if err == nil && string(text) != string(nhip.Simulated) {
		err = nhip.Errorf(nhip.OutOfRange, "", `can only be %q, got %q`, nhip.Simulated, text)
	}
	return nhip.Simulated, err
}
