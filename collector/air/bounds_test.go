package air

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/suitetest"
	"nhip/internal/task"

	"github.com/google/go-cmp/cmp"
)

// dense returns n readings of one quantity, spread over the two hours before end.
func dense(station string, end time.Time, n int) []nhip.Reading {
	out := make([]nhip.Reading, n)
	for i := range out {
		out[i] = nhip.Reading{
			Station: station, Quantity: nhip.PM25, Period: time.Minute, Value: 20, Flag: nhip.FlagNotEvaluated,
			Time: end.Add(-time.Duration(n-1-i) * (2 * time.Hour / time.Duration(n))).Truncate(time.Millisecond),
		}
	}
	return out
}

// What is considered of too many readings depends neither on their order nor on how they are grouped.
func TestWindowSampleIsIndependentOfOrder(t *testing.T) {
	all := dense("s", noon, 30_000)
	reverse := slices.Clone(all)
	slices.Reverse(reverse)
	shuffled := slices.Clone(all)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(all), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	var want []int64
	for _, c := range []struct {
		name     string
		readings []nhip.Reading
		each     int // readings between two calls of settle
	}{
		{"in order", all, len(all)},
		{"in order, in groups", all, 100},
		{"reverse", reverse, len(all)},
		{"reverse, in groups", reverse, 1_000},
		{"shuffled, in groups", shuffled, 3_000},
		{"repeated", slices.Concat(all, shuffled), 4_000},
	} {
		var w window
		for batch := range slices.Chunk(c.readings, c.each) {
			w.addReadings(batch)
		}
		var got []int64
		for _, x := range w.series[0].Samples {
			got = append(got, x.At)
		}
		if want == nil {
			want = got
		}
		if !slices.IsSorted(got) || len(got) != 2*maxPerHour || len(w.assessments[0]) != len(got) ||
			!slices.Equal(got, want) {
			t.Errorf("%s: %d samples, want %d, the same for each order", c.name, len(got), 2*maxPerHour)
		}
		if c.name != "repeated" && len(got)+w.dropped != len(all) {
			t.Errorf("%s: %d samples and %d dropped of %d", c.name, len(got), w.dropped, len(all))
		}
	}
}

// A reading that comes late replaces the one of the same time, and few or many of them end in the same places.
func TestWindowOrdersLateReadings(t *testing.T) {
	for _, n := range []int{3, 50} {
		var w window
		w.addReadings(series("s", nhip.PM25, time.Minute, noon, ramp(0, 60)...))
		late := series("s", nhip.PM25, time.Minute, noon.Add(-time.Minute), ramp(1000, n)...)
		slices.Reverse(late)
		w.addReadings(late)
		var got, want []float64
		for _, x := range w.series[0].Samples {
			got = append(got, x.Value)
		}
		want = slices.Concat(ramp(0, 59-n), ramp(1000, n), []float64{59})
		if !cmp.Equal(got, want) {
			t.Errorf("%d late readings: %s", n, cmp.Diff(want, got))
		}
	}
}

func TestWindowBoundsSeries(t *testing.T) {
	var w window
	for i := range 10_000 {
		r := series("s", nhip.PM25, time.Minute+time.Duration(i)*time.Millisecond, noon, 20)[0]
		w.put(&r, nhip.Assessment{})
	}
	w.settle()
	if len(w.series) != maxSeries || w.dropped != 10_000-maxSeries {
		t.Errorf("%d series and %d dropped, want %d series", len(w.series), w.dropped, maxSeries)
	}
	w.dropUntil(noon.UnixMilli())
	if len(w.series) != 0 {
		t.Errorf("%d series without samples are left", len(w.series))
	}
}

// The capture of an hour does not suffer from the bounds.
func TestDenseHourIsComplete(t *testing.T) {
	var w window
	readings := dense("s", noon, 20_000)
	for i := range readings {
		readings[i].Period = 360 * time.Millisecond
	}
	w.addReadings(readings)
	h := hourOf(noon.UnixMilli())
	i, samples := w.bestSeries(nhip.PM25, h, 0)
	n, expected := samples[1]-samples[0], w.expectedPerHour(w.series[i].Period, 0)
	if n != maxPerHour || float64(n) != expected {
		t.Errorf("%d samples of %v expected", n, expected)
	}
}

// flood is a Processor without a database, and what it published.
type flood struct {
	*Processor
	clock *manualClock

	mu      sync.Mutex
	updates []string             // stations in the order of their updates
	shown   map[string]time.Time // time of the newest flag, by station
}

func startFlood(t *testing.T, h History) *flood {
	f := &flood{clock: &manualClock{t: noon}, shown: make(map[string]time.Time)}
	var err error
	f.Processor, err = New(Options{
		Dir: t.TempDir(), Clock: f.clock, Store: new(memoryDB), History: h, Zone: hanoi,
		Logger: slog.New(slog.DiscardHandler), Stored: func(uint64) bool { return true },
		PublishAlert: func(nhip.Alert) {},
		Publish: func(u LiveUpdate) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.updates = append(f.updates, u.Station)
			if flags := u.Flags[nhip.PM25]; len(flags) > 0 {
				f.shown[u.Station] = flags[0].Time
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := task.NewGroup()
	g.Go("processor", f.Run)
	t.Cleanup(func() {
		if err := g.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return f
}

// published returns the number of updates, and whether a reading of a station is assessed and published.
func (f *flood) published(station string, at time.Time) (int, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.updates), f.shown[station].Equal(at)
}

// TestFloodDoesNotDelayOthers has one station send far too much while others send one reading each. Another station's
// reading is assessed in its next turn, and neither storing nor the gauges wait for what the flood costs.
func TestFloodDoesNotDelayOthers(t *testing.T) {
	n := suitetest.Pick(20_000, 320_000)
	inOrder := dense("flood", noon, n)
	reverse := slices.Clone(inOrder)
	slices.Reverse(reverse)
	for name, readings := range map[string][]nhip.Reading{"in order": inOrder, "reverse": reverse} {
		t.Run(name, func(t *testing.T) {
			f := startFlood(t, new(memoryDB))
			began := time.Now()
			var waits, blocked []time.Duration
			turns, i := 0, 0
			for batch := range slices.Chunk(readings, 4_000) {
				at := noon.Add(-time.Hour + time.Duration(i)*time.Second)
				i++
				before := time.Now()
				f.Observe(batch, 1)
				first, _ := f.published("other", at)
				f.Observe(series("other", nhip.PM25, time.Minute, at, float64(20+i%5)), 1)
				f.totalRemaining()
				blocked = append(blocked, time.Since(before))
				awaittest.True(t, "the other station's reading is published", func() bool {
					updates, ok := f.published("other", at)
					if ok {
						turns = max(turns, updates-first)
					}
					return ok
				})
				waits = append(waits, time.Since(before))
			}
			awaittest.True(t, "all is assessed", func() bool {
				f.Processor.mu.Lock()
				defer f.Processor.mu.Unlock()
				for _, s := range f.all {
					if len(s.inbox) > 0 || s.assessFrom != math.MaxInt64 || len(s.working) > 0 {
						return false
					}
				}
				return true
			})
			slices.Sort(waits)
			slices.Sort(blocked)
			t.Logf("%d readings in %s: another station waits %s (p50), %s (p99); storing %s (p99)", n,
				time.Since(began).Round(time.Millisecond), waits[len(waits)/2], waits[len(waits)*99/100],
				blocked[len(blocked)*99/100])
			// Two updates of the flood and one of the other station, and one round that was under way.
			if turns > 6 {
				t.Errorf("another station's reading was published after %d updates, want at most 6", turns)
			}
			if longest, all := blocked[len(blocked)-1], time.Since(began); suitetest.Full() && longest > all/3 {
				t.Errorf("storing was blocked for %s of %s", longest, all)
			}
		})
	}
}

// stuckDB is a database that does not answer.
type stuckDB struct{ memoryDB }

func (*stuckDB) Readings(ctx context.Context, _ influx.ReadingQuery, _ func(nhip.AssessedReading) error) error {
	<-ctx.Done()
	return errors.Join(ctx.Err())
}

// Recent readings are assessed and published while the database does not answer, and nothing waits for it.
func TestSilentDatabaseDelaysNoAssessment(t *testing.T) {
	f := startFlood(t, new(stuckDB))
	for i := range 3 {
		at := noon.Add(time.Duration(i) * time.Minute)
		f.Observe(series("s", nhip.PM25, time.Minute, at, float64(i)), 1)
		awaittest.True(t, "the reading is published", func() bool { _, ok := f.published("s", at); return ok })
		f.totalRemaining()
		if err := f.Save(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSpansAddAllMatchesAdd(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		var a, b, want spans
		for range r.IntN(8) {
			from := r.Int64N(60)
			a = a.add(from, from+1+r.Int64N(4))
		}
		var hours []int64
		for range r.IntN(20) {
			hours = append(hours, r.Int64N(60))
		}
		want = a
		for _, h := range hours {
			b, want = b.add(h, h+1), want.add(h, h+1)
		}
		if got := a.addAll(spansOf(slices.Clone(hours))); !slices.Equal(got, want) || !slices.Equal(spansOf(hours), b) {
			t.Fatalf("%v and %v make %v, want %v", a, hours, got, want)
		}
	}
}
