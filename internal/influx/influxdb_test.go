package influx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
	"nhip/internal/influx/memdbtest"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// TestWithInfluxDB runs against one real InfluxDB, with a bucket for each subtest.
func TestWithInfluxDB(t *testing.T) {
	t.Parallel()
	server := influxtest.Server(t)
	for name, test := range map[string]func(*testing.T, *influxtest.Instance, *influx.DB){
		"PositionsAreExact": realPositionsAreExact,
		"Injection":         realInjection,
		"Rejected":          realRejected,
		"TooLarge":          realTooLarge,
		"MissingBucket":     realMissingBucket,
	} {
		t.Run(name, func(t *testing.T) {
			test(t, server, influxtest.Open(t, server, `it's "`+name+`"`)) // the name tests the quoting, too
		})
	}
	for name, test := range databaseTests() {
		t.Run(name, func(t *testing.T) { test(t, influxtest.Open(t, server, name)) })
	}
}

// TestMemory runs the tests of a database on the one in memory, which shows that nothing but InfluxDB is assumed.
func TestMemory(t *testing.T) {
	for name, test := range databaseTests() {
		t.Run(name, func(t *testing.T) { test(t, memdbtest.New()) })
	}
}

// database is what every database has to do: take lines, answer selections, and delete.
type database interface {
	Write(ctx context.Context, lines []byte) error
	Delete(ctx context.Context, measurement string, until time.Time) error
	influx.Source

	Readings(ctx context.Context, q influx.ReadingQuery, yield func(nhip.AssessedReading) error) error
	Rollups(ctx context.Context, q influx.RollupQuery, yield func(influx.RollupRow) error) error
	Means(ctx context.Context, q influx.MeanQuery, yield func(influx.MeanSeries) error) error
	Days(ctx context.Context, q influx.DayQuery, yield func(*influx.DaySeries) error) error
	Fleet(ctx context.Context, from, to time.Time, yield func(nhip.Position) error) error
	StationSpans(ctx context.Context, yield func(nhip.StationSpan) error) error
	SeriesSpans(ctx context.Context, yield func(influx.SeriesSpan) error) error
	SeriesReadings(ctx context.Context, q influx.SeriesQuery, yield func(nhip.AssessedReading) error) error
	CountReadings(ctx context.Context, q influx.SeriesQuery) (int, error)
	Arrivals(ctx context.Context, from, to time.Time, yield func(nhip.Arrival) error) error
	DayArrivals(ctx context.Context, q influx.TravelQuery, yield func(nhip.Arrival) error) error
	DayPositions(ctx context.Context, q influx.TravelQuery, yield func(nhip.Position) error) error
	AgencySpans(ctx context.Context, measurement string, yield func(nhip.AgencySpan) error) error
	Reviews(ctx context.Context, station string, until time.Time) ([]nhip.Review, error)
	ReadingVersions(ctx context.Context, station string, quantity nhip.Quantity, at time.Time) (
		[]influx.ReadingVersion, error)
	HasMarker(ctx context.Context, m influx.Marker) (bool, error)
	Oldest(ctx context.Context, measurement string, until time.Time) (time.Time, bool, error)
	Count(ctx context.Context, measurement string, from, to time.Time) (int, error)
	RowCounts(ctx context.Context, q influx.RowCountQuery) (*influx.RowCounts, error)
	Audit(ctx context.Context, q influx.AuditQuery) ([]nhip.AuditEntry, time.Time, error)
}

// databaseTests are the tests that every database passes.
func databaseTests() map[string]func(*testing.T, database) {
	return map[string]func(*testing.T, database){
		"ReadingsRoundTrip": testReadingsRoundTrip,
		"Interval":          testInterval,
		"Order":             testOrder,
		"Windows":           testWindows,
		"StopsEarly":        testStopsEarly,
		"Count":             testCount,
		"Arrivals":          testArrivals,
		"Fleet":             testFleet,
		"Days":              testDays,
		"Levels":            testLevels,
		"StationSpans":      testStationSpans,
		"Series":            testSeries,
		"Rollups":           testRollups,
		"Means":             testMeans,
		"Travel":            testTravel,
		"Reviews":           testReviews,
		"ReadingVersions":   testReadingVersions,
		"Marker":            testMarker,
		"DeleteAndCount":    testDeleteAndCount,
		"Audit":             testAudit,
	}
}

func write(t *testing.T, db database, readings ...nhip.Reading) {
	t.Helper()
	var lines []byte
	for i := range readings {
		lines = influx.AppendReading(lines, &readings[i], received)
	}
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, db database, q influx.ReadingQuery) []nhip.Reading {
	t.Helper()
	var got []nhip.Reading
	err := db.Readings(t.Context(), q, func(r nhip.AssessedReading) error { got = append(got, r.Reading); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return got
}

var allOf = cmp.AllowUnexported(nhip.Opt[orb.Point]{}, nhip.Opt[[2]float64]{})

// around returns a query for the readings of a station around noon.
func around(station string) influx.ReadingQuery {
	return influx.ReadingQuery{Station: station, From: noon.Add(-time.Hour), To: noon.Add(time.Hour)}
}

func readings() *rapid.Generator[nhip.Reading] {
	return rapid.Custom(func(t *rapid.T) nhip.Reading {
		r := nhip.Reading{
			Station: ids().Draw(t, "station"), Origin: nhip.Origin(texts().Draw(t, "origin")), Time: noon,
			Quantity: rapid.SampledFrom([]nhip.Quantity{nhip.PM25, nhip.NO2, nhip.Temperature}).Draw(t, "quantity"),
			Period: rapid.SampledFrom([]time.Duration{
				time.Second, 90 * time.Second, 5 * time.Minute, time.Hour, 24 * time.Hour, 1500 * time.Millisecond,
			}).Draw(t, "period"),
			Value: rapid.Float64().Draw(t, "value"),
			Flag:  rapid.SampledFrom([]nhip.Flag{nhip.FlagGood, nhip.FlagSuspect, nhip.FlagMissing}).Draw(t, "flag"),
		}
		if rapid.Bool().Draw(t, "has point") {
			r.Point = nhip.Some(orb.Point{
				rapid.Float64Range(-180, 180).Draw(t, "lon"), rapid.Float64Range(-90, 90).Draw(t, "lat"),
			})
		}
		return r
	})
}

func testReadingsRoundTrip(t *testing.T, db database) {
	// Distinct stations, so that no reading overwrites another.
	want := rapid.SliceOfNDistinct(readings(), 300, 300, func(r nhip.Reading) string { return r.Station }).Example(1)
	write(t, db, want...)
	for _, r := range want {
		if diff := cmp.Diff([]nhip.Reading{r}, read(t, db, around(r.Station)), allOf); diff != "" {
			t.Errorf("station %q (- written, + read):\n%s", r.Station, diff)
		}
	}
}

// influxQL executes an InfluxQL statement, which can read all columns.
func influxQL(t *testing.T, server *influxtest.Instance, bucket, q string) (columns []string, rows [][]any) {
	t.Helper()
	form := url.Values{"q": {q}, "db": {server.Bucket(t, bucket)}, "epoch": {"ms"}}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL()+"/query",
		strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Token "+server.Token())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Results []struct {
			Error  string
			Series []struct {
				Columns []string
				Values  [][]any
			}
		}
	}
	numbers := json.NewDecoder(resp.Body)
	numbers.UseNumber()
	if err := numbers.Decode(&answer); err != nil || len(answer.Results) != 1 || answer.Results[0].Error != "" {
		t.Fatalf("%s: %v, %+v", q, err, answer)
	}
	for _, s := range answer.Results[0].Series {
		columns, rows = s.Columns, append(rows, s.Values...)
	}
	return columns, rows
}

func realPositionsAreExact(t *testing.T, server *influxtest.Instance, db *influx.DB) {
	var lines []byte
	want := map[string]map[string]any{} // by time
	for i, p := range rapid.SliceOfN(positions(), 300, 300).Example(2) {
		p.Time = noon.Add(time.Duration(i) * time.Millisecond)
		lines = influx.AppendPosition(lines, &p, received)
		want[fmt.Sprint(p.Time.UnixMilli())] = columns(&p)
	}
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	names, rows := influxQL(t, server, `it's "PositionsAreExact"`, "SELECT * FROM position")
	if len(rows) != len(want) {
		t.Errorf("%d rows, want %d", len(rows), len(want))
	}
	for _, row := range rows {
		at, got := rowOf(names, row)
		if diff := cmp.Diff(want[at], got); diff != "" {
			t.Errorf("at %s (- written, + read):\n%s", at, diff)
		}
	}
}

// rowOf returns a row's time and its columns, in the types of columns.
func rowOf(names []string, row []any) (at string, got map[string]any) {
	got = map[string]any{}
	for i, v := range row {
		name := names[i]
		switch v := v.(type) {
		case json.Number:
			if name == "time" {
				at = v.String()
			} else if slices.Contains([]string{"received", "delay"}, name) {
				got[name], _ = v.Int64()
			} else {
				got[name], _ = v.Float64()
			}
		case string:
			got[name] = v
			if slices.Contains([]string{"vehicle", "agency", "event", "route"}, name) {
				got[name] = influx.TagText(v)
			}
		case bool:
			got[name] = v
		}
	}
	return at, got
}

func testInterval(t *testing.T, db database) {
	at := func(ms int) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }
	for ms := range 5 {
		r := fullReading()
		r.Time = at(ms)
		write(t, db, r)
	}
	tests := []struct {
		from, to time.Time
		limit    int
		want     []int
	}{
		{at(0), at(3), 0, []int{1, 2, 3}},
		{at(-1), at(9), 0, []int{0, 1, 2, 3, 4}},
		{at(-1), at(9), 2, []int{0, 1}},
		{at(2), at(2), 0, nil},
		{at(1).Add(500 * time.Microsecond), at(1).Add(900 * time.Microsecond), 0, nil},
		{at(1).Add(500 * time.Microsecond), at(2).Add(900 * time.Microsecond), 0, []int{2}},
		{at(-500), at(-1), 0, nil},
	}
	for _, tt := range tests {
		var got []int
		for _, r := range read(t, db, influx.ReadingQuery{Station: "hn-01", From: tt.from, To: tt.to, Limit: tt.limit}) {
			got = append(got, int(r.Time.Sub(noon).Milliseconds()))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("(%s, %s] limit %d:\n%s", tt.from, tt.to, tt.limit, diff)
		}
	}
}

func testOrder(t *testing.T, db database) {
	var want []nhip.Reading
	for s := range 3 {
		for _, q := range []nhip.Quantity{nhip.NO2, nhip.PM25} {
			for _, p := range []time.Duration{time.Hour, 5 * time.Minute} { // "1h" before "5m"
				r := fullReading()
				r.Time, r.Quantity, r.Period = noon.Add(time.Duration(s)*time.Second), q, p
				if s == 1 { // some series lack columns
					r.Point, r.Origin = nhip.Opt[orb.Point]{}, ""
				}
				want = append(want, r)
			}
		}
	}
	other := fullReading()
	other.Station = "hn-02"
	shuffled := append(slices.Clone(want[6:]), want[:6]...)
	write(t, db, append(shuffled, other)...)
	if diff := cmp.Diff(want, read(t, db, around("hn-01")), allOf); diff != "" {
		t.Error(diff)
	}
	q := around("hn-01")
	q.Quantity = nhip.PM25
	onlyPM := slices.DeleteFunc(slices.Clone(want), func(r nhip.Reading) bool { return r.Quantity != nhip.PM25 })
	if diff := cmp.Diff(onlyPM, read(t, db, q), allOf); diff != "" {
		t.Error(diff)
	}
}

func testWindows(t *testing.T, db database) {
	var want []nhip.Reading
	for day := range 40 { // more than one window of a week
		r := fullReading()
		r.Time = noon.AddDate(0, 0, day)
		want = append(want, r)
	}
	write(t, db, want...)
	q := influx.ReadingQuery{Station: "hn-01", From: noon.AddDate(0, 0, -9), To: noon.AddDate(0, 0, 100)}
	if diff := cmp.Diff(want, read(t, db, q), allOf); diff != "" {
		t.Error(diff)
	}
	q.Limit = 20
	if diff := cmp.Diff(want[:20], read(t, db, q), allOf); diff != "" {
		t.Error(diff)
	}
}

func realInjection(t *testing.T, server *influxtest.Instance, db *influx.DB) {
	evil := []string{
		`") |> drop()`, `" or r.station != "`, `${1}`, `a${r.station}b`, `\") |> drop() //`, `\`, `\\`, `x"`,
		`'; DROP DATABASE "nhip"`,
		`a,station=hn-02`, `a value=1 1`, `＼`, `＼-`, `#`, `$`, `\x24{1}`, `\n`,
	}
	write(t, db, fullReading())
	for i, station := range evil {
		if got := read(t, db, around(station)); len(got) != 0 {
			t.Errorf("station %q without readings: got %v", station, got)
		}
		r := fullReading()
		r.Station, r.Value = station, float64(i)
		write(t, db, r)
	}
	for i, station := range evil {
		got := read(t, db, around(station))
		if len(got) != 1 || got[0].Value != float64(i) || got[0].Station != station {
			t.Errorf("station %q: got %v", station, got)
		}
	}
	if _, rows := influxQL(t, server, `it's "Injection"`, "SHOW TAG VALUES WITH KEY = station"); len(rows) != len(evil)+1 {
		t.Errorf("%d stations in the index, want %d: %v", len(rows), len(evil)+1, rows)
	}
}

func realRejected(t *testing.T, _ *influxtest.Instance, db *influx.DB) {
	write(t, db, fullReading())
	for name, line := range map[string]string{
		"wrong type":       "reading,station=hn-01 value=\"text\" 1772452800250",
		"unsigned integer": "reading,station=hn-01 value=1u 1772452800250",
		"unterminated tag": "reading,station=hn\\",
		"time in ns":       "reading,station=hn-01 value=1 1772452800250000000",
		"tag named time":   "reading,time=1 value=1 1772452800250",
	} {
		var writeErr *influx.WriteError
		if err := db.Write(t.Context(), []byte(line+"\n")); !errors.As(err, &writeErr) || writeErr.Kind != influx.Rejected ||
			writeErr.Err.Error() == "" {
			t.Errorf("%s: %v, want Rejected", name, err)
		}
	}
}

func realTooLarge(t *testing.T, server *influxtest.Instance, db *influx.DB) {
	server.Child(t) // others have another limit, or none
	r := fullReading()
	line := influx.AppendReading(nil, &r, received)
	lines := slices.Repeat(line, 26_000_000/len(line)) // InfluxDB's limit is 25 MB
	var writeErr *influx.WriteError
	if err := db.Write(t.Context(), lines); !errors.As(err, &writeErr) || writeErr.Kind != influx.TooLarge {
		t.Errorf("got %v, want TooLarge", err)
	}
}

func realMissingBucket(t *testing.T, server *influxtest.Instance, db *influx.DB) {
	server.Drop(t, `it's "MissingBucket"`)
	r := fullReading()
	line := influx.AppendReading(nil, &r, received)
	var writeErr *influx.WriteError
	if err := db.Write(t.Context(), line); !errors.As(err, &writeErr) || writeErr.Kind != influx.Retry ||
		writeErr.Status != 404 {
		t.Errorf("got %v, want Retry with status 404", err)
	}
	if err := db.Write(t.Context(), line); err != nil {
		t.Errorf("second write: %v", err)
	}
}

func testStopsEarly(t *testing.T, db database) {
	var many []nhip.Reading
	for i := range 20_000 { // more than fits into the connection's buffers
		r := fullReading()
		r.Time = noon.Add(time.Duration(i) * time.Millisecond)
		many = append(many, r)
	}
	write(t, db, many...)
	enough, n := errors.New("enough"), 0
	err := db.Readings(t.Context(), around("hn-01"), func(nhip.AssessedReading) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if err != enough || n != 3 {
		t.Errorf("got %v after %d readings", err, n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = db.Readings(ctx, around("hn-01"), func(nhip.AssessedReading) error { cancel(); return nil })
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
	if len(read(t, db, around("hn-01"))) != len(many) {
		t.Error("the next query returned fewer readings")
	}
}

func testCount(t *testing.T, db database) {
	count := func(measurement string, from, to time.Time) int {
		n, err := db.Count(t.Context(), measurement, from, to)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	if n := count(influx.ReadingMeasurement, noon, noon.Add(time.Hour)); n != 0 {
		t.Errorf("%d rows in an empty bucket", n)
	}
	p := nhip.Position{Vehicle: "1", Time: noon} // a row with only the field received
	lines := influx.AppendPosition(nil, &p, received)
	for i := range 10 {
		r := fullReading()
		r.Station, r.Time = fmt.Sprint(i%3), noon.Add(time.Duration(i)*time.Millisecond)
		lines = influx.AppendReading(lines, &r, received)
	}
	for range 2 { // writing the rows again changes nothing
		if err := db.Write(t.Context(), lines); err != nil {
			t.Fatal(err)
		}
	}
	before, last := noon.Add(-time.Millisecond), noon.Add(9*time.Millisecond)
	for name, got := range map[string][2]int{
		"readings":              {count(influx.ReadingMeasurement, before, last), 10},
		"from is exclusive":     {count(influx.ReadingMeasurement, noon, last), 9},
		"to is inclusive":       {count(influx.ReadingMeasurement, before, noon), 1},
		"empty interval":        {count(influx.ReadingMeasurement, noon, noon), 0},
		"positions":             {count(influx.PositionMeasurement, before, last), 1},
		"unknown measurement":   {count("none", before, last), 0},
		"measurement with Flux": {count(`") |> drop()`, before, last), 0},
		"interval before rows":  {count(influx.ReadingMeasurement, before.Add(-time.Hour), before), 0},
		"interval of a century": {count(influx.ReadingMeasurement, time.Unix(0, 0), noon.AddDate(50, 0, 0)), 10},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d, want %d", name, got[0], got[1])
		}
	}
}

func testArrivals(t *testing.T, db database) {
	full, bare := fullArrival(), nhip.Arrival{
		Agency: "hanoi", Vehicle: "2", Route: "02", Time: noon.Add(time.Hour), Pattern: "p", Stop: "s", Index: 0,
	}
	late := full
	late.Time = noon.Add(3 * time.Hour)
	var lines []byte
	for _, a := range []nhip.Arrival{late, bare, full} {
		lines = influx.AppendArrival(lines, &a)
	}
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	var got []nhip.Arrival
	err := db.Arrivals(t.Context(), noon.Add(-time.Minute), noon.Add(2*time.Hour), func(a nhip.Arrival) error {
		got = append(got, a)
		return nil
	})
	if err != nil || !slices.Equal(got, []nhip.Arrival{full, bare}) {
		t.Errorf("read %+v, want %+v and then %+v: %v", got, full, bare, err)
	}
}

// testTravel reads what buses of an agency did in a span.
func testTravel(t *testing.T, db database) {
	var lines []byte
	for _, agency := range []string{"hanoi", "other"} {
		for i := range 3 {
			at := noon.Add(time.Duration(i) * time.Hour)
			lines = influx.AppendArrival(lines, &nhip.Arrival{
				Agency: agency, Vehicle: "1", Route: "02", Time: at, Pattern: "p", Stop: "s", Index: i,
			})
			p := nhip.Position{
				Agency: agency, Vehicle: "1", Event: nhip.EventPosition, Time: at, Point: nhip.Some(orb.Point{105.8, 21}),
			}
			lines = influx.AppendPosition(lines, &p, at)
		}
	}
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	for _, agencies := range [][]string{nil, {"hanoi"}, {"hanoi", "other"}, {"none"}} {
		q := influx.TravelQuery{From: noon, To: noon.Add(2 * time.Hour), Agencies: agencies}
		var arrivals, positions []string
		err := db.DayArrivals(t.Context(), q, func(a nhip.Arrival) error {
			arrivals = append(arrivals, fmt.Sprint(a.Time.Hour(), a.Agency, a.Vehicle))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.DayPositions(t.Context(), q, func(p nhip.Position) error {
			if !p.Point.Known() {
				t.Errorf("%+v", p)
			}
			positions = append(positions, fmt.Sprint(p.Time.Hour(), p.Agency, p.Vehicle))
			return nil
		})
		want := 2 * len(agencies)
		if agencies == nil {
			want = 4
		} else if agencies[0] == "none" {
			want = 0
		}
		if err != nil || len(arrivals) != want || !slices.Equal(arrivals, positions) || !slices.IsSorted(arrivals) {
			t.Errorf("%v: arrivals %v, positions %v: %v", agencies, arrivals, positions, err)
		}
	}
	var spans []nhip.AgencySpan
	for _, measurement := range []string{influx.ArrivalMeasurement, influx.ReadingMeasurement} { // the second is empty
		err := db.AgencySpans(t.Context(), measurement, func(s nhip.AgencySpan) error {
			spans = append(spans, s)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if len(spans) != 2 || spans[0].Agency >= spans[1].Agency || !spans[0].First.Equal(noon) {
		t.Errorf("spans %+v", spans)
	}
}

// testLevels reads roll-ups of several levels, none of which takes the place of another.
func testLevels(t *testing.T, db database) {
	var lines []byte
	for _, level := range []nhip.Quality{nhip.QualityReviewed, nhip.QualityAutomatic, nhip.QualityRaw} {
		lines = influx.AppendRollup(lines, &nhip.Rollup{
			Station: "s", Quantity: nhip.PM25, Period: nhip.PeriodHour, Quality: level, Time: noon,
			RollupStats: nhip.RollupStats{Mean: 1, Count: 1, Flag: nhip.FlagGood},
		}, influx.NetworkHour{}, noon)
	}
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	q := influx.RollupQuery{
		Station: "s", Period: nhip.PeriodHour, From: noon.Add(-time.Hour), To: noon,
		Levels: []nhip.Quality{nhip.QualityReviewed, nhip.QualityAutomatic},
	}
	var got []nhip.Quality
	err := db.Rollups(t.Context(), q, func(r influx.RollupRow) error { got = append(got, r.Quality); return nil })
	if want := []nhip.Quality{nhip.QualityAutomatic, nhip.QualityReviewed}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, want %v: %v", got, want, err)
	}
}

// testFleet checks that Fleet returns the last report of each vehicle in the span, without columns of earlier reports.
func testStationSpans(t *testing.T, db database) {
	at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
	reading := func(station string, q nhip.Quantity, hours int) nhip.Reading {
		return nhip.Reading{Station: station, Quantity: q, Time: at(hours), Period: time.Hour, Value: 20, Flag: nhip.FlagGood}
	}
	write(t, db, reading("a b", nhip.PM25, -90), reading("a b", nhip.NO2, -99), reading("a b", nhip.PM25, 3),
		reading("kept", nhip.PM25, 5), reading("kept", nhip.PM25, 7))
	var lines []byte
	for _, r := range []struct {
		station, period string
		hours           int
	}{
		{"a b", nhip.PeriodHour, -98}, {"a b", nhip.PeriodHour, 4}, // not outside its readings
		{"kept", nhip.PeriodHour, -50}, {"kept", nhip.PeriodDay, -60}, // of readings that were deleted
		{"old", nhip.PeriodHour, -200}, {"old", nhip.PeriodHour, -100}, {"old", nhip.PeriodMonth, -1}, // all were
	} {
		lines = influx.AppendRollup(lines, &nhip.Rollup{
			Station: r.station, Quantity: nhip.PM25, Period: r.period, Quality: nhip.QualityAutomatic, Time: at(r.hours),
			RollupStats: nhip.RollupStats{Count: 12, Capture: 100, Flag: nhip.FlagGood},
		}, influx.NetworkHour{}, noon)
	}
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	var got []nhip.StationSpan
	err := db.StationSpans(t.Context(), func(s nhip.StationSpan) error { got = append(got, s); return nil })
	want := []nhip.StationSpan{
		{Station: "a b", First: at(-99), Last: at(3)},
		{Station: "kept", First: at(-50), Last: at(7)},
		{Station: "old", First: at(-200), Last: at(-100)},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func testFleet(t *testing.T, db database) {
	report := func(vehicle string, minute int, change func(*nhip.Position)) nhip.Position {
		p := nhip.Position{
			Agency: "hanoi", Vehicle: vehicle, Event: nhip.EventPosition, Route: "32",
			Time: noon.Add(time.Duration(minute) * time.Minute), Point: nhip.Some(orb.Point{105.8, 21}),
		}
		if change != nil {
			change(&p)
		}
		return p
	}
	full := report("1 a", 5, func(p *nhip.Position) {
		p.Line, p.Headsign, p.Trip, p.NextStop, p.Stop = "32", "Giáp Bát", "t", "n", "s"
		p.StartDate, p.StartTime = "20260302", "07:00"
		p.Speed, p.Bearing, p.Direction = nhip.Some(3.5), nhip.Some(90.0), nhip.Some(1)
		p.Passengers, p.Delay = nhip.Some(12), nhip.Some(-30)
		p.Occupancy, p.Estimated, p.Origin = "FULL", true, nhip.OriginSimulated
	})
	bare := report("2", 4, nil)
	all := []nhip.Position{
		full, bare,
		report("2", 3, func(p *nhip.Position) { p.Headsign, p.Bearing = "Nhổn", nhip.Some(10.0) }), // older
		report("2", 5, func(p *nhip.Position) { p.Point, p.Line = nhip.Opt[orb.Point]{}, "x" }),    // in a tunnel
		// earlier, on another route
		report("2", 2, func(p *nhip.Position) { p.Route = "33" }),
		report("3", 0, nil), report("3", 9, nil), // outside
		report("4", 4, func(p *nhip.Position) { p.Event = "doo" }),
	}
	var lines []byte
	for i := range all {
		lines = influx.AppendPosition(lines, &all[i], noon)
	}
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	var got []nhip.Position
	err := db.Fleet(t.Context(), noon, noon.Add(8*time.Minute), func(p nhip.Position) error {
		got = append(got, p)
		return nil
	})
	if diff := cmp.Diff([]nhip.Position{full, bare}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}
