package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/influx"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

// parquetRow holds some columns of a Parquet answer.
type parquetRow struct {
	Time   time.Time `parquet:"time,timestamp(millisecond)"`
	Mean   *float64  `parquet:"mean,optional"`
	Unit   string    `parquet:"unit,dict"`
	Offset string    `parquet:"utc_offset,dict"`
}

// recordHistory is a history in memory. Package influx tests a real database.
type recordHistory struct {
	absentHistory
	readings []nhip.AssessedReading
	rollups  []influx.RollupRow
	reviews  []nhip.Review
}

func (p *recordHistory) Readings(_ context.Context, q influx.ReadingQuery,
	yield func(nhip.AssessedReading) error,
) error {
	for _, r := range p.readings {
		if r.Time.After(q.From) && !r.Time.After(q.To) && (r.Station == "" || r.Station == q.Station) &&
			(q.Quantity == "" || r.Quantity == q.Quantity) {
			if err := yield(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *recordHistory) Rollups(_ context.Context, q influx.RollupQuery, yield func(influx.RollupRow) error) error {
	for _, r := range p.rollups {
		if r.Time.After(q.From) && !r.Time.After(q.To) && r.Period == q.Period &&
			(q.Station == "" || r.Station == q.Station) {
			if err := yield(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *recordHistory) Means(_ context.Context, q influx.MeanQuery, yield func(influx.MeanSeries) error) error {
	series := make(map[string]*influx.MeanSeries)
	for _, r := range p.rollups {
		if r.Time.After(q.From) && !r.Time.After(q.To) && r.Period == q.Period && slices.Contains(q.Quantities, r.Quantity) &&
			(len(q.Stations) == 0 || slices.Contains(q.Stations, r.Station)) {
			key := string(r.Quantity) + " " + r.Station
			if series[key] == nil {
				series[key] = &influx.MeanSeries{Station: r.Station, Quantity: r.Quantity}
			}
			mean := influx.MeanAt{End: r.Time.UnixMilli(), Value: r.Mean}
			if !r.Complete() {
				mean.Value = math.NaN()
			}
			series[key].Means = append(series[key].Means, mean)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(series)) {
		if err := yield(*series[key]); err != nil {
			return err
		}
	}
	return nil
}

func (p *recordHistory) Days(_ context.Context, q influx.DayQuery, yield func(*influx.DaySeries) error) error {
	series := make(map[string]*influx.DaySeries)
	for _, r := range p.rollups {
		from := q.From
		if r.Period == nhip.PeriodMonth {
			from = q.Known
		}
		if !r.Time.After(from) || r.Time.After(q.To) || !slices.Contains(q.Quantities, r.Quantity) ||
			len(q.Stations) > 0 && !slices.Contains(q.Stations, r.Station) {
			continue
		}
		key := string(r.Quantity) + " " + r.Station
		if series[key] == nil {
			series[key] = &influx.DaySeries{Station: r.Station, Quantity: r.Quantity}
		}
		mean := influx.MeanAt{End: r.Time.UnixMilli(), Value: r.Mean}
		if !r.Complete() {
			mean.Value = math.NaN()
		}
		switch r.Period {
		case nhip.PeriodDay:
			series[key].Days = append(series[key].Days, mean)
		case nhip.PeriodHour:
			series[key].Hours = append(series[key].Hours, mean)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(series)) {
		if err := yield(series[key]); err != nil {
			return err
		}
	}
	return nil
}

func (p *recordHistory) Reviews(context.Context, string, time.Time) ([]nhip.Review, error) {
	return p.reviews, nil
}

// hanoi is the time zone of the days in these tests.
var hanoi = time.FixedZone("", 7*3600)

func withRecords(p *recordHistory) func(*Options) {
	return func(o *Options) { o.History, o.Zone, o.Token = p, hanoi, "s3cret" }
}

// hourRollups returns complete hours of a quantity, oldest first; the last one ends at end.
func hourRollups(q nhip.Quantity, end time.Time, means ...float64) []influx.RollupRow {
	var out []influx.RollupRow
	for i, v := range means {
		out = append(out, influx.RollupRow{Rollup: nhip.Rollup{
			Station: "s", Quantity: q, Period: nhip.PeriodHour, Quality: nhip.QualityAutomatic,
			Time:        end.Add(-time.Duration(len(means)-1-i) * time.Hour),
			RollupStats: nhip.RollupStats{Mean: v, Min: v - 1, Max: v + 1, P98: v, Count: 12, Capture: 100, Flag: nhip.FlagGood},
		}})
	}
	return out
}

// readCSV reads a CSV answer: its columns, and each row by them.
func readCSV(t *testing.T, body []byte) (columns []string, rows []map[string]string) {
	t.Helper()
	if !bytes.HasPrefix(body, []byte(rest.ByteOrderMark)) {
		t.Errorf("no byte order mark: %.20q", body)
	}
	all, err := csv.NewReader(bytes.NewReader(body[len(rest.ByteOrderMark):])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range all[1:] {
		named := make(map[string]string)
		for i, name := range all[0] {
			named[name] = row[i]
		}
		rows = append(rows, named)
	}
	return all[0], rows
}

func TestHourlyReadings(t *testing.T) {
	p := &recordHistory{
		rollups: hourRollups(nhip.PM25, noon, 26.9, 24.7, 20.5, 23.5, 19.5, 16.5, 19, 16.5, 20.3, 22.4, 19.6, 20.6),
	}
	p.rollups[10].Flag, p.rollups[10].Capture = nhip.FlagNotEvaluated, 50
	a := newAPI(t, withRecords(p))
	w := get(t, a, "/v1/stations/s/readings?period=hour&from=2026-02-16T10:00:00Z&format=csv")
	columns, rows := readCSV(t, w.Body.Bytes())
	if want := strings.Split("time,quantity,mean,unit,period,aqi,capture_pct,flag,utc_offset",
		","); !cmp.Equal(columns[:len(want)], want) {
		t.Errorf("columns %v", columns)
	}
	want := map[string]string{
		"time": "2026-02-16T12:00:00.000Z", "quantity": "pm25", "mean": "20.6", "unit": "µg/m³", "period": "1h", "aqi": "41",
		"capture_pct": "100",
		"flag":        "1", "utc_offset": "+07:00", "station": "s", "min": "19.6", "max": "21.6", "p98": "20.6",
		"count": "12", "level": "automatic",
		"tests": "", "rule": "", "origin": "",
	}
	if len(rows) != 2 || !cmp.Equal(rows[1], want) {
		t.Errorf("rows: %s", cmp.Diff(want, rows[len(rows)-1]))
	}
	if rows[0]["flag"] != "2" || rows[0]["aqi"] != "41" || rows[0]["capture_pct"] != "50" {
		t.Errorf("incomplete hour: %v", rows[0])
	}
	// The US EPA's index of the same concentrations differs.
	w = get(t, a, "/v1/stations/s/readings?period=hour&index=US_EPA&from=2026-02-16T11:00:00Z")
	if !strings.Contains(w.Body.String(), `"index":"US_EPA"`) || !strings.Contains(w.Body.String(), `"aqi":72`) {
		t.Errorf("%s", w.Body)
	}
}

func TestDaysAreLocal(t *testing.T) {
	p := &recordHistory{}
	for i, v := range []float64{55.7, 20} {
		end := time.Date(2026, 2, 15+i, 0, 0, 0, 0, hanoi).UTC()
		p.rollups = append(p.rollups, influx.RollupRow{Rollup: nhip.Rollup{
			Station: "s", Quantity: nhip.PM25, Period: nhip.PeriodDay, Quality: nhip.QualityReviewed, Time: end,
			RollupStats: nhip.RollupStats{Mean: v, Min: 1, Max: 99, P98: 90, Count: 24, Capture: 100, Flag: nhip.FlagGood},
		}})
	}
	a := newAPI(t, withRecords(p))
	w := get(t, a, "/v1/stations/s/readings?period=day&from=2026-02-14&to=2026-02-14&format=csv")
	columns, rows := readCSV(t, w.Body.Bytes())
	if columns[0] != "date" || len(rows) != 1 || rows[0]["date"] != "2026-02-14" || rows[0]["aqi"] != "110" ||
		rows[0]["level"] != "reviewed" {
		t.Errorf("%v", rows)
	}
	var answer struct {
		Indices []struct {
			Date  string
			Scale string
			Value float64
			Level struct{ Name struct{ Vi string } }
		}
	}
	w = get(t, a, "/v1/stations/s/aqi?period=day&from=2026-02-14&to=2026-02-15")
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || len(answer.Indices) != 2 {
		t.Fatalf("%v %s", err, w.Body)
	}
	if got := answer.Indices[0]; got.Date != "2026-02-14" || got.Value != 110 || got.Level.Name.Vi != "Kém" ||
		got.Scale != "VN_AQI" {
		t.Errorf("day: %+v", got)
	}
}

func TestHourlyIndexUsesAllQuantities(t *testing.T) {
	p := &recordHistory{
		rollups: append(hourRollups(nhip.PM25, noon, 30, 30, 30), hourRollups(nhip.NO2, noon.Add(-time.Hour), 150)...),
	}
	a := newAPI(t, withRecords(p))
	sortByTime(p.rollups)
	w := get(t, a, "/v1/stations/s/aqi?from=2026-02-16T10:00:00Z&format=csv")
	_, rows := readCSV(t, w.Body.Bytes())
	if len(rows) != 2 || rows[0]["aqi"] != "75" || rows[0]["dominant"] != "no2" || rows[1]["aqi"] != "60" ||
		rows[1]["dominant"] != "pm25" {
		t.Errorf("%v", rows)
	}
}

// sortByTime sorts roll-ups by time, as the history yields them.
func sortByTime(all []influx.RollupRow) {
	slices.SortStableFunc(all, func(x, y influx.RollupRow) int { return x.Time.Compare(y.Time) })
}

func TestQualityLevelsOfReadings(t *testing.T) {
	spike := nhip.AssessedReading{
		Reading: nhip.Reading{
			Station: "s", Quantity: nhip.PM25, Time: noon, Period: 5 * time.Minute, Value: 300, Flag: nhip.FlagNotEvaluated,
		},
		Assessment: nhip.Assessment{Flag: nhip.FlagFail, Tests: "spike=4"},
	}
	off := spike
	off.Time, off.Value = noon.Add(-5*time.Minute), 30
	off.Assessment = nhip.Assessment{Flag: nhip.FlagGood, Corrected: nhip.Some(33.0), Rule: "calibration x"}
	p := &recordHistory{readings: []nhip.AssessedReading{off, spike}, reviews: []nhip.Review{
		{Station: "s", From: noon.Add(-6 * time.Minute), To: noon.Add(-4 * time.Minute), Action: nhip.ActionExclude},
		{Station: "s", Quantity: nhip.PM25, From: noon.Add(-time.Minute), To: noon, Action: nhip.ActionReinstate},
	}}
	a := newAPI(t, withRecords(p))
	for level, want := range map[string]string{
		"automatic": "33 1 automatic,<nil> 4 automatic",
		"reviewed":  "<nil> 4 reviewed,300 1 reviewed",
		"raw":       "30 2 raw,300 2 raw",
	} {
		w := get(t, a, "/v1/stations/s/readings?level="+level, "Authorization", "Bearer s3cret")
		var answer struct {
			Readings []struct {
				Value any
				Flag  int
				Level string
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range answer.Readings {
			got = append(got, fmt.Sprint(r.Value, " ", r.Flag, " ", r.Level))
		}
		if strings.Join(got, ",") != want {
			t.Errorf("%s: %v, want %s", level, got, want)
		}
	}
	if w := get(t, a, "/v1/stations/s/readings?level=raw"); w.Code != 401 {
		t.Errorf("raw without a token: %d", w.Code)
	}
}

func TestPagesAreComplete(t *testing.T) {
	p := &recordHistory{
		rollups: append(hourRollups(nhip.PM25, noon, 1, 2, 3, 4, 5), hourRollups(nhip.PM10, noon, 1, 2, 3, 4, 5)...),
	}
	sortByTime(p.rollups)
	a := newAPI(t, withRecords(p))
	seen, cursor := 0, ""
	for pages := 0; ; pages++ {
		w := get(t, a, "/v1/stations/s/readings?period=hour&limit=3"+cursor)
		var answer struct {
			Readings []struct{ Time time.Time }
			Next     string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		seen += len(answer.Readings)
		if answer.Next == "" {
			if pages != 2 || seen != 10 {
				t.Errorf("%d rows on %d pages", seen, pages+1)
			}
			break
		}
		cursor = "&cursor=" + answer.Next
	}
}

func TestParquetRoundTrip(t *testing.T) {
	p := &recordHistory{rollups: hourRollups(nhip.PM25, noon, 26.9, 24.7, 20.5)}
	a := newAPI(t, withRecords(p))
	w := get(t, a, "/v1/stations/s/readings?period=hour&format=parquet")
	if got := w.Header().Get("Content-Type"); got != rest.FormatParquet {
		t.Errorf("content type %s", got)
	}
	r := parquet.NewGenericReader[parquetRow](bytes.NewReader(w.Body.Bytes()))
	rows := make([]parquetRow, 10)
	n, err := r.Read(rows)
	if n != 3 || err != nil && err != io.EOF || *rows[2].Mean != 20.5 || !rows[2].Time.Equal(noon) ||
		rows[2].Unit != "µg/m³" || rows[2].Offset != "+07:00" {
		t.Errorf("%d rows, %v: %+v", n, err, rows[2])
	}
}

func TestInvalidQueriesOfReadings(t *testing.T) {
	a := newAPI(t, withRecords(&recordHistory{}))
	for _, bad := range []string{
		"period=week", "period=raw&from=2024-01-01", "period=hour&from=2000-01-01", "period=day&from=1970-02-01",
		"level=best", "limit=0",
		"from=2026-02-16&to=2026-02-15", "from=16.2.2026", "index=x", "cursor=x",
	} {
		if w := get(t, a, "/v1/stations/s/readings?"+bad); w.Code != 400 {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
}
