package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip/collector"
)

// decodes runs nhip decode and returns how it ends and what it says.
func decodes(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(t.Context(), append([]string{"decode"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

// TestDecodeSaysWhatAPayloadSays decodes a golden payload of each format with what its feed says, and
// without.
func TestDecodeSaysWhatAPayloadSays(t *testing.T) {
	cases := map[string]struct {
		path string
		args []string
		want string // in the first line
	}{
		"airgradient":      {"airgradient/testdata/carried-in", []string{"--device", "84fce612f5b8", "--received", "2026-02-16T16:00:00Z"}, `"time":"2026-02-16T16:00:00Z","value":7,"flag":2,"period":"1m"`},
		"airnow":           {"airnow/testdata/a-night", nil, `"station":"airnow-hanoi"`},
		"csv":              {"csvfile/testdata/stations-and-units", nil, `"station":"hn-02","quantity":"co","time":"2026-02-16T08:00:00Z","value":1200`},
		"openaq":           {"openaq/testdata/archive", nil, `"station":"openaq-2178"`},
		"chirpstack":       {"chirpstack/testdata/decoded", []string{"--fields", "air.pm2_5=pm25"}, `"quantity":"pm25"`},
		"gtfs-rt":          {"gtfsrt/testdata/deleted", nil, `"vehicle":"3"`},
		"hfp":              {"hfp/testdata/arrival", []string{"--device", "0018/01029", "--agency", "hsl"}, `"agency":"hsl","vehicle":"0018/01029","event":"arr"`},
		"position":         {"position/testdata/full", []string{"--device", "29B-123.45"}, `"vehicle":"29B-123.45"`},
		"purpleair":        {"purpleair/testdata/channels-only", []string{"--period", "10m"}, `"period":"10m"`},
		"reading":          {"reading/testdata/all-quantities", []string{"--device", "a/b"}, `"station":"a/b"`},
		"sensor-community": {"sensorcommunity/testdata/push", nil, `"quantity":"pm`},
		"station-file":     {"stationfile/testdata/blank-apart", []string{"--zone", "UTC"}, `"flag":1`},
		"tasmota":          {"tasmota/testdata/best-sensor-fails", []string{"--zone", "Asia/Ho_Chi_Minh"}, `"time":"2026-02-16T08:58:02Z"`},
		"tts":              {"tts/testdata/decoded", []string{"--fields", "temperature=temperature °F"}, `"value":`},
		"ufms":             {"ufms/testdata/way-point", []string{"--speed-unit", "m/s"}, `"speed":31.5`},
	}
	for _, format := range collector.Formats() {
		t.Run(format, func(t *testing.T) {
			c, ok := cases[format]
			if !ok {
				t.Fatal("no payload")
			}
			files, _ := filepath.Glob(filepath.Join("..", "..", "collector", "decode", c.path, "payload.*"))
			if len(files) != 1 {
				t.Fatalf("%s holds no payload", c.path)
			}
			code, out, errs := decodes(t, append([]string{"--format", format, files[0]}, c.args...)...)
			first, _, _ := strings.Cut(out, "\n")
			if code != 0 || !strings.Contains(first, c.want) || !json.Valid([]byte(first)) {
				t.Errorf("exits with %d: %s\n%s", code, errs, first)
			}
		})
	}
}

func TestDecodeSaysWhatIsTurnedAway(t *testing.T) {
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "payload")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	old := file(`{"time":"2020-02-16T15:58:02Z","lat":21,"lon":105}`)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--format", "position", file(`{`)}, "nhip: malformed: "},
		{[]string{"--format", "position", file(`{"time":"2026-02-16T15:58:02Z","lat":91,"lon":105}`)}, "nhip: out_of_range: lat: "},
		{[]string{"--format", "position", "--late", old}, "nhip: too_old: time: "},
		{[]string{"--format", "position", "--received", "2019-01-01", old}, "nhip: future: time: "},
		{[]string{"--format", "reading", file(`{"time":"2026-02-16T15:00:00Z","period":"1h","values":{"pm25":-1000,"pm10":3}}`)}, "nhip: out_of_range: values.pm25: "},
		{[]string{"--format", "knots", old}, "nhip: --format: must be one of airgradient, "},
		{[]string{"--format", "position", old + "x"}, "nhip: can't read the payload"},
		{[]string{"--format", "tasmota", "--zone", "Hanoi", old}, "nhip: --zone: "},
		{[]string{"--format", "tts", "--fields", "x", old}, "nhip: --fields: "},
		{[]string{"--format", "position", "--received", "noon", old}, "nhip: --received: "},
		{[]string{"--format", "position", "--period=-1m", old}, "nhip: --period: "},
	} {
		if code, _, errs := decodes(t, c.args...); code != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("%q exits with %d: %s", c.args, code, errs)
		}
	}
	if code, out, errs := decodes(t, "--format", "airgradient", file(`{"boot":1}`)); code != 0 || out != "" || !strings.Contains(errs, "says no fact") {
		t.Errorf("a monitor that warms up: %d %s%s", code, out, errs)
	}
	if code, out, _ := decodes(t, "--format", "position", old); code != 0 || !strings.Contains(out, "2020") {
		t.Errorf("a recorded payload is too old: %s", out)
	}
	if code, out, errs := decodes(t, "--format", "reading", file(`{"time":"2026-02-16T15:00:00Z","period":"1h","values":{"pm25":-1000,"pm10":3}}`)); code != 1 || strings.Count(out, "\n") != 1 {
		t.Errorf("one bad value costs the other: %s%s", out, errs)
	}
}
