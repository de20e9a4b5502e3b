package live

import (
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"nhip"
	"nhip/collector/record"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/track"
	"nhip/internal/journal"
	"nhip/internal/topics"

	"github.com/paulmach/orb"
)

type fixedClock struct{ now time.Time }

func (c *fixedClock) Now() time.Time { return c.now }

// signOnFixture is a state without a timetable and what is fed to it.
type signOnFixture struct {
	*State
	options Options
	clock   *fixedClock
	began   time.Time
	seq     uint64
}

func newSignOnFixture(t *testing.T, n *network.Network) *signOnFixture {
	t.Helper()
	dir := t.TempDir()
	j, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	clock := &fixedClock{time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)}
	f := &signOnFixture{clock: clock, began: clock.now, options: Options{
		Path: filepath.Join(dir, "live.jsonl"), Private: filepath.Join(dir, "private"), Journal: j, Clock: clock, Network: n,
		Logger: slog.New(slog.DiscardHandler),
	}}
	f.restart(t)
	return f
}

func (f *signOnFixture) restart(t *testing.T) {
	t.Helper()
	var err error
	if f.State, err = Restore(f.options); err != nil {
		t.Fatal(err)
	}
}

// hear applies an event some minutes after noon. A way point has no line and no trip.
func (f *signOnFixture) hear(event string, minute int, line, trip string) {
	f.seq++
	p := nhip.Position{
		Agency: "hanoi", Vehicle: "29B1", Event: event, Time: f.began.Add(time.Duration(minute) * time.Minute),
		Line: line, Trip: trip,
	}
	if event == nhip.EventPosition {
		p.Point = nhip.Some(orb.Point{105.85, 21.03})
	}
	if p.Time.After(f.clock.now) {
		f.clock.now = p.Time
	}
	o := record.Outcome{Received: f.clock.now, Facts: nhip.Facts{Positions: []nhip.Position{p}}}
	record.Append(nil, &o)
	f.Apply(f.seq, f.Changes(&o))
}

func (f *signOnFixture) check(t *testing.T, what, line, trip string) {
	t.Helper()
	b, ok := f.Bus("hanoi", "29B1")
	if !ok || b.Line != line || b.Trip != trip {
		t.Errorf("%s: %+v, want line %q and trip %q", what, b, line, trip)
	}
}

func TestSignOnHoldsForLaterPositions(t *testing.T) {
	f := newSignOnFixture(t, nil)
	f.hear(nhip.EventPosition, 0, "", "")
	f.check(t, "before the sign-on", "", "")
	f.hear(nhip.EventSignOn, 1, "32", "32/4")
	f.check(t, "the position before the sign-on", "", "")
	f.hear(nhip.EventPosition, 2, "", "")
	f.check(t, "the position after it", "32", "32/4")
	f.hear(nhip.EventSignOn, 0, "01", "01/1") // late
	f.hear(nhip.EventPosition, 3, "", "")
	f.check(t, "after an older sign-on that came late", "32", "32/4")
	f.hear(nhip.EventPosition, 4, "", "T7")
	f.check(t, "a position with a trip of its own", "", "T7")
	f.hear(nhip.EventSignOff, 50, "32", "32/4")
	f.hear(nhip.EventPosition, 51, "", "")
	f.check(t, "after the sign-off", "", "")
	f.hear(nhip.EventSignOff, 60, "32", "32/5")
	f.hear(nhip.EventSignOn, 60, "32", "32/6") // in the same second
	f.hear(nhip.EventPosition, 61, "", "")
	f.check(t, "in the next trip", "32", "32/6")
	f.hear(nhip.EventPosition, 60+4*60+1, "", "")
	f.check(t, "after four hours", "", "")
}

func TestSignOnSurvivesRestart(t *testing.T) {
	f := newSignOnFixture(t, nil)
	f.hear(nhip.EventSignOn, 0, "32", "32/4") // before the first position
	for _, what := range []string{"first", "second"} {
		if err := f.Save(); err != nil {
			t.Fatal(err)
		}
		f.restart(t)
		if len(f.signOns) != 1 {
			t.Fatalf("the %s restart: %d sign-ons", what, len(f.signOns))
		}
		if b, ok := f.Bus("hanoi", "29B1"); ok != (what == "second") || ok && b.Line != "32" {
			t.Errorf("the %s restart: %+v", what, b)
		}
		f.hear(nhip.EventPosition, 5*len(what), "", "")
		f.check(t, "after the "+what+" restart", "32", "32/4")
	}
	f.Sweep(f.clock.now.Add(signOnHolds + time.Minute))
	if len(f.signOns) != 0 {
		t.Error("an old sign-on is kept")
	}
}

// TestTrackerGetsSignOn: the tracker takes the line as evidence of the pattern, as if the position had it.
func TestTrackerGetsSignOn(t *testing.T) {
	f := newSignOnFixture(t, nil)
	f.tracker = newBusTracker(network.New(geotest.Line(21, 15*time.Minute)), nil)
	f.hear(nhip.EventSignOn, 0, "01", "01/3")
	f.hear(nhip.EventPosition, 1, "", "")
	b := f.buses[topics.LiveBusTopic("hanoi", "29B1")]
	f.tracker.track("x", b, &f.fleetLines)
	if p := f.tracker.position; p.Line != "01" || p.Trip != "01/3" {
		t.Errorf("the tracker gets %+v", p)
	}
}

// TestServedRoutesSurviveRestart: what a vehicle has served is kept over a restart and a new timetable.
func TestServedRoutesSurviveRestart(t *testing.T) {
	n := network.New(geotest.Line(21, 15*time.Minute))
	f := newSignOnFixture(t, n)
	f.hear(nhip.EventPosition, 0, "", "")
	topic := topics.LiveBusTopic("hanoi", "29B1")
	served := []track.RouteService{{Route: "R1", Minutes: 90}, {Route: "R2", Minutes: 4}}
	f.tracker.tracker.RestoreServed(topic, served)
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
	f.options.Arrivals = NewArrivalWriter(nil, f.options.Logger, nil)
	f.restart(t)
	if got := f.served(topic); !slices.Equal(got, served) {
		t.Errorf("after a restart: %v", got)
	}
	if err := f.UseTimetable(network.New(geotest.Line(11, 15*time.Minute))); err != nil {
		t.Fatal(err)
	}
	if got := f.served(topic); !slices.Equal(got, served) {
		t.Errorf("with a new timetable: %v", got)
	}
	f.Sweep(f.clock.now.Add(nhip.BusExpiresAfter + time.Minute))
	if got := f.served(topic); got != nil {
		t.Errorf("of a bus that has gone: %v", got)
	}
}
