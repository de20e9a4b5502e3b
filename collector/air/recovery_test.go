package air

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/recovery"
	"nhip/internal/task"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// trapHistory is an empty database that panics when it is asked for one station.
type trapHistory struct {
	station string
	asked   atomic.Int64
}

func (h *trapHistory) Readings(_ context.Context, q influx.ReadingQuery, _ func(nhip.AssessedReading) error) error {
	if q.Station == h.station {
		h.asked.Add(1)
		panic("stored readings of " + q.Station)
	}
	return nil
}

func (*trapHistory) Rollups(context.Context, influx.RollupQuery, func(influx.RollupRow) error) error {
	return nil
}

// keptRows is a store.
type keptRows struct {
	mu   sync.Mutex
	text string
}

func (s *keptRows) Write(_ context.Context, lines []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text += string(lines)
	return nil
}

// trapped is a Processor at work, with traps.
type trapped struct {
	*Processor
	guard   *recovery.Guard
	history *trapHistory

	mu        sync.Mutex
	published map[string]int
}

// startTrapped starts a Processor that panics at the publication of one station, and at the stored readings of another.
func startTrapped(t *testing.T, publication, stored string) *trapped {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	h := &trapped{
		guard: recovery.NewGuard(prometheus.NewRegistry(), log), history: &trapHistory{station: stored},
		published: make(map[string]int),
	}
	var err error
	h.Processor, err = New(Options{
		Dir: t.TempDir(), Clock: &manualClock{t: noon}, Store: &keptRows{}, History: h.history, Zone: hanoi, Guard: h.guard,
		Logger: log, Registry: prometheus.NewRegistry(), Stored: func(uint64) bool { return true },
		PublishAlert: func(nhip.Alert) {},
		Publish: func(u LiveUpdate) {
			if u.Station == publication {
				panic("publication of " + u.Station)
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			h.published[u.Station]++
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := task.NewGroup()
	g.Go("processor", h.Run)
	t.Cleanup(func() {
		if err := errors.Join(g.Stop(context.Background()), h.Save()); err != nil {
			t.Error(err)
		}
	})
	return h
}

// publishedOf returns how often a station was published.
func (h *trapped) publishedOf(station string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.published[station]
}

// settled reports whether no work is left.
func (h *trapped) settled() bool {
	left, err := h.Progress(nhip.RecomputeStatusQuery{})
	return err == nil && left.Hours == 0
}

// TestPanicCostsOneStation: the readings of other stations are assessed, before and after, and the work that failed is
// not tried for ever.
func TestPanicCostsOneStation(t *testing.T) {
	for name, c := range map[string]struct{ publication, stored string }{
		"publication": {publication: "bad"}, "stored readings": {stored: "bad"},
	} {
		t.Run(name, func(t *testing.T) {
			h := startTrapped(t, c.publication, c.stored)
			for round := range 2 {
				at := noon.Add(-time.Duration(2-round) * time.Hour)
				for _, station := range []string{"a", "bad", "z"} {
					h.Observe(series(station, nhip.PM25, 5*time.Minute, at, ramp(20, 12)...), 1)
				}
				awaittest.True(t, "the other stations are published and no work is left", func() bool {
					return h.publishedOf("a") > round && h.publishedOf("z") > round && h.settled()
				})
			}
			if n := testutil.ToFloat64(h.guard.Count(partAir)); n == 0 {
				t.Error("no panic is counted")
			}
			if n := h.history.asked.Load(); n > 4 {
				t.Errorf("the database was asked %d times for the station", n)
			}
		})
	}
}

// TestPanicUnderLockCostsOneStation poisons the state of a station that is changed under the lock.
func TestPanicUnderLockCostsOneStation(t *testing.T) {
	h := startTrapped(t, "", "")
	h.Processor.mu.Lock()
	h.station("bad").hourly = nil // to which hours are added
	h.station("worse").hourly = nil
	h.Processor.mu.Unlock()
	for round := range 2 {
		at := noon.Add(-time.Duration(2-round) * time.Hour)
		for _, station := range []string{"a", "bad", "worse", "z"} {
			h.Observe(series(station, nhip.PM25, 5*time.Minute, at, ramp(20, 12)...), 1)
		}
		awaittest.True(t, "the other stations are published and no work is left", func() bool {
			return h.publishedOf("a") > round && h.publishedOf("z") > round && h.settled()
		})
	}
	if n := testutil.ToFloat64(h.guard.Count(partAir)); n < 2 {
		t.Errorf("%v panics counted", n)
	}
}

// TestPanicOfOneReading: a reading whose station can't be changed costs itself, and the lock is free.
func TestPanicOfOneReading(t *testing.T) {
	h := startTrapped(t, "", "")
	bad := series("bad", nhip.PM25, 5*time.Minute, noon, 20)
	h.Processor.mu.Lock()
	h.observe(&bad[0], nil, 0, 0, 0) // without the map to which its hour is added
	h.Processor.mu.Unlock()
	h.Observe(series("a", nhip.PM25, 5*time.Minute, noon, ramp(20, 12)...), 1)
	awaittest.True(t, "the other station is published", func() bool { return h.publishedOf("a") > 0 })
	if n := testutil.ToFloat64(h.guard.Count(partAir)); n == 0 {
		t.Error("no panic is counted")
	}
}
