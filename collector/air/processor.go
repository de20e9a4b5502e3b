// Package air processes the readings of air monitors: it assesses every reading as it arrives (quality flags and
// corrections), sums up hours, days and months, and repeats both when late readings, reviews or new calibrations
// change the input. Raw values are never changed: everything that is computed here stands beside them and can be
// recomputed.
//
// One Processor owns the stations of a collector. Its results are rows in the database that replace earlier ones. The
// hours that are still to be processed are on disk, so that a crash loses none of them; recent readings are in memory,
// and are read from the database after a start.
//
// Three goroutines work side by side: one assesses recent readings in memory, station by station in turns, one does
// all that needs the database, one compares the monitors of the network. What they work on is first moved to where Save
// finds it (station.working and so on), so that what arrives meanwhile is kept apart.
package air

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/geo/alert"
	"nhip/geo/qc"
	"nhip/internal/damage"
	"nhip/internal/influx"
	"nhip/internal/recovery"

	"github.com/prometheus/client_golang/prometheus"
)

// Store writes rows to the database.
type Store interface {
	Write(ctx context.Context, lines []byte) error
}

// History reads readings and roll-ups from the database.
type History interface {
	Readings(ctx context.Context, q influx.ReadingQuery, yield func(nhip.AssessedReading) error) error
	Rollups(ctx context.Context, q influx.RollupQuery, yield func(influx.RollupRow) error) error
}

// Options are the settings and dependencies of a Processor.
type Options struct {
	Dir          string // folder of its files
	Clock        nhip.Clock
	Store        Store
	History      History
	Rules        *qc.Rules        // nil: qc.NewRules()
	Completeness float64          // share of values that an hour or day needs, 0 to 1; 0: rollup.DefaultCompleteness
	Zone         *time.Location   // of stations without a zone in the fleet; nil: UTC
	Publish      func(LiveUpdate) // must not block

	Alerts       []alert.Rule
	Deliverers   []Deliverer      // recipients of alerts
	PublishAlert func(nhip.Alert) // must not block

	// Stored reports whether all rows up to a record of the outbox are in the database.
	Stored     func(record uint64) bool
	LastRecord uint64 // the last record of the outbox at the start

	Stations func() []*nhip.Station // the live stations, if the state is damaged; may be nil
	Damage   *damage.Log            // reports damaged files; may be nil
	Guard    *recovery.Guard        // counts and logs panics; may be nil
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Processor processes readings. Its methods are safe for concurrent use.
type Processor struct {
	o            Options
	log          *slog.Logger
	rules        *qc.Rules
	completeness float64
	metrics      *metrics
	wakeRecent   chan struct{} // by readings and other news
	wakeDatabase chan struct{} // by rows to write and by work that needs the database
	wakeCompare  chan struct{} // by hours to compare
	pause        time.Duration // least time between two comparisons of the newest hours; 0: comparisons take no rest

	// mu is held for short bookkeeping only: neither while readings are assessed nor during I/O, because all that
	// stores messages and reads metrics waits for it.
	mu           sync.Mutex
	stations     map[string]*station
	all          []*station // the same, in the order in which they were added; only grows
	lastRecord   uint64     // record of the outbox up to which all observed readings are
	comparison   comparison
	faultsKnown  bool                // the monitors were compared since the start
	reviews      map[string]*station // of the known reviews, by id
	savedReviews int                 // their number according to stateFile
	reviewsLost  bool                // some may only be in the database; only New and Run use it

	alerts       alertStates
	alertsFileMu sync.Mutex

	left    atomic.Pointer[nhip.RecomputeProgress] // counted last
	counted time.Time                              // time of that; only processRecent uses it

	lastLogged time.Time // last log entry about an unavailable database; only runDatabase uses it

	rows        rowBuffer // that are not in the database yet
	rowsWritten int64     // added to rows so far
}

func (p *Processor) path(name string) string { return filepath.Join(p.o.Dir, name) }

// station returns the station of an id, and creates it if needed. p.mu must be held.
func (p *Processor) station(id string) *station {
	s := p.stations[id]
	if s == nil {
		s = newStation(id, p.o.Zone)
		p.stations[id] = s
		p.all = append(p.all, s)
	}
	return s
}

// stationList returns all stations.
func (p *Processor) stationList() []*station {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[:len(p.all):len(p.all)]
}

// signal wakes all that works.
func (p *Processor) signal() {
	for _, c := range []chan struct{}{p.wakeRecent, p.wakeDatabase, p.wakeCompare} {
		wake(c)
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// windowHour is the first hour whose readings are all in memory.
func (p *Processor) windowHour() int64 { return hourOf(p.o.Clock.Now().UnixMilli()) - windowHours }

// recentHour is the first hour whose readings are assessed from memory.
func (p *Processor) recentHour() int64 { return hourOf(p.o.Clock.Now().UnixMilli()) - recentHours }
