package app_test

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip/app"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/suitetest"
)

// hungDatabase returns the options of all roles with an embedded database that never opens.
func hungDatabase(t *testing.T, dir string) app.Options {
	t.Helper()
	o := apptest.Options(t, dir, "")
	o.Influxd = apptest.WriteFile(t, "influxd", "#!/bin/sh\nexec cat >/dev/null\n")
	if err := os.Chmod(o.Influxd, 0o700); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestUpTakesMessagesBeforeDatabase starts all roles with databases that do not answer: messages are acknowledged and
// the api shows the present.
func TestUpTakesMessagesBeforeDatabase(t *testing.T) {
	silent := newSilentServer(t)
	for name, options := range map[string]func(t *testing.T) app.Options{
		"embedded, loading": func(t *testing.T) app.Options { return hungDatabase(t, t.TempDir()) },
		"embedded, dying": func(t *testing.T) app.Options {
			o := apptest.Options(t, t.TempDir(), "")
			o.Influxd = "/bin/false"
			return o
		},
		"elsewhere, down": func(t *testing.T) app.Options {
			return apptest.Options(t, t.TempDir(), "influx: {url: 'http://127.0.0.1:1', token: t}")
		},
		"elsewhere, silent": func(t *testing.T) app.Options {
			return apptest.Options(t, t.TempDir(), fmt.Sprintf("influx: {url: %q, token: t}", silent))
		},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			p := apptest.StartNow(t, app.Up, options(t))
			p.Publish(t, apptest.Position("a", time.Now(), 21.03, 105.85))
			t.Logf("the first message was acknowledged after %s", time.Since(began))
			if !strings.HasPrefix(p.Influx, "http://") {
				t.Errorf("influx=%s", p.Influx)
			}
			if got := apptest.Degraded(t, p.HTTP); !slices.Contains(got, "history") || slices.Contains(got, "intake") {
				t.Errorf("degraded: %v", got)
			}
			c := p.API(t)
			awaittest.True(t, "the bus is live", func() bool {
				var buses apptest.Features
				apptest.Decode(t, c.Get(t, "/v1/buses"), &buses)
				return len(buses.Features) == 1
			})
			if a := c.Get(t, "/readyz"); a.Status != http.StatusOK {
				t.Errorf("readyz: %d %s", a.Status, a.Body)
			}
		})
	}
}

// usedFolder returns a data folder that all roles have used, with every kind of file.
func usedFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	fleet := "stations: [{id: s, kind: low-cost}]\ndevices: [{id: d, feed: position}]\n"
	if err := os.WriteFile(filepath.Join(dir, "fleet.yaml"), []byte(fleet), 0o600); err != nil {
		t.Fatal(err)
	}
	p := apptest.StartNow(t, app.Up, hungDatabase(t, dir))
	hour := time.Now().Truncate(time.Hour)
	p.Publish(t,
		apptest.Position("a", time.Now(), 21.03, 105.85), apptest.Reading("s", hour, 70),
		apptest.Position("bad", time.Now(), 91, 105.8),
	)
	review := fmt.Sprintf(`{"station":"s","from":%q,"to":%q,"action":"annotate","by":"an","why":"r"}`,
		hour.Add(-time.Hour).Format(time.RFC3339), hour.Format(time.RFC3339))
	a := p.API(t).Post(t, "/v1/reviews", review, "Authorization", "Bearer "+p.Token(t), "Content-Type", "application/json")
	if a.Status != http.StatusCreated {
		t.Fatalf("review: %d %s", a.Status, a.Body)
	}
	p.Stop(t)
	if err := os.WriteFile(filepath.Join(dir, "collector", "air", "alerts.json"), []byte(`{"states":{}}`),
		0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// damages are what can happen to a file.
var damages = map[string]func(path string) error{
	"emptied": func(path string) error { return os.Truncate(path, 0) },
	"garbage": func(path string) error {
		return os.WriteFile(path, []byte("\x00\xff{]garbage\n\x00\x01\x02"+strings.Repeat("\xee", 600)), 0o600)
	},
	"halved": func(path string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, info.Size()/2)
	},
	"a folder": func(path string) error {
		if err := os.Remove(path); err != nil {
			return err
		}
		return os.MkdirAll(filepath.Join(path, "x"), 0o700)
	},
	"unreadable": func(path string) error { return os.Chmod(path, 0) },
}

// TestUpStartsOnDamagedFiles damages the files of a used data folder in turn. All roles must start and accept messages,
// and what the damage costs must be reported.
func TestUpStartsOnDamagedFiles(t *testing.T) {
	used := usedFolder(t)
	for _, name := range filesBelow(t, used) {
		for kind, damage := range damages {
			if !suitetest.Full() && !(kind == "garbage" && reported(name)) {
				continue
			}
			t.Run(name+" "+kind, func(t *testing.T) {
				dir := t.TempDir()
				if err := os.CopyFS(dir, os.DirFS(used)); err != nil {
					t.Fatal(err)
				}
				if err := damage(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
				checkDamagedStart(t, dir, name, kind)
			})
		}
	}
}

func checkDamagedStart(t *testing.T, dir, name, kind string) {
	t.Helper()
	p := apptest.StartNow(t, app.Up, hungDatabase(t, dir))
	p.Publish(t, apptest.Position("after", time.Now(), 21.03, 105.85))
	degraded := apptest.Degraded(t, p.HTTP)
	t.Logf("degraded: %v", degraded)
	// Root can read everything. A text that is cut off may be valid.
	silent := kind == "unreadable" && os.Geteuid() == 0 || kind == "halved" && strings.HasPrefix(name, "operator.") ||
		kind == "halved" && strings.HasPrefix(name, "fleet.")
	said := slices.Contains(degraded, "files") || slices.Contains(degraded, "fleet")
	if reported(name) && !silent && !said {
		t.Errorf("only %v is reported", degraded)
	}
	p.Stop(t)
	if !suitetest.Full() {
		return
	}
	again := apptest.StartNow(t, app.Up, hungDatabase(t, dir))
	again.Publish(t, apptest.Position("again", time.Now(), 21.03, 105.85))
	if got := apptest.Degraded(t, again.HTTP); slices.Contains(got, "files") {
		t.Errorf("at the second start: degraded %v", got)
	}
	again.Stop(t)
}

// reported reports whether the loss of a file must be reported.
func reported(name string) bool {
	return slices.Contains([]string{
		"operator.token", "influx.auth", "fleet.yaml", "collector/live.jsonl", "collector/air/air.json",
		"collector/air/alerts.json", "collector/air/reviews.jsonl",
	}, name)
}

func filesBelow(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.HasPrefix(path, "influx/") {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
