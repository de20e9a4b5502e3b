package collector

import "testing"

// TestUsualTopicMatchesDefaultFeeds fails if the topic of a format differs from what devices use.
func TestUsualTopicMatchesDefaultFeeds(t *testing.T) {
	for _, c := range []struct{ format, device, payload, want string }{
		{"position", "1", "", "nhip/in/position/1"},
		{"position", "", "", "nhip/in/position/test"},
		{"position", "a/b", "", "nhip/in/position/a%2Fb"},
		{"tts", "", "", "nhip/in/tts"},
		{"tts", "x", "", "nhip/in/tts/x"},
		{"hfp", "0018/01029", `{"VP":{}}`, "/hfp/v2/journey/ongoing/vp/bus/0018/01029"},
		{"hfp", "", `{"DOO":{}}`, "/hfp/v2/journey/ongoing/doo/bus/0000/00000"},
		{"hfp", "", `no JSON`, "/hfp/v2/journey/ongoing/vp/bus/0000/00000"},
	} {
		if got := UsualTopic(c.format, c.device, []byte(c.payload)); got != c.want {
			t.Errorf("%s, device %q: %s, want %s", c.format, c.device, got, c.want)
		}
	}
}
