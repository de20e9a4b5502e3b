package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

// past is a history that is told. What a real one answers is tested where one runs.
type past struct {
	absentHistory
	readings []nhip.Judged
	rolled   []influx.Rolled
	reviews  []nhip.Review
}

func (p *past) Readings(_ context.Context, q influx.ReadingQuery, yield func(nhip.Judged) error) error {
	for _, r := range p.readings {
		if r.Time.After(q.From) && !r.Time.After(q.To) {
			if err := yield(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *past) Rollups(_ context.Context, q influx.RollupQuery, yield func(influx.Rolled) error) error {
	for _, r := range p.rolled {
		if r.Time.After(q.From) && !r.Time.After(q.To) && r.Period == q.Period && (q.Station == "" || r.Station == q.Station) {
			if err := yield(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *past) Reviews(context.Context, string, time.Time) ([]nhip.Review, error) {
	return p.reviews, nil
}

// hanoi is whose days these tests tell.
var hanoi = time.FixedZone("", 7*3600)

func withPast(p *past) func(*Options) {
	return func(o *Options) { o.History, o.Zone, o.Token = p, hanoi, "s3cret" }
}

// hours are n complete ones of a quantity, the last of which ends at a time.
func hours(q nhip.Quantity, end time.Time, means ...float64) []influx.Rolled {
	var out []influx.Rolled
	for i, v := range means {
		out = append(out, influx.Rolled{Rollup: nhip.Rollup{
			Station: "s", Quantity: q, Period: nhip.HourPeriod, Quality: nhip.Automatic, Time: end.Add(-time.Duration(len(means)-1-i) * time.Hour),
			Stats: nhip.Stats{Mean: v, Min: v - 1, Max: v + 1, P98: v, Count: 12, Capture: 100, Flag: nhip.Good},
		}})
	}
	return out
}

// table reads a CSV answer: its columns, and each row by them.
func table(t *testing.T, body []byte) (columns []string, rows []map[string]string) {
	t.Helper()
	if !bytes.HasPrefix(body, []byte(byteOrderMark)) {
		t.Errorf("a spreadsheet would not take %.20q for UTF-8", body)
	}
	all, err := csv.NewReader(bytes.NewReader(body[len(byteOrderMark):])).ReadAll()
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

func TestHoursOfAStation(t *testing.T) {
	p := &past{rolled: hours(nhip.PM25, noon, 26.9, 24.7, 20.5, 23.5, 19.5, 16.5, 19, 16.5, 20.3, 22.4, 19.6, 20.6)}
	p.rolled[10].Flag, p.rolled[10].Capture = nhip.NotEvaluated, 50
	a := newAPI(t, withPast(p))
	w := get(t, a, "/v1/stations/s/readings?period=hour&from=2026-02-16T10:00:00Z&format=csv")
	columns, rows := table(t, w.Body.Bytes())
	if want := strings.Split("time,quantity,mean,unit,period,aqi,capture_pct,flag,utc_offset", ","); !cmp.Equal(columns[:len(want)], want) {
		t.Errorf("columns %v", columns)
	}
	want := map[string]string{
		"time": "2026-02-16T19:00:00+07:00", "quantity": "pm25", "mean": "20.6", "unit": "µg/m³", "period": "1h", "aqi": "41", "capture_pct": "100",
		"flag": "1", "utc_offset": "+07:00", "station": "s", "min": "19.6", "max": "21.6", "p98": "20.6", "count": "12", "level": "automatic",
		"tests": "", "rule": "", "origin": "",
	}
	if len(rows) != 2 || !cmp.Equal(rows[1], want) {
		t.Errorf("rows: %s", cmp.Diff(want, rows[len(rows)-1]))
	}
	if rows[0]["flag"] != "2" || rows[0]["aqi"] != "" || rows[0]["capture_pct"] != "50" {
		t.Errorf("an hour that is not whole is %v", rows[0])
	}
	// The EPA's number of the same air is another.
	w = get(t, a, "/v1/stations/s/readings?period=hour&index=US_EPA&from=2026-02-16T11:00:00Z")
	if !strings.Contains(w.Body.String(), `"index":"US_EPA"`) || !strings.Contains(w.Body.String(), `"aqi":72`) {
		t.Errorf("%s", w.Body)
	}
}

func TestDaysAreLocal(t *testing.T) {
	p := &past{}
	for i, v := range []float64{55.7, 20} {
		end := time.Date(2026, 2, 15+i, 0, 0, 0, 0, hanoi).UTC()
		p.rolled = append(p.rolled, influx.Rolled{Rollup: nhip.Rollup{
			Station: "s", Quantity: nhip.PM25, Period: nhip.DayPeriod, Quality: nhip.Reviewed, Time: end,
			Stats: nhip.Stats{Mean: v, Min: 1, Max: 99, P98: 90, Count: 24, Capture: 100, Flag: nhip.Good},
		}})
	}
	a := newAPI(t, withPast(p))
	w := get(t, a, "/v1/stations/s/readings?period=day&from=2026-02-14&to=2026-02-14&format=csv")
	columns, rows := table(t, w.Body.Bytes())
	if columns[0] != "date" || len(rows) != 1 || rows[0]["date"] != "2026-02-14" || rows[0]["aqi"] != "110" || rows[0]["level"] != "reviewed" {
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
	if got := answer.Indices[0]; got.Date != "2026-02-14" || got.Value != 110 || got.Level.Name.Vi != "Kém" || got.Scale != "VN_AQI" {
		t.Errorf("the day is %+v", got)
	}
}

func TestTheIndexOfAnHourIsOfAllQuantities(t *testing.T) {
	p := &past{rolled: append(hours(nhip.PM25, noon, 30, 30, 30), hours(nhip.NO2, noon.Add(-time.Hour), 150)...)}
	a := newAPI(t, withPast(p))
	sortRolled(p.rolled)
	w := get(t, a, "/v1/stations/s/aqi?from=2026-02-16T10:00:00Z&format=csv")
	_, rows := table(t, w.Body.Bytes())
	if len(rows) != 2 || rows[0]["aqi"] != "75" || rows[0]["dominant"] != "no2" || rows[1]["aqi"] != "60" || rows[1]["dominant"] != "pm25" {
		t.Errorf("%v", rows)
	}
}

func sortRolled(all []influx.Rolled) {
	for i := range all {
		for j := i; j > 0 && all[j].Time.Before(all[j-1].Time); j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
}

func TestWhoMaySeeWhat(t *testing.T) {
	spike := nhip.Judged{
		Reading: nhip.Reading{Station: "s", Quantity: nhip.PM25, Time: noon, Period: 5 * time.Minute, Value: 300, Flag: nhip.NotEvaluated},
		Verdict: nhip.Verdict{Flag: nhip.Fail, Tests: "spike=4"},
	}
	off := spike
	off.Time, off.Value = noon.Add(-5*time.Minute), 30
	off.Verdict = nhip.Verdict{Flag: nhip.Good, Corrected: nhip.Some(33.0), Rule: "calibration x"}
	p := &past{readings: []nhip.Judged{off, spike}, reviews: []nhip.Review{
		{Station: "s", From: noon.Add(-6 * time.Minute), To: noon.Add(-4 * time.Minute), Action: nhip.Strike},
		{Station: "s", Quantity: nhip.PM25, From: noon.Add(-time.Minute), To: noon, Action: nhip.Restore},
	}}
	a := newAPI(t, withPast(p))
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
		t.Errorf("the public asks for raw: %d", w.Code)
	}
}

func TestPagesJoin(t *testing.T) {
	p := &past{rolled: append(hours(nhip.PM25, noon, 1, 2, 3, 4, 5), hours(nhip.PM10, noon, 1, 2, 3, 4, 5)...)}
	sortRolled(p.rolled)
	a := newAPI(t, withPast(p))
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

func TestParquetIsReadByItsLibrary(t *testing.T) {
	p := &past{rolled: hours(nhip.PM25, noon, 26.9, 24.7, 20.5)}
	a := newAPI(t, withPast(p))
	w := get(t, a, "/v1/stations/s/readings?period=hour&format=parquet")
	if got := w.Header().Get("Content-Type"); got != formParquet {
		t.Errorf("it is %s", got)
	}
	r := parquet.NewGenericReader[parquetRow](bytes.NewReader(w.Body.Bytes()))
	rows := make([]parquetRow, 10)
	n, err := r.Read(rows)
	if n != 3 || err != nil && err != io.EOF || *rows[2].Mean != 20.5 || !rows[2].Time.Equal(noon) || rows[2].Unit != "µg/m³" || rows[2].Offset != "+07:00" {
		t.Errorf("%d rows, %v: %+v", n, err, rows[2])
	}
}

func TestAnIndexOfNow(t *testing.T) {
	some := func(v ...float64) []nhip.Opt[float64] {
		var out []nhip.Opt[float64]
		for _, f := range v {
			out = append(out, nhip.Some(f))
		}
		return out
	}
	station := func(age time.Duration) nhip.Station {
		return nhip.Station{ID: "s", Time: noon, Hours: &nhip.AirHours{
			End: noon.Add(-age), Means: map[nhip.Quantity][]nhip.Opt[float64]{nhip.PM25: some(65, 65, 65)},
		}}
	}
	type index struct {
		Scale, State, Dominant string
		Value                  float64
	}
	ask := func(s nhip.Station, query string) (i *index, advised bool) {
		a := newAPI(t)
		hear(t, a, "nhip/live/air/s", s)
		w := get(t, a, "/v1/stations/s"+query)
		var f struct {
			Properties struct {
				AQI    *index
				Advice *struct{ Sensitive struct{ Vi string } }
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		return f.Properties.AQI, f.Properties.Advice != nil
	}
	for _, c := range []struct {
		name    string
		age     time.Duration
		query   string
		want    *index
		advised bool
	}{
		{"fresh", 10 * time.Minute, "", &index{"VN_AQI", "live", "pm25", 125}, true},
		{"old", 150 * time.Minute, "", &index{"VN_AQI", "stale", "pm25", 125}, true},
		{"too old", 180 * time.Minute, "", nil, false},
		{"another scale", 0, "?index=US_EPA", &index{"US_EPA", "live", "pm25", 158}, false},
		{"not a day yet", 0, "?index=WHO", nil, false},
	} {
		got, advised := ask(station(c.age), c.query)
		if !cmp.Equal(got, c.want) || advised != c.advised {
			t.Errorf("%s: %+v %t, want %+v %t", c.name, got, advised, c.want, c.advised)
		}
	}
	if w := get(t, newAPI(t), "/v1/stations?index=AQI"); w.Code != 400 || !strings.Contains(w.Body.String(), "VN_AQI, US_EPA, WHO") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestSpansOfHistory(t *testing.T) {
	a := newAPI(t, withPast(&past{}))
	for _, bad := range []string{
		"period=week", "period=raw&from=2024-01-01", "period=hour&from=2000-01-01", "period=day&from=1970-02-01", "level=best", "limit=0",
		"from=2026-02-16&to=2026-02-15", "from=16.2.2026", "index=x", "cursor=x",
	} {
		if w := get(t, a, "/v1/stations/s/readings?"+bad); w.Code != 400 {
			t.Errorf("%s: %d %s", bad, w.Code, w.Body)
		}
	}
}
