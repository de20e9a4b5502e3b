package fleet

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/task"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// log is a buffer that two goroutines may use.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestWatchFollowsFileAndKeepsValidVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.yaml")
	var logged log
	w, err := NewWatch(WatchOptions{
		Path: path, Optional: true, Feeds: feeds, Logger: slog.New(slog.NewTextHandler(&logged, nil)),
		Registry: prometheus.NewRegistry(), poll: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	applied := make(chan *Fleet, 8)
	w.OnChange(func(f *Fleet) { applied <- f })
	if f := <-applied; len(f.Devices) != 0 {
		t.Errorf("fleet of a missing file: %+v", f)
	}
	tasks := task.NewGroup()
	tasks.Go("watch", w.Run)
	defer func() {
		if err := tasks.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()

	write(t, path, "devices: [{id: a, feed: position}, {id: b, feed: position, disabled: true}]")
	if f := <-applied; len(f.Devices) != 2 || w.Fleet() != f || testutil.ToFloat64(w.devices) != 1 {
		t.Errorf("applied %+v", f)
	}
	write(t, path, "devices: [{id: a, feed: nowhere}]\nbuses: []\n")
	awaittest.True(t, "the faults are logged", func() bool {
		return strings.Contains(logged.String(), "fleet.yaml:1:") && strings.Contains(logged.String(), "fleet.yaml:2:") &&
			testutil.ToFloat64(w.refused) == 1
	})
	if len(w.Fleet().Devices) != 2 {
		t.Error("an invalid fleet is in force")
	}
	write(t, path, "devices: [{id: c, feed: position}]")
	if f := <-applied; f.Device("c") == nil || testutil.ToFloat64(w.refused) != 0 {
		t.Errorf("applied %+v", f)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if f := <-applied; len(f.Devices) != 0 {
		t.Errorf("fleet of a removed file: %+v", f)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestWatchRequiresFileUnlessOptional(t *testing.T) {
	_, err := NewWatch(WatchOptions{Path: filepath.Join(t.TempDir(), "none.yaml"), Registry: prometheus.NewRegistry()})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

// startWatch returns a watch of a file with a copy, and what it logged.
func startWatch(t *testing.T, path string) (*Watch, string) {
	t.Helper()
	var logged log
	w, err := NewWatch(WatchOptions{
		Path: path, Optional: true, Copy: path + ".copy", Feeds: feeds, Registry: prometheus.NewRegistry(),
		Logger: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, logged.String()
}

func TestWatchStartsOnInvalidFile(t *testing.T) {
	const valid = "devices: [{id: a, feed: position}]\n"
	for name, invalid := range map[string]string{
		"a faulty entry": valid + "vehicles: [{id: b}, {id: c, nonsense: 1}]\n",
		"no YAML":        "\x00\xff{[",
		"no text":        "",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "fleet.yaml")
			write(t, path, valid)
			if w, logged := startWatch(t, path); !w.Current() || logged != "" {
				t.Errorf("valid file: current %v, log %s", w.Current(), logged)
			}
			write(t, path, invalid)
			w, logged := startWatch(t, path)
			if f := w.Fleet(); f.Device("a") == nil || len(f.Vehicles) != 0 {
				t.Errorf("with a copy: %+v", f)
			}
			if w.Current() || testutil.ToFloat64(w.refused) != 1 || !strings.Contains(logged, "level=ERROR") {
				t.Errorf("with a copy: current %v, log %s", w.Current(), logged)
			}
			if err := os.Remove(path + ".copy"); err != nil {
				t.Fatal(err)
			}
			w, logged = startWatch(t, path)
			if f := w.Fleet(); strings.Contains(invalid, valid) &&
				(f.Device("a") == nil || len(f.Vehicles) != 1 || f.Vehicles[0].ID != "b" || w.Current()) {
				t.Errorf("without a copy: %+v, log %s", f, logged)
			}
			write(t, path, valid)
			if w.check(); !w.Current() || w.Fleet().Device("a") == nil {
				t.Error("the mended file is not in force")
			}
		})
	}
}

func TestWatchStartsOnFolderInPlaceOfFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.yaml")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if w, _ := startWatch(t, path); w.Current() || !w.Fleet().empty() {
		t.Errorf("current %v, %+v", w.Current(), w.Fleet())
	}
}

func TestEmptiedFileKeepsFleetInForce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.yaml")
	write(t, path, "devices: [{id: a, feed: position}]")
	w, _ := startWatch(t, path)
	write(t, path, "")
	if w.check(); w.Current() || w.Fleet().Device("a") == nil {
		t.Errorf("current %v, %+v", w.Current(), w.Fleet())
	}
}
