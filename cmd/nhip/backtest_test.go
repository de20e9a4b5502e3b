package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/app/apptest"
	"nhip/geo/backtest"
	"nhip/geo/geotest"
	"nhip/internal/suitetest"
)

// backtestETA runs nhip backtest eta on reference recordings.
func backtestETA(t *testing.T, args ...string) backtest.Report {
	t.Helper()
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: the recorded day is missing")
	}
	for i, a := range args {
		if strings.HasSuffix(a, ".rec.gz") {
			args[i] = filepath.Join(dir, "recordings", a)
		}
	}
	timetable := filepath.Join(dir, "gtfs-wmata-3routes", "gtfs.zip")
	var out, errs bytes.Buffer
	args = append([]string{"backtest", "eta", "--json", "--gtfs", timetable}, args...)
	code := executeShared(t.Context(), args, &out, &errs)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	var r backtest.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	t.Logf("%+v", r)
	return r
}

func atLeast(t *testing.T, name string, got, want float64) {
	t.Helper()
	if !(got >= want) {
		t.Errorf("%s: %v, want at least %v", name, got, want)
	}
}

// TestBacktestETAWithTrips checks the floors for a day of Washington's buses whose positions name their trips.
func TestBacktestETAWithTrips(t *testing.T) {
	r := backtestETA(t, "wmata.rec.gz")
	atLeast(t, "benchmark", r.Benchmark, 80)
	atLeast(t, "MBTA", r.MBTA, 88)
	atLeast(t, "predicted", r.Predicted, 95)
	atLeast(t, "p10–p90 coverage", r.Cover, 75)
	atLeast(t, "arrivals", float64(r.Arrivals), 5001)
	if r.Cover > 85 {
		t.Errorf("p10–p90 coverage: %v, want at most 85", r.Cover)
	}
}

// TestBacktestETAWithoutTrips checks the same day from positions alone, as Hanoi's devices send them.
func TestBacktestETAWithoutTrips(t *testing.T) {
	suitetest.Only(t)
	r := backtestETA(t, "wmata-bare.rec.gz", "--truth", "wmata.rec.gz")
	atLeast(t, "route and direction", r.RouteDirection, 97)
	atLeast(t, "trip", r.Trip, 85)
	atLeast(t, "predicted", r.Predicted, 95)
	atLeast(t, "benchmark", r.Benchmark, backtestETA(t, "wmata.rec.gz").Benchmark-3)
}

// lineRecording writes the positions of eight buses that drive the test line's timetable, with their trips if named
// says so of a bus and a time, and returns the file.
func lineRecording(t *testing.T, name string, named func(bus, second int) bool) string {
	var b strings.Builder
	six := time.Date(2026, 3, 2, 6, 0, 0, 0, geotest.TimeZone).UTC()
	for second := range 3 * 3600 / 20 {
		for bus := range 8 {
			at := 20*second - bus*900
			if at < 0 || at > 20*int(geotest.LinkTime) {
				continue
			}
			p, trip := geotest.At(float64(at)*geotest.Speed), ""
			if named(bus, at) {
				trip = fmt.Sprintf(`,"trip":"T%d-0"`, bus)
			}
			clock := six.Add(time.Duration(20*second) * time.Second).Format(time.RFC3339)
			fmt.Fprintf(&b, "%s nhip/in/position/%d {\"time\":\"%s\",\"lat\":%.6f,\"lon\":%.6f%s}\n", clock, bus, clock,
				p.Lat(), p.Lon(), trip)
		}
	}
	return apptest.WriteFile(t, name, b.String())
}

// TestBacktestETAPrintsAllMeasures replays punctual buses, with and without their trips.
func TestBacktestETAPrintsAllMeasures(t *testing.T) {
	all := func(int, int) bool { return true }
	named := lineRecording(t, "named.rec", all)
	bare := lineRecording(t, "bare.rec", func(int, int) bool { return false })
	for _, args := range [][]string{{named}, {bare, "--truth", named}} {
		run := append([]string{"backtest", "eta", "--gtfs", apptest.TimetableFile(t)}, args...)
		var out, errs bytes.Buffer
		if code := executeShared(t.Context(), append(run, "--json"), &out, &errs); code != 0 || errs.Len() > 0 {
			t.Fatalf("exit %d: %s", code, errs.String())
		}
		var r struct {
			Board      float64
			BoardParts map[string]float64            `json:"board_parts"`
			Bias       []float64                     `json:"bias"`
			CoverBins  []float64                     `json:"cover_bins"`
			Yardsticks map[string]map[string]float64 `json:"yardsticks"`
			Score      float64                       `json:"eta_benchmark"`
			Arrivals   int                           `json:"arrivals"`
		}
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Board < 99 || r.Score < 99 || r.Arrivals != 8*20 || len(r.Bias) != 4 || len(r.CoverBins) != 4 ||
			r.CoverBins[0] == 0 {
			t.Errorf("%v: %s", args, out.String())
		}
		sum := 0.0
		for _, part := range []string{"live", "waiting", "timetable", "nothing"} {
			share, ok := r.BoardParts[part]
			if sum += share; !ok {
				t.Errorf("%v: board_parts lack %s", args, part)
			}
		}
		if sum < 99.9 || sum > 100.1 {
			t.Errorf("%v: the parts of the board are %v %%", args, sum)
		}
		for _, name := range []string{"timetable", "timetable_deviation", "last3", "all_earlier"} {
			if y := r.Yardsticks[name]; y["as_is"] < 99 || y["early"] < 99 {
				t.Errorf("%v: yardstick %s: %v", args, name, y)
			}
		}
		out.Reset()
		if code := executeShared(t.Context(), run, &out, &errs); code != 0 {
			t.Fatalf("exit %d: %s", code, errs.String())
		}
		for _, want := range []string{
			"ETA Accuracy Benchmark  100.0 %", "board                   100.0 %", "live bus", "waiting at its start",
			"timetable only", "nothing", "ghosts", "mean of all earlier   100.0  100.0",
		} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%v: %q is missing in\n%s", args, want, out.String())
			}
		}
	}
}

func TestBacktestETARejectsInput(t *testing.T) {
	rec := apptest.WriteFile(t, "a.rec",
		`2026-02-16T15:58:02Z nhip/in/position/1 {"time":"2026-02-16T15:58:02Z","lat":21,"lon":105.8}`+"\n")
	named, err := os.ReadFile(lineRecording(t, "named.rec", func(int, int) bool { return true }))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ timetable, rec, want string }{
		{filepath.Join(t.TempDir(), "none.zip"), rec, "none.zip"},
		{apptest.TimetableFile(t), rec, "--truth"},
		{
			apptest.TimetableFile(t),
			lineRecording(t, "one.rec", func(bus, second int) bool { return bus == 3 && second == 600 }),
			"no arrival to compare with",
		},
		{
			apptest.TimetableFile(t),
			apptest.WriteFile(t, "unknown.rec", strings.ReplaceAll(string(named), `"T`, `"X`)),
			"positions name a trip that the timetable lacks",
		},
	} {
		var out, errs bytes.Buffer
		code := executeShared(t.Context(), []string{"backtest", "eta", "--gtfs", c.timetable, c.rec}, &out, &errs)
		if code != 1 || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%s: exit %d, %s", c.timetable, code, errs.String())
		}
	}
}
