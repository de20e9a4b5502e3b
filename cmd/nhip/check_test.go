package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"nhip/collector"
)

// check runs nhip check in a folder with one file, nhip.yaml.
func check(t *testing.T, text string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("nhip.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code = execute(t.Context(), append([]string{"check"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

func TestCheckShowsWhatHolds(t *testing.T) {
	t.Setenv("NHIP_MAP_ZOOM", "9")
	t.Setenv("NHIP_INFLUX_TOKEN", "s3cret")
	t.Setenv("NHIP_HTTP_LISTEN", "127.0.0.1:1")
	code, stdout, stderr := check(t, "influx:\n  bucket: air\nfeeds:\n  - {topic: a, format: hfp, agency: b}\n",
		"nhip.yaml", "--http", "127.0.0.1:2", "--influx-url", "http://db:8086")
	if code != 0 || stderr != "" {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var got []string
	for line := range strings.Lines(stdout) {
		got = append(got, strings.Join(strings.Fields(line), " ")) // without the columns
	}
	for _, want := range []string{
		"http.listen = 127.0.0.1:2 (--http)",
		"mqtt.listen = 127.0.0.1:1883 (default)",
		"influx.url = http://db:8086 (--influx-url)",
		"influx.token = [redacted] (NHIP_INFLUX_TOKEN)",
		"influx.bucket = air (nhip.yaml:2)",
		"map.zoom = 9 (NHIP_MAP_ZOOM)",
		"feeds[0].format = hfp (nhip.yaml:4)",
		"feeds[0].latency = 0s (default)",
	} {
		if !strings.Contains("\n"+strings.Join(got, "\n")+"\n", "\n"+want+"\n") {
			t.Errorf("no line %q in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "s3cret") || strings.Contains(stdout, "feeds[1]") {
		t.Errorf("too much is shown:\n%s", stdout)
	}
}

func TestCheckWithoutAFile(t *testing.T) {
	code, stdout, stderr := check(t, "nonsense: 1\n")
	if code != 0 || stderr != "" || !strings.HasPrefix(stdout, "http.listen = 127.0.0.1:8080 ") || strings.Count(stdout, "(default)") != strings.Count(stdout, "\n") {
		t.Errorf("exit %d: %s\n%s", code, stderr, stdout)
	}
}

func TestCheckTellsAllFaults(t *testing.T) {
	t.Setenv("NHIP_MAP_ZOOM", "99")
	t.Setenv("NHIP_NONSENSE", "1")
	code, stdout, stderr := check(t, `gtfs: missing.zip
feeds:
  - topic: a/#/b
    format: hfq
    agency: hn
map: {zoom: 30}
`, "nhip.yaml", "--mqtt", "nowhere")
	want := `nhip.yaml:1:7: gtfs: can't read the timetable: open missing.zip: no such file or directory
nhip.yaml:3:12: feeds[0].topic: # must be the last level of "a/#/b"
nhip.yaml:4:13: feeds[0].format: must be one of ` + strings.Join(collector.Formats(), ", ") + `, got "hfq"
nhip.yaml:6:13: map.zoom: must be between 0 and 22, got 30
NHIP_MAP_ZOOM: map.zoom: must be between 0 and 22, got 99
NHIP_NONSENSE: sets no key; variables are named as NHIP_HTTP_LISTEN is for http.listen
--mqtt: mqtt.listen: must be host:port, got "nowhere"
`
	if code != 1 || stdout != "" || stderr != want {
		t.Errorf("exit %d, %q\n got %s\nwant %s", code, stdout, stderr, want)
	}
}

// TestCheckTakesTheExample: the formats that it names are those of the collector.
func TestCheckTakesTheExample(t *testing.T) {
	path, err := filepath.Abs("../../nhip.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "#   format ")
	documented, _, _ := strings.Cut(rest, "#   agency ")
	named := strings.FieldsFunc(documented, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' })
	for _, format := range collector.Formats() {
		if !slices.Contains(named, format) {
			t.Errorf("the example does not name the format %s", format)
		}
	}
	if code, _, stderr := check(t, "", path); code != 0 {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestUpRefusesWhatCheckRefuses: the same faults, each a line of its own, and nothing is started.
func TestUpRefusesWhatCheckRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("nhip.yaml", []byte("map: {zoom: 30}\nfeeds: [{topic: a, format: hfq, agency: b}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := execute(t.Context(), []string{"up", "--config", "nhip.yaml", "--data-dir", "data"}, &stdout, &stderr)
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	if code != 1 || len(lines) != 2 || !strings.HasSuffix(lines[0], "nhip.yaml:1:13: map.zoom: must be between 0 and 22, got 30") ||
		!strings.Contains(lines[1], "nhip.yaml:2:28: feeds[0].format: ") || !strings.HasPrefix(lines[1], "nhip: ") {
		t.Errorf("exit %d: %s", code, &stderr)
	}
	if _, err := os.Stat("data"); !os.IsNotExist(err) {
		t.Errorf("the data folder was made: %v", err)
	}
}

// TestCheckReadsZonesAndBasemap: what is wrong in the files that a configuration names is told with the key.
func TestCheckReadsZonesAndBasemap(t *testing.T) {
	good := fmt.Sprintf("zones: [{file: %q, kind: yard, from: 2020-01-01, to: 2025-07-01}]\nmap: {pmtiles: %q}\n", zoneFile(t, ""), basemapFile(t))
	if code, _, stderr := check(t, good, "nhip.yaml"); code != 0 {
		t.Errorf("exit %d: %s", code, stderr)
	}
	bad := fmt.Sprintf("zones: [{file: %q, kind: yard}, {file: none, kind: x}]\nmap: {pmtiles: %q}\n", zoneFile(t, "}"), zoneFile(t, ""))
	code, _, stderr := check(t, bad, "nhip.yaml")
	for _, want := range []string{"zones[0].file: ", "is no GeoJSON", "zones[1].file: none: ", "map.pmtiles: ", "is no PMTiles file"} {
		if code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("exit %d, without %q: %s", code, want, stderr)
		}
	}
	for text, want := range map[string]string{
		"zones: [{kind: a}]": "zones[0].file: is required", "zones: [{file: a, kind: b, from: 2025-01-02, to: 2025-01-01}]": "zones[0].to: must be later than from",
		"zones: [{file: a, kind: b, since: 2025}]": "zones[0].since: is not known", "zones: [{file: a, kind: b, from: soon}]": "zones[0].from: must be a day",
	} {
		if _, _, stderr := check(t, text, "nhip.yaml"); !strings.Contains(stderr, want) {
			t.Errorf("%s: %s", text, stderr)
		}
	}
}
