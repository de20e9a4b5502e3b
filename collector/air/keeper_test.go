package air

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/geo/alert"
	"nhip/internal/await"
	"nhip/internal/fleet"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"

	"github.com/google/go-cmp/cmp"
)

// noon is when these tests begin, and hanoi where.
var (
	noon  = time.Date(2026, 2, 16, 5, 0, 0, 0, time.UTC)
	hanoi = time.FixedZone("", 7*3600)
)

// hands is a clock that stands where it is set.
type hands struct {
	mu sync.Mutex
	t  time.Time
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.t
}

func (h *hands) set(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.t = t
}

// house is a keeper with a database of its own.
type house struct {
	*Keeper
	db    *influx.DB
	dir   string
	clock *hands
	stop  func()

	mu   sync.Mutex
	told map[string]Told

	rules   []alert.Rule
	deliver []Deliverer
	alerts  []nhip.Alert
}

func newHouse(t *testing.T, db *influx.DB) *house {
	t.Helper()
	h := &house{db: db, dir: t.TempDir(), clock: &hands{t: noon}, told: make(map[string]Told)}
	h.start(t)
	return h
}

func (h *house) start(t *testing.T) {
	t.Helper()
	var err error
	h.Keeper, err = New(Options{
		Dir: h.dir, Clock: h.clock, Store: h.db, History: h.db, Zone: hanoi, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Stored: func(uint64) bool { return true }, Alerts: h.rules, Deliver: h.deliver,
		Alert: func(a nhip.Alert) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.alerts = append(h.alerts, a)
		},
		Tell: func(told Told) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.told[told.Station] = told
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); h.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
		if err := h.Save(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(h.stop)
}

// say brings readings to the database and to the keeper, as the clerk does.
func (h *house) say(t *testing.T, readings ...nhip.Reading) {
	t.Helper()
	var lines []byte
	for i := range readings {
		lines = influx.AppendReading(lines, &readings[i], readings[i].Time)
	}
	if err := h.db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	h.Hear(readings, 1)
}

// done waits until everything is made.
func (h *house) done(t *testing.T) {
	t.Helper()
	await.True(t, "everything is made", func() bool {
		left, _ := h.Left(nhip.LeftQuery{})
		h.Keeper.mu.Lock()
		defer h.Keeper.mu.Unlock()
		quiet := left == nhip.Recomputing{} && len(h.lines) == 0
		for _, s := range h.stations {
			quiet = quiet && s.from == math.MaxInt64 && (s.loaded || s.last < h.windowHour())
		}
		return quiet
	})
}

func (h *house) readings(t *testing.T, station string, from, to time.Time) []nhip.Judged {
	t.Helper()
	var out []nhip.Judged
	err := h.db.Readings(t.Context(), influx.ReadingQuery{Station: station, From: from, To: to}, func(r nhip.Judged) error {
		out = append(out, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// rolled returns roll-ups by quantity and END in local time.
func (h *house) rolled(t *testing.T, station, period string, quality nhip.Quality) map[string]nhip.Stats {
	t.Helper()
	out := make(map[string]nhip.Stats)
	q := influx.RollupQuery{Station: station, Period: period, Quality: quality, From: noon.AddDate(-3, 0, 0), To: noon.AddDate(0, 2, 0)}
	if err := h.db.Rollups(t.Context(), q, func(r influx.Rolled) error {
		out[string(r.Quantity)+" "+r.Time.In(hanoi).Format("2006-01-02T15")] = r.Stats
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// series is n values of a period, the last of which ends at a time.
func series(station string, q nhip.Quantity, period time.Duration, end time.Time, values ...float64) []nhip.Reading {
	var out []nhip.Reading
	for i, v := range values {
		out = append(out, nhip.Reading{
			Station: station, Quantity: q, Period: period, Value: v, Flag: nhip.NotEvaluated,
			Time: end.Add(-time.Duration(len(values)-1-i) * period),
		})
	}
	return out
}

// ramp is n values that are all different.
func ramp(from float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = from + float64(i)
	}
	return out
}

func TestKeeper(t *testing.T) {
	child := influxtest.Child(t)
	n := 0
	run := func(name string, f func(*testing.T, *influx.DB)) {
		n++
		bucket := fmt.Sprintf("b%d", n)
		t.Run(name, func(t *testing.T) { f(t, influxtest.Open(t, child, bucket)) })
	}
	run("an hour", keepsAnHour)
	run("late readings", takesLateReadings)
	run("a restart", goesOnAfterARestart)
	run("a calibration", appliesACalibration)
	run("a review", heedsAReview)
	run("a history", sumsUpAHistory)
	run("a neighbourhood", looksAround)
	run("an alert", tellsStaff)
}

func keepsAnHour(t *testing.T, db *influx.DB) {
	h := newHouse(t, db)
	five := 5 * time.Minute
	values := ramp(20, 12)
	values[5] = 400
	h.say(t, series("hn-01", nhip.PM25, five, noon, values...)...)
	h.done(t)
	got := h.readings(t, "hn-01", noon.Add(-time.Hour), noon)
	for i, r := range got {
		want := nhip.Verdict{Flag: nhip.Good}
		if i == 5 {
			want = nhip.Verdict{Flag: nhip.Fail, Tests: "spike=4"}
		}
		if r.Verdict != want || r.Value != values[i] {
			t.Errorf("value %d is %+v", i, r)
		}
	}
	hours := h.rolled(t, "hn-01", nhip.HourPeriod, nhip.Reviewed)
	if s := hours["pm25 2026-02-16T12"]; len(hours) != 1 || s.Count != 11 || s.Max != 31 || s.Flag != nhip.Good || math.Round(s.Capture) != 92 {
		t.Errorf("the hour is %+v", hours)
	}
	if s := h.rolled(t, "hn-01", nhip.HourPeriod, nhip.Raw)["pm25 2026-02-16T12"]; s.Max != 400 || s.Count != 12 {
		t.Errorf("the raw hour is %+v", s)
	}
	h.mu.Lock()
	told := h.told["hn-01"]
	h.mu.Unlock()
	if f := told.Flags[nhip.PM25]; f.Flag != nhip.Good || !f.Time.Equal(noon) {
		t.Errorf("told is %+v", told)
	}
	if told.Hours == nil || !told.Hours.End.Equal(noon) || told.Hours.Means[nhip.PM25][0].Or(0) != hours["pm25 2026-02-16T12"].Mean {
		t.Errorf("the hours told are %+v", told.Hours)
	}
	// The next hour has begun: it is not summed up before it ends.
	h.clock.set(noon.Add(59 * time.Minute))
	h.say(t, series("hn-01", nhip.PM25, five, noon.Add(55*time.Minute), ramp(30, 11)...)...)
	h.done(t)
	if hours := h.rolled(t, "hn-01", nhip.HourPeriod, nhip.Automatic); len(hours) != 1 {
		t.Errorf("hours before the end of the second: %+v", hours)
	}
	h.clock.set(noon.Add(time.Hour))
	await.True(t, "the hour is summed up when it ends", func() bool {
		return len(h.rolled(t, "hn-01", nhip.HourPeriod, nhip.Automatic)) == 2
	})
}

func takesLateReadings(t *testing.T, db *influx.DB) {
	h := newHouse(t, db)
	hour := func(end time.Time, v float64) nhip.Reading { return series("hn-01", nhip.NO2, time.Hour, end, v)[0] }
	h.say(t, hour(noon, 41), hour(noon.Add(-50*24*time.Hour), 30))
	h.done(t)
	// A day that is over gets its last hours late: only now it has three quarters.
	day := time.Date(2026, 2, 10, 0, 0, 0, 0, hanoi)
	for i := 1; i <= 17; i++ {
		h.say(t, hour(day.Add(time.Duration(i)*time.Hour), float64(i)))
	}
	h.done(t)
	if s := h.rolled(t, "hn-01", nhip.DayPeriod, nhip.Automatic)["no2 2026-02-11T00"]; s.Count != 17 || s.Flag != nhip.NotEvaluated {
		t.Errorf("17 hours are %+v", s)
	}
	h.say(t, hour(day.Add(24*time.Hour), 18))
	h.done(t)
	if s := h.rolled(t, "hn-01", nhip.DayPeriod, nhip.Automatic)["no2 2026-02-11T00"]; s.Count != 18 || s.Mean != 9.5 || s.Flag != nhip.Good || s.Capture != 75 {
		t.Errorf("18 hours are %+v", s)
	}
	if months := h.rolled(t, "hn-01", nhip.MonthPeriod, nhip.Automatic); months["no2 2026-01-01T00"].Count != 1 || len(months) != 1 {
		t.Errorf("the months that are over are %+v", months)
	}
}

func goesOnAfterARestart(t *testing.T, db *influx.DB) {
	h := newHouse(t, db)
	five := 5 * time.Minute
	h.say(t, series("hn-01", nhip.PM25, five, noon.Add(-30*time.Minute), ramp(20, 6)...)...)
	h.done(t)
	h.stop()
	h.start(t)
	// The spike before the restart is known by what comes after it.
	h.say(t, series("hn-01", nhip.PM25, five, noon, ramp(26, 6)...)...)
	h.done(t)
	if s := h.rolled(t, "hn-01", nhip.HourPeriod, nhip.Automatic)["pm25 2026-02-16T12"]; s.Count != 12 || s.Mean != 25.5 {
		t.Errorf("the hour over a restart is %+v", s)
	}
	// What was heard and not made is made after a start.
	h.stop()
	late := series("hn-01", nhip.PM25, time.Hour, noon.Add(-72*time.Hour), 33)
	var lines []byte
	lines = influx.AppendReading(lines, &late[0], noon)
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	h.Hear(late, 1)
	if err := h.Save(); err != nil {
		t.Fatal(err)
	}
	h.start(t)
	h.done(t)
	if s := h.rolled(t, "hn-01", nhip.HourPeriod, nhip.Automatic)["pm25 2026-02-13T12"]; s.Count != 1 {
		t.Errorf("the late hour after a restart is %+v", s)
	}
}

func appliesACalibration(t *testing.T, db *influx.DB) {
	h := newHouse(t, db)
	h.say(t, series("hn-01", nhip.NO2, time.Hour, noon, ramp(40, 60)...)...)
	h.done(t)
	station := fleet.Station{ID: "hn-01", Kind: fleet.Reference, Quantities: []fleet.Quantity{{
		Name: nhip.NO2, Calibration: []fleet.Calibration{{From: noon.Add(-30 * time.Hour), Slope: 2, Offset: 1}},
	}}}
	h.HearFleet("hn-01", station)
	h.done(t)
	for i, r := range h.readings(t, "hn-01", noon.Add(-100*time.Hour), noon) {
		corrected, is := r.Verdict.Corrected.Get()
		if valid := i >= 29; is != valid || valid && (corrected != 2*r.Value+1 || r.Verdict.Rule != "calibration 2026-02-14T23:00:00Z") || r.Value != 40+float64(i) {
			t.Errorf("value %d is %+v", i, r)
		}
	}
	hours := h.rolled(t, "hn-01", nhip.HourPeriod, nhip.Automatic)
	if hours["no2 2026-02-16T12"].Mean != 199 || hours["no2 2026-02-14T12"].Mean != 51 {
		t.Errorf("the hours are %+v", hours)
	}
	// The same again is no news, and one that is taken back is.
	before := h.Keeper.rows
	h.HearFleet("hn-01", station)
	h.done(t)
	if h.Keeper.rows != before {
		t.Errorf("%d rows were made of nothing new", h.Keeper.rows-before)
	}
	station.Quantities = nil
	h.HearFleet("hn-01", station)
	h.done(t)
	if got := h.rolled(t, "hn-01", nhip.HourPeriod, nhip.Automatic)["no2 2026-02-16T12"].Mean; got != 99 {
		t.Errorf("without the calibration the hour is %v", got)
	}
}

func heedsAReview(t *testing.T, db *influx.DB) {
	h := newHouse(t, db)
	day := time.Date(2026, 2, 10, 0, 0, 0, 0, hanoi)
	h.say(t, series("hn-01", nhip.PM25, time.Hour, day.Add(24*time.Hour), ramp(1, 24)...)...)
	h.say(t, series("hn-01", nhip.PM25, time.Hour, noon, 50)...)
	h.done(t)
	review := nhip.Review{
		ID: "r1", Station: "hn-01", Quantity: nhip.PM25, From: day.Add(22 * time.Hour).UTC(), To: day.Add(24 * time.Hour).UTC(),
		Action: nhip.Strike, By: "Lan", Why: "lọc bụi bẩn", Time: noon,
	}
	for range 2 { // a second time is the first again
		if err := h.Review(review); err != nil {
			t.Fatal(err)
		}
	}
	h.done(t)
	days := func(q nhip.Quality) nhip.Stats { return h.rolled(t, "hn-01", nhip.DayPeriod, q)["pm25 2026-02-11T00"] }
	if s := days(nhip.Reviewed); s.Count != 22 || s.Mean != 11.5 {
		t.Errorf("the reviewed day is %+v", s)
	}
	if s := days(nhip.Automatic); s.Count != 24 || s.Mean != 12.5 {
		t.Errorf("the automatic day is %+v", s)
	}
	h.stop()
	h.start(t)
	if err := h.Review(nhip.Review{
		ID: "r2", Station: "hn-01", From: review.From, To: review.To, Action: nhip.Restore, By: "Hùng", Why: "đã kiểm tra", Time: noon.Add(time.Minute),
	}); err != nil {
		t.Fatal(err)
	}
	h.done(t)
	if s := days(nhip.Reviewed); s.Count != 24 || s.Mean != 12.5 {
		t.Errorf("the day that is restored after a restart is %+v", s)
	}
}

func sumsUpAHistory(t *testing.T, db *influx.DB) {
	h := newHouse(t, db)
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, hanoi)
	hours := int(time.Date(2025, 1, 1, 0, 0, 0, 0, hanoi).Sub(start) / time.Hour)
	values := make([]float64, hours)
	for i := range values {
		values[i] = float64(i%24) + float64(i/24)/1000
	}
	h.say(t, series("old", nhip.PM25, time.Hour, start.Add(time.Duration(hours)*time.Hour), values...)...)
	h.done(t)
	if got := h.rolled(t, "old", nhip.HourPeriod, nhip.Automatic); len(got) != hours {
		t.Errorf("%d of %d hours are summed up", len(got), hours)
	}
	days := h.rolled(t, "old", nhip.DayPeriod, nhip.Automatic)
	if len(days) != 366 || math.Abs(days["pm25 2024-01-02T00"].Mean-11.5) > 1e-9 || math.Abs(days["pm25 2025-01-01T00"].Mean-11.865) > 1e-9 {
		t.Errorf("%d days: %+v and %+v", len(days), days["pm25 2024-01-02T00"], days["pm25 2025-01-01T00"])
	}
	months := h.rolled(t, "old", nhip.MonthPeriod, nhip.Automatic)
	if s := months["pm25 2024-03-01T00"]; len(months) != 12 || s.Count != 29*24 || s.Flag != nhip.Good {
		t.Errorf("%d months, February is %+v", len(months), s)
	}
	left, err := h.Recompute(nhip.RecomputeQuery{Station: "old", From: start, To: start.AddDate(1, 0, 0)})
	if err != nil || left.Hours != int64(hours) {
		t.Errorf("to be made again are %+v, %v", left, err)
	}
	h.done(t)
	if _, err := h.Recompute(nhip.RecomputeQuery{Station: "nobody", From: start, To: noon}); nhip.ErrorCode(err) != nhip.NotFound {
		t.Errorf("a station that is not there: %v", err)
	}
}

func looksAround(t *testing.T, db *influx.DB) {
	h := newHouse(t, db)
	say := func(end time.Time) {
		for i := range 8 {
			v := 30 + float64(i)
			if i == 3 {
				v = 4
			}
			all := series(fmt.Sprintf("s%d", i), nhip.PM25, time.Hour, end, v)
			h.HearFleet(all[0].Station, fleet.Station{ID: all[0].Station, Kind: fleet.LowCost, At: []float64{105.8 + float64(i)*0.002, 21}})
			h.say(t, all...)
		}
		h.done(t)
	}
	check := func(what string, end time.Time) {
		await.True(t, what, func() bool {
			ok := true
			for i := range 8 {
				got := h.readings(t, fmt.Sprintf("s%d", i), end.Add(-time.Hour), end)
				want := ""
				if i == 3 {
					want = "neighbours=4"
				}
				ok = ok && len(got) == 1 && got[0].Verdict.Tests == want
			}
			return ok
		})
		at := "pm25 " + end.In(hanoi).Format("2006-01-02T15")
		if s := h.rolled(t, "s3", nhip.HourPeriod, nhip.Automatic)[at]; s.Count != 0 || s.Flag != nhip.Fail {
			t.Errorf("%s: the hour of the one that stands out is %+v", what, s)
		}
		if s := h.rolled(t, "s2", nhip.HourPeriod, nhip.Automatic)[at]; s.Count != 1 {
			t.Errorf("%s: the hour of another is %+v", what, s)
		}
	}
	say(noon)
	check("who stands out now is found", noon)
	old := noon.AddDate(0, 0, -20)
	say(old)
	check("who stood out long ago is found", old)
	// A second look changes nothing.
	if _, err := h.Recompute(nhip.RecomputeQuery{From: old.Add(-time.Hour), To: old}); err != nil {
		t.Fatal(err)
	}
	h.done(t)
	check("again", old)
}

// box takes alerts, or refuses them.
type box struct {
	mu     sync.Mutex
	closed bool
	got    []nhip.Alert
}

func (b *box) Name() string { return "box" }

func (b *box) Deliver(_ context.Context, a *nhip.Alert) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return errors.New("the box is closed")
	}
	b.got = append(b.got, *a)
	return nil
}

func (b *box) grades() []int {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []int
	for _, a := range b.got {
		out = append(out, a.Grade)
	}
	return out
}

func tellsStaff(t *testing.T, db *influx.DB) {
	to := &box{closed: true}
	h := &house{
		db: db, dir: t.TempDir(), clock: &hands{t: noon}, told: make(map[string]Told), deliver: []Deliverer{to},
		rules: []alert.Rule{
			{Name: "dust", Measure: "pm25", Grades: [3]float64{50, alert.None(), 150}, Hysteresis: 5},
			{Name: "silent", Measure: alert.Silent, Grades: [3]float64{alert.None(), alert.None(), 180}},
		},
	}
	h.start(t)
	h.say(t, series("hn-01", nhip.PM25, time.Hour, noon, 60)...)
	h.done(t)
	await.True(t, "the alert is told", func() bool { return len(h.Open()) == 1 })
	id := h.Open()[0].ID
	// A restart tells nothing again, and delivers what could not be.
	h.stop()
	h.start(t)
	h.done(t)
	h.Ack(nhip.Ack{Alert: id, By: "Lan", Time: noon})
	to.mu.Lock()
	to.closed = false
	to.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); h.RunDeliveries(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	await.True(t, "it is delivered", func() bool { return len(to.grades()) == 1 })
	await.True(t, "it is acknowledged", func() bool { return h.Open()[0].AckBy == "Lan" })
	h.clock.set(noon.Add(time.Hour))
	h.say(t, series("hn-01", nhip.PM25, time.Hour, noon.Add(time.Hour), 170)...)
	await.True(t, "it is graver", func() bool { return h.Open()[0].Grade == 3 && h.Open()[0].ID == id })
	h.clock.set(noon.Add(2 * time.Hour))
	h.say(t, series("hn-01", nhip.PM25, time.Hour, noon.Add(2*time.Hour), 20)...)
	await.True(t, "it has ended", func() bool { return len(h.Open()) == 0 })
	h.clock.set(noon.Add(6 * time.Hour))
	await.True(t, "the silence is told", func() bool { return len(h.Open()) == 1 && h.Open()[0].Rule == "silent" })
	await.True(t, "all is delivered, each once", func() bool { return cmp.Equal(to.grades(), []int{1, 3, 0, 3}) })
}
