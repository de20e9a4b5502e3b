package timetable

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/geo/geotest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestFindingsAreLoggedAndCounted loads a timetable in which a stop has no place.
func TestFindingsAreLoggedAndCounted(t *testing.T) {
	f := geotest.Line(5, time.Hour)
	f.Stops[4].Point[1] = 95
	var zip, log bytes.Buffer
	if err := f.Write(&zip); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.zip")
	save(t, path, zip.Bytes(), 0)
	s := newSource(t, path, t.TempDir())
	registry := prometheus.NewRegistry()
	s.CountFindings(registry)
	s.CountFindings(registry) // as several roles of one process do
	s.log = slog.New(slog.NewTextHandler(&log, nil))
	if _, err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := testutil.ToFloat64(s.found.WithLabelValues("error")); n < 2 {
		t.Errorf("%v errors, want the stop and calls at it", n)
	}
	if !strings.Contains(log.String(), "flaws in the timetable") || !strings.Contains(log.String(), "stops.txt:6") {
		t.Errorf("log: %s", &log)
	}
}

// TestShapeBesideItsStopsIsFound loads a timetable whose buses do not drive along the shape.
func TestShapeBesideItsStopsIsFound(t *testing.T) {
	f := geotest.Line(5, time.Hour)
	for i := range f.Shapes[0].Line {
		f.Shapes[0].Line[i][1] += 0.003
	}
	var zip bytes.Buffer
	if err := f.Write(&zip); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.zip")
	save(t, path, zip.Bytes(), 0)
	s := newSource(t, path, t.TempDir())
	s.CountFindings(prometheus.NewRegistry())
	read, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := testutil.ToFloat64(s.found.WithLabelValues("warning")); n != 1 {
		t.Errorf("%v warnings, want 1: %v", n, read.Findings().List)
	}
}
