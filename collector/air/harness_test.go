package air

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/geo/alert"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/task"
)

// noon is the time at which the tests begin, hanoi the zone of their stations.
var (
	noon  = time.Date(2026, 2, 16, 5, 0, 0, 0, time.UTC)
	hanoi = time.FixedZone("", 7*3600)
)

// manualClock is a clock that only moves when it is set.
type manualClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *manualClock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// harness is a Processor with its own database.
type harness struct {
	*Processor
	db    *influx.DB
	dir   string
	clock *manualClock
	stop  func()

	mu      sync.Mutex
	updates map[string]LiveUpdate

	rules   []alert.Rule
	deliver []Deliverer
	alerts  []nhip.Alert
}

func newHarness(t *testing.T, db *influx.DB) *harness {
	t.Helper()
	h := &harness{db: db, dir: t.TempDir(), clock: &manualClock{t: noon}, updates: make(map[string]LiveUpdate)}
	h.start(t)
	return h
}

func (h *harness) start(t *testing.T) {
	t.Helper()
	var err error
	h.Processor, err = New(Options{
		Dir: h.dir, Clock: h.clock, Store: h.db, History: h.db, Zone: hanoi,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Stored: func(uint64) bool { return true }, Alerts: h.rules, Deliverers: h.deliver,
		PublishAlert: func(a nhip.Alert) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.alerts = append(h.alerts, a)
		},
		Publish: func(u LiveUpdate) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.updates[u.Station] = u
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.pause = 0
	g := task.NewGroup()
	g.Go("processor", h.Run)
	h.stop = sync.OnceFunc(func() {
		if err := errors.Join(g.Stop(context.Background()), h.Save()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(h.stop)
}

// store writes readings to the database and passes them to the Processor, as a collector does.
func (h *harness) store(t *testing.T, readings ...nhip.Reading) {
	t.Helper()
	var lines []byte
	for i := range readings {
		lines = influx.AppendReading(lines, &readings[i], readings[i].Time)
	}
	if err := h.db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	h.Observe(readings, 1)
}

// waitIdle waits until the Processor has no work left.
func (h *harness) waitIdle(t *testing.T) {
	t.Helper()
	awaittest.True(t, "all work is done", func() bool {
		remaining, _ := h.Progress(nhip.RecomputeStatusQuery{})
		h.Processor.mu.Lock()
		defer h.Processor.mu.Unlock()
		idle := remaining == nhip.RecomputeProgress{} && h.rows.bytes == 0
		for _, s := range h.stations {
			idle = idle && s.assessFrom == math.MaxInt64 && (s.loaded || s.last < h.windowHour()) &&
				len(s.inbox)+len(s.working)+len(s.inFlight) == 0
		}
		return idle
	})
}

func (h *harness) readings(t *testing.T, station string, from, to time.Time) []nhip.AssessedReading {
	t.Helper()
	var out []nhip.AssessedReading
	err := h.db.Readings(t.Context(), influx.ReadingQuery{Station: station, From: from, To: to},
		func(r nhip.AssessedReading) error {
			out = append(out, r)
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// rollups returns roll-ups by quantity and local time of their end, as in "pm25 2026-02-16T12".
func (h *harness) rollups(t *testing.T, station, period string, quality nhip.Quality) map[string]nhip.RollupStats {
	t.Helper()
	out := make(map[string]nhip.RollupStats)
	q := influx.RollupQuery{
		Station: station, Period: period, Quality: quality, From: noon.AddDate(-3, 0, 0), To: noon.AddDate(0, 2, 0),
	}
	if err := h.db.Rollups(t.Context(), q, func(r influx.RollupRow) error {
		out[string(r.Quantity)+" "+r.Time.In(hanoi).Format("2006-01-02T15")] = r.RollupStats
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// hoursOfDay returns the hours that the roll-up of a day of station hn-01 has.
func (h *harness) hoursOfDay(t *testing.T, of nhip.Quantity, day time.Time) (hours []influx.MeanAt) {
	t.Helper()
	quantities := []nhip.Quantity{of}
	q := influx.DayQuery{
		MeanQuery: influx.MeanQuery{
			Stations: []string{"hn-01"}, Quantities: quantities, Quality: nhip.QualityReviewed,
			From: day.Add(time.Hour), To: day.Add(2 * time.Hour),
		},
		Hourly: quantities, Unsummed: day.AddDate(1, 0, 0),
	}
	if err := h.db.Days(t.Context(), q, func(s *influx.DaySeries) error {
		hours = append(hours, s.Hours...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return hours
}

// series returns readings of one averaging period, the last of which ends at end.
func series(station string, q nhip.Quantity, period time.Duration, end time.Time, values ...float64) []nhip.Reading {
	var out []nhip.Reading
	for i, v := range values {
		out = append(out, nhip.Reading{
			Station: station, Quantity: q, Period: period, Value: v, Flag: nhip.FlagNotEvaluated,
			Time: end.Add(-time.Duration(len(values)-1-i) * period),
		})
	}
	return out
}

// ramp returns n values, each larger by 1 than the one before.
func ramp(from float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = from + float64(i)
	}
	return out
}
