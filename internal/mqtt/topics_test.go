package mqtt

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

func TestQuestionsAndAnswersHaveTopics(t *testing.T) {
	for _, id := range []string{"main", "a/b", "+", "#", "50%"} {
		topic := AskTopic(id, "dead/list")
		collector, question, ok := ParseAsk(topic)
		if !ok || collector != id || question != "dead/list" || !Match(AskFilter(id), topic) || !Match(Asks, topic) {
			t.Errorf("%s: %q asks %q, %v", topic, question, collector, ok)
		}
		if answer := AnswerTopic(id); !IsAnswerTopic(answer) || !Match(Answers, answer) {
			t.Errorf("%s is no answer's topic", answer)
		}
	}
	for _, topic := range []string{"nhip/ask/main", "nhip/ask/main/", "nhip/answer/main/ledger", "ask/main/ledger"} {
		if _, _, ok := ParseAsk(topic); ok {
			t.Errorf("%s is a question", topic)
		}
	}
	for _, topic := range []string{"", "nhip/answer/", "nhip/answer", "nhip/answer/+", "nhip/answer/#", "nhip/live/air/x", "nhip/answer/a\x00b"} {
		if IsAnswerTopic(topic) {
			t.Errorf("%q may be answered to", topic)
		}
	}
}

// levels are what topics of a test are made of: "z" stands for all that no filter of it names.
var levels = []string{"", "a", "$b", "z"}

// everyTopic lists the topics of at most four levels, one more than a filter of a test has.
func everyTopic() []string {
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

func filters() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "$b", "+"}), 0, 3).Draw(t, "levels")
		if rapid.Bool().Draw(t, "open") || strings.Join(parts, "/") == "" {
			parts = append(parts, "#")
		}
		return strings.Join(parts, "/")
	})
}

func TestCoversIsWhatMatchSays(t *testing.T) {
	topics := everyTopic()
	rapid.Check(t, func(t *rapid.T) {
		a, b := filters().Draw(t, "a"), filters().Draw(t, "b")
		want := !slices.ContainsFunc(topics, func(topic string) bool { return Match(b, topic) && !Match(a, topic) })
		if got := Covers(a, b); got != want {
			t.Fatalf("Covers(%q, %q) = %v, the topics say %v", a, b, got, want)
		}
	})
}

func TestFiltersWithoutTheCoveredHearTheSame(t *testing.T) {
	topics := everyTopic()
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(filters(), 1, 6).Draw(t, "filters")
		kept := withoutCovered(all)
		for _, topic := range topics {
			if heard(all, topic) != heard(kept, topic) {
				t.Fatalf("%v keeps %v: %q", all, kept, topic)
			}
		}
		for i, f := range kept {
			for _, other := range slices.Concat(kept[:i], kept[i+1:]) {
				if Covers(other, f) {
					t.Fatalf("%v keeps %v", all, kept)
				}
			}
		}
	})
}

func heard(filters []string, topic string) bool {
	return slices.ContainsFunc(filters, func(f string) bool { return Match(f, topic) })
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

func TestSizesAreThoseOfTheTopics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "agency"), rapid.StringMatching("[a-z/+#%$]*").Draw(t, "vehicle")
		if got, want := LiveBusTopicSize(a, b), len(LiveBusTopic(a, b)); got != want {
			t.Fatalf("%q %q: %d, want %d", a, b, got, want)
		}
		if got, want := LiveAirTopicSize(b), len(LiveAirTopic(b)); got != want {
			t.Fatalf("%q: %d, want %d", b, got, want)
		}
	})
}
