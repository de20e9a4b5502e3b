package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip/geo/backtest"
)

func eta(t *testing.T, args ...string) backtest.Report {
	t.Helper()
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: the recorded day is not here")
	}
	for i, a := range args {
		if strings.HasSuffix(a, ".rec.gz") {
			args[i] = filepath.Join(dir, "recordings", a)
		}
	}
	all := append([]string{"backtest", "eta", "--json", "--gtfs", filepath.Join(dir, "gtfs-wmata-3routes", "gtfs.zip")}, args...)
	var out, errs bytes.Buffer
	code := execute(t.Context(), all, &out, &errs)
	must(t, code == 0, "exit %d: %s", code, errs.String())
	var r backtest.Report
	err := json.Unmarshal(out.Bytes(), &r)
	must(t, err == nil, "%v: %s", err, out.String())
	t.Logf("%+v", r)
	return r
}

// The floors of a day of Washington's buses, with the trips that they name.
func TestBacktestETAWithIDs(t *testing.T) {
	r := eta(t, "wmata.rec.gz")
	must(t, r.Benchmark >= 80.0, "got %v, want >= %v", r.Benchmark, 80.0)
	must(t, r.MBTA >= 88.0, "got %v, want >= %v", r.MBTA, 88.0)
	must(t, r.Predicted >= 95.0, "got %v, want >= %v", r.Predicted, 95.0)
	must(t, r.Cover >= 75.0, "got %v, want >= %v", r.Cover, 75.0)
	must(t, r.Cover <= 85.0, "got %v, want <= %v", r.Cover, 85.0)
	must(t, r.Arrivals > 5000, "got %v, want > %v", r.Arrivals, 5000)
}

// The same day from points alone, as Hanoi's boxes send them.
func TestBacktestETABare(t *testing.T) {
	r := eta(t, "wmata-bare.rec.gz", "--truth", "wmata.rec.gz")
	must(t, r.RouteDirection >= 97.0, "got %v, want >= %v", r.RouteDirection, 97.0)
	must(t, r.Trip >= 85.0, "got %v, want >= %v", r.Trip, 85.0)
	must(t, r.Predicted >= 95.0, "got %v, want >= %v", r.Predicted, 95.0)
	must(t, r.Benchmark >= eta(t, "wmata.rec.gz").Benchmark-3, "got %v, want >= %v", r.Benchmark, eta(t, "wmata.rec.gz").Benchmark-3)
}

func TestBacktestETAWithoutTruth(t *testing.T) {
	dir := t.TempDir()
	rec := filepath.Join(dir, "a.rec")
	must(t, os.WriteFile(rec, []byte(`2026-02-16T15:58:02Z nhip/in/position/1 {"time":"2026-02-16T15:58:02Z","lat":21,"lon":105.8}`+"\n"), 0o600) == nil, "%v", os.WriteFile(rec, []byte(`2026-02-16T15:58:02Z nhip/in/position/1 {"time":"2026-02-16T15:58:02Z","lat":21,"lon":105.8}`+"\n"), 0o600))
	var out, errs bytes.Buffer
	code := execute(t.Context(), []string{"backtest", "eta", "--gtfs", filepath.Join(dir, "none.zip"), rec}, &out, &errs)
	must(t, code == 1, "exit %d: %s", code, errs.String())
	must(t, strings.Contains(errs.String(), "none.zip"), "%s", errs.String())
}

func must(t *testing.T, ok bool, format string, args ...any) {
	t.Helper()
	if !ok {
		t.Fatalf(format, args...)
	}
}

func TestBacktestETAOfABareRecording(t *testing.T) {
	rec := filepath.Join(t.TempDir(), "a.rec")
	if err := os.WriteFile(rec, []byte(`2026-02-16T15:58:02Z nhip/in/position/1 {"time":"2026-02-16T15:58:02Z","lat":21,"lon":105.8}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := execute(t.Context(), []string{"backtest", "eta", "--gtfs", lineZip(t), rec}, &out, &errs)
	must(t, code == 1 && strings.Contains(errs.String(), "--truth"), "exit %d: %s", code, errs.String())
}
