package config

import (
	"strings"
	"testing"
	"time"
)

func TestDefaultsHold(t *testing.T) {
	for _, text := range []string{"", "# only a comment\n", "---\n", "map: {}\n", "http:\n"} {
		c, err := Parse([]byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if c.HTTP.Listen != defaultHTTP || len(c.Feeds) != 3 || c.Influx.Bucket != "nhip" || c.Map.Zoom != defaultZoom {
			t.Errorf("%q: %+v", text, c)
		}
	}
}

func TestASetKeyHasEffect(t *testing.T) {
	c, err := Parse([]byte(`
http: {listen: "0.0.0.0:80", public_url: "https://nhip.example"}
mqtt: {listen: ":1884"}
influx: {url: "http://db:8086", token: t, org: o, bucket: b}
gtfs: hanoi.zip
feeds:
  - {topic: "a/+", format: position, agency: hn, latency: 2m}
map: {style: "https://tiles.example/style.json", center: [105, 21], zoom: 10, attribution: us}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		HTTP: HTTP{"0.0.0.0:80", "https://nhip.example"}, MQTT: MQTT{":1884"}, Influx: Influx{"http://db:8086", "t", "o", "b"},
		GTFS: "hanoi.zip", Feeds: []Feed{{"a/+", "position", "hn", Duration(2 * time.Minute)}},
		Map: Map{"https://tiles.example/style.json", []float64{105, 21}, 10, "us"},
	}
	if len(c.Feeds) != 1 || c.Feeds[0] != want.Feeds[0] || c.HTTP != want.HTTP || c.MQTT != want.MQTT || c.Influx != want.Influx ||
		c.GTFS != want.GTFS || c.Map.Style != want.Map.Style || c.Map.Center[0] != 105 || c.Map.Zoom != 10 || c.Map.Attribution != "us" {
		t.Errorf("%+v", c)
	}
}

func TestFaultsNameTheKey(t *testing.T) {
	for text, want := range map[string]string{
		"nonsense: 1":                   `[1:1] unknown field "nonsense"`,
		"http:\n  listne: x":            `[2:3] unknown field "listne"`,
		"http: {listen: nowhere}":       "http.listen: must be host:port",
		"mqtt: {listen: ':99999'}":      "mqtt.listen: the port must be",
		"http: {public_url: 'ftp://x'}": "http.public_url: must be an http or https address",
		"influx: {url: 'db:8086'}":      "influx.url: must be",
		"influx: {bucket: ''}":          "influx.bucket: must not be empty",
		"feeds: []":                     "feeds: must hold",
		"feeds: [{topic: a, format: hfp, latency: -1s, agency: a}]":       "feeds[0].latency",
		"feeds: [{topic: a, format: hfp}]":                                "feeds[0].agency: is required",
		"feeds: [{topic: a, format: hfp, latency: 2 minutes, agency: a}]": `must be as in "90s"`,
		"map: {zoom: 30}":                    "map.zoom",
		"map: {center: [200, 0]}":            "map.center",
		"map: {center: [1]}":                 "map.center",
		"map: {style: 'file:///etc/passwd'}": "map.style",
		"http: [1]":                          "[1:",
		"{":                                  "[1:",
	} {
		_, err := Parse([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want one line with %q", text, err, want)
		}
	}
}
