package config

import (
	"strings"
	"testing"

	"nhip/internal/settings"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestConfigFilesThatSetNothing(t *testing.T) {
	for _, text := range []string{
		"", "# only a comment\n", "---\n", "%YAML 1.2\n---\n", "map: {}\n", "http:\n", "feeds:\n", "gtfs: ~\n",
		"\ufeffmqtt:\r\n  listen:\r\n",
	} {
		e := load(t, text, Sources{})
		if diff := cmp.Diff(Default(), e.Config); diff != "" || e.Err() != nil {
			t.Errorf("%q: %v %s", text, e.Err(), diff)
		}
	}
}

func TestConfigValuesKeepTheirText(t *testing.T) {
	e := load(t, `
influx: {org: 0123, token: true, bucket: &b 1.10}
gtfs: *b
http:
  listen: >-
    localhost:80
map:
  center: [&lon 105, 21]
feeds:
  - &first {topic: a, format: hfp, agency: hn}
  - {topic: "#", format: position, agency: *b, latency: 90s}
`, Sources{})
	want := Default()
	want.Influx.Org, want.Influx.Token, want.Influx.Bucket = "0123", "true", "1.10"
	want.GTFS, want.HTTP.Listen, want.Map.Center = "1.10", "localhost:80", []float64{105, 21}
	want.Feeds = []Feed{
		{Topic: "a", Format: "hfp", Agency: "hn"},
		{Topic: "#", Format: "position", Agency: "1.10", Latency: 90e9},
	}
	if diff := cmp.Diff(want, e.Config); diff != "" || e.Err() != nil {
		t.Errorf("%v %s", e.Err(), diff)
	}
}

func TestConfigFaultsNameLineColumnAndKey(t *testing.T) {
	const sections = "http, mqtt, broker, collector, stations, forward, public, push, files, health, outgoing, influx, " +
		"reports, reminders, access, " +
		"fleet, " +
		"gtfs, gtfs_agency, air, predict, " +
		"retention, map, data, places, feeds, pulls, sources, zones"
	for text, want := range map[string]string{
		"nonsense: 1":          `1:1: nonsense: is not a known key; expected one of ` + sections,
		`"a\nb": 1`:            `1:1: "a\nb": is not a known key; expected one of ` + sections,
		"http: {}\n'http': {}": `2:1: mapping key "http" already defined at [1:1]`,
		"http:\n  listne: x": `2:3: http.listne: is not a known key; expected one of listen, public_url, ` +
			`plain, trusted_proxies, metrics, limits, tls, streams`,
		"http.listen: ':80'":      `1:1: http.listen: is not a known key; write keys below their section`,
		"<<: {gtfs: a}":           `1:1: <<: is not a known key; expected one of ` + sections,
		"http: {listen: nowhere}": `1:16: http.listen: must be host:port, got "nowhere"`,
		"http: {listen: ' h:1'}":  `1:16: http.listen: must be host:port, got " h:1"`,
		"http: [1]": `1:7: http: must be a section with the keys listen, public_url, plain, ` +
			`trusted_proxies, metrics, limits, tls, streams`,
		"http: &a\n  listen: *a": `2:11: http.listen: must be one value`,
		"gtfs: *a\nmap: &a {}":   `1:7: : *a has no anchor &a before it`,
		"feeds: &a [*a]": `1:12: feeds[0]: must be a section with the keys name, topic, format, ` +
			`agency, latency, timetable, predictions, zone, period, speed_unit, fields`,
		"mqtt: {listen: ':99999'}": `1:16: mqtt.listen: the port must be between 0 ` +
			`and 65535, got "99999"`,
		"mqtt:\n  listen: [a, b]":     `2:11: mqtt.listen: must be one value`,
		"mqtt:\n  listen: !!str ':1'": `2:11: mqtt.listen: must be one value`,
		"http: {public_url: 'ftp://x'}": `1:20: http.public_url: must be an http or https ` +
			`address, got "ftp://x"`,
		"broker: {url: 'http://b:1883'}": `1:15: broker.url: must be an address as in ` +
			`tcp://host:1883 or, with TLS, ssl://host:8883, without a user, got "http://b:1883"`,
		"broker: {url: tcp://me:secret@b:1}": `1:15: broker.url: must be an address as in ` +
			`tcp://host:1883 or, with TLS, ssl://host:8883, without a user, got "…@b:1"`,
		"feeds: [{topic: a, format: hfp, agency: b, zone: Hanoi}]": `1:50: feeds[0].zone: must be a time zone as in ` +
			`Asia/Ho_Chi_Minh, got Hanoi`,
		"feeds: [{topic: a, format: hfp, agency: b, speed_unit: knots}]": `1:56: feeds[0].speed_unit: must be km/h or m/s, ` +
			`got knots`,
		"broker: {url: tcp://b}": `1:15: broker.url: must be an address as in ` +
			`tcp://host:1883 or, with TLS, ssl://host:8883, without a user, got "tcp://b"`,
		"influx:\n  url: ftp://me:secret@db": `2:8: influx.url: must be an http or https address, ` +
			`got "…@db"`,
		"influx: {bucket: ''}": `1:18: influx.bucket: must not be empty`,
		"influx:\n  token: |\n    a\n    b\n": `2:10: influx.token: must be one line of ` +
			`printable text`,
		"# é\n\nmap:\n  style: 'é'  \n": `4:10: map.style: must be an http or https address, ` +
			`got "é"`,
		"map:\n  zoom:   30 # far": `2:11: map.zoom: must be between 0 and 22, got 30`,
		"map: {zoom: .nan}":        `1:13: map.zoom: must be between 0 and 22, got .nan`,
		"map: {zoom: NaN}":         `1:13: map.zoom: must be between 0 and 22, got NaN`,
		"map: {center: [200, 0]}": `1:15: map.center: must be longitude, latitude in ` +
			`degrees, got 200, 0`,
		"map: {center: [1]}": `1:15: map.center: must be longitude, latitude in ` +
			`degrees, got 1`,
		"map: {center: [1, 2, 3]}": `1:15: map.center: must be longitude, latitude in ` +
			`degrees, got 1, 2, 3`,
		"map: {center: [[1], 2]}": `1:15: map.center: must be a list of two numbers: ` +
			`longitude, latitude`,
		"collector: {journal_bytes: 1GB, dead_bytes: 9}": `1:45: collector.dead_bytes: must be a size as in ` +
			`"512MB" or "16GB", got 9`,
		"collector: {journal_bytes: 63MB}": `1:28: collector.journal_bytes: must be at least ` +
			`64MB, got 63MB`,
		"collector: {dead_bytes: 9999999999TB}": `1:25: collector.dead_bytes: must be a size as in ` +
			`"512MB" or "16GB", got 9999999999TB`,
		"reports: {form_secret: short}": `1:24: reports.form_secret: must have at least 32 characters`,
		"collector: {late_window: 100}": `1:26: collector.late_window: must be a duration as ` +
			`in "100d" or "36h", got 100`,
		"collector: {late_window: 0d}": `1:26: collector.late_window: must be between ` +
			`1h and 3660d, got 0d`,
		"collector: {late_window: 2147483647d}": `1:26: collector.late_window: must be between 1h and 3660d, got ` +
			`2147483647d`,
		"influx: {backlog_rate: -1}": `1:24: influx.backlog_rate: must be a whole number between 0 and ` +
			`10000000, got -1`,
		"influx: {backlog_rate: 1.5}": `1:24: influx.backlog_rate: must be a whole number between 0 and 10000000, ` +
			`got 1.5`,
		"feeds: []":         `1:8: feeds: must contain at least one feed`,
		"feeds: {topic: a}": `1:8: feeds: must be a list`,
		"feeds:\n  - hfp": `2:5: feeds[0]: must be a section with the keys name, topic, format, agency, ` +
			`latency, timetable, predictions, zone, period, speed_unit, fields`,
		"feeds:\n- topic: a\n  format: hfp": `2:3: feeds[0].agency: is required`,
		"feeds: [{topic: a, format: hfp, id: 1, agency: \"a\\nb\"}]": `1:33: feeds[0].id: is not a known key; ` +
			"expected one of name, topic, format, agency, latency, timetable, predictions, zone, period, speed_unit, fields\n" +
			`1:48: feeds[0].agency: must be printable UTF-8, got "a\nb"`,
		"feeds: [{topic: a, format: hfp, agency: a, latency: 2 min}]": `1:53: feeds[0].latency: ` +
			`must be a duration as in "90s" or "2m", got 2 min`,
		"feeds: [{topic: a, format: hfp, agency: a, latency: -1s}]": `1:53: feeds[0].latency: must not be negative, got -1s`,
		"feeds:\n- {topic: a, format: hfp, agency: a}\n- {topic: a, format: position, agency: a}": `3:11: ` +
			`feeds[1].topic: ` +
			`is already the topic of feeds[0], which receives all its messages`,
		"gtfs: a\n---\ngtfs: b":            `3:1: must not begin a second document; write all keys in one`,
		"gtfs: a\nmap: {zoom: 1}\ngtfs: b": `3:1: mapping key "gtfs" already defined at [1:1]`,
		"{":                                `1:1: could not find flow mapping end token '}'`,
		"a: b: c":                          `1:4: mapping value is not allowed in this context`,
	} {
		err := load(t, text, Sources{}).Err()
		want = "nhip.yaml:" + strings.ReplaceAll(strings.Replace(want, ": : ", ": ", 1), "\n", "\nnhip.yaml:")
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestConfigReportsAllFaultsInOrder(t *testing.T) {
	e := load(t, "map: {zoom: 30, centre: 1}\nmqtt: {listen: x}\n", Sources{
		Environ: []string{"NHIP_MAP_ZOOM=99", "NHIP_FEEDS=x", "HOME=/"},
		Flags:   []Flag{{"--mqtt", "mqtt.listen", "y"}},
	})
	want := `nhip.yaml:1:13: map.zoom: must be between 0 and 22, got 30
nhip.yaml:1:17: map.centre: is not a known key; expected one of style, pmtiles, center, zoom, attribution
nhip.yaml:2:16: mqtt.listen: must be host:port, got "x"
NHIP_FEEDS: sets no key; the variable of http.listen is NHIP_HTTP_LISTEN
NHIP_MAP_ZOOM: map.zoom: must be between 0 and 22, got 99
--mqtt: mqtt.listen: must be host:port, got "y"`
	if diff := cmp.Diff(want, e.Err().Error()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Default(), e.Config); diff != "" {
		t.Errorf("a refused value has effect: %s", diff)
	}
}

// fragments returns pieces of configuration files, valid or not.
func fragments() []string {
	return []string{
		"http:", "feeds:", "map:", "gtfs:", "listen", "topic: ", "center", ":", " ", "  ", "\n", "\n  ", "- ", "[", "]", "{",
		"}", ",", "#", "'",
		`"`, "|", ">", "&a ", "*a", "<<", "!!str ", "? ", "---\n", "%", "~", "30", "é", "\t", "\r\n", "\x00", "\xff", `\n`,
		":80", "hfp",
	}
}

// TestConfigReadsAnyText: a file with any content is read or refused with line numbers, and the effective values keep
// the rules.
func TestConfigReadsAnyText(t *testing.T) {
	t.Chdir(t.TempDir())
	rapid.Check(t, func(t *rapid.T) {
		raw := strings.Join(rapid.SliceOfN(rapid.SampledFrom(fragments()), 0, 40).Draw(t, "fragments"), "")
		e := &Effective{Config: Default(), positions: make(map[string]settings.Position)}
		e.read("nhip.yaml", []byte(raw))
		for _, f := range e.faults {
			if f.At.Line < 1 || f.At.Column < 1 || strings.Contains(f.Error(), "\n") {
				t.Fatalf("%q: %q", raw, f.Error())
			}
		}
		if e.Err() == nil {
			checkSetAgain(t, e)
		}
	})
}

// checkSetAgain checks that each value accepts its own text.
func checkSetAgain(t *rapid.T, e *Effective) {
	for _, s := range e.all() {
		before := s.Value.String()
		if err := s.Value.Set(before); err != nil || s.Value.String() != before {
			t.Fatalf("%s: %q can't be set again: %v, %q", s.Key, before, err, s.Value)
		}
	}
}
