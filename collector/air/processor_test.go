package air

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/fleet"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
)

func TestProcessor(t *testing.T) {
	child := influxtest.Server(t)
	n := 0
	run := func(name string, f func(*testing.T, *influx.DB)) {
		n++
		bucket := fmt.Sprintf("b%d", n)
		t.Run(name, func(t *testing.T) { f(t, influxtest.Open(t, child, bucket)) })
	}
	run("hour", testHour)
	run("late readings", testLateReadings)
	run("restart", testRestart)
	run("calibration", testCalibration)
	run("calibration over the web", testCalibrationOverTheWeb)
	run("review", testReview)
	run("history", testHistory)
	run("neighbourhood", testNeighbourhood)
	run("flat line", testFlatLine)
	run("contradiction", testContradiction)
	run("baseline", testBaseline)
	run("moved", testMoved)
	run("alerts", testAlerts)
}

// A flat line is flagged from its first value on, also where that is older than what is assessed from memory, and its
// hours are summed up again.
func testFlatLine(t *testing.T, db *influx.DB) {
	h := newHarness(t, db)
	end := noon.Add(14 * time.Hour)
	for i, r := range series("hn-01", nhip.NO2, time.Hour, end, append(ramp(70, 2), constant(90, 13)...)...) {
		h.clock.set(r.Time)
		h.store(t, r)
		if i%4 == 0 {
			h.waitIdle(t)
		}
	}
	h.waitIdle(t)
	for _, r := range h.readings(t, "hn-01", noon.Add(-time.Hour), end) {
		want := ""
		if r.Value == 90 {
			want = "flat_line=4"
		}
		if r.Assessment.Tests != want {
			t.Errorf("reading of %s is %q, want %q", r.Time, r.Assessment.Tests, want)
		}
	}
	hours := h.rollups(t, "hn-01", nhip.PeriodHour, nhip.QualityAutomatic)
	if s := hours["no2 2026-02-16T14"]; s.Count != 0 || s.Flag != nhip.FlagFail {
		t.Errorf("first hour of the flat line is %+v", s)
	}
}

// constant returns n equal values.
func constant(v float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

func testHour(t *testing.T, db *influx.DB) {
	h := newHarness(t, db)
	five := 5 * time.Minute
	values := ramp(20, 12)
	values[5] = 400
	h.store(t, series("hn-01", nhip.PM25, five, noon, values...)...)
	h.waitIdle(t)
	got := h.readings(t, "hn-01", noon.Add(-time.Hour), noon)
	for i, r := range got {
		want := nhip.Assessment{Flag: nhip.FlagGood}
		if i == 5 {
			want = nhip.Assessment{Flag: nhip.FlagFail, Tests: "spike=4"}
		}
		if r.Assessment != want || r.Value != values[i] {
			t.Errorf("reading %d is %+v, want %+v", i, r, want)
		}
	}
	hours := h.rollups(t, "hn-01", nhip.PeriodHour, nhip.QualityReviewed)
	if s := hours["pm25 2026-02-16T12"]; len(hours) != 1 || s.Count != 11 || s.Max != 31 || s.Flag != nhip.FlagGood ||
		math.Round(s.Capture) != 92 {
		t.Errorf("hour is %+v", hours)
	}
	if s := h.rollups(t, "hn-01", nhip.PeriodHour, nhip.QualityRaw)["pm25 2026-02-16T12"]; s.Max != 400 || s.Count != 12 {
		t.Errorf("raw hour is %+v", s)
	}
	h.mu.Lock()
	update := h.updates["hn-01"]
	h.mu.Unlock()
	if f := update.Flags[nhip.PM25]; len(f) != 2 || f[0].Flag != nhip.FlagGood || !f[0].Time.Equal(noon) {
		t.Errorf("published flag is %+v", f)
	}
	mean := hours["pm25 2026-02-16T12"].Mean
	if u := update.Hours; u == nil || !u.End.Equal(noon) || u.Means[nhip.PM25][0].Or(0) != mean {
		t.Errorf("published hours are %+v, want a mean of %v", u, mean)
	}
	// An hour is not summed up before it ends.
	h.clock.set(noon.Add(59 * time.Minute))
	h.store(t, series("hn-01", nhip.PM25, five, noon.Add(55*time.Minute), ramp(30, 11)...)...)
	h.waitIdle(t)
	if hours := h.rollups(t, "hn-01", nhip.PeriodHour, nhip.QualityAutomatic); len(hours) != 1 {
		t.Errorf("hours before the end of the second are %+v", hours)
	}
	h.clock.set(noon.Add(time.Hour))
	awaittest.True(t, "second hour summed up", func() bool {
		return len(h.rollups(t, "hn-01", nhip.PeriodHour, nhip.QualityAutomatic)) == 2
	})
}

func testLateReadings(t *testing.T, db *influx.DB) {
	h := newHarness(t, db)
	hour := func(end time.Time, v float64) nhip.Reading { return series("hn-01", nhip.NO2, time.Hour, end, v)[0] }
	h.store(t, hour(noon, 41), hour(noon.Add(-50*24*time.Hour), 30))
	h.waitIdle(t)
	// A past day gets its last hours late, and becomes complete with three quarters of its hours.
	day := time.Date(2026, 2, 10, 0, 0, 0, 0, hanoi)
	for i := 1; i <= 17; i++ {
		h.store(t, hour(day.Add(time.Duration(i)*time.Hour), float64(i)))
	}
	h.waitIdle(t)
	if s := h.rollups(t, "hn-01", nhip.PeriodDay, nhip.QualityAutomatic)["no2 2026-02-11T00"]; s.Count != 17 ||
		s.Flag != nhip.FlagNotEvaluated {
		t.Errorf("day of 17 hours is %+v", s)
	}
	h.store(t, hour(day.Add(24*time.Hour), 18))
	h.waitIdle(t)
	if s := h.rollups(t, "hn-01", nhip.PeriodDay, nhip.QualityAutomatic)["no2 2026-02-11T00"]; s.Count != 18 ||
		s.Mean != 9.5 || s.Flag != nhip.FlagGood || s.Capture != 75 {
		t.Errorf("day of 18 hours is %+v", s)
	}
	if got := h.hoursOfDay(t, nhip.NO2, day); len(got) != 24 || got[16].Value != 17 ||
		got[23].Value != 18 || !math.IsNaN(got[20].Value) || got[0].End != day.Add(time.Hour).UnixMilli() {
		t.Errorf("the day has the hours %v", got)
	}
	if months := h.rollups(t, "hn-01", nhip.PeriodMonth, nhip.QualityAutomatic); months["no2 2026-01-01T00"].Count != 1 ||
		len(months) != 1 {
		t.Errorf("past months are %+v", months)
	}
}

func testRestart(t *testing.T, db *influx.DB) {
	h := newHarness(t, db)
	five := 5 * time.Minute
	h.store(t, series("hn-01", nhip.PM25, five, noon.Add(-30*time.Minute), ramp(20, 6)...)...)
	h.waitIdle(t)
	h.stop()
	h.start(t)
	// The readings before the restart are assessed together with those after it.
	h.store(t, series("hn-01", nhip.PM25, five, noon, ramp(26, 6)...)...)
	h.waitIdle(t)
	if s := h.rollups(t, "hn-01", nhip.PeriodHour, nhip.QualityAutomatic)["pm25 2026-02-16T12"]; s.Count != 12 ||
		s.Mean != 25.5 {
		t.Errorf("hour across a restart is %+v", s)
	}
	// Work that was saved and not done is done after a start.
	h.stop()
	late := series("hn-01", nhip.PM25, time.Hour, noon.Add(-72*time.Hour), 33)
	var lines []byte
	lines = influx.AppendReading(lines, &late[0], noon)
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	h.Observe(late, 1)
	if err := h.Save(); err != nil {
		t.Fatal(err)
	}
	h.start(t)
	h.waitIdle(t)
	if s := h.rollups(t, "hn-01", nhip.PeriodHour, nhip.QualityAutomatic)["pm25 2026-02-13T12"]; s.Count != 1 {
		t.Errorf("late hour after a restart is %+v", s)
	}
}

func testCalibration(t *testing.T, db *influx.DB) {
	h := newHarness(t, db)
	h.store(t, series("hn-01", nhip.NO2, time.Hour, noon, ramp(40, 60)...)...)
	h.waitIdle(t)
	station := fleet.Station{ID: "hn-01", Kind: fleet.Reference, Quantities: []fleet.Quantity{{
		Name: nhip.NO2, Calibration: []fleet.Calibration{{From: noon.Add(-30 * time.Hour), Slope: 2, Offset: 1}},
	}}}
	h.UpdateStation("hn-01", station)
	h.waitIdle(t)
	for i, r := range h.readings(t, "hn-01", noon.Add(-100*time.Hour), noon) {
		corrected, is := r.Assessment.Corrected.Get()
		if valid := i >= 29; is != valid || valid &&
			(corrected != 2*r.Value+1 || r.Assessment.Rule != "calibration 2026-02-14T23:00:00Z") || r.Value != 40+float64(i) {
			t.Errorf("reading %d is %+v", i, r)
		}
	}
	hours := h.rollups(t, "hn-01", nhip.PeriodHour, nhip.QualityAutomatic)
	if hours["no2 2026-02-16T12"].Mean != 199 || hours["no2 2026-02-14T12"].Mean != 51 {
		t.Errorf("hours are %+v", hours)
	}
	// The same calibration again changes nothing; its removal does.
	before := h.rowsWritten
	h.UpdateStation("hn-01", station)
	h.waitIdle(t)
	if h.rowsWritten != before {
		t.Errorf("%d rows written without a change", h.rowsWritten-before)
	}
	station.Quantities = nil
	h.UpdateStation("hn-01", station)
	h.waitIdle(t)
	if got := h.rollups(t, "hn-01", nhip.PeriodHour, nhip.QualityAutomatic)["no2 2026-02-16T12"].Mean; got != 99 {
		t.Errorf("hour without the calibration is %v, want 99", got)
	}
}

// testCalibrationOverTheWeb sets a calibration beside that of the fleet, across a restart and a kill. A later edit of
// the fleet wins.
func testCalibrationOverTheWeb(t *testing.T, db *influx.DB) {
	h := newHarness(t, db)
	h.store(t, series("hn-01", nhip.NO2, time.Hour, noon, ramp(40, 60)...)...)
	h.waitIdle(t)
	from := noon.Add(-30 * time.Hour)
	station := fleet.Station{ID: "hn-01", Kind: fleet.Reference, Quantities: []fleet.Quantity{{
		Name: nhip.NO2, Calibration: []fleet.Calibration{{From: from, Slope: 2, Offset: 1}},
	}}}
	h.UpdateStation("hn-01", station)
	h.waitIdle(t)
	expect := func(when string, want float64) {
		t.Helper()
		h.waitIdle(t)
		hours := h.rollups(t, "hn-01", nhip.PeriodHour, nhip.QualityAutomatic)
		if got := hours["no2 2026-02-16T12"].Mean; got != want || hours["no2 2026-02-14T12"].Mean != 51 {
			t.Errorf("%s: %v, want %v; before: %v", when, got, want, hours["no2 2026-02-14T12"].Mean)
		}
	}
	expect("the fleet's", 2*99+1)
	change := func(slope float64) (*nhip.Document, []nhip.DocumentState) {
		body, err := json.Marshal(nhip.CalibrationChange{
			Base: station.Quantities[0].Base(), Lines: []nhip.CalibrationLine{{From: from, Slope: slope}},
		})
		if err != nil {
			t.Fatal(err)
		}
		id := nhip.CalibrationID("hn-01", nhip.NO2)
		return &nhip.Document{Kind: nhip.DocumentCalibration, ID: id, Body: body},
			[]nhip.DocumentState{{Kind: nhip.DocumentCalibration, ID: id, Body: body}}
	}
	three, stored := change(3)
	h.ApplyCalibration(three)
	expect("over the web", 3*99)
	if err := h.Save(); err != nil {
		t.Fatal(err)
	}
	four, later := change(4)
	h.ApplyCalibration(four) // lost with a kill, and repeated from the journal
	h.stop()
	h.start(t)
	h.SetCalibrations(stored)
	h.UpdateStation("hn-01", station)
	h.ApplyCalibration(four)
	expect("after a kill", 4*99)
	before := h.rowsWritten
	h.SetCalibrations(later)
	h.UpdateStation("hn-01", station)
	if expect("the same again", 4*99); h.rowsWritten != before {
		t.Errorf("%d rows written without a change", h.rowsWritten-before)
	}
	station.Quantities = []fleet.Quantity{{
		Name: nhip.NO2, Calibration: []fleet.Calibration{{From: from, Slope: 5}},
	}}
	h.UpdateStation("hn-01", station)
	expect("the file is edited", 5*99)
	four.Body = nil
	h.ApplyCalibration(four)
	expect("removed", 5*99)
}

func testReview(t *testing.T, db *influx.DB) {
	h := newHarness(t, db)
	day := time.Date(2026, 2, 10, 0, 0, 0, 0, hanoi)
	h.store(t, series("hn-01", nhip.PM25, time.Hour, day.Add(24*time.Hour), ramp(1, 24)...)...)
	h.store(t, series("hn-01", nhip.PM25, time.Hour, noon, 50)...)
	h.waitIdle(t)
	review := nhip.Review{
		ID: "r1", Station: "hn-01", Quantity: nhip.PM25, From: day.Add(22 * time.Hour).UTC(),
		To:     day.Add(24 * time.Hour).UTC(),
		Action: nhip.ActionExclude, By: "Lan", Why: "lọc bụi bẩn", Time: noon,
	}
	for range 2 { // the second one is ignored
		if err := h.Review(review); err != nil {
			t.Fatal(err)
		}
	}
	h.waitIdle(t)
	days := func(q nhip.Quality) nhip.RollupStats {
		return h.rollups(t, "hn-01", nhip.PeriodDay, q)["pm25 2026-02-11T00"]
	}
	if s := days(nhip.QualityReviewed); s.Count != 22 || s.Mean != 11.5 {
		t.Errorf("reviewed day is %+v", s)
	}
	if s := days(nhip.QualityAutomatic); s.Count != 24 || s.Mean != 12.5 {
		t.Errorf("automatic day is %+v", s)
	}
	h.stop()
	h.start(t)
	if err := h.Review(nhip.Review{
		ID: "r2", Station: "hn-01", From: review.From, To: review.To, Action: nhip.ActionReinstate, By: "Hùng",
		Why: "đã kiểm tra", Time: noon.Add(time.Minute),
	}); err != nil {
		t.Fatal(err)
	}
	h.waitIdle(t)
	if s := days(nhip.QualityReviewed); s.Count != 24 || s.Mean != 12.5 {
		t.Errorf("day after the exclusion was undone is %+v", s)
	}
}

func testHistory(t *testing.T, db *influx.DB) {
	h := newHarness(t, db)
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, hanoi)
	hours := int(time.Date(2025, 1, 1, 0, 0, 0, 0, hanoi).Sub(start) / time.Hour)
	values := make([]float64, hours)
	for i := range values {
		values[i] = float64(i%24) + float64(i/24)/1000
	}
	h.store(t, series("old", nhip.PM25, time.Hour, start.Add(time.Duration(hours)*time.Hour), values...)...)
	h.waitIdle(t)
	if got := h.rollups(t, "old", nhip.PeriodHour, nhip.QualityAutomatic); len(got) != hours {
		t.Errorf("%d hours summed up, want %d", len(got), hours)
	}
	days := h.rollups(t, "old", nhip.PeriodDay, nhip.QualityAutomatic)
	if len(days) != 366 || math.Abs(days["pm25 2024-01-02T00"].Mean-11.5) > 1e-9 ||
		math.Abs(days["pm25 2025-01-01T00"].Mean-11.865) > 1e-9 {
		t.Errorf("%d days: %+v and %+v", len(days), days["pm25 2024-01-02T00"], days["pm25 2025-01-01T00"])
	}
	months := h.rollups(t, "old", nhip.PeriodMonth, nhip.QualityAutomatic)
	if s := months["pm25 2024-03-01T00"]; len(months) != 12 || s.Count != 29*24 || s.Flag != nhip.FlagGood {
		t.Errorf("%d months, February is %+v", len(months), s)
	}
	remaining, err := h.Recompute(nhip.RecomputeQuery{Station: "old", From: start, To: start.AddDate(1, 0, 0)})
	if err != nil || remaining.Hours != int64(hours) {
		t.Errorf("Recompute returned %+v, %v, want %d hours", remaining, err, hours)
	}
	h.waitIdle(t)
	if _, err := h.Recompute(nhip.RecomputeQuery{
		Station: "nobody", From: start,
		To: noon,
	}); nhip.ErrorCode(err) != nhip.CodeNotFound {
		t.Errorf("Recompute of an unknown station returned %v", err)
	}
}
