// Package air keeps the city's air: it judges every reading as it comes, corrects it where the fleet says how,
// sums hours, days and months up, and does all of that again where late readings, reviews or new calibrations
// change what was known. Of what was said nothing is changed; all that is made here stands beside it and can be
// made again.
//
// One keeper owns a station. What it makes goes to the database as rows that replace themselves. Which hours are
// still to be made is kept on disk, so that a crash loses none of them; what was said lately is kept in memory,
// and read from the database after a start.
package air

import (
	"context"
	"log/slog"
	"math"
	"path/filepath"
	"sync"
	"time"

	"nhip"
	"nhip/geo/alert"
	"nhip/geo/qc"
	"nhip/geo/rollup"
	"nhip/internal/fleet"
	"nhip/internal/influx"

	"github.com/prometheus/client_golang/prometheus"
)

// How much of the past is at hand: what is judged as it comes, and before that as much as the longest flat line
// that counts. What comes later than that is judged from the database.
const (
	recentHours = 2
	windowHours = recentHours + 26
	liveHours   = 24 // that the city knows
)

// The keeper's rhythm.
const (
	tickEvery  = time.Second
	retryAfter = 2 * time.Second

	complainEvery = time.Minute

	loadAtOnce  = 20 // stations that are read from the database between two looks at what came in
	sendBytes   = 1 << 20
	maxUnsent   = 64 << 20 // bytes of rows that wait for a database that is away
	chunkHours  = 31 * 24  // of old hours that are judged at once
	chunkMargin = 25       // hours around them that are looked at
)

// Store is where rows go.
type Store interface {
	Write(ctx context.Context, lines []byte) error
}

// History is what is known of the past.
type History interface {
	Readings(ctx context.Context, q influx.ReadingQuery, yield func(nhip.Judged) error) error
	Rollups(ctx context.Context, q influx.RollupQuery, yield func(influx.Rolled) error) error
}

// Told is what the city is to show of a station.
type Told struct {
	Station string
	Flags   map[nhip.Quantity]ToldFlag // of each newest value
	Hours   *nhip.AirHours
}

// ToldFlag is the verdict on the value of one moment.
type ToldFlag struct {
	Time  time.Time
	Flag  nhip.Flag
	Tests string
}

// Options say what a keeper needs.
type Options struct {
	Dir          string // its folder
	Clock        nhip.Clock
	Store        Store
	History      History
	Rules        *qc.Rules      // nil: the usual ones
	Completeness float64        // of hours and days, 0 to 1; 0: rollup.UsualCompleteness
	Zone         *time.Location // of stations of which the fleet names none; nil: UTC
	Tell         func(Told)     // must not wait

	Alerts  []alert.Rule     // when staff are told
	Deliver []Deliverer      // who brings it to them
	Alert   func(nhip.Alert) // tells the city of an alert that changed; must not wait

	// Stored tells whether all that was heard up to a record of the outbox is in the database.
	Stored func(record uint64) bool
	Heard  uint64 // the last record of the outbox of a former life

	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Keeper keeps the air. Its methods may be called from any goroutine.
type Keeper struct {
	o            Options
	log          *slog.Logger
	rules        *qc.Rules
	completeness float64
	metrics      *metrics
	wake         chan struct{}

	mu       sync.Mutex
	stations map[string]*station
	heard    uint64            // the record of the outbox behind which everything old that is dirty lies
	around   map[nearHour]bool // hours whose neighbourhood is to be looked at
	reviews  map[string]bool   // ids of those that are known
	now      time.Time         // of the work under way

	alarms    alarms
	alarmFile sync.Mutex

	complained time.Time // when it was last told that the database does not answer; the run loop's

	lines []byte // rows that are not in the database yet
	rows  int64  // made so far
}

// New restores what is to be done. Nothing is done before Run.
func New(o Options) (*Keeper, error) {
	k := &Keeper{
		o: o, log: o.Logger.With("component", "air"), rules: o.Rules, completeness: o.Completeness, wake: make(chan struct{}, 1),
		stations: make(map[string]*station), heard: o.Heard, around: make(map[nearHour]bool), reviews: make(map[string]bool),
	}
	if k.rules == nil {
		k.rules = qc.NewRules()
	}
	if k.completeness == 0 {
		k.completeness = rollup.UsualCompleteness
	}
	if k.o.Zone == nil {
		k.o.Zone = time.UTC
	}
	k.metrics = newMetrics(o.Registry, k)
	if err := k.restore(); err != nil {
		return nil, err
	}
	if err := k.restoreAlarms(); err != nil {
		return nil, err
	}
	k.forgetRules()
	return k, k.restoreReviews()
}

func (k *Keeper) path(name string) string { return filepath.Join(k.o.Dir, name) }

// station returns the one of a name, and makes it.
func (k *Keeper) station(id string) *station {
	s := k.stations[id]
	if s == nil {
		s = newStation(id, k.o.Zone)
		k.stations[id] = s
	}
	return s
}

// Hear takes in readings that nobody said before. They are in the outbox up to the record that is named.
func (k *Keeper) Hear(readings []nhip.Reading, record uint64) {
	if len(readings) == 0 {
		return
	}
	k.mu.Lock()
	window, recent := startOf(k.windowHour()), startOf(k.recentHour())
	for i := range readings {
		r := &readings[i]
		s := k.station(r.Station)
		if r.Point.Known() {
			s.at = r.Point
		}
		at := r.Time.UnixMilli()
		if at > window {
			s.put(r, nhip.Verdict{})
		}
		s.take(at, recent)
	}
	k.heard = max(k.heard, record)
	k.mu.Unlock()
	k.signal()
}

// HearFleet takes in what the fleet says of a station; the zero Station is that it says nothing any more. A new
// calibration is applied to all that was said since it is valid.
func (k *Keeper) HearFleet(id string, f fleet.Station) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.station(id)
	from := s.describe(f, k.o.Zone)
	if from == math.MaxInt64 || s.last == 0 {
		return
	}
	k.redo(s, from, endOf(s.last))
	k.log.Info("what the fleet says of a station changes what its readings mean; they are judged again", "station", id)
	k.signal()
}

// redo marks what a station said from one time on, exclusive, to another, in ms, as to be judged again.
func (k *Keeper) redo(s *station, from, to int64) {
	from = max(from, startOf(s.first))
	if to <= from {
		return
	}
	s.dirty = s.dirty.add(hourOf(from+1), hourOf(to)+1)
	if recent := startOf(k.recentHour()); to > recent {
		s.from = min(s.from, max(from, recent))
	}
}

func (k *Keeper) signal() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// windowHour is the first hour that memory holds as a whole, recentHour the first that is judged from there.
func (k *Keeper) windowHour() int64 { return hourOf(k.o.Clock.Now().UnixMilli()) - windowHours }

func (k *Keeper) recentHour() int64 { return hourOf(k.o.Clock.Now().UnixMilli()) - recentHours }

// Run works until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	var rested time.Time
	for ctx.Err() == nil {
		if time.Now().After(rested) && !k.round(ctx) && ctx.Err() == nil {
			rested = time.Now().Add(retryAfter)
		}
		if k.more() && time.Now().After(rested) {
			continue
		}
		select {
		case <-ctx.Done():
		case <-k.wake:
		case <-tick.C:
		}
		k.live()
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), tickEvery)
	defer cancel()
	k.live()
	if k.o.Stored(k.o.Heard) {
		k.send(last)
	}
}

// round does what needs the database: reading what memory lacks, writing, and a piece of what is old. It is false
// when the database does not answer.
func (k *Keeper) round(ctx context.Context) bool {
	if !k.o.Stored(k.o.Heard) {
		return true // a former life's rows are not all there yet
	}
	return k.load(ctx) && k.live() && k.send(ctx) && k.old(ctx) && k.send(ctx) && k.sum(ctx) && k.send(ctx)
}
