package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"nhip/internal/durable"
	"nhip/internal/settings"
	"nhip/internal/wait"

	"github.com/prometheus/client_golang/prometheus"
)

// pollEvery is how often the fleet file is checked for changes. A disabled device must be disconnected within 5 s.
const pollEvery = time.Second

// WatchOptions configures a Watch.
type WatchOptions struct {
	Path     string
	Optional bool // a missing file is an empty fleet
	Feeds    Feeds
	Logger   *slog.Logger
	Registry prometheus.Registerer

	// Changes is the path of a copy of the changes that staff have made over the web, which are in force from the start.
	// "": they are in force when SetChanges is called.
	Changes string

	// Copy is the path of a copy of the version in force, which NewWatch uses if the file is invalid. "": none is kept,
	// and an invalid file is an error of NewWatch.
	Copy string

	poll time.Duration // pollEvery; shorter in tests
}

// Watch follows the changes of a fleet file. If a new version is invalid, Watch logs every fault and keeps the previous
// version in force.
type Watch struct {
	o       WatchOptions
	fleet   atomic.Pointer[Fleet] // in force: that of the file with the changes
	file    atomic.Pointer[Fleet]
	changes Changes                // of staff, over the web
	states  map[string]ChangeState // of the changes
	stale   atomic.Bool            // the file is invalid, and another version is in force
	seen    stamp
	mu      sync.Mutex     // of changes and states; held while the functions are called
	apply   []func(*Fleet) // called with each version
	refused prometheus.Gauge
	devices prometheus.Gauge
	reloads prometheus.Counter
}

// stamp distinguishes versions of a file without reading it.
type stamp struct {
	modified time.Time
	size     int64
	file     os.FileInfo // for os.SameFile: an editor may replace the file
}

func (s stamp) same(t stamp) bool {
	if s.file == nil || t.file == nil {
		return s.file == nil && t.file == nil
	}
	return s.modified.Equal(t.modified) && s.size == t.size && os.SameFile(s.file, t.file)
}

// NewWatch reads the file for the first time. If it is invalid, the copy of the version that was in force last comes
// into force or, without a copy, the entries of the file that have no fault. A file that is missing and not optional is
// an error if there is no copy.
func NewWatch(o WatchOptions) (*Watch, error) {
	if o.poll == 0 {
		o.poll = pollEvery
	}
	w := &Watch{
		o: o,
		refused: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "nhip_fleet_refused", Help: "1 while the fleet file is invalid and another version is in force.",
		}),
		devices: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "nhip_fleet_devices", Help: "Enabled devices of the fleet.",
		}),
		reloads: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_fleet_reloads_total", Help: "Changes of the fleet file that came into force.",
		}),
	}
	w.seen = w.stamp()
	f, raw, err := w.load(w.copied())
	if err != nil {
		if f, err = w.fallback(err); err != nil {
			return nil, err
		}
		w.setStale(true)
	} else {
		w.keepCopy(raw)
	}
	o.Registry.MustRegister(w.refused, w.devices, w.reloads)
	w.restoreChanges()
	w.enforce(f)
	return w, nil
}

// fallback returns the fleet to start with if the file is invalid, and logs why. If there is none, it returns the
// fault.
func (w *Watch) fallback(fault error) (*Fleet, error) {
	if w.o.Copy == "" {
		return nil, fault
	}
	if f, err := Load(w.o.Copy, w.o.Feeds); err == nil {
		w.o.Logger.Error("invalid fleet file; the version that was in force before is used",
			"copy", w.o.Copy, "error", fault)
		return f, nil
	}
	if errors.Is(fault, fs.ErrNotExist) {
		return nil, fault
	}
	f := new(Fleet)
	if raw, err := settings.ReadFile(w.o.Path); err == nil {
		f = ReadValid(w.o.Path, raw, w.o.Feeds)
	}
	w.o.Logger.Error("invalid fleet file; only its valid entries are in force", "stations", len(f.Stations),
		"vehicles", len(f.Vehicles), "devices", len(f.Devices), "error", fault)
	return f, nil
}

// copied returns the copy; nil if there is none.
func (w *Watch) copied() *Fleet {
	if w.o.Copy == "" {
		return nil
	}
	f, err := Load(w.o.Copy, w.o.Feeds)
	if err != nil {
		return nil
	}
	return f
}

// keepCopy saves the text of the version in force; nil: there is no file.
func (w *Watch) keepCopy(raw []byte) {
	if w.o.Copy == "" {
		return
	}
	var err error
	if old, readErr := settings.ReadFile(w.o.Copy); raw == nil {
		if err = os.Remove(w.o.Copy); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	} else if readErr != nil || !bytes.Equal(old, raw) {
		err = durable.WriteFile(w.o.Copy, raw)
	}
	if err != nil {
		w.o.Logger.Warn("no copy of the fleet file; an invalid file would count at the next start", "error", err)
	}
}

// Current reports whether the file is valid and in force.
func (w *Watch) Current() bool { return !w.stale.Load() }

func (w *Watch) setStale(stale bool) {
	w.stale.Store(stale)
	w.refused.Set(0)
	if stale {
		w.refused.Set(1)
	}
}

// Fleet returns the version in force.
func (w *Watch) Fleet() *Fleet { return w.fleet.Load() }

// OnChange calls f with the version in force and later with each new version, one call at a time.
func (w *Watch) OnChange(f func(*Fleet)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.apply = append(w.apply, f)
	f(w.Fleet())
}

// Run checks the file for changes until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	for {
		if err := wait.Sleep(ctx, w.o.poll); err != nil {
			return err
		}
		w.check()
	}
}

// check puts a new version of the file into force, if it is valid.
func (w *Watch) check() {
	now := w.stamp()
	if now.same(w.seen) {
		return
	}
	w.seen = now
	f, raw, err := w.load(w.file.Load())
	if err != nil {
		w.setStale(true)
		w.o.Logger.Error("invalid fleet file; the previous version stays in force", "error", err)
		return
	}
	w.setStale(false)
	w.keepCopy(raw)
	changes := Diff(w.file.Load(), f)
	w.o.Logger.Info("new fleet in force", "stations", len(f.Stations), "vehicles", len(f.Vehicles),
		"devices", len(f.Devices), "changes", len(changes))
	w.reloads.Inc()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.enforce(f)
	w.tell()
}

// tell calls the functions with the version in force. The caller holds mu.
func (w *Watch) tell() {
	for _, apply := range w.apply {
		apply(w.Fleet())
	}
}

// enforce makes a version of the file the one in force, with the changes. The caller holds mu, or is the first.
func (w *Watch) enforce(f *Fleet) {
	w.file.Store(f)
	f, w.states = f.With(w.changes, w.o.Feeds)
	enabled := slices.DeleteFunc(slices.Clone(f.Devices), func(d Device) bool { return d.Disabled })
	w.devices.Set(float64(len(enabled)))
	w.fleet.Store(f)
}

// errEmptied means that a file has lost its content: an editor is writing it, or the disk was full.
var errEmptied = errors.New("the file is empty, and the version before was not; remove the file for an empty fleet")

// load reads the file. The text is nil if the file is missing and optional. before is the version before; it may be
// nil.
func (w *Watch) load(before *Fleet) (*Fleet, []byte, error) {
	raw, err := settings.ReadFile(w.o.Path)
	switch {
	case w.o.Optional && errors.Is(err, fs.ErrNotExist):
		return new(Fleet), nil, nil
	case err != nil:
		return nil, nil, fmt.Errorf("can't read the fleet: %w", err)
	case len(raw) == 0 && before != nil && !before.empty():
		return nil, nil, fmt.Errorf("%s: %w", w.o.Path, errEmptied)
	}
	f, err := Read(w.o.Path, raw, w.o.Feeds)
	return f, raw, err
}

func (w *Watch) stamp() stamp {
	info, err := os.Stat(w.o.Path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size(), info}
}
