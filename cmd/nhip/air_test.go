package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/internal/await"
)

// made waits until all that was taken in is judged and summed up.
func (p *running) made(t *testing.T, c *apitest.Client, readings int) {
	t.Helper()
	await.True(t, "everything is judged and summed up", func() bool {
		numbers := string(c.Get(t, "/metrics").Body)
		judged := 0.0
		for line := range strings.Lines(numbers) {
			if rest, ok := strings.CutPrefix(line, "nhip_air_judged_total{"); ok {
				_, value, _ := strings.Cut(rest, " ")
				v, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
				judged += v
			}
		}
		return judged >= float64(readings) && strings.Contains(numbers, "\nnhip_air_left_hours 0\n") && strings.Contains(numbers, "\nnhip_air_left_days 0\n")
	})
}

type indices struct {
	Indices []struct {
		Date       string
		Value      float64
		Dominant   string
		CapturePct float64 `json:"capture_pct"`
		Level      struct{ Number int }
	}
}

// TestAYearIsImported takes in the embassy's 2018 and holds each day's VN_AQI against a plain re-computation from
// the file: the mean of the valid hours of a day, of which there must be 18, and the Decision's table.
func TestAYearIsImported(t *testing.T) {
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: the embassy's record is not here")
	}
	file := filepath.Join(dir, "air", "hanoi_us_embassy", "Hanoi_PM2.5_2018_YTD.csv")
	want, readings, hours := plainDays(t, file)
	p := up(t, t.TempDir())
	c := apitest.New(t, p.HTTP)
	for range 2 { // the second time changes nothing
		if out := p.succeed(t, "import", "airnow", file); !strings.Contains(out, fmt.Sprintf("station airnow-hanoi: %d readings", readings)) {
			t.Errorf("it says %s", out)
		}
	}
	p.made(t, c, hours)
	var got indices
	answerInto(t, c.Get(t, "/v1/stations/airnow-hanoi/aqi?period=day&from=2018-01-01&to=2018-12-31"), &got)
	if len(got.Indices) != len(want) || len(want) < 300 {
		t.Errorf("%d days, want %d", len(got.Indices), len(want))
	}
	for _, day := range got.Indices {
		if w, ok := want[day.Date]; !ok || w != day.Value || day.Dominant != "pm25" {
			t.Errorf("%s: %v, want %v", day.Date, day.Value, w)
		}
	}
	checkReports(t, c)
	if out := p.succeed(t, "ledger", "--verify", "--device", "airnow-hanoi", "--from", "2018-03-01T00:00:00Z", "--to", "2018-03-08T00:00:00Z"); strings.Contains(out, "differs") {
		t.Errorf("the ledger does not balance:\n%s", out)
	}
}

// checkReports asks for what the agency reports of the year: 79 of its days, from 00:00 to 24:00, were above
// 50 µg/m³.
func checkReports(t *testing.T, c *apitest.Client) {
	t.Helper()
	var got struct {
		Rows []struct {
			Average           string
			Limit, Max, Hours float64
			Number, Evaluated int
			CapturePct        float64 `json:"capture_pct"`
		}
	}
	answerInto(t, c.Get(t, "/v1/exceedances?station=airnow-hanoi&from=2018-01-01&to=2018-12-31"), &got)
	if len(got.Rows) != 2 || got.Rows[0].Average != "24h" || got.Rows[0].Limit != 50 || got.Rows[0].Number != 79 || got.Rows[0].Hours != 79*24 ||
		got.Rows[1].Average != "year" || got.Rows[1].Number != 1 || got.Rows[1].Max < 40 {
		t.Errorf("the exceedances of 2018 are %+v", got.Rows)
	}
	table := c.Get(t, "/v1/exceedances?station=airnow-hanoi&from=2018-01-01&to=2018-12-31&format=csv")
	if !strings.Contains(string(table.Body), "airnow-hanoi,,,pm25,24h,50,µg/m³,79,") {
		t.Errorf("as CSV they are %s", table.Body)
	}
	for lang, words := range map[string][]string{"vi": {"Báo cáo tháng 2018-03", "Vượt quy chuẩn", "Trung bình"}, "en": {"Monthly report 2018-03", "Above the limits"}} {
		page := string(c.Get(t, "/v1/stations/airnow-hanoi/report?month=2018-03&lang="+lang).Body)
		for _, w := range append(words, "pm25 (µg/m³)", "#FF7E00", "<svg", "QCVN 05:2023") {
			if !strings.Contains(page, w) {
				t.Errorf("the report in %s has no %q", lang, w)
			}
		}
	}
	days := string(c.Get(t, "/v1/stations/airnow-hanoi/report?month=2018-03&format=csv").Body)
	if lines := strings.Split(strings.TrimSpace(days), "\n"); len(lines) != 32 || !strings.HasPrefix(lines[1], "2018-03-01,pm25,") {
		t.Errorf("the month as CSV is %s", days)
	}
}

// plainDays makes the daily VN_AQI of a file without any code of ours, by local date. It tells how many readings the
// file has, and of how many hours: the clocks of the United States give the hour from 1 to 2 of 11 March the stamp of the
// next.
func plainDays(t *testing.T, path string) (days map[string]float64, readings, hours int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	sum, n, seen := make(map[string]float64), make(map[string]int), make(map[time.Time]bool)
	for _, row := range rows[1:] {
		at, err := time.Parse("2006-01-02 03:04 PM", row[2])
		v, err2 := strconv.ParseFloat(row[10], 64)
		if err != nil || err2 != nil {
			t.Fatal(row)
		}
		if v > -900 && row[13] != "Missing" {
			readings++
			if seen[at] {
				at = at.Add(-time.Hour)
			}
			seen[at] = true
		}
		if date := at.Add(-time.Hour).Format(time.DateOnly); row[13] == "Valid" && strings.HasPrefix(date, "2018") {
			sum[date] += v
			n[date]++
		}
	}
	days = make(map[string]float64)
	for date, total := range sum {
		if n[date] >= 18 {
			days[date] = plainIndex(total / float64(n[date]))
		}
	}
	return days, readings, len(seen)
}

func plainIndex(c float64) float64 {
	table := [][2]float64{{0, 0}, {25, 50}, {50, 100}, {80, 150}, {150, 200}, {250, 300}, {350, 400}, {500, 500}}
	for i := 1; i < len(table); i++ {
		if lo, hi := table[i-1], table[i]; c <= hi[0] {
			return math.Floor((hi[1]-lo[1])/(hi[0]-lo[0])*(c-lo[0]) + lo[1] + 0.5 + 1e-9)
		}
	}
	return 500
}

// TestAnImportSaysWhatItTurnsAway tells by line of the file, and takes in the rest.
func TestAnImportSaysWhatItTurnsAway(t *testing.T) {
	p := up(t, t.TempDir())
	c := apitest.New(t, p.HTTP)
	var b strings.Builder
	b.WriteString("time,quantity,mean,unit,period\n")
	start := time.Date(1999, 12, 31, 17, 0, 0, 0, time.UTC)
	for i := 1; i <= 1000; i++ {
		unit := "µg/m³"
		if i == 700 {
			unit = "stones"
		}
		fmt.Fprintf(&b, "%s,pm25,%d.5,%s,1h\n", start.Add(time.Duration(i)*time.Hour).Format(time.RFC3339), 20+i%7, unit)
	}
	file := filepath.Join(t.TempDir(), "old-station.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := p.try(t, "import", "csv", file)
	if code != 1 || !strings.Contains(errs, file+":701: unit: ") || !strings.Contains(out, "station old-station: 999 readings") {
		t.Errorf("%d\n%s\n%s", code, out, errs)
	}
	p.made(t, c, 999)
	var got struct {
		Readings []struct {
			Date  string
			Mean  float64
			Count int
		}
	}
	answerInto(t, c.Get(t, "/v1/stations/old-station/readings?period=day&from=2000-01-01&to=2000-01-31"), &got)
	if len(got.Readings) != 31 || got.Readings[0].Date != "2000-01-01" || got.Readings[0].Count != 24 || got.Readings[29].Count != 23 {
		t.Errorf("days %+v", got.Readings)
	}
	if code, out, _ := p.try(t, "import", "airnow", file); code == 0 {
		t.Errorf("a table is taken for AirNow's:\n%s", out)
	}
}

// TestALiveStationHasItsIndex follows readings from the device to the map's answer.
func TestALiveStationHasItsIndex(t *testing.T) {
	p := up(t, t.TempDir())
	c := apitest.New(t, p.HTTP)
	hour := time.Now().Truncate(time.Hour)
	for i := range 3 {
		p.publish(t, reading("hn-01", hour.Add(-time.Duration(2-i)*time.Hour), 65))
	}
	var f struct {
		Properties struct {
			AQI *struct {
				Scale string
				Value float64
				Time  time.Time
			}
			Values map[string]struct{ Flag int }
		}
	}
	await.True(t, "the station has an index, and its value a verdict", func() bool {
		a := c.Get(t, "/v1/stations/hn-01")
		if a.Status != http.StatusOK {
			return false
		}
		answerInto(t, a, &f)
		return f.Properties.AQI != nil && f.Properties.AQI.Time.Equal(hour) && f.Properties.Values["pm25"].Flag == 1
	})
	var board struct {
		Stations []struct {
			Station string
			State   string
			Flags   map[string]int
			Off     []struct{ Hours float64 }
		}
	}
	await.True(t, "the board knows of three hours", func() bool {
		answerInto(t, c.Get(t, "/v1/stations/status?hours=6"), &board)
		return len(board.Stations) == 1 && board.Stations[0].Flags["1"] >= 3 && len(board.Stations[0].Off) == 1 && board.Stations[0].Off[0].Hours == 3
	})
	if board.Stations[0].Station != "hn-01" || board.Stations[0].State != "live" {
		t.Errorf("the board is %+v", board)
	}
	if f.Properties.AQI.Scale != "VN_AQI" || f.Properties.AQI.Value != 125 {
		t.Errorf("it is %+v", f.Properties.AQI)
	}
}

// TestStaffDecide strikes out a span, restores it, and reads what was decided.
func TestStaffDecide(t *testing.T) {
	p := up(t, t.TempDir())
	c := apitest.New(t, p.HTTP)
	staff := []string{"Authorization", "Bearer " + p.token(t)}
	day := time.Now().Add(-72 * time.Hour).Truncate(24 * time.Hour).Add(-7 * time.Hour) // a local day, begun
	for i := 1; i <= 24; i++ {
		p.publish(t, reading("hn-01", day.Add(time.Duration(i)*time.Hour), float64(i)))
	}
	p.made(t, c, 24)
	mean := func(level string) (value float64, flag int) {
		var got struct {
			Readings []struct {
				Mean float64
				Flag int
			}
		}
		answerInto(t, c.Get(t, apitest.Query("/v1/stations/hn-01/readings", "period", "day", "quantity", "pm25", "level", level,
			"from", day.Format(time.RFC3339), "to", day.Add(24*time.Hour).Format(time.RFC3339)), staff...), &got)
		if len(got.Readings) != 1 {
			return 0, 0
		}
		return got.Readings[0].Mean, got.Readings[0].Flag
	}
	await.True(t, "the day is summed up", func() bool { v, _ := mean("reviewed"); return v == 12.5 })
	review := func(action, id string) int {
		return c.Post(t, "/v1/reviews", fmt.Sprintf(`{"id":%q,"station":"hn-01","quantity":"pm25","from":%q,"to":%q,"action":%q,"by":"Lan","why":"lọc bụi bẩn"}`,
			id, day.Add(22*time.Hour).Format(time.RFC3339), day.Add(24*time.Hour).Format(time.RFC3339), action), staff...).Status
	}
	for range 2 { // asked again it is taken once
		if got := review("strike", "r1"); got != http.StatusCreated {
			t.Fatalf("a strike: %d", got)
		}
	}
	await.True(t, "the day is summed up without them", func() bool { v, _ := mean("reviewed"); return v == 11.5 })
	if v, _ := mean("automatic"); v != 12.5 {
		t.Errorf("the automatic day is %v", v)
	}
	var value struct {
		Reading struct {
			Value   float64
			Verdict struct{ Flag int }
		}
		Reviews []struct{ By, Why, Action string }
		Flag    int
	}
	at := apitest.Query("/v1/stations/hn-01/value", "quantity", "pm25", "time", day.Add(24*time.Hour).Format(time.RFC3339))
	await.True(t, "the review is in the history", func() bool {
		answerInto(t, c.Get(t, at, staff...), &value)
		return len(value.Reviews) == 1
	})
	if value.Reading.Value != 24 || value.Reading.Verdict.Flag != 1 || value.Flag != 4 || value.Reviews[0].By != "Lan" || value.Reviews[0].Why != "lọc bụi bẩn" {
		t.Errorf("the value is %+v", value)
	}
	if got := review("restore", "r2"); got != http.StatusCreated {
		t.Fatalf("a restoration: %d", got)
	}
	await.True(t, "the day is as it was", func() bool { v, _ := mean("reviewed"); return v == 12.5 })
	if got := c.Get(t, at); got.Status != http.StatusUnauthorized {
		t.Errorf("the public sees a value's history: %d", got.Status)
	}
	for body, field := range map[string]string{
		`{"station":"hn-01","from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z","action":"strike","by":"x","why":"y"}`: "from",
		`{"station":"hn-01","from":"1926-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z","action":"strike","by":"x","why":"y"}`: "from",
		`{"station":"hn-01","from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","action":"delete","by":"x","why":"y"}`: "action",
		`{"station":"hn-01","from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","action":"strike","by":"x"}`:           "why",
	} {
		if got := c.Post(t, "/v1/reviews", body, staff...); got.Status != http.StatusBadRequest || !strings.Contains(string(got.Body), `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s", body, got.Status, got.Body)
		}
	}
	if out := p.succeed(t, "recompute", "--station", "hn-01", "--from", day.Add(-time.Hour).Format(time.RFC3339)); !strings.Contains(out, "are judged and summed up again") {
		t.Errorf("recompute says %s", out)
	}
	if code, _, errs := p.try(t, "recompute", "--station", "nobody", "--from", "2026-01-01"); code == 0 || !strings.Contains(errs, "nobody") {
		t.Errorf("an unknown station: %d %s", code, errs)
	}
	rows := p.rows(t)
	if row, ok := rows["say/review"]; ok && !row.Balanced() {
		t.Errorf("the ledger of reviews is %+v", row)
	}
}
