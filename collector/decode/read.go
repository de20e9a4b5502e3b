package decode

import (
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode/jsonscan"
	"nhip/internal/topics"
)

// Device returns the device in the last level of a topic. The result does not share the topic's memory, because some
// brokers keep topic and payload in one buffer.
func Device(topic string) string {
	level := topic[strings.LastIndexByte(topic, '/')+1:]
	if device := topics.Unescape(level); device != level {
		return device
	}
	return strings.Clone(level)
}

// IsDirect reports whether a message arrived under nhip/in/, where the last level of the topic is the sender.
func (in *Input) IsDirect() bool { return strings.HasPrefix(in.Topic, topics.In) }

// Time reads an RFC 3339 time as UTC, truncated to milliseconds, which is the platform's resolution.
func Time(s *jsonscan.Scanner) (time.Time, error) {
	text, err := s.Text()
	if err != nil {
		return time.Time{}, err
	}
	t, ok := parseTime(text)
	if !ok {
		return time.Time{}, nhip.Errorf(nhip.CodeMalformed, "",
			`must be RFC 3339 with its offset, as in "2026-02-16T15:58:02Z", got %q`, text)
	}
	return t, nil
}

// Float reads a number as an optional value.
func Float(s *jsonscan.Scanner) (nhip.Opt[float64], error) {
	f, err := s.Float()
	return nhip.Some(f), err
}

// Bool reads true or false as an optional value.
func Bool(s *jsonscan.Scanner) (nhip.Opt[bool], error) {
	b, err := s.Bool()
	return nhip.Some(b), err
}

// Int reads a whole number as an optional value.
func Int(s *jsonscan.Scanner) (nhip.Opt[int], error) {
	n, err := s.Int()
	return nhip.Some(n), err
}

// Bearing reads degrees clockwise from north. 360, which many receivers send for north, becomes 0.
func Bearing(s *jsonscan.Scanner) (nhip.Opt[float64], error) {
	f, err := s.Float()
	if f == 360 {
		f = 0
	}
	return nhip.Some(f), err
}

// Origin reads the origin of a fact. The only valid one in a payload is nhip.OriginSimulated.
func Origin(s *jsonscan.Scanner) (nhip.Origin, error) {
	text, err := s.Text()
	if err == nil && string(text) != string(nhip.OriginSimulated) {
		err = nhip.Errorf(nhip.CodeOutOfRange, "", `must be %q, got %q`, nhip.OriginSimulated, text)
	}
	return nhip.OriginSimulated, err
}
