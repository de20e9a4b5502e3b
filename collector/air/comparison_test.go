package air

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/fleet"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
	"nhip/internal/suitetest"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func testNeighbourhood(t *testing.T, db *influx.DB) {
	h := newHarness(t, db)
	send := func(end time.Time) {
		for i := range 8 {
			v := 30 + float64(i)
			if i == 3 {
				v = 4
			}
			all := series(fmt.Sprintf("s%d", i), nhip.PM25, time.Hour, end, v)
			h.UpdateStation(all[0].Station, fleet.Station{
				ID: all[0].Station, Kind: fleet.LowCost, At: []float64{105.8 + float64(i)*0.002, 21},
			})
			h.store(t, all...)
		}
		h.waitIdle(t)
	}
	check := func(name string, end time.Time) {
		awaittest.True(t, name, func() bool {
			ok := true
			for i := range 8 {
				got := h.readings(t, fmt.Sprintf("s%d", i), end.Add(-time.Hour), end)
				want := ""
				if i == 3 {
					want = "neighbours=4"
				}
				ok = ok && len(got) == 1 && got[0].Assessment.Tests == want
			}
			return ok
		})
		at := "pm25 " + end.In(hanoi).Format("2006-01-02T15")
		if s := h.rollups(t, "s3", nhip.PeriodHour, nhip.QualityAutomatic)[at]; s.Count != 0 || s.Flag != nhip.FlagFail {
			t.Errorf("%s: hour of the outlier is %+v", name, s)
		}
		if s := h.rollups(t, "s2", nhip.PeriodHour, nhip.QualityAutomatic)[at]; s.Count != 1 {
			t.Errorf("%s: hour of another station is %+v", name, s)
		}
	}
	send(noon)
	check("recent outlier", noon)
	old := noon.AddDate(0, 0, -20)
	send(old)
	check("old outlier", old)
	// A second check changes nothing.
	if _, err := h.Recompute(nhip.RecomputeQuery{From: old.Add(-time.Hour), To: old}); err != nil {
		t.Fatal(err)
	}
	h.waitIdle(t)
	check("old outlier after recompute", old)
}

// networkReadings returns hours of PM2.5 and PM10 at low-cost monitors, the last of which end at noon. One of them
// reads eight times too much from the middle on, and PM10 is PM2.5 at another.
func networkReadings(rng *rand.Rand, stations, hours int) (out []nhip.Reading) {
	level := 3.0 // ln(µg/m³)
	for h := range hours {
		level += 0.1*rng.NormFloat64() + 0.05*(3.2-level)
		end := noon.Add(-time.Duration(hours-1-h) * time.Hour)
		for i := range stations {
			v := math.Exp(level + 0.08*rng.NormFloat64())
			if i == 3 && h >= hours/2 {
				v *= 8
			}
			coarse := 1.5 * v
			if i == 5 && h >= hours/3 {
				coarse = v
			}
			id := fmt.Sprintf("s%d", i)
			out = append(out, series(id, nhip.PM25, time.Hour, end, v)...)
			out = append(out, series(id, nhip.PM10, time.Hour, end, coarse)...)
		}
	}
	return out
}

// ingest stores readings in some batches, of which each is processed before the next one comes, and returns the failed
// and suspect checks of all readings, and how many assessments that took.
func ingest(t *testing.T, db *influx.DB, readings []nhip.Reading, stations, batches int) (map[string]string, float64) {
	h := newHarness(t, db)
	for i := range stations {
		id := fmt.Sprintf("s%d", i)
		h.UpdateStation(id, fleet.Station{ID: id, Kind: fleet.LowCost, At: []float64{105.8 + float64(i)*0.002, 21}})
	}
	for b := range batches {
		h.store(t, readings[b*len(readings)/batches:(b+1)*len(readings)/batches]...)
		h.waitIdle(t)
	}
	out := make(map[string]string)
	for i := range stations {
		id := fmt.Sprintf("s%d", i)
		for _, r := range h.readings(t, id, noon.AddDate(-1, 0, 0), noon) {
			out[fmt.Sprint(id, " ", r.Quantity, " ", r.Time.Unix())] = r.Assessment.Tests
		}
	}
	work := 0.0
	for _, flag := range []string{"good", "suspect", "fail"} {
		work += testutil.ToFloat64(h.metrics.assessed.WithLabelValues(flag))
	}
	h.stop()
	return out, work
}

// Whatever the order in which readings come, and however late, their flags are the same, and it takes a bounded number
// of assessments to find them.
func TestComparisonDoesNotDependOnOrder(t *testing.T) {
	child := influxtest.Server(t)
	stations, hours := suitetest.Pick(6, 8), suitetest.Pick(60, 400)
	rng := rand.New(rand.NewPCG(1, 1))
	readings := networkReadings(rng, stations, hours)
	want, work := ingest(t, influxtest.Open(t, child, "ordered"), readings, stations, 1)
	flagged := 0
	for _, tests := range want {
		if tests != "" {
			flagged++
		}
	}
	if flagged < hours/2 || flagged > 3*hours {
		t.Errorf("%d of %d values are flagged", flagged, len(want))
	}
	for n := range suitetest.Pick(1, 6) {
		rng.Shuffle(len(readings), func(i, j int) { readings[i], readings[j] = readings[j], readings[i] })
		batches := suitetest.Pick(3, 2+3*n)
		got, more := ingest(t, influxtest.Open(t, child, fmt.Sprint("shuffled", n)), readings, stations, batches)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if limit := float64((batches + 2) * 3 * len(readings)); more > limit || work > limit {
			t.Errorf("%v and %v assessments of %d readings, want at most %v", work, more, len(readings), limit)
		}
	}
}

// A fault that began before the window is found again once staff have accepted how the monitor differed before it.
func testBaseline(t *testing.T, db *influx.DB) {
	h := newHarness(t, db)
	const days, begin = 36, 6 // the fault is older than a window
	rng := rand.New(rand.NewPCG(3, 3))
	for i := range 6 {
		id := fmt.Sprintf("s%d", i)
		h.UpdateStation(id, fleet.Station{ID: id, Kind: fleet.Reference, At: []float64{105.8 + float64(i)*0.01, 21}})
		values := make([]float64, days*24)
		for k := range values {
			values[k] = (45 + 20*math.Sin(float64(k)/9)) * math.Exp(0.08*rng.NormFloat64())
			if i == 2 && k >= begin*24 {
				values[k] *= 2
			}
		}
		h.store(t, series(id, nhip.PM25, time.Hour, noon, values...)...)
	}
	h.waitIdle(t)
	flagged := func() (n int) {
		for _, r := range h.readings(t, "s2", noon.Add(-24*time.Hour), noon) {
			if r.Assessment.Flag >= nhip.FlagSuspect {
				n++
			}
		}
		return n
	}
	if n := flagged(); n > 2 {
		t.Errorf("%d of 24 readings are flagged without a baseline", n)
	}
	from := noon.AddDate(0, 0, -days)
	err := h.Review(nhip.Review{
		ID: "r1", Station: "s2", Quantity: nhip.PM25, From: from, To: from.AddDate(0, 0, begin), Action: nhip.ActionBaseline,
		By: "Lan", Why: "calibrated", Time: noon,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.waitIdle(t)
	if n := flagged(); n < 22 {
		t.Errorf("%d of 24 readings are flagged with a baseline", n)
	}
}

// A reference that contradicts all others is suspect from its first hour on, and the others are not.
func testContradiction(t *testing.T, db *influx.DB) {
	type wildReference struct {
		name  string
		wrong func(v float64) float64
	}
	all := []wildReference{
		{"times", func(v float64) float64 { return 8 * v }},
		{"mg", func(v float64) float64 { return v / 1000 }},
		{"zero", func(float64) float64 { return 0 }},
	}
	for _, wild := range suitetest.Pick(all[:1], all) {
		h := newHarness(t, db)
		rng := rand.New(rand.NewPCG(2, 2))
		for i := range 12 {
			id := fmt.Sprintf("%s%02d", wild.name, i)
			h.UpdateStation(id, fleet.Station{ID: id, Kind: fleet.Reference, At: []float64{105.8 + float64(i)*0.01, 21}})
			values := make([]float64, 48)
			for k := range values {
				values[k] = (25 + 8*math.Sin(float64(k)/7)) * math.Exp(0.08*rng.NormFloat64())
				if i == 5 {
					values[k] = wild.wrong(values[k])
				}
			}
			h.store(t, series(id, nhip.PM25, time.Hour, noon, values...)...)
		}
		h.waitIdle(t)
		for i := range 12 {
			id := fmt.Sprintf("%s%02d", wild.name, i)
			flagged := 0
			all := h.readings(t, id, noon.AddDate(0, 0, -3), noon)
			for _, r := range all {
				if r.Assessment.Flag >= nhip.FlagSuspect {
					flagged++
				}
			}
			if i == 5 && flagged < len(all) || i != 5 && flagged > 1 {
				t.Errorf("%s: %d of %d readings are flagged", id, flagged, len(all))
			}
		}
		published := func() bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			u, other := h.updates[wild.name+"05"], h.updates[wild.name+"04"]
			return len(u.Faults) > 0 && u.Faults[0].Open && other.FaultsKnown && len(other.Faults) == 0
		}
		awaittest.True(t, "the fault is published", published)
		h.stop()
		// All stations have been silent for days when the collector starts again.
		clear(h.updates)
		h.clock.set(noon.AddDate(0, 0, 3))
		h.start(t)
		awaittest.True(t, "the fault of the silent station is published after a restart", published)
		h.stop()
	}
}

// What is usual for a monitor at one place says nothing about another one: of two monitors that read more than twice as
// much as before, the one that was moved is right. A restart does not change that.
func testMoved(t *testing.T, db *influx.DB) {
	h := newHarness(t, db)
	rng := rand.New(rand.NewPCG(3, 3))
	place := func(i int, lat float64) {
		id := fmt.Sprintf("at%d", i)
		h.UpdateStation(id, fleet.Station{ID: id, Kind: fleet.Reference, At: []float64{105.8 + float64(i)*0.01, lat}})
	}
	send := func(end time.Time, hours int, factor float64) {
		shared := make([]float64, hours)
		for k := range shared {
			shared[k] = 25 + 8*math.Sin(float64(k)/7)
		}
		for i := range 8 {
			values := make([]float64, hours)
			for k := range values {
				if values[k] = shared[k] * math.Exp(0.08*rng.NormFloat64()); i == 3 || i == 5 {
					values[k] *= factor
				}
			}
			h.store(t, series(fmt.Sprintf("at%d", i), nhip.PM25, time.Hour, end, values...)...)
		}
		h.waitIdle(t)
	}
	for i := range 8 {
		place(i, 21)
	}
	send(noon, 140, 1)
	place(3, 21.02)
	h.stop()
	h.start(t)
	for i := range 8 {
		place(i, map[int]float64{3: 21.02}[i]+map[bool]float64{true: 21}[i != 3])
	}
	later := noon.Add(72 * time.Hour)
	h.clock.set(later)
	send(later, 72, 2.4)
	for _, i := range []int{3, 5} {
		flagged := 0
		for _, r := range h.readings(t, fmt.Sprintf("at%d", i), noon, later) {
			if r.Assessment.Flag >= nhip.FlagSuspect {
				flagged++
			}
		}
		if i == 3 && flagged > 3 || i == 5 && flagged < 60 {
			t.Errorf("station %d: %d of 72 readings are flagged", i, flagged)
		}
	}
}

// The order in which stations were first heard is another one after each start; that of the compared monitors is not.
func TestComparedMonitorsAreInOrder(t *testing.T) {
	f := startFlood(t, new(memoryDB))
	c := newComparer(f.Processor)
	j := comparisonJob{first: 1, end: 3}
	for _, id := range []string{"c", "moving", "a", "b"} {
		s := newStation(id, hanoi)
		s.faults = []nhip.MonitorFault{{Cause: "gain"}}
		s.fleet = fleet.Station{ID: id, Mobile: id == "moving"}
		s.configure(hanoi)
		if gone := len(s.faults) == 0; gone != (id == "moving") || gone != s.republish {
			t.Errorf("faults of %s: %v", id, s.faults)
		}
		j.all = append(j.all, s)
	}
	_, members := c.window(&j)
	var got []string
	for _, s := range members.all {
		got = append(got, s.id)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestPartsOfAFaultArePublishedAsOne(t *testing.T) {
	at := func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }
	part := func(cause string, from, to int, flag nhip.Flag) nhip.MonitorFault {
		return nhip.MonitorFault{Quantity: nhip.PM25, Cause: cause, Since: at(from), Until: at(to), Flag: flag, Open: to == 9}
	}
	var got []nhip.MonitorFault
	for _, f := range []nhip.MonitorFault{
		part("gain", 0, 3, nhip.FlagSuspect), part("gain", 3, 5, nhip.FlagFail), part("gain", 5, 6, nhip.FlagSuspect),
		part("gain", 7, 8, nhip.FlagSuspect), part("drift", 8, 9, nhip.FlagSuspect),
	} {
		got = appendFault(got, f)
	}
	want := []nhip.MonitorFault{
		part("gain", 0, 6, nhip.FlagFail), part("gain", 7, 8, nhip.FlagSuspect), part("drift", 8, 9, nhip.FlagSuspect),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNewestFaultsArePublished(t *testing.T) {
	var all []nhip.MonitorFault
	for i := range 3 * maxFaults {
		end := noon.Add(time.Duration(i/2*7%100) * time.Hour)
		all = append(all, nhip.MonitorFault{Quantity: nhip.PM25, Cause: fmt.Sprint(i), Until: end})
	}
	oldest := noon.AddDate(1, 0, 0)
	got := newestFaults(slices.Clone(all))
	left := make(map[string]bool)
	for _, f := range got {
		left[f.Cause] = true
		if f.Until.Before(oldest) {
			oldest = f.Until
		}
	}
	for _, f := range all {
		if f.Until.After(oldest) && !left[f.Cause] {
			t.Errorf("fault %s is left out, an older one is not", f.Cause)
		}
	}
	if len(got) != maxFaults || len(newestFaults(all[:maxFaults])) != maxFaults {
		t.Errorf("%d faults", len(got))
	}
}
