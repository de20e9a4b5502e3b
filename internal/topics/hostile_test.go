package topics

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"nhip"

	"pgregory.net/rapid"
)

// hostile draws texts that break topics: with what has a meaning in them, control characters, non-characters, bytes
// that are not UTF-8, half a character, and of any length.
func hostile() *rapid.Generator[string] {
	part := rapid.OneOf(
		rapid.String(),
		rapid.StringN(0, -1, 300),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{
			"", "/", "+", "#", "$", "%", "%2F", "$SYS", "$share/a/b", "..", "\x00", "\n", "\x7f", "\u0085", "\ufffe", "\ufdd0",
			"\U0001ffff", "\ufffd", "\ufeff", "\xff", "\xed\xa0\x80", "中"[:1], "12:中", strings.Repeat("/", 250),
			strings.Repeat("中", 100), strings.Repeat("x", 70_000),
		}),
	)
	return rapid.Map(rapid.SliceOfN(part, 1, 3), func(parts []string) string { return strings.Join(parts, "") })
}

// TestHostileTextBecomesValidTopic makes every topic of ours from hostile texts. Each is one that any broker takes,
// unless it is too long, which CheckTopic reports.
func TestHostileTextBecomesValidTopic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := hostile().Draw(t, "a"), hostile().Draw(t, "b"), hostile().Draw(t, "c")
		for name, topic := range map[string]string{
			"fleet station": FleetStationTopic(a), "fleet vehicle": FleetVehicleTopic(a), "live bus": LiveBusTopic(a, b),
			"live air": LiveAirTopic(a), "census": CensusTopic(a), "arrival": ArrivalTopic(a, b), "event": EventTopic(a, b),
			"user action": UserActionTopic(a, b), "dead": DeadTopic(a, nhip.Code(b)), "request": RequestTopic(a, "dead/list"),
			"response": ResponseTopic(a), "probe": ProbeTopic(a), "hfp": HFPTopic(a, b, c), "device": DeviceTopic(a, b),
			"import": ImportTopic(a, b), "document": DocumentTopic(a, b), "key": DocumentTopic("key", a),
			"command": strings.TrimSuffix(CommandFilter(a), "#") + "x",
		} {
			levels := map[string]int{
				"live bus": 5, "arrival": 5, "hfp": 11, "command": 4, "device": 4, "import": 5, "event": 4,
				"user action": 4, "dead": 4, "request": 5, "fleet station": 4, "fleet vehicle": 4, "live air": 4, "census": 4,
				"response": 3, "probe": 3, "document": 5, "key": 4,
			}[name]
			if n := strings.Count(topic, "/") + 1; n != levels {
				t.Fatalf("%s: %q has %d levels, want %d", name, topic, n, levels)
			}
			if why := mosquittoRefuses(topic); why != "" {
				t.Fatalf("%s: %q %s", name, topic, why)
			}
			if err := CheckTopic(topic); (err == nil) != (len(topic) <= MaxTopic) {
				t.Fatalf("%s: a topic of %d bytes: %v", name, len(topic), err)
			}
		}
		checkRoundTrips(t, a, b)
	})
}

// mosquittoRefuses returns why Mosquitto 2 would end the connection of a client that publishes on a topic, apart from
// its length; "" if it would not. See its mosquitto_validate_utf8 and mosquitto_pub_topic_check2.
func mosquittoRefuses(topic string) string {
	if !utf8.ValidString(topic) {
		return "is not UTF-8"
	}
	for _, r := range topic {
		switch {
		case r <= 0x1f || r >= 0x7f && r <= 0x9f:
			return "has a control character"
		case r >= 0xfdd0 && r <= 0xfdef || r&0xffff == 0xfffe || r&0xffff == 0xffff:
			return "has a non-character"
		case r == '+' || r == '#':
			return "has a wildcard"
		}
	}
	return ""
}

// checkRoundTrips checks that the texts can be read from the topics again.
func checkRoundTrips(t *rapid.T, a, b string) {
	if x, y, ok := ParseLiveBus(LiveBusTopic(a, b)); !ok || x != a || y != b {
		t.Fatalf("bus %q, %q became %q, %q", a, b, x, y)
	}
	if x, ok := ParseLiveAir(LiveAirTopic(a)); !ok || x != a {
		t.Fatalf("station %q became %q", a, x)
	}
	if kind, id, ok := ParseEvent(EventTopic("review", a)); !ok || kind != "review" || id != a {
		t.Fatalf("event %q became %q", a, id)
	}
	if size := UserActionTopicSize("review", a); size != len(DocumentTopic("review", a)) {
		t.Fatalf("size %d of a topic of %d bytes", size, len(DocumentTopic("review", a)))
	}
	if kind, id, ok := ParseUserAction(UserActionTopic("review", a)); !ok || kind != "review" || id != a {
		t.Fatalf("user action %q became %q, %q", a, kind, id)
	}
	for _, kind := range []string{nhip.DocumentKey, "report"} {
		if k, id, ok := ParseDocument(DocumentTopic(kind, a)); !ok && a != "" || ok && (k != kind || id != a) {
			t.Fatalf("document %q %q became %q, %q", kind, a, k, id)
		}
	}
	if size := len(Escape(a)); size != escapedSize(a) {
		t.Fatalf("%q: size %d, want %d", a, escapedSize(a), size)
	}
}

// TestCheckTopicRefusesWhatBrokersRefuse checks texts that are used as topics as they are, such as those of devices.
func TestCheckTopicRefusesWhatBrokersRefuse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topic := hostile().Draw(t, "topic")
		if CheckTopic(topic) == nil && (mosquittoRefuses(topic) != "" || len(topic) > MaxTopic || topic == "" ||
			strings.Count(topic, "/") > MaxLevels) {
			t.Fatalf("%q is accepted", topic)
		}
	})
	for _, bad := range []string{"a\x01", "a\u0085", "a\ufffe", strings.Repeat("/", 250), "a\xff"} {
		var e *nhip.Error
		if err := CheckTopic(bad); !errors.As(err, &e) || e.Field != "topic" {
			t.Errorf("%q: %v", bad, err)
		}
		if CheckFilter(bad) == nil {
			t.Errorf("the filter %q is accepted", bad)
		}
	}
	for _, good := range []string{"a", "/", "a/\ufffd", "nhip/live/air/Hà Nội", strings.Repeat("/", MaxLevels-1)} {
		if err := CheckTopic(good); err != nil {
			t.Error(err)
		}
	}
}
