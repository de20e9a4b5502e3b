package config

import (
	"strings"
	"testing"

	"nhip/internal/settings"
)

func TestConfigPrecedence(t *testing.T) {
	const inFile = "map:\n  zoom: 1\nhttp: {listen: ':1'}\ngtfs: a\n"
	environ := []string{"NHIP_HTTP_LISTEN=:2", "NHIP_GTFS=b"}
	flags := []Flag{{"--gtfs", "gtfs", "c"}, {"--mqtt", "mqtt.listen", ""}}
	e := load(t, inFile, Sources{Environ: environ, Flags: flags})
	if err := e.Err(); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string][2]string{
		"mqtt.listen": {defaultMQTT, "default"},
		"map.zoom":    {"1", "nhip.yaml:2"},
		"http.listen": {":2", "NHIP_HTTP_LISTEN"},
		"gtfs":        {"c", "--gtfs"},
	} {
		if got := entry(t, e, key); got.Value != want[0] || got.Origin != want[1] {
			t.Errorf("%+v, want %v", got, want)
		}
	}
}

func entry(t *testing.T, e *Effective, key string) Entry {
	t.Helper()
	for _, entry := range e.Entries() {
		if entry.Key == key {
			return entry
		}
	}
	t.Fatalf("no entry for %s", key)
	return Entry{}
}

func TestConfigVariables(t *testing.T) {
	for environ, want := range map[string]string{
		"NHIP_GTFS=":                       "", // counts as not set
		"NHIP_DATA_DIR=/x":                 "",
		"NHIP_LOG_LEVEL=debug":             "",
		"nhip_gtfs=x":                      "",
		"PATH=/bin":                        "",
		"NHIP_MAP_CENTER=105.8524,21.0288": "",
		"NHIP_INFLUX_TOKEN=a=b":            "",
		"NHIP_HTTP_LISTNE=": "NHIP_HTTP_LISTNE: sets no key; the variable of http.listen is " +
			"NHIP_HTTP_LISTEN",
		"NHIP_=1":                             "NHIP_: sets no key; the variable of http.listen is NHIP_HTTP_LISTEN",
		"NHIP_MAP_CENTER=105":                 "NHIP_MAP_CENTER: map.center: must be longitude, latitude in degrees, got 105",
		"NHIP_MAP_ZOOM=x y":                   "NHIP_MAP_ZOOM: map.zoom: must be between 0 and 22, got x y",
		"NHIP_MAP_ATTRIBUTION=\xff":           "NHIP_MAP_ATTRIBUTION: map.attribution: must be one line of printable text",
		"NHIP_INFLUX_TOKEN=s3cret\x01":        "NHIP_INFLUX_TOKEN: influx.token: must be one line of printable text",
		"NHIP_INFLUX_URL=http://u:s3cret@a b": `NHIP_INFLUX_URL: influx.url: must be an http or https address, got "…@a b"`,
	} {
		got := ""
		if err := Load(Sources{Environ: []string{environ}}).Err(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", environ, got, want)
		}
	}
}

func TestConfigRedactsSecrets(t *testing.T) {
	e := Load(Sources{Environ: []string{"NHIP_INFLUX_TOKEN=s3cret", "NHIP_INFLUX_URL=http://me:s3cret@db:8086/x"}})
	if err := e.Err(); err != nil {
		t.Fatal(err)
	}
	if e.Influx.Token != "s3cret" || entry(t, e, "influx.token").Value != redacted {
		t.Errorf("token %q is displayed as %q", e.Influx.Token, entry(t, e, "influx.token").Value)
	}
	for _, entry := range e.Entries() {
		if strings.Contains(entry.Value, "s3cret") {
			t.Errorf("%+v", entry)
		}
	}
}

func TestShownQuotesUnusualText(t *testing.T) {
	for text, want := range map[string]string{
		"": `""`, "a b": "a b", " a": `" a"`, `a"b`: `"a\"b"`, "a\nb": `"a\nb"`, "Hồ": "Hồ", "\x1b[1m": `"\x1b[1m"`,
	} {
		if got := settings.Shown(text); got != want {
			t.Errorf("%q is displayed as %s, want %s", text, got, want)
		}
	}
}

func TestConfigRefuseNamesPosition(t *testing.T) {
	e := load(t, "feeds:\n- {topic: a, format: x, agency: b}\n", Sources{Environ: []string{"NHIP_GTFS=a.zip"}})
	e.Refuse("gtfs", "is not\nthere")
	e.Refuse("feeds[0].format", "is not known")
	e.Refuse("map.zoom", "is out of range")
	want := "map.zoom: is out of range\nnhip.yaml:2:22: feeds[0].format: is not known\nNHIP_GTFS: gtfs: is not; there"
	if err := e.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestConfigMissingFile(t *testing.T) {
	err := Load(Sources{Path: "/nowhere/nhip.yaml"}).Err()
	if err == nil || !strings.HasPrefix(err.Error(), "can't read the configuration: ") ||
		!strings.Contains(err.Error(), "/nowhere/nhip.yaml") {
		t.Error(err)
	}
}

func TestConfigFlagOfUnknownKey(t *testing.T) {
	err := Load(Sources{Flags: []Flag{{"--x", "feeds[0].topic", "a"}}}).Err()
	if err == nil || err.Error() != "--x: feeds[0].topic: is not a configuration key" {
		t.Error(err)
	}
}

func TestAddressesAreShownWithoutKeys(t *testing.T) {
	got := redactAddresses("a.zip, https://u:s3cret@h.example/x.zip?key=s3cret, http://h.example/y.zip")
	if strings.Contains(got, "s3cret") || !strings.Contains(got, "a.zip, https://u:xxxxx@h.example/x.zip?") ||
		!strings.HasSuffix(got, ", http://h.example/y.zip") {
		t.Error(got)
	}
}
