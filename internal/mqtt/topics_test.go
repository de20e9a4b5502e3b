package mqtt

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{
		{"#", "a/b", true},
		{"#", "$SYS/x", false},
		{"+/x", "$SYS/x", false},
		{"$SYS/#", "$SYS/x", true},
		{"a/#", "a", true},
		{"a/#", "a/b/c", true},
		{"a/+", "a/b/c", false},
		{"a/+", "a", false},
		{"a/+/c", "a/b/c", true},
		{"a/b", "a/b", true},
		{"a/b", "a/bc", false},
		{"+/+", "/x", true},
		{"/hfp/v2/#", "/hfp/v2/journey/ongoing/vp", true},
		{"/hfp/v2/#", "hfp/v2/journey", false},
		{"a/b/#", "a", false},
	} {
		if got := Match(c.filter, c.topic); got != c.want {
			t.Errorf("Match(%q, %q) = %v, want %v", c.filter, c.topic, got, c.want)
		}
	}
}

func TestCheckFilter(t *testing.T) {
	for _, bad := range []string{"", "a/#/b", "a/b#", "a+/b", "\x00", strings.Repeat("a", MaxTopic+1)} {
		if CheckFilter(bad) == nil {
			t.Errorf("CheckFilter(%q) accepts it", bad)
		}
	}
	for _, good := range []string{"#", "a/#", "+/b/+", "/hfp/v2/#"} {
		if err := CheckFilter(good); err != nil {
			t.Errorf("CheckFilter(%q): %v", good, err)
		}
	}
	if CheckTopic("a/+") == nil || CheckTopic("a/#") == nil || CheckTopic("a/b") != nil {
		t.Error("CheckTopic: wildcards must be refused and only they")
	}
}

func TestLiveTopicsNameTheirDevice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		agency := rapid.StringN(1, 20, 60).Draw(t, "agency")
		vehicle := rapid.StringN(1, 20, 60).Draw(t, "vehicle")
		topic := LiveBusTopic(agency, vehicle)
		if !Match(LiveBuses, topic) || strings.Count(topic, "/") != 4 || strings.ContainsAny(topic, "+#") {
			t.Fatalf("%q is no topic of two levels under %s", topic, LiveBuses)
		}
		a, v, ok := ParseLiveBus(topic)
		if !ok || a != agency || v != vehicle {
			t.Fatalf("%q names %q, %q", topic, a, v)
		}
		if s, ok := ParseLiveAir(LiveAirTopic(vehicle)); !ok || s != vehicle {
			t.Fatalf("station %q came back as %q", vehicle, s)
		}
	})
}
