package topics

import (
	"slices"
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

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"#", "a/b", true},
		{"#", "#", true},
		{"#", "+/+", true},
		{"#", "$SYS/#", false},
		{"+/x", "$SYS/x", false},
		{"$SYS/#", "$SYS/+/x", true},
		{"a/#", "a", true},
		{"a/#", "a/+/c", true},
		{"a/#", "a/#", true},
		{"a/+", "a/#", false},
		{"a/+/#", "a/#", false},
		{"+/#", "#", true},
		{"+/+/#", "#", false},
		{"a/+", "a/b", true},
		{"a/b", "a/+", false},
		{"+/b", "a/+", false},
		{"a/b", "a/b", true},
		{"a", "a/b", false},
		{"nhip/in/+/7", "nhip/in/position/7", true},
	} {
		if got := Covers(c.a, c.b); got != c.want {
			t.Errorf("Covers(%q, %q) = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestRequestAndResponseTopics(t *testing.T) {
	for _, id := range []string{"main", "a/b", "+", "#", "50%"} {
		topic := RequestTopic(id, "dead/list")
		collector, method, ok := ParseRequest(topic)
		if !ok || collector != id || method != "dead/list" || !Match(RequestFilter(id), topic) || !Match(Requests, topic) {
			t.Errorf("ParseRequest(%q) returned %q, %q, %v", topic, collector, method, ok)
		}
		if reply := ResponseTopic(id); !IsResponseTopic(reply) || !Match(Responses, reply) {
			t.Errorf("%s is not a response topic", reply)
		}
	}
	for _, topic := range []string{"nhip/ask/main", "nhip/ask/main/", "nhip/answer/main/ledger", "ask/main/ledger"} {
		if _, _, ok := ParseRequest(topic); ok {
			t.Errorf("ParseRequest accepts %s", topic)
		}
	}
	for _, topic := range []string{
		"", "nhip/answer/", "nhip/answer", "nhip/answer/+", "nhip/answer/#", "nhip/live/air/x", "nhip/answer/a\x00b",
	} {
		if IsResponseTopic(topic) {
			t.Errorf("IsResponseTopic accepts %q", topic)
		}
	}
}

// levels are the topic levels of the tests. "z" stands for every level that no filter contains.
var levels = []string{"", "a", "$b", "z"}

// allTopics returns the topics of at most four levels, one more than a filter of the tests has.
func allTopics() []string {
	topics, last := []string(nil), []string{""}
	for range 4 {
		var longer []string
		for _, prefix := range last {
			for _, level := range levels {
				if topic := prefix + level; topic != "" {
					topics = append(topics, topic)
				}
				longer = append(longer, prefix+level+"/")
			}
		}
		last = longer
	}
	return topics
}

// filters draws filters of at most three levels, with or without a "#" behind them.
func filters() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "$b", "+"}), 0, 3).Draw(t, "levels")
		if rapid.Bool().Draw(t, "ends with #") || strings.Join(parts, "/") == "" {
			parts = append(parts, "#")
		}
		return strings.Join(parts, "/")
	})
}

func TestCoversAgreesWithMatch(t *testing.T) {
	topics := allTopics()
	rapid.Check(t, func(t *rapid.T) {
		a, b := filters().Draw(t, "a"), filters().Draw(t, "b")
		want := !slices.ContainsFunc(topics, func(topic string) bool { return Match(b, topic) && !Match(a, topic) })
		if got := Covers(a, b); got != want {
			t.Fatalf("Covers(%q, %q) = %v, want %v", a, b, got, want)
		}
	})
}

func TestWithoutCoveredMatchesSameTopics(t *testing.T) {
	topics := allTopics()
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(filters(), 1, 6).Draw(t, "filters")
		kept := WithoutCovered(all)
		for _, topic := range topics {
			if matchesAny(all, topic) != matchesAny(kept, topic) {
				t.Fatalf("WithoutCovered(%q) = %q, which differ for topic %q", all, kept, topic)
			}
		}
		for i, f := range kept {
			for _, other := range slices.Concat(kept[:i], kept[i+1:]) {
				if Covers(other, f) {
					t.Fatalf("WithoutCovered(%q) = %q, which overlap", all, kept)
				}
			}
		}
	})
}

func matchesAny(filters []string, topic string) bool {
	return slices.ContainsFunc(filters, func(f string) bool { return Match(f, topic) })
}

func TestCheckFilter(t *testing.T) {
	for _, bad := range []string{"", "a/#/b", "a/b#", "a+/b", "\x00", strings.Repeat("a", MaxTopic+1)} {
		if CheckFilter(bad) == nil {
			t.Errorf("CheckFilter accepts %q", bad)
		}
	}
	for _, good := range []string{"#", "a/#", "+/b/+", "/hfp/v2/#"} {
		if err := CheckFilter(good); err != nil {
			t.Errorf("CheckFilter rejects %q: %v", good, err)
		}
	}
	if CheckTopic("a/+") == nil || CheckTopic("a/#") == nil || CheckTopic("a/b") != nil {
		t.Error("CheckTopic must reject a topic with a wildcard and accept one without")
	}
}

func TestLiveTopicsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		agency := rapid.StringN(1, 20, 60).Draw(t, "agency")
		vehicle := rapid.StringN(1, 20, 60).Draw(t, "vehicle")
		topic := LiveBusTopic(agency, vehicle)
		if !Match(LiveBuses, topic) || strings.Count(topic, "/") != 4 || strings.ContainsAny(topic, "+#") {
			t.Fatalf("%q does not have two levels under %s", topic, LiveBuses)
		}
		a, v, ok := ParseLiveBus(topic)
		if !ok || a != agency || v != vehicle {
			t.Fatalf("ParseLiveBus(%q) returned %q, %q", topic, a, v)
		}
		if s, ok := ParseLiveAir(LiveAirTopic(vehicle)); !ok || s != vehicle {
			t.Fatalf("ParseLiveAir returned %q for station %q", s, vehicle)
		}
	})
}

func TestTopicSizes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "agency"), rapid.StringMatching("[a-z/+#%$]*").Draw(t, "vehicle")
		if got, want := BusTopicSize(a, b), max(len(LiveBusTopic(a, b)), len(ArrivalTopic(a, b))); got != want {
			t.Fatalf("BusTopicSize(%q, %q) = %d, want %d", a, b, got, want)
		}
		if got, want := LiveAirTopicSize(b), len(LiveAirTopic(b)); got != want {
			t.Fatalf("LiveAirTopicSize(%q) = %d, want %d", b, got, want)
		}
	})
}
