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

	"nhip/internal/await"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// log is a buffer for two goroutines.
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

func TestWatchKeepsUpAndRefusesWhatCantBe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.yaml")
	var told log
	w, err := NewWatch(WatchOptions{
		Path: path, Optional: true, Feeds: feeds, Logger: slog.New(slog.NewTextHandler(&told, nil)), Registry: prometheus.NewRegistry(), look: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	applied := make(chan *Fleet, 8)
	w.OnChange(func(f *Fleet) { applied <- f })
	if f := <-applied; len(f.Devices) != 0 {
		t.Errorf("no file is %+v", f)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	defer func() { cancel(); <-ended }()

	write(t, path, "devices: [{id: a, feed: position}, {id: b, feed: position, disabled: true}]")
	if f := <-applied; len(f.Devices) != 2 || w.Fleet() != f || testutil.ToFloat64(w.devices) != 1 {
		t.Errorf("applied %+v", f)
	}
	write(t, path, "devices: [{id: a, feed: nowhere}]\nbuses: []\n")
	await.True(t, "the faults are told", func() bool {
		return strings.Contains(told.String(), "fleet.yaml:1:") && strings.Contains(told.String(), "fleet.yaml:2:") && testutil.ToFloat64(w.refused) == 1
	})
	if len(w.Fleet().Devices) != 2 {
		t.Error("a faulty fleet is in force")
	}
	write(t, path, "devices: [{id: c, feed: position}]")
	if f := <-applied; f.Device("c") == nil || testutil.ToFloat64(w.refused) != 0 {
		t.Errorf("applied %+v", f)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if f := <-applied; len(f.Devices) != 0 {
		t.Errorf("a fleet that was taken away leaves %+v", f)
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

func TestAFleetThatIsAskedForMustBeThere(t *testing.T) {
	_, err := NewWatch(WatchOptions{Path: filepath.Join(t.TempDir(), "none.yaml"), Registry: prometheus.NewRegistry()})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
