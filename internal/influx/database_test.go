package influx_test

import (
	"fmt"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"

	"github.com/google/go-cmp/cmp"
)

// testRollups writes automatic and reviewed roll-ups of two stations, of which some hours are reviewed.
func testRollups(t *testing.T, db database) {
	rollup := func(station string, hour int, quality nhip.Quality) nhip.Rollup {
		return nhip.Rollup{
			Station: station, Quantity: nhip.PM25, Period: nhip.PeriodHour, Quality: quality,
			Time: noon.Add(time.Duration(hour) * time.Hour),
			RollupStats: nhip.RollupStats{
				Mean: 20, Min: 1.5, Max: 30, P98: 29, Median: 19, Count: 12, Capture: 100, Flag: nhip.FlagGood,
				Max1h: nhip.Some(30.0),
			},
		}
	}
	automatic, reviewed := nhip.QualityAutomatic, nhip.QualityReviewed
	want := []nhip.Rollup{
		rollup("a", 1, automatic), rollup("b,=\\ c", 1, automatic), rollup("a", 2, reviewed), rollup("a", 3, automatic),
	}
	others := []nhip.Rollup{
		rollup("a", 2, automatic), rollup("a", 0, automatic), rollup("a", 4, automatic), rollup("a", 2, nhip.QualityRaw),
	}
	others[2].Period = nhip.PeriodDay
	network := influx.NetworkHour{Typical: nhip.Some(7.5), Roughness: nhip.Some(0.5), Tests: "network_gain=3"}
	var lines []byte
	for _, r := range append(others, want...) {
		lines = influx.AppendRollup(lines, &r, network, received)
	}
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	read := func(q influx.RollupQuery) (got []influx.RollupRow) {
		q.Period, q.From, q.To = nhip.PeriodHour, noon, noon.Add(4*time.Hour)
		if err := db.Rollups(t.Context(), q,
			func(r influx.RollupRow) error { got = append(got, r); return nil }); err != nil {
			t.Fatal(err)
		}
		return got
	}
	rows := func(rollups ...nhip.Rollup) (rows []influx.RollupRow) {
		for _, r := range rollups {
			rows = append(rows, influx.RollupRow{Rollup: r})
		}
		return rows
	}
	if diff := cmp.Diff(rows(want...), read(influx.RollupQuery{Quality: reviewed}), allOf); diff != "" {
		t.Error(diff)
	}
	got := read(influx.RollupQuery{Quality: reviewed, Station: "b,=\\ c", Quantity: nhip.PM25})
	if diff := cmp.Diff(rows(want[1]), got, allOf); diff != "" {
		t.Error(diff)
	}
	if got := read(influx.RollupQuery{Quality: nhip.QualityRaw}); len(got) != 1 || got[0].Network != network {
		t.Errorf("raw: %+v", got)
	}
	got = read(influx.RollupQuery{Quality: automatic, Brief: true})
	if len(got) != 4 || got[2].Network != (influx.NetworkHour{}) || got[2].Median != 0 || got[2].Quality != automatic {
		t.Errorf("brief: %+v", got)
	}
}

// testMeans writes hours of three stations, of which some are incomplete or reviewed.
func testMeans(t *testing.T, db database) {
	var lines []byte
	add := func(station string, q nhip.Quantity, hour int, quality nhip.Quality, mean float64, flag nhip.Flag) {
		lines = influx.AppendRollup(lines, &nhip.Rollup{
			Station: station, Quantity: q, Period: nhip.PeriodHour, Quality: quality,
			Time: noon.Add(time.Duration(hour) * time.Hour), RollupStats: nhip.RollupStats{Mean: mean, Count: 12, Flag: flag},
		}, influx.NetworkHour{}, received)
	}
	automatic, reviewed := nhip.QualityAutomatic, nhip.QualityReviewed
	for hour := 1; hour <= 4; hour++ {
		add("a", nhip.PM25, hour, automatic, float64(hour), nhip.FlagGood)
		add("b,=\\ c", nhip.PM25, hour, automatic, float64(10*hour), nhip.FlagSuspect)
		add("b,=\\ c", nhip.NO2, hour, automatic, float64(hour)+0.5, nhip.FlagGood)
	}
	add("a", nhip.PM25, 2, reviewed, 0, nhip.FlagFail)
	add("b,=\\ c", nhip.PM25, 3, reviewed, 7, nhip.FlagGood)
	add("z", nhip.PM25, 1, automatic, 9, nhip.FlagNotEvaluated)
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	read := func(q influx.MeanQuery) (got []string) {
		q.Period, q.From, q.To = nhip.PeriodHour, noon, noon.Add(3*time.Hour)
		err := db.Means(t.Context(), q, func(s influx.MeanSeries) error {
			line := fmt.Sprintf("%s %s", s.Quantity, s.Station)
			for _, m := range s.Means {
				line += fmt.Sprintf(" %d:%v", time.UnixMilli(m.End).Sub(noon)/time.Hour, m.Value)
			}
			got = append(got, line)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	all := []string{"no2 b,=\\ c 1:1.5 2:2.5 3:3.5", "pm25 a 1:1 2:NaN 3:3", "pm25 b,=\\ c 1:10 2:20 3:7", "pm25 z 1:NaN"}
	if diff := cmp.Diff(all, read(influx.MeanQuery{Quality: reviewed})); diff != "" {
		t.Error(diff)
	}
	if got := read(influx.MeanQuery{Quality: automatic, Quantities: []nhip.Quantity{nhip.PM25}}); len(got) != 3 ||
		got[0] != "pm25 a 1:1 2:2 3:3" {
		t.Errorf("PM2.5: %q", got)
	}
	if got := read(influx.MeanQuery{Quality: reviewed, Stations: []string{"a", "z"}}); len(got) != 2 || got[0] != all[1] {
		t.Errorf("two stations: %q", got)
	}
}

func testReviews(t *testing.T, db database) {
	review := func(id, station string, minute int) nhip.Review {
		return nhip.Review{
			ID: id, Station: station, From: noon, To: noon.Add(time.Hour), Action: nhip.ActionExclude, By: `Lan "L"`,
			Why: "bụi, bẩn = \\", Time: noon.Add(time.Duration(minute) * time.Minute),
		}
	}
	want := []nhip.Review{review("b", "s", 0), review("c", "s", 0), review("a", "t", 1)}
	var lines []byte
	for _, r := range []nhip.Review{want[2], review("a", "t", 2), want[1], want[0], review("late", "s", 60)} {
		lines = influx.AppendReview(lines, &r, received)
	}
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	for station, want := range map[string][]nhip.Review{"": want, "s": want[:2], "none": nil} {
		got, err := db.Reviews(t.Context(), station, noon.Add(30*time.Minute))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("station %q: %v\n%s", station, err, diff)
		}
	}
}

func testReadingVersions(t *testing.T, db database) {
	first := fullReading()
	lines := influx.AppendReading(nil, &first, received)
	lines = influx.AppendAssessment(lines, &first, &nhip.Assessment{
		Flag: nhip.FlagFail, Tests: "spike=4", Rule: "epa_2021", Corrected: nhip.Some(12.5),
	})
	for n, later := range []float64{36, 37} {
		r := first
		r.Value = later
		lines = influx.AppendReadingRevision(lines, &r, received.Add(time.Minute), n+1)
	}
	pending := first
	pending.Quantity = nhip.NO2
	lines = influx.AppendAssessment(lines, &pending, &nhip.Assessment{Flag: nhip.FlagGood}) // before its reading
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	got, err := db.ReadingVersions(t.Context(), first.Station, first.Quantity, first.Time)
	if err != nil || len(got) != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	if a := got[0].Assessment; a.Flag != nhip.FlagFail || a.Corrected != nhip.Some(12.5) || got[0].Revision != 0 ||
		!got[0].Received.Equal(received) || got[0].Value != first.Value {
		t.Errorf("first version: %+v", got[0])
	}
	if got[1].Value != 36 || got[1].Revision != 1 || got[2].Value != 37 || got[2].Revision != 2 {
		t.Errorf("revisions: %+v", got[1:])
	}
	if got, err := db.ReadingVersions(t.Context(), first.Station, nhip.NO2, first.Time); err != nil || len(got) > 0 {
		t.Errorf("an assessment without a reading: %+v, %v", got, err)
	}
}

func testMarker(t *testing.T, db database) {
	m := influx.Marker{Collector: "c 1", ID: "x", Time: noon}
	if found, err := db.HasMarker(t.Context(), m); found || err != nil {
		t.Errorf("before it is written: %t, %v", found, err)
	}
	if err := db.Write(t.Context(), influx.AppendMarker(nil, &m)); err != nil {
		t.Fatal(err)
	}
	other := m
	other.ID = "y"
	for marker, want := range map[influx.Marker]bool{m: true, other: false} {
		if found, err := db.HasMarker(t.Context(), marker); found != want || err != nil {
			t.Errorf("%+v: %t, %v", marker, found, err)
		}
	}
}

// testDeleteAndCount counts rows by device and hour, deletes some, and counts again.
func testDeleteAndCount(t *testing.T, db database) {
	noon := noon.Truncate(time.Hour)
	var lines []byte
	for i := range 120 {
		p := nhip.Position{
			Agency: "hà nội", Vehicle: fmt.Sprint("xe ", i%2), Route: fmt.Sprint(i % 5), Event: nhip.EventPosition,
			Time: noon.Add(time.Duration(i) * time.Minute),
		}
		lines = influx.AppendPosition(lines, &p, received)
	}
	revised := nhip.Position{Agency: "hà nội", Vehicle: "xe 0", Event: nhip.EventPosition, Time: noon}
	lines = influx.AppendPositionRevision(lines, &revised, received, 1)
	lines = influx.AppendReview(lines, &nhip.Review{ID: "r", Station: "s", Time: noon}, received)
	lines = influx.AppendAck(lines, &nhip.Ack{Alert: "a", Time: noon.Add(time.Hour)}, received)
	for _, kind := range []string{nhip.ActionKindAck, nhip.DocumentKey} {
		lines = influx.AppendAudit(lines, &nhip.AuditEntry{Kind: kind, ID: "a", Time: noon.Add(time.Hour)}, received)
	}
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	query := influx.RowCountQuery{From: noon, To: noon.Add(2 * time.Hour), Now: noon.AddDate(1, 0, 0), Max: 8}
	count := func(q influx.RowCountQuery) *influx.RowCounts {
		t.Helper()
		counts, err := db.RowCounts(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return counts
	}
	key := func(device string, hour int) influx.RowCountKey {
		return influx.RowCountKey{Device: device, Hour: noon.Add(time.Duration(hour) * time.Hour).UTC()}
	}
	const bus0, bus1 = "bus/hà nội/xe 0", "bus/hà nội/xe 1"
	counts := count(query)
	want := map[influx.RowCountKey]influx.RowCount{
		key(bus0, 0): {Stored: 30, Revised: 1}, key(bus1, 0): {Stored: 30}, key(bus0, 1): {Stored: 30},
		key(bus1, 1): {Stored: 30}, key("say/review", 0): {Stored: 1}, key("say/ack", 1): {Stored: 1},
		key("audit/ack", 1): {Stored: 1}, key("say/key", 1): {Stored: 1},
	}
	if diff := cmp.Diff(want, counts.Counts); diff != "" || counts.MayLack(key(bus0, 0)) {
		t.Errorf("%s (- want), may lack: %t", diff, counts.MayLack(key(bus0, 0)))
	}
	query.Max = 7
	if _, err := db.RowCounts(t.Context(), query); nhip.ErrorCode(err) != nhip.CodeTooLarge {
		t.Errorf("more than the maximum: %v", err)
	}
	query.Device = bus1
	if got := count(query).Counts; len(got) != 2 || got[key(bus1, 0)].Stored != 30 {
		t.Errorf("one device: %v", got)
	}
	until := noon.Add(30 * time.Minute)
	deletion := influx.Deletion{Measurement: influx.PositionMeasurement, Until: until, Time: noon.AddDate(1, 0, 0)}
	if err := db.Write(t.Context(), influx.AppendDeletion(nil, &deletion)); err != nil {
		t.Fatal(err)
	}
	if err := db.Delete(t.Context(), influx.PositionMeasurement, until); err != nil {
		t.Fatal(err)
	}
	counts = count(query)
	if got := counts.Counts[key(bus1, 0)].Stored; got != 15 || !counts.MayLack(key(bus1, 0)) ||
		counts.MayLack(key(bus1, 1)) || counts.MayLack(key("air/s", 0)) {
		t.Errorf("after the deletion: %d", got)
	}
	oldest, ok, err := db.Oldest(t.Context(), influx.PositionMeasurement, noon.AddDate(1, 0, 0))
	if err != nil || !ok || !oldest.Equal(noon.Add(31*time.Minute)) {
		t.Errorf("the oldest: %s, %t, %v", oldest, ok, err)
	}
}

// testAudit reads the audit log page by page.
func testAudit(t *testing.T, db database) {
	start := noon.AddDate(0, 0, 40)
	var lines []byte
	for i := range 10 {
		lines = influx.AppendAudit(lines, &nhip.AuditEntry{
			Kind: []string{"key", "review"}[i%2], ID: fmt.Sprint(i), By: []string{"Lan", "O'Neil"}[i%2], Role: nhip.RoleAnalyst,
			Object: fmt.Sprint("station/", i), Time: start.Add(time.Duration(i/3) * time.Minute), // three of one time
			Before: []byte(`{"why":"\"a\\\"\nb"}`), After: []byte(`{"n":1}`),
		}, received)
	}
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	read := func(q influx.AuditQuery) (ids string) {
		t.Helper()
		q.From, q.To = start, start.Add(time.Hour)
		for !q.To.IsZero() {
			rows, next, err := db.Audit(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				ids += row.ID
				if string(row.Before) != `{"why":"\"a\\\"\nb"}` || row.Role != nhip.RoleAnalyst || row.By == "" {
					t.Errorf("%+v", row)
				}
			}
			ids += " "
			q.To = next
		}
		return ids
	}
	for _, c := range []struct {
		q    influx.AuditQuery
		want string
	}{
		{influx.AuditQuery{Limit: 4}, "9687 435021 "},
		{influx.AuditQuery{Limit: 100, Kinds: []string{"key"}}, "68402 "},
		{influx.AuditQuery{Limit: 100, By: "O'Neil"}, "97351 "},
		{influx.AuditQuery{Limit: 100, Object: "station/3"}, "3 "},
		{influx.AuditQuery{Limit: 100, Object: "' OR 1=1"}, " "},
	} {
		if got := read(c.q); got != c.want {
			t.Errorf("%+v: %q, want %q", c.q, got, c.want)
		}
	}
}
