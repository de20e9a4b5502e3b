package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/internal/await"
)

// recorded returns a recording of the reference data, which not every checkout has beside it.
func recorded(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: no recordings here")
	}
	return filepath.Join(dir, "recordings", name)
}

func replay(t *testing.T, p *running, args ...string) string {
	t.Helper()
	cmd := command(append([]string{"replay", "--data-dir", p.dir}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		var stderr string
		if exit, ok := err.(*exec.ExitError); ok {
			stderr = string(exit.Stderr)
		}
		t.Fatalf("replay %v: %v\n%s", args, err, stderr)
	}
	return string(out)
}

// TestReplayOfOurOwn plays a recording made here, twice: it ends when all is acknowledged, and the
// second time changes nothing.
func TestReplayOfOurOwn(t *testing.T) {
	p := up(t, t.TempDir(), "--clock", "2026-02-16T15:58:00Z*600")
	var lines strings.Builder
	start := time.Date(2026, 2, 16, 15, 58, 0, 0, time.UTC)
	for i := range 200 {
		at := start.Add(time.Duration(i) * time.Second)
		m := position(fmt.Sprint(i%5), at, 38.9+float64(i)/1e4, -77)
		fmt.Fprintf(&lines, "%s %s %s\n", at.Format(time.RFC3339), m[0], m[1])
	}
	path := filepath.Join(t.TempDir(), "own.rec")
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range 2 {
		if got := replay(t, p, "--speed", "600", path); got != "published 200 messages, 200 acknowledged\n" {
			t.Errorf("replay says %q", got)
		}
	}
	if paced := 2 * 199 * time.Second / 600; time.Since(began) < paced {
		t.Errorf("paced by nothing: %s for %s", time.Since(began), paced)
	}
	c := apitest.New(t, p.HTTP)
	var buses collection
	await.True(t, "five buses stand at their last fix", func() bool {
		answerInto(t, c.Get(t, "/v1/buses?near=38.9,-77"), &buses)
		return len(buses.Features) == 5 && buses.Features[0].Geometry.Coordinates[1] == 38.9195
	})
}

// TestRecordedCitiesLiveAgain plays each reference recording as fast as it is acknowledged, under
// the clock of its day.
func TestRecordedCitiesLiveAgain(t *testing.T) {
	for _, c := range []struct {
		file, clock    string
		messages       int
		buses, station int
		near           string
		rejected       string
	}{
		{"hfp-1029.rec.gz", "2024-02-13T16:50:30Z", 1034, 1, 0, "60.17,24.94", ""},
		{"hfp-1124.rec.gz", "2024-05-23T06:53:30Z", 298, 1, 0, "60.17,24.94", ""},
		// One of the 31 buses falls silent more than two hours before the recording's end.
		{"wmata.rec.gz", "2026-02-16T20:59:30Z", 20777, 30, 0, "38.9,-77.0", ""},
		{"wmata-bare.rec.gz", "2026-02-16T20:59:30Z", 20777, 30, 0, "38.9,-77.0", ""},
		{"beijing-12.rec.gz", "2017-01-31T16:00:00Z", 26496, 0, 12, "39.9,116.4", ""},
		{"hanoi-embassy-2018.rec.gz", "2018-12-31T18:00:00Z", 7998, 0, 1, "21.03,105.85", `nhip_collector_rows_rejected_total{reason="too_old"} 5618`},
	} {
		t.Run(c.file, func(t *testing.T) {
			path := recorded(t, c.file)
			p := up(t, t.TempDir(), "--clock", c.clock)
			want := fmt.Sprintf("published %d messages, %d acknowledged\n", c.messages, c.messages)
			if got := replay(t, p, "--speed", "0", path); got != want {
				t.Errorf("replay says %q, want %q", got, want)
			}
			client := apitest.New(t, p.HTTP)
			var buses, stations collection
			await.True(t, "the city lives", func() bool {
				answerInto(t, client.Get(t, "/v1/buses?limit=1000&near="+c.near), &buses)
				answerInto(t, client.Get(t, "/v1/stations"), &stations)
				return len(buses.Features) == c.buses && len(stations.Features) == c.station
			})
			if got := metric(t, client, "nhip_collector_rows_rejected_total"); got != c.rejected {
				t.Errorf("turned away: %s", got)
			}
		})
	}
}

// metric returns a metric's lines.
func metric(t *testing.T, c *apitest.Client, name string) string {
	t.Helper()
	var out []string
	for line := range strings.Lines(string(c.Get(t, "/metrics").Body)) {
		if strings.HasPrefix(line, name) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return strings.Join(out, "\n")
}
