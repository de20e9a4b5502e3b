package live

import (
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/collector/record"
	"nhip/internal/journal"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

var start = time.Date(2026, 2, 16, 5, 0, 0, 0, time.UTC)

type testClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *testClock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// tester is a testing.T or a rapid.T.
type tester interface {
	Helper()
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

// rig is a State with a clock, fed as by a collector.
type rig struct {
	t     tester
	clock *testClock
	path  string
	state *State
	seq   uint64
}

func newRig(t tester, dir string) *rig {
	r := &rig{t: t, clock: &testClock{t: start}, path: filepath.Join(dir, "live.jsonl")}
	r.state = &State{
		path: r.path, clock: r.clock, buses: make(map[string]*lastPosition),
		stations: make(map[string]*nhip.Station), signOns: make(map[string]*signOn),
		dirty: make(map[string]bool), wake: make(chan struct{}, 1),
	}
	return r
}

// restart restores the State from its snapshot.
func (r *rig) restart(dir string) {
	j, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{MaxBytes: 1 << 20, MaxRecord: 1 << 16})
	if err != nil {
		r.t.Fatal(err)
	}
	defer j.Close()
	r.state, err = Restore(Options{Path: r.path, Journal: j, Clock: r.clock, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.t.Fatal(err)
	}
}

// send applies a position and a reading with the same device time that arrive at a time, both in s after start. The
// value of both is n.
func (r *rig) send(arrives, device float64, n int) {
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	r.clock.set(at(arrives))
	o := record.Outcome{Received: at(arrives)}
	o.Facts.Positions = []nhip.Position{{
		Agency: "a", Vehicle: "1", Event: nhip.EventPosition, Time: at(device),
		Point: nhip.Some(orb.Point{105, 20 + float64(n)/1000}),
	}}
	o.Facts.Readings = []nhip.Reading{{
		Station: "s", Quantity: nhip.PM25, Period: time.Minute, Time: at(device), Value: float64(n), Flag: 2,
	}}
	record.Append(nil, &o)
	r.seq++
	r.state.Apply(r.seq, r.state.Changes(&o))
}

// shown returns the number of the message that the bus shows, and the bus. The station must show the same.
func (r *rig) shown() (int, *nhip.Bus) {
	r.t.Helper()
	n, station, b := r.both()
	if station != n {
		r.t.Errorf("the station shows message %d, the bus %d", station, n)
	}
	return n, b
}

// both returns the numbers of the messages that the bus and the station show.
func (r *rig) both() (bus, station int, b *nhip.Bus) {
	r.t.Helper()
	b, ok := r.state.Bus("a", "1")
	st, found := r.state.Station("s")
	if !ok || !found {
		r.t.Fatal("no bus or station")
	}
	return int((b.Lat-20)*1000 + 0.5), int(st.Values[nhip.PM25].Value), b
}

func TestClockAheadDoesNotFreezeState(t *testing.T) {
	type message struct{ arrives, device float64 }
	for _, c := range []struct {
		name string
		sent []message
		want int     // the message that is shown at last
		age  float64 // at the arrival of the last message, s
	}{
		{"one time ahead, then right", []message{{0, 0}, {5, 245}, {10, 10}, {15, 15}}, 3, 0},
		{"ahead by a constant", []message{{0, 180}, {5, 185}, {10, 190}}, 2, 0},
		{"ahead by a constant, jitter of the network", []message{{0, 180}, {5, 185}, {12, 190}}, 2, 2},
		{"ahead, then silent", []message{{0, 0}, {5, 245}}, 1, 0},
		{"from far ahead to less ahead", []message{{0, 0}, {5, 295}, {10, 130}}, 2, 0},
		{"set back to right", []message{{0, 240}, {5, 245}, {10, 10}, {15, 15}}, 3, 0},
		{"two devices of one vehicle", []message{{0, 0}, {1, 181}, {5, 5}, {6, 186}, {10, 10}}, 4, 0},
		{"overtaken, right clock", []message{{0, 0}, {10, 10}, {11, 5}}, 1, 1},
		{"overtaken, clock ahead", []message{{0, 180}, {10, 190}, {11, 185}}, 1, 1},
		{"repeated", []message{{0, 180}, {10, 190}, {40, 190}}, 1, 30},
		{"old ones after one ahead", []message{{0, 0}, {5, 245}, {10, -3000}}, 1, 5},
		{"backlog of one device", []message{{0, 0}, {60, 20}, {60, 40}, {60, 60}}, 3, 0},
		{"jitter within the slack", []message{{0, 4}, {5, 9}, {10, 8}}, 1, 1},
		{"set back by an hour", []message{{3600, 3600}, {3605, 5}, {3610, 10}}, 0, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, t.TempDir())
			for i, m := range c.sent {
				r.send(m.arrives, m.device, i)
			}
			n, b := r.shown()
			if n != c.want {
				t.Errorf("shows message %d, want %d", n, c.want)
			}
			if age := max(r.clock.Now().Sub(b.Time).Seconds(), 0); age != c.age {
				t.Errorf("age is %v s, want %v", age, c.age)
			}
			if b.State(r.clock.Now()) != nhip.StateLive || b.State(r.clock.Now().Add(101*time.Second)) != nhip.StateStale {
				t.Errorf("bus is not live until 90 s after its last arrival: %+v", b)
			}
			if device := c.sent[c.want].device; !b.DeviceTime.IsZero() && b.DeviceTime.Sub(start).Seconds() != device {
				t.Errorf("device time is %s, want %v s after the start", b.DeviceTime, device)
			}
		})
	}
}

// The facts of a clock that is ahead by a constant keep their distances, and do not look fresh for longer.
func TestClockAheadKeepsDistances(t *testing.T) {
	r := newRig(t, t.TempDir())
	var times []float64
	for i := range 20 {
		sent := float64(10 * i)
		delay := float64(i%4) / 2
		r.send(sent+delay, sent+200, i)
		_, b := r.shown()
		times = append(times, b.Time.Sub(start).Seconds())
	}
	for i := 1; i < len(times); i++ {
		if times[i]-times[i-1] != 10 {
			t.Errorf("times %v are not 10 s apart", times)
			break
		}
	}
	if _, b := r.shown(); b.Interval != 10 {
		t.Errorf("interval is %v s, want 10", b.Interval)
	}
}

func TestClockAheadOverRestart(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, dir)
	r.send(0, 0, 0)
	r.send(5, 245, 1)
	if err := r.state.Save(); err != nil {
		t.Fatal(err)
	}
	r.restart(dir)
	if n, b := r.shown(); n != 1 || b.Time.Sub(start) != 5*time.Second || b.DeviceTime.Sub(start) != 245*time.Second {
		t.Errorf("restored message %d as %+v", n, b)
	}
	r.send(10, 10, 2)
	if n, _ := r.shown(); n != 2 {
		t.Errorf("shows message %d after the restart, want 2", n)
	}
}

// A collector whose own clock was set back is not blocked by what arrived before.
func TestOwnClockSetBack(t *testing.T) {
	r := newRig(t, t.TempDir())
	r.send(3600, 3600, 0)
	r.send(10, 10, 1)
	if n, _ := r.shown(); n != 1 {
		t.Errorf("shows message %d, want 1", n)
	}
}

// Whatever the clock of the device says, the latest message is shown, unless messages overtook each other; and none
// looks younger than its arrival.
func TestLatestArrivalIsShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t, "")
		now, ahead := 0.0, 0.0
		for i := range rapid.IntRange(1, 40).Draw(t, "messages") {
			gap := float64(rapid.IntRange(1, 60).Draw(t, "gap"))
			now += gap + 0.001*float64(i) // no device time occurs twice
			before := ahead
			if rapid.IntRange(0, 3).Draw(t, "set") == 0 {
				ahead = rapid.SampledFrom([]float64{0, 0, 3, 20, 60, 150, 290}).Draw(t, "ahead")
			}
			r.send(now, now+ahead, i)
			shown, value, b := r.both()
			// A clock that is set back by less than the slack, or that was right, may look like a message that was
			// overtaken. Monitors report less often than each clockSlack.
			small := before-ahead <= 2*clockSlack.Seconds()
			if late := value != i && gap >= clockSlack.Seconds(); !small && (shown != i || late) {
				t.Fatalf("message %d (ahead by %v s, before %v s) is not shown, but %d and %d", i, ahead, before, shown, value)
			}
			if lead := b.Time.Sub(r.clock.Now()); lead > clockSlack {
				t.Fatalf("the bus is %s ahead of the clock", lead)
			}
		}
		// After a minute with the right clock the state is right, whatever was before.
		for i := range 8 {
			now += 10
			r.send(now, now, 100+i)
		}
		if shown, b := r.shown(); shown != 107 || b.DeviceTime != (time.Time{}) {
			t.Fatalf("shows message %d as %+v, want 107", shown, b)
		}
	})
}
