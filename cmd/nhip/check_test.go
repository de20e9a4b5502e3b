package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"nhip/app/apptest"
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
	code = executeShared(t.Context(), append([]string{"check"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

func TestCheckPrintsEffectiveConfig(t *testing.T) {
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
		if !slices.Contains(got, want) {
			t.Errorf("no line %q in\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "s3cret") || strings.Contains(stdout, "feeds[1]") {
		t.Errorf("too much is printed:\n%s", stdout)
	}
}

func TestCheckWithoutFile(t *testing.T) {
	code, stdout, stderr := check(t, "nonsense: 1\n")
	if code != 0 || stderr != "" || !strings.HasPrefix(stdout, "http.listen = 127.0.0.1:8080 ") ||
		strings.Count(stdout, "(default)") != strings.Count(stdout, "\n") {
		t.Errorf("exit %d: %s\n%s", code, stderr, stdout)
	}
}

func TestCheckRefusesSourcesThatNothingDecodes(t *testing.T) {
	t.Setenv("NHIP_SOURCES_A_PASSWORD", "s3cret")
	code, stdout, stderr := check(t, `feeds:
- {topic: nhip/in/+/+, format: ufms-bus, agency: hn}
sources:
- {name: a, url: "amqp://u:s3cret@h", queue: q, format: ufms-bux}
- {name: b, url: "amqp://u:s3cret@h", queue: q, format: reading}
- {name: c, url: "amqp://u:s3cret@h", queue: q, format: ufms-bus}
`, "nhip.yaml")
	want := "nhip.yaml:4:57: sources[0].format: must be one of " + strings.Join(collector.Formats(), ", ") +
		`, got "ufms-bux"` + "\nnhip.yaml:5:57: sources[1].format: needs a feed of the format reading for the topic " +
		"nhip/in/reading/b\n"
	if code != 1 || stdout != "" || stderr != want {
		t.Errorf("exit %d, %q\n got %s\nwant %s", code, stdout, stderr, want)
	}
	const valid = "sources: [{name: a, url: 'amqp://u:s3cret@h/v', queue: q, format: ufms-bus}]"
	code, stdout, stderr = check(t, valid, "nhip.yaml")
	if code != 0 || strings.Contains(stdout+stderr, "s3cret") ||
		!strings.Contains(stdout, "sources[0].url = amqp://u:xxxxx@h/v") ||
		!strings.Contains(stdout, "sources[0].queue = q ") {
		t.Errorf("exit %d: %s\n%s", code, stderr, stdout)
	}
}

func TestCheckPrintsAllFaults(t *testing.T) {
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
NHIP_NONSENSE: sets no key; the variable of http.listen is NHIP_HTTP_LISTEN
--mqtt: mqtt.listen: must be host:port, got "nowhere"
`
	if code != 1 || stdout != "" || stderr != want {
		t.Errorf("exit %d, %q\n got %s\nwant %s", code, stdout, stderr, want)
	}
}

// TestCheckAcceptsExample checks nhip.example.yaml, which must name every format of the collector.
func TestCheckAcceptsExample(t *testing.T) {
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
	named := strings.FieldsFunc(documented, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-'
	})
	for _, format := range collector.Formats() {
		if !slices.Contains(named, format) {
			t.Errorf("the example does not name the format %s", format)
		}
	}
	if code, _, stderr := check(t, "", path); code != 0 {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// TestUpPrintsFaultsOfConfig checks that nhip up prints the faults of nhip check, each on a line, and starts nothing.
func TestUpPrintsFaultsOfConfig(t *testing.T) {
	t.Chdir(t.TempDir())
	text := "map: {zoom: 30}\nfeeds: [{topic: a, format: hfq, agency: b}]\n"
	if err := os.WriteFile("nhip.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := executeShared(t.Context(), []string{"up", "--config", "nhip.yaml", "--data-dir", "data"}, &stdout, &stderr)
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	if code != 1 || len(lines) != 2 ||
		!strings.HasSuffix(lines[0], "nhip.yaml:1:13: map.zoom: must be between 0 and 22, got 30") ||
		!strings.Contains(lines[1], "nhip.yaml:2:28: feeds[0].format: ") || !strings.HasPrefix(lines[1], "nhip: ") {
		t.Errorf("exit %d: %s", code, &stderr)
	}
	if _, err := os.Stat("data"); !os.IsNotExist(err) {
		t.Errorf("the data folder was made: %v", err)
	}
}

// TestCheckReadsZonesAndBasemap checks that faults of the files that a configuration names are printed with their key.
func TestCheckReadsZonesAndBasemap(t *testing.T) {
	good := fmt.Sprintf("zones: [{file: %q, kind: yard, from: 2020-01-01, to: 2025-07-01}]\nmap: {pmtiles: %q}\n",
		apptest.ZoneFile(t, ""), apptest.BasemapFile(t))
	if code, _, stderr := check(t, good, "nhip.yaml"); code != 0 {
		t.Errorf("exit %d: %s", code, stderr)
	}
	bad := fmt.Sprintf("zones: [{file: %q, kind: yard}, {file: none, kind: x}]\nmap: {pmtiles: %q}\nplaces: %q\n",
		apptest.ZoneFile(t, "}"), apptest.ZoneFile(t, ""), apptest.ZoneFile(t, ""))
	code, _, stderr := check(t, bad, "nhip.yaml")
	for _, want := range []string{
		"zones[0].file: ", "is not GeoJSON", "zones[1].file: none: ", "map.pmtiles: ", "is not a PMTiles 3 file",
		"places: ", "feature 0: must be a Point",
	} {
		if code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("exit %d, without %q: %s", code, want, stderr)
		}
	}
	for text, want := range map[string]string{
		"zones: [{kind: a}]": "zones[0].file: is required",
		"zones: [{file: a, kind: b, from: 2025-01-02, to: 2025-01-01}]": "zones[0].to: must be later than from",
		"zones: [{file: a, kind: b, since: 2025}]":                      "zones[0].since: is not a known key",
		"zones: [{file: a, kind: b, from: soon}]":                       "zones[0].from: must be a day",
	} {
		if _, _, stderr := check(t, text, "nhip.yaml"); !strings.Contains(stderr, want) {
			t.Errorf("%s: %s", text, stderr)
		}
	}
}

// TestCheckListsFindingsOfATimetable checks a timetable with flaws, one that is refused, and two that can't be merged.
func TestCheckListsFindingsOfATimetable(t *testing.T) {
	files := map[string]string{
		"agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nA,A,http://a.example,Asia/Ho_Chi_Minh\n",
		"stops.txt":  "stop_id,stop_name,stop_lat,stop_lon,parent_station\na,A,21,105.8,\nb,B,21.1,105.8,nowhere\n",
		"routes.txt": "route_id,route_short_name,route_type\nr,1,3\n",
		"trips.txt":  "route_id,service_id,trip_id\nr,s,t\n",
		"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nt,08:00:00,08:00:00,a,1\n" +
			"t,08:10:00,08:10:00,b,2\n",
		"calendar_dates.txt": "service_id,date,exception_type\ns,20260101,1\n",
	}
	pack := func(change, text string) string {
		path := filepath.Join(t.TempDir(), "feed.zip")
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for name, content := range files {
			if name == change {
				content = text
			}
			f, err := w.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write([]byte(content)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flawed := pack("", "")
	refused := pack("stop_times.txt", "trip_id\n")
	tokyo := pack("agency.txt", strings.Replace(files["agency.txt"], "Asia/Ho_Chi_Minh", "Asia/Tokyo", 1))
	for _, c := range []struct {
		gtfs, code string
		exit       int
	}{
		{flawed, "foreign_key_violation", 0},
		{refused, "missing_required_column", 1},
		{flawed + "," + tokyo, "timetable_refused", 1},
		{flawed + "," + flawed, "foreign_key_violation", 0},
	} {
		code, stdout, stderr := check(t, "", "--json", "--gtfs", c.gtfs)
		var report struct {
			Usable   *bool
			Findings []map[string]any
		}
		if err := json.Unmarshal([]byte(stdout), &report); err != nil || report.Usable == nil {
			t.Fatalf("%v: %s, %s", err, stdout, stderr)
		}
		found := slices.ContainsFunc(report.Findings, func(f map[string]any) bool { return f["code"] == c.code })
		if code != c.exit || *report.Usable != (code == 0) || !found || len(report.Findings[0]) != 7 {
			t.Errorf("%s: exit %d: %s", c.code, code, stdout)
		}
		code, _, stderr = check(t, "", "--gtfs", c.gtfs)
		if code != c.exit || !strings.Contains(stderr, c.code) && c.code != "timetable_refused" {
			t.Errorf("%s: exit %d: %s", c.code, code, stderr)
		}
	}
}
