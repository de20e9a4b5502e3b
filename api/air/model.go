// Package air models the city's air, now and at any past hour: it interpolates the hourly means of the monitors to
// fields of the air quality index.
package air

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/api/cache"
	"nhip/api/live"
	geoair "nhip/geo/air"
	"nhip/geo/zone"
)

// Options configure a Model.
type Options struct {
	Clock    nhip.Clock
	State    *live.State
	History  History
	Zones    *zone.Set     // nil: no zones
	Reach    float64       // m from the nearest monitor up to which the index is estimated; 0 is geo/air's default
	Interval time.Duration // minimum time between two snapshots of the current hour; 0 is DefaultInterval
	File     string        // keeps what was learned from one start to the next; "" keeps nothing
	Logger   *slog.Logger
}

// DefaultInterval is the default of Options.Interval.
const DefaultInterval = 2 * time.Second

// hoursKept is how many hourly means of each monitor a snapshot has: for 24 indices, each of which looks back 24 hours.
const hoursKept = 48

// Model builds and caches the snapshots. It is a live.Observer and must be registered with Options.State. Its methods
// are safe for concurrent use.
type Model struct {
	live.Ignore
	o            Options
	interpolator *geoair.Interpolator
	zones        zoneCache

	learned atomic.Pointer[learned]
	stored  atomic.Pointer[stationHours] // hours before the live ones, from the history
	mobile  mobileMonitors
	changes atomic.Uint64 // number of changes of stations
	current atomic.Pointer[Snapshot]
	build   sync.Mutex
	past    *cache.Timed[*Snapshot]
	// what was learned up to the hours of past days
	pastDays  *cache.Timed[*learned]
	learnWait time.Duration // see the constant
}

// New returns a model that has learned nothing. Until Run has trained it, it interpolates by inverse distances.
func New(o Options) *Model {
	if o.Reach == 0 {
		o.Reach = geoair.DefaultReach
	}
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	m := &Model{
		o: o, interpolator: geoair.NewInterpolator(o.Reach), past: cache.NewTimed[*Snapshot](maxPast, maxReads),
		pastDays: cache.NewTimed[*learned](maxPastDays, maxReads), learnWait: learnWait, zones: newZoneCache(),
	}
	m.learned.Store(new(learned))
	return m
}

// Run trains the model until ctx ends: first from the history, then from each new hour. It waits until the live state
// is complete, and returns ctx.Err().
func (m *Model) Run(ctx context.Context) error {
	t := newTrainer(m)
	for wait := time.Duration(0); ; wait = trainEvery {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		if m.o.State.Served() {
			t.step(ctx)
		}
	}
}

// Close cancels the running reads of past snapshots.
func (m *Model) Close() {
	m.past.Close()
	m.pastDays.Close()
}

// Reach returns the maximum distance to the nearest monitor at which the index is estimated, in metres.
func (m *Model) Reach() float64 { return m.o.Reach }

// ZoneSet returns the zones with all periods of validity; nil if there are none.
func (m *Model) ZoneSet() *zone.Set { return m.o.Zones }

// PastSnapshots returns the number of cached past snapshots.
func (m *Model) PastSnapshots() int { return m.past.Len() }

// Station implements live.Observer.
func (m *Model) Station(_ string, s *nhip.Station) {
	m.mobile.observe(s)
	m.changes.Add(1)
}

// StationGone implements live.Observer.
func (m *Model) StationGone(string, string) { m.changes.Add(1) }
