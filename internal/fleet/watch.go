package fleet

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"nhip/internal/pause"

	"github.com/prometheus/client_golang/prometheus"
)

// lookEvery is how often the fleet file is looked at. A device that is disabled must be out within 5 s.
const lookEvery = time.Second

// WatchOptions say what a Watch needs.
type WatchOptions struct {
	Path     string
	Optional bool // a file that is not there is an empty fleet
	Feeds    Feeds
	Logger   *slog.Logger
	Registry prometheus.Registerer

	look time.Duration // lookEvery; shorter in tests
}

// Watch keeps up with a fleet file. A new version that can't be is told, line by line, and the old one
// stays in force.
type Watch struct {
	o       WatchOptions
	fleet   atomic.Pointer[Fleet]
	seen    stamp
	mu      sync.Mutex // over apply and who is called
	apply   []func(*Fleet)
	refused prometheus.Gauge
	devices prometheus.Gauge
	reloads prometheus.Counter
}

// stamp tells versions of a file apart without reading them.
type stamp struct {
	modified time.Time
	size     int64
	file     os.FileInfo // for os.SameFile: an editor may put another in its place
}

func (s stamp) same(t stamp) bool {
	if s.file == nil || t.file == nil {
		return s.file == nil && t.file == nil
	}
	return s.modified.Equal(t.modified) && s.size == t.size && os.SameFile(s.file, t.file)
}

// NewWatch reads the file for the first time; a faulty one is an error.
func NewWatch(o WatchOptions) (*Watch, error) {
	if o.look == 0 {
		o.look = lookEvery
	}
	w := &Watch{
		o: o,
		refused: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "nhip_fleet_refused", Help: "1 while the fleet file holds faults and an older version is in force.",
		}),
		devices: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "nhip_fleet_devices", Help: "Devices of the fleet that are not disabled.",
		}),
		reloads: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "nhip_fleet_reloads_total", Help: "Versions of the fleet file that came into force after the first.",
		}),
	}
	w.seen = w.stamp()
	f, err := w.load()
	if err != nil {
		return nil, err
	}
	o.Registry.MustRegister(w.refused, w.devices, w.reloads)
	w.enforce(f)
	return w, nil
}

// Fleet returns the version that is in force.
func (w *Watch) Fleet() *Fleet { return w.fleet.Load() }

// OnChange has f called with the version in force, now and with each that follows, one call after the other.
func (w *Watch) OnChange(f func(*Fleet)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.apply = append(w.apply, f)
	f(w.Fleet())
}

// Run looks at the file until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	for pause.For(ctx, w.o.look) {
		w.check()
	}
}

// check takes a new version in force, if there is one that can be.
func (w *Watch) check() {
	now := w.stamp()
	if now.same(w.seen) {
		return
	}
	w.seen = now
	f, err := w.load()
	if err != nil {
		w.refused.Set(1)
		w.o.Logger.Error("the new fleet is refused, the one before stays in force", "error", err)
		return
	}
	w.refused.Set(0)
	changes := Diff(w.Fleet(), f)
	w.o.Logger.Info("a new fleet is in force", "stations", len(f.Stations), "vehicles", len(f.Vehicles), "devices", len(f.Devices), "changes", len(changes))
	w.reloads.Inc()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.enforce(f)
	for _, apply := range w.apply {
		apply(f)
	}
}

func (w *Watch) enforce(f *Fleet) {
	enabled := slices.DeleteFunc(slices.Clone(f.Devices), func(d Device) bool { return d.Disabled })
	w.devices.Set(float64(len(enabled)))
	w.fleet.Store(f)
}

func (w *Watch) load() (*Fleet, error) {
	f, err := Load(w.o.Path, w.o.Feeds)
	if w.o.Optional && errors.Is(err, fs.ErrNotExist) {
		return new(Fleet), nil
	}
	return f, err
}

func (w *Watch) stamp() stamp {
	info, err := os.Stat(w.o.Path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size(), info}
}
