package topics

import (
	"slices"
	"strings"
	"unicode/utf8"

	"nhip"
)

// Match reports whether a topic matches a filter (MQTT 3.1.1 §4.7): "+" matches one level; "#" at the end matches the
// parent and all levels below it; a wildcard in the first level does not match topics that begin with "$".
func Match(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") && !strings.HasPrefix(filter, "$") {
		return false
	}
	for {
		if filter == "#" {
			return true
		}
		f, restF, moreF := strings.Cut(filter, "/")
		t, restT, moreT := strings.Cut(topic, "/")
		if f != "+" && f != t {
			return false
		}
		if !moreT {
			return !moreF || restF == "#"
		}
		if !moreF {
			return false
		}
		filter, topic = restF, restT
	}
}

// Covers reports whether every topic that matches filter b also matches filter a.
func Covers(a, b string) bool {
	if strings.HasPrefix(b, "$") && !strings.HasPrefix(a, "$") {
		return false
	}
	if b == "#" { // it has no parent, unlike "x/#", which matches "x"
		return a == "#" || a == "+/#"
	}
	// its parent would be the empty topic, which is invalid
	if level, rest, more := strings.Cut(a, "/"); b == "/#" && more {
		return (level == "" || level == "+") && Covers(rest, "#")
	}
	for a != "#" {
		levelA, restA, moreA := strings.Cut(a, "/")
		levelB, restB, moreB := strings.Cut(b, "/")
		if levelB == "#" || levelA != "+" && levelA != levelB {
			return false
		}
		if !moreB {
			return !moreA || restA == "#"
		}
		if !moreA {
			return false
		}
		a, b = restA, restB
	}
	return true
}

// WithoutCovered returns the filters without those that others cover. A broker may deliver a message once for each
// matching filter of a client, so overlapping filters cause duplicates.
func WithoutCovered(filters []string) []string {
	var kept []string
	for i, f := range filters {
		covered := slices.ContainsFunc(filters[:i], func(other string) bool { return Covers(other, f) }) ||
			slices.ContainsFunc(filters[i+1:], func(other string) bool { return Covers(other, f) && !Covers(f, other) })
		if !covered {
			kept = append(kept, f)
		}
	}
	return kept
}

// CheckFilter returns an error if filter is not a valid topic filter. The error has the field "topic".
func CheckFilter(filter string) error {
	if err := checkName(filter); err != nil {
		return err
	}
	levels := strings.Split(filter, "/")
	for i, level := range levels {
		if level == "#" && i != len(levels)-1 {
			return nhip.Errorf(nhip.CodeInvalid, "topic", "# must be the last level of %q", filter)
		}
		if len(level) > 1 && strings.ContainsAny(level, "+#") {
			return nhip.Errorf(nhip.CodeInvalid, "topic", "a wildcard must be the only character in its level of %q", filter)
		}
	}
	return nil
}

// CheckTopic returns an error if no message can be published on topic. The error has the field "topic".
func CheckTopic(topic string) error {
	if err := checkName(topic); err != nil {
		return err
	}
	if strings.ContainsAny(topic, "+#") {
		return nhip.Errorf(nhip.CodeInvalid, "topic", "must not contain a wildcard: %q", topic)
	}
	return nil
}

func checkName(s string) error {
	switch {
	case s == "":
		return nhip.Errorf(nhip.CodeInvalid, "topic", "must not be empty")
	case len(s) > MaxTopic:
		return nhip.Errorf(nhip.CodeInvalid, "topic", "must be at most %d bytes, got %d", MaxTopic, len(s))
	case strings.Count(s, "/") >= MaxLevels:
		return nhip.Errorf(nhip.CodeInvalid, "topic", "must have at most %d levels", MaxLevels)
	}
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) || forbidden(r) {
			return nhip.Errorf(nhip.CodeInvalid, "topic", "must be UTF-8 without control characters, got %q", s)
		}
	}
	return nil
}

// MaxPayload returns the length of the longest payload on a topic, in bytes.
func MaxPayload(topic string) int { return MaxPacket - packetOverhead - len(topic) }

// CheckMessage returns an error if a broker of ours would not accept the message.
func CheckMessage(topic string, payload []byte) error {
	if err := CheckTopic(topic); err != nil {
		return err
	}
	if size := packetOverhead + len(topic) + len(payload); size > MaxPacket {
		return nhip.Errorf(nhip.CodeTooLarge, "", "a message on %s has %d bytes, the limit is %d", topic, size, MaxPacket)
	}
	return nil
}
