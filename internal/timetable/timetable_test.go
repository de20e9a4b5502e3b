package timetable

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/internal/outbound"
)

func zipped(t *testing.T, stops int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := geotest.Line(stops, time.Hour).Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// newSource returns a source that may ask servers of this machine.
func newSource(t *testing.T, list, cache string) *Source {
	t.Helper()
	policy := outbound.Policy{Allow: []string{"127.0.0.1"}}
	s, err := New(list, cache, policy, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func save(t *testing.T, path string, data []byte, minute int) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestWatchUsesNewFileAndSkipsInvalidOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.zip")
	save(t, path, zipped(t, 5), 0)
	s := newSource(t, path, t.TempDir())
	f, err := s.Load(t.Context())
	if err != nil || len(f.Stops) != 5 {
		t.Fatalf("%v, %v", f, err)
	}
	var used []*gtfs.Feed
	use := func(f *gtfs.Feed) { used = append(used, f) }
	s.check(t.Context(), use)
	save(t, path, []byte("no zip"), 1)
	s.check(t.Context(), use)
	if len(used) != 0 {
		t.Fatalf("%d unchanged or invalid timetables used", len(used))
	}
	save(t, path, zipped(t, 7), 2)
	s.check(t.Context(), use)
	s.check(t.Context(), use)
	if len(used) != 1 || len(used[0].Stops) != 7 {
		t.Errorf("new timetable: used %v", used)
	}
}

func TestLoadMergesSeveral(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.zip"), filepath.Join(dir, "b.zip")
	save(t, a, zipped(t, 5), 0)
	save(t, b, zipped(t, 7), 0)
	f, err := newSource(t, a+", "+b, dir).Load(t.Context())
	if err != nil || len(f.Routes) != 2 || f.Route("R1") == nil || f.Route("2:R1") == nil || f.Stop("2:S4") == nil ||
		f.Stop("S6") == nil || len(f.Stops) != 12 {
		t.Fatalf("%+v, %v", f, err)
	}
	if f.Trip("2:T0-0").Block == f.Trip("T0-0").Block {
		t.Error("two timetables share a block")
	}
}

func TestDownloadIsConditionalAndKept(t *testing.T) {
	var requests, sent atomic.Int32
	var failing atomic.Bool
	body := zipped(t, 5)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		switch {
		case failing.Load():
			w.WriteHeader(http.StatusBadGateway)
		case r.Header.Get("If-None-Match") == `"1"`:
			w.WriteHeader(http.StatusNotModified)
		default:
			sent.Add(1)
			w.Header().Set("ETag", `"1"`)
			_, _ = w.Write(body)
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	s := newSource(t, server.URL+"/gtfs.zip", dir)
	if _, err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.check(t.Context(), func(*gtfs.Feed) { t.Error("an unchanged timetable was used") })
	if requests.Load() != 2 || sent.Load() != 1 {
		t.Errorf("%d requests and %d downloads, want 2 and 1", requests.Load(), sent.Load())
	}
	failing.Store(true)
	if _, err := newSource(t, server.URL+"/gtfs.zip", dir).Load(t.Context()); err != nil {
		t.Errorf("with a previous download: %v", err)
	}
	_, err := newSource(t, server.URL+"/gtfs.zip", t.TempDir()).Load(context.Background())
	if err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("without a previous download: %v, want status 502", err)
	}
}

// TestInvalidDownloadKeepsPrevious restarts with a publisher that sends garbage, and with a damaged previous download.
func TestInvalidDownloadKeepsPrevious(t *testing.T) {
	var garbage atomic.Bool
	body := zipped(t, 5)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if garbage.Load() {
			_, _ = w.Write([]byte("<html>out of order</html>"))
			return
		}
		_, _ = w.Write(body)
	}))
	defer server.Close()
	dir := t.TempDir()
	load := func() (*gtfs.Feed, error) {
		return newSource(t, server.URL+"/gtfs.zip", dir).Load(t.Context())
	}
	if _, err := load(); err != nil {
		t.Fatal(err)
	}
	garbage.Store(true)
	for range 2 {
		if f, err := load(); err != nil || len(f.Stops) != 5 {
			t.Errorf("with garbage from the publisher: %v", err)
		}
	}
	cache := filepath.Join(dir, "timetable-1.zip")
	if err := os.Truncate(cache, 10); err != nil {
		t.Fatal(err)
	}
	if _, err := load(); err == nil {
		t.Error("a timetable from nowhere")
	}
	if kept, _ := filepath.Glob(cache + ".damaged-*"); len(kept) != 1 {
		t.Errorf("kept %v", kept)
	}
	garbage.Store(false)
	if f, err := load(); err != nil || len(f.Stops) != 5 {
		t.Errorf("with a new download: %v", err)
	}
}

func TestFindNamesOneTimetable(t *testing.T) {
	const list = "data/bus.zip, https://metro.example/gtfs/metro.zip?key=s3cret, a/same.zip, b/same.zip"
	for name, want := range map[string]int{
		"bus.zip": 0, "bus": 0, "data/bus.zip": 0, "metro.zip": 1, "https://metro.example/gtfs/metro.zip?key=s3cret": 1,
		"b/same.zip": 3,
	} {
		if got, err := Find(list, name); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", name, got, err, want)
		}
	}
	for _, name := range []string{"same.zip", "tram", ""} {
		if got, err := Find(list, name); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
}
