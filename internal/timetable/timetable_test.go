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
)

func zipped(t *testing.T, stops int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := geotest.Line(stops, time.Hour).Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
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

func TestANewFileIsUsedAndABadOneIsNot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.zip")
	save(t, path, zipped(t, 5), 0)
	s := New(path, t.TempDir(), slog.New(slog.DiscardHandler))
	f, err := s.Load(t.Context())
	if err != nil || len(f.Stops) != 5 {
		t.Fatalf("%v, %v", f, err)
	}
	var used []*gtfs.Feed
	use := func(f *gtfs.Feed) { used = append(used, f) }
	s.look(t.Context(), use)
	save(t, path, []byte("no zip"), 1)
	s.look(t.Context(), use)
	if len(used) != 0 {
		t.Fatalf("used %d of an old and a bad one", len(used))
	}
	save(t, path, zipped(t, 7), 2)
	s.look(t.Context(), use)
	s.look(t.Context(), use)
	if len(used) != 1 || len(used[0].Stops) != 7 {
		t.Errorf("the new one: %v", used)
	}
}

func TestSeveralAreMerged(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.zip"), filepath.Join(dir, "b.zip")
	save(t, a, zipped(t, 5), 0)
	save(t, b, zipped(t, 7), 0)
	f, err := New(a+", "+b, dir, slog.New(slog.DiscardHandler)).Load(t.Context())
	if err != nil || len(f.Routes) != 2 || f.Route("R1") == nil || f.Route("2:R1") == nil || f.Stop("2:S4") == nil || f.Stop("S6") == nil || len(f.Stops) != 12 {
		t.Fatalf("%+v, %v", f, err)
	}
	if f.Trip("2:T0-0").Block == f.Trip("T0-0").Block {
		t.Error("two feeds share a block")
	}
}

func TestDownloadsAreConditionalAndKept(t *testing.T) {
	var asked, sent atomic.Int32
	away := atomic.Bool{}
	body := zipped(t, 5)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch {
		case away.Load():
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
	s := New(server.URL+"/gtfs.zip", dir, slog.New(slog.DiscardHandler))
	if _, err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.look(t.Context(), func(*gtfs.Feed) { t.Error("nothing is new") })
	if asked.Load() != 2 || sent.Load() != 1 {
		t.Errorf("asked %d times, sent %d times", asked.Load(), sent.Load())
	}
	away.Store(true)
	if _, err := New(server.URL+"/gtfs.zip", dir, slog.New(slog.DiscardHandler)).Load(t.Context()); err != nil {
		t.Errorf("with a kept download: %v", err)
	}
	_, err := New(server.URL+"/gtfs.zip", t.TempDir(), slog.New(slog.DiscardHandler)).Load(context.Background())
	if err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("without one: %v", err)
	}
}
