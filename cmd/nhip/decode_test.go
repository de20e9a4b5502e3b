package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"nhip/app/apptest"
	"nhip/collector"
)

// runDecode runs nhip decode.
func runDecode(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = executeShared(t.Context(), append([]string{"decode"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

// TestDecodePrintsFacts decodes a golden payload of each format, with the flags that the format needs.
func TestDecodePrintsFacts(t *testing.T) {
	cases := map[string]struct {
		path string
		args []string
		want string // in the first line
	}{
		"airgradient": {
			"airgradient/testdata/in-topic",
			[]string{"--device", "84fce612f5b8", "--received", "2026-02-16T16:00:00Z"},
			`"time":"2026-02-16T16:00:00Z","value":7,"flag":2,"period":"1m"`,
		},
		"airnow": {"airnow/testdata/night", nil, `"station":"airnow-hanoi"`},
		"csv": {
			"csvfile/testdata/stations-and-units", nil,
			`"station":"hn-02","quantity":"co","time":"2026-02-16T08:00:00Z","value":1200`,
		},
		"openaq":     {"openaq/testdata/archive", nil, `"station":"openaq-2178"`},
		"chirpstack": {"chirpstack/testdata/decoded", []string{"--fields", "air.pm2_5=pm25"}, `"quantity":"pm25"`},
		"gtfs-rt":    {"gtfsrt/testdata/deleted", nil, `"vehicle":"3"`},
		"hfp": {
			"hfp/testdata/arrival",
			[]string{"--device", "0018/01029", "--agency", "hsl"},
			`"agency":"hsl","vehicle":"0018/01029","event":"arr"`,
		},
		"position":         {"position/testdata/full", []string{"--device", "29B-123.45"}, `"vehicle":"29B-123.45"`},
		"purpleair":        {"purpleair/testdata/channels-only", []string{"--period", "10m"}, `"period":"10m"`},
		"reading":          {"reading/testdata/all-quantities", []string{"--device", "a/b"}, `"station":"a/b"`},
		"sensor-community": {"sensorcommunity/testdata/push", nil, `"quantity":"pm`},
		"station-file":     {"stationfile/testdata/blank-apart", []string{"--zone", "UTC"}, `"flag":1`},
		"tasmota": {
			"tasmota/testdata/best-sensor-fails", []string{"--zone", "Asia/Ho_Chi_Minh"}, `"time":"2026-02-16T08:58:02Z"`,
		},
		"tts":      {"tts/testdata/decoded", []string{"--fields", "temperature=temperature °F"}, `"value":`},
		"ufms":     {"ufms/testdata/way-point", []string{"--speed-unit", "m/s"}, `"speed":31.5`},
		"ufms-bus": {"ufmsbus/testdata/way-point", nil, `"vehicle":"29B12345"`},
	}
	for _, format := range collector.Formats() {
		t.Run(format, func(t *testing.T) {
			c, ok := cases[format]
			if !ok {
				t.Fatal("the test has no payload")
			}
			files, _ := filepath.Glob(filepath.Join("..", "..", "collector", "decode", c.path, "payload.*"))
			if len(files) != 1 {
				t.Fatalf("%s has no payload", c.path)
			}
			code, out, errs := runDecode(t, append([]string{"--format", format, files[0]}, c.args...)...)
			first, _, _ := strings.Cut(out, "\n")
			if code != 0 || !strings.Contains(first, c.want) || !json.Valid([]byte(first)) {
				t.Errorf("exit %d: %s\n%s", code, errs, first)
			}
		})
	}
}

func TestDecodePrintsRejectedRows(t *testing.T) {
	file := func(text string) string { return apptest.WriteFile(t, "payload", text) }
	old := file(`{"time":"2020-02-16T15:58:02Z","lat":21,"lon":105}`)
	outOfRange := file(`{"time":"2026-02-16T15:58:02Z","lat":91,"lon":105}`)
	oneBadValue := file(`{"time":"2026-02-16T15:00:00Z","period":"1h","values":{"pm25":-1000,"pm10":3}}`)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--format", "position", file(`{`)}, "nhip: malformed: "},
		{[]string{"--format", "position", outOfRange}, "nhip: out_of_range: lat: "},
		{[]string{"--format", "position", "--late", old}, "nhip: too_old: time: "},
		{[]string{"--format", "position", "--received", "2019-01-01", old}, "nhip: future: time: "},
		{[]string{"--format", "reading", oneBadValue}, "nhip: out_of_range: values.pm25: "},
		{[]string{"--format", "knots", old}, "nhip: --format: must be one of airgradient, "},
		{[]string{"--format", "position", old + "x"}, "nhip: can't read the payload"},
		{[]string{"--format", "tasmota", "--zone", "Hanoi", old}, "nhip: --zone: "},
		{[]string{"--format", "tts", "--fields", "x", old}, "nhip: --fields: "},
		{[]string{"--format", "position", "--received", "noon", old}, "nhip: --received: "},
		{[]string{"--format", "position", "--period=-1m", old}, "nhip: --period: "},
	} {
		if code, _, errs := runDecode(t, c.args...); code != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit %d, %s", c.args, code, errs)
		}
	}
	code, out, errs := runDecode(t, "--format", "airgradient", file(`{"boot":1}`))
	if code != 0 || out != "" || !strings.Contains(errs, "contains no facts") {
		t.Errorf("a payload without facts: exit %d, %s%s", code, out, errs)
	}
	trips := filepath.Join("..", "..", "collector", "decode", "gtfsrt", "testdata", "trips", "payload.pb")
	code, out, errs = runDecode(t, "--format", "gtfs-rt", "--received", "2026-02-16T16:00:00Z", trips)
	if code != 0 || !strings.Contains(out, `{"trip_update":{"feed":"test","entity":"c"`) {
		t.Errorf("trip updates: exit %d, %s%s", code, out, errs)
	}
	if code, out, _ := runDecode(t, "--format", "position", old); code != 0 || !strings.Contains(out, "2020") {
		t.Errorf("a recorded payload is too old: %s", out)
	}
	code, out, errs = runDecode(t, "--format", "reading", oneBadValue)
	if code != 1 || strings.Count(out, "\n") != 1 {
		t.Errorf("one bad value beside a good one: exit %d, %s%s", code, out, errs)
	}
}
