package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/app"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/suitetest"
)

// upWithClock runs all roles with a --clock.
func upWithClock(t *testing.T, clock string) *apptest.Platform {
	t.Helper()
	o := apptest.Options(t, t.TempDir(), "")
	var err error
	if o.Clock, err = app.ParseClock(clock); err != nil {
		t.Fatal(err)
	}
	return apptest.Start(t, app.Up, o)
}

// TestReplay replays a recording twice: each replay returns when all messages are acknowledged, and the second changes
// nothing.
func TestReplay(t *testing.T) {
	p := upWithClock(t, "2026-02-16T15:58:00Z*600")
	var lines strings.Builder
	start := time.Date(2026, 2, 16, 15, 58, 0, 0, time.UTC)
	for i := range 200 {
		at := start.Add(time.Duration(i) * time.Second)
		m := apptest.Position(fmt.Sprint(i%5), at, 38.9+float64(i)/1e4, -77)
		fmt.Fprintf(&lines, "%s %s %s\n", at.Format(time.RFC3339), m.Topic, m.Payload)
	}
	path := apptest.WriteFile(t, "own.rec", lines.String())
	began := time.Now()
	for range 2 {
		got := succeed(t, p.Dir, "replay", "--speed", "600", path)
		if got != "published 200 messages, 200 acknowledged\n" {
			t.Errorf("replay prints %q", got)
		}
	}
	if paced := 2 * 199 * time.Second / 600; time.Since(began) < paced {
		t.Errorf("the replays took %s, want at least %s", time.Since(began), paced)
	}
	c := p.API(t)
	var buses apptest.Features
	awaittest.True(t, "five buses are at their last position", func() bool {
		apptest.Decode(t, c.Get(t, "/v1/buses?near=38.9,-77"), &buses)
		return len(buses.Features) == 5 && buses.Features[0].Geometry.Coordinates[1] == 38.9195
	})
}

// TestReplayOfRecordedCities replays each reference recording as fast as it is acknowledged, with the clock of its day.
func TestReplayOfRecordedCities(t *testing.T) {
	data := os.Getenv("TESTDATA_DIR")
	if data == "" {
		t.Skip("TESTDATA_DIR is not set: the recordings are missing")
	}
	const tooOld = `nhip_collector_rows_rejected_total{reason="too_old"} 5618`
	for _, c := range []struct {
		file, clock     string
		messages        int
		buses, stations int
		near            string
		rejected        string
		small           bool // part of make test; make suites replays all
	}{
		{"hfp-1029.rec.gz", "2024-02-13T16:50:30Z", 1034, 1, 0, "60.17,24.94", "", false},
		{"hfp-1124.rec.gz", "2024-05-23T06:53:30Z", 298, 1, 0, "60.17,24.94", "", true},
		// One of the 31 buses sends nothing in the last two hours of the recording.
		{"wmata.rec.gz", "2026-02-16T20:59:30Z", 20777, 30, 0, "38.9,-77.0", "", false},
		{"wmata-bare.rec.gz", "2026-02-16T20:59:30Z", 20777, 30, 0, "38.9,-77.0", "", false},
		{"beijing-12.rec.gz", "2017-01-31T16:00:00Z", 26496, 0, 12, "39.9,116.4", "", false},
		{"hanoi-embassy-2018.rec.gz", "2018-12-31T18:00:00Z", 7998, 0, 1, "21.03,105.85", tooOld, true},
	} {
		t.Run(c.file, func(t *testing.T) {
			if !c.small {
				suitetest.Only(t)
			}
			p := upWithClock(t, c.clock)
			want := fmt.Sprintf("published %d messages, %d acknowledged\n", c.messages, c.messages)
			got := succeed(t, p.Dir, "replay", "--speed", "0", filepath.Join(data, "recordings", c.file))
			if got != want {
				t.Errorf("replay prints %q, want %q", got, want)
			}
			api := p.API(t)
			var buses, stations apptest.Features
			awaittest.True(t, "the buses and stations are live", func() bool {
				apptest.Decode(t, api.Get(t, "/v1/buses?limit=1000&near="+c.near), &buses)
				apptest.Decode(t, api.Get(t, "/v1/stations"), &stations)
				return len(buses.Features) == c.buses && len(stations.Features) == c.stations
			})
			const none = `nhip_collector_rows_rejected_total{reason="refused"} 0` // counted from the start on
			got = strings.TrimSpace(strings.Replace(apptest.Metric(t, api, "nhip_collector_rows_rejected_total"), none, "", 1))
			if got != c.rejected {
				t.Errorf("rejected rows: %s", got)
			}
		})
	}
}
