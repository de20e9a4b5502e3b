package app_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/app"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
)

// TestSimulatedPast starts a simulated city with a past in a new folder: an hour ago and three hours ago its buses were
// on the map, and its stations have names, districts and readings. The next start makes no second past.
func TestSimulatedPast(t *testing.T) {
	dir := t.TempDir()
	o := apptest.Options(t, dir, "")
	o.Simulate, o.Buses, o.Past = true, 6, 4*time.Hour
	p := apptest.Start(t, app.Up, o)
	began := time.Now()
	c := p.API(t)
	busesAgo := func(ago time.Duration) int {
		var list apptest.Features
		a := c.Get(t, "/v1/buses?time="+began.Add(-ago).UTC().Format(time.RFC3339))
		if a.Status != http.StatusOK {
			return 0
		}
		apptest.Decode(t, a, &list)
		for _, f := range list.Features {
			if f.Properties["origin"] != "simulated" {
				t.Fatalf("a bus of the past without its origin: %v", f.Properties)
			}
		}
		return len(list.Features)
	}
	past := filepath.Join(dir, "simulated-past.json")
	awaittest.True(t, "the past is complete", func() bool { return pastComplete(t, past) })
	awaittest.True(t, "buses an hour ago and three hours ago", func() bool {
		return busesAgo(time.Hour) == 6 && busesAgo(3*time.Hour) == 6
	})
	for path, want := range map[string]string{
		"/v1/stations/hn-hoan-kiem": "Hoàn Kiếm", "/v1/zones": "Ba Đình", "/v1/service-alerts": "Mô phỏng",
	} {
		awaittest.True(t, path, func() bool {
			a := c.Get(t, path)
			return a.Status == http.StatusOK && strings.Contains(string(a.Body), want)
		})
	}
	if links := p.Addresses.Try; len(links) != 3 {
		t.Errorf("things to try: %v", links)
	}
	first, err := os.ReadFile(past)
	if err != nil {
		t.Fatal(err)
	}
	p.Stop(t)

	again := apptest.Start(t, app.Up, o)
	c = again.API(t)
	awaittest.True(t, "the buses are live again", func() bool {
		var list apptest.Features
		apptest.Decode(t, c.Get(t, "/v1/buses"), &list)
		return len(list.Features) == 6
	})
	if second, err := os.ReadFile(past); err != nil || string(second) != string(first) {
		t.Errorf("the past after another start: %s, %v; it was %s", second, err, first)
	}
	again.Stop(t)
}

// pastComplete reports whether a folder has all of its simulated past.
func pastComplete(t *testing.T, path string) bool {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var p struct{ Until, Through time.Time }
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatal(err)
	}
	return !p.Through.Before(p.Until)
}

// TestPastMustBeLate refuses a past that the lead of the buses would cover, and one of which no arrivals are found.
func TestPastMustBeLate(t *testing.T) {
	for _, past := range []time.Duration{-time.Hour, time.Hour, 100 * time.Hour} {
		o := apptest.Options(t, t.TempDir(), "")
		o.Simulate, o.Past = true, past
		r := app.Up(o)
		if err := r.Start(t.Context()); nhip.ErrorCode(err) != nhip.CodeOutOfRange {
			t.Errorf("%s: %v", past, err)
		}
	}
}

// TestSimulatedPastIsMadeInNewFoldersOnly starts a simulated city in a folder that already has facts.
func TestSimulatedPastIsMadeInNewFoldersOnly(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "collector"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "simulated"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o := apptest.Options(t, dir, "")
	o.Simulate, o.Buses, o.Past = true, 2, 4*time.Hour
	apptest.Start(t, app.Up, o).Stop(t)
	if _, err := os.Stat(filepath.Join(dir, "simulated-past.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a past was begun: %v", err)
	}
}
