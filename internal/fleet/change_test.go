package fleet

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"

	"github.com/prometheus/client_golang/prometheus"
)

var busFeeds = Feeds{
	"position": {Topic: "nhip/in/position/+", Format: "position", Agency: "hanoi"},
	"reading":  {Topic: "nhip/in/reading/+", Format: "reading", Agency: "hanoi"},
}

func entryWith(secret string) nhip.DeviceEntry {
	return nhip.DeviceEntry{Feed: "position", Secrets: []string{Digest(secret)}}
}

func TestALaterEditOfTheFileWins(t *testing.T) {
	file := &Fleet{Devices: []Device{{ID: "a", Feed: "position"}, {ID: "b", Feed: "position"}}}
	base := Base(file.Device("a"))
	disabled := EntryOf(file.Device("a"))
	disabled.Disabled = true
	changes := Changes{
		"a": {Base: base, DeviceEntry: disabled},
		"b": {Base: Base(file.Device("b")), Removed: true},
		"c": {DeviceEntry: entryWith("s")},
		"d": {DeviceEntry: nhip.DeviceEntry{Feed: "none"}},
	}
	got, states := file.With(changes, busFeeds)
	if !got.Device("a").Disabled || got.Device("b") != nil || got.Device("c") == nil || got.Device("d") != nil ||
		file.Device("a").Disabled || states["d"] != ChangeInvalid || states["c"] != ChangeInForce {
		t.Errorf("%+v %v", got.Devices, states)
	}
	edited := &Fleet{Devices: []Device{{ID: "a", Feed: "position", Rate: 5}, {ID: "c", Feed: "reading"}}}
	got, states = edited.With(changes, busFeeds)
	if got.Device("a").Disabled || got.Device("c").Feed != "reading" || got.Device("b") != nil ||
		states["a"] != ChangeSuperseded || states["b"] != ChangeSuperseded || states["c"] != ChangeSuperseded {
		t.Errorf("after the edit: %+v %v", got.Devices, states)
	}
}

func TestDiffChangesNamesWhoAndWhatWins(t *testing.T) {
	file := &Fleet{Devices: []Device{
		{ID: "a", Feed: "position", Secrets: []string{Digest("s")}}, {ID: "b", Feed: "position"},
	}}
	entry := EntryOf(file.Device("a"))
	entry.Secrets[0], entry.Disabled = nhip.ShortSecret(entry.Secrets[0]), true
	at := time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)
	got := DiffChanges(file, &nhip.FleetChanges{Changes: []nhip.MadeChange{
		{ID: "a", By: "Lan", Time: at, DeviceChange: nhip.DeviceChange{Base: Base(file.Device("a")), DeviceEntry: entry}},
		{ID: "b", By: "Lan", Time: at, DeviceChange: nhip.DeviceChange{Base: "old", Removed: true}},
		{ID: "c", By: "Lan", Time: at, DeviceChange: nhip.DeviceChange{DeviceEntry: entryWith("s")}},
	}})
	const made = " (over the web by Lan, 2026-02-16T12:00:00Z)"
	want := []string{
		"~ device a: disabled false → true" + made, "! device b: the file was edited later and wins" + made,
		"+ device c" + made,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestAgencyOfADevice(t *testing.T) {
	f := &Fleet{
		Vehicles: []Vehicle{{ID: "v", Agency: "other"}, {ID: "w"}}, Stations: []Station{{ID: "s"}},
	}
	of := f.Agencies(busFeeds)
	for id, want := range map[string]string{
		"v position": "other", "w reading": "hanoi", "s position": "", "x position": "hanoi", "x reading": "", "x none": "",
	} {
		device, feed, _ := strings.Cut(id, " ")
		if got := of(device, feed); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

func TestWatchAppliesChangesAndKeepsThem(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "fleet.yaml")
	if err := os.WriteFile(path, []byte("devices:\n- {id: a, feed: position}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start := func() *Watch {
		w, err := NewWatch(WatchOptions{
			Path: path, Feeds: busFeeds, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
			Changes: filepath.Join(dir, "changes.json"),
		})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	w, told := start(), 0
	w.OnChange(func(*Fleet) { told++ })
	changes := Changes{"b": {DeviceEntry: entryWith("s")}}
	w.SetChanges(changes)
	w.SetChanges(changes) // the same again
	if w.Fleet().Device("b") == nil || told != 2 {
		t.Errorf("%+v, told %d times", w.Fleet().Devices, told)
	}
	if entry, base, web := w.Entry("b"); entry == nil || base != "" || !web {
		t.Errorf("%+v %q %t", entry, base, web)
	}
	if w = start(); w.Fleet().Device("b") == nil {
		t.Error("not in force after a restart")
	}
	if err := os.WriteFile(path, []byte("devices:\n- {id: b, feed: reading}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if w.check(); w.Fleet().Device("b").Feed != "reading" {
		t.Errorf("the file does not win: %+v", w.Fleet().Devices)
	}
	w.SetChanges(nil)
	if _, _, web := w.Entry("b"); web || len(w.Fleet().Devices) != 1 {
		t.Errorf("%+v", w.Fleet().Devices)
	}
}
