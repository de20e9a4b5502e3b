package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/app/apptest"
	"nhip/internal/suitetest"
)

// TestYearIsImported imports the embassy's readings of 2018 and compares each day's VN_AQI with a plain computation
// from the file: the mean of the valid hours of a day, of which there must be 18, and the Decision's table.
func TestYearIsImported(t *testing.T) {
	suitetest.Only(t)
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: the embassy's readings are missing")
	}
	file := filepath.Join(dir, "air", "hanoi_us_embassy", "Hanoi_PM2.5_2018_YTD.csv")
	want, readings, hours := plainDays(t, file)
	p := apptest.Up(t, t.TempDir(), "")
	c := p.API(t)
	for range 2 { // the second time changes nothing
		out := succeed(t, p.Dir, "import", "airnow", file)
		if !strings.Contains(out, fmt.Sprintf("station airnow-hanoi: %d readings", readings)) {
			t.Errorf("output: %s", out)
		}
	}
	apptest.AwaitAssessed(t, c, hours)
	var got struct {
		Indices []struct {
			Date     string
			Value    float64
			Dominant string
		}
	}
	apptest.Decode(t, c.Get(t, "/v1/stations/airnow-hanoi/aqi?period=day&from=2018-01-01&to=2018-12-31"), &got)
	if len(got.Indices) != len(want) || len(want) < 300 {
		t.Errorf("%d days, want %d", len(got.Indices), len(want))
	}
	for _, day := range got.Indices {
		if w, ok := want[day.Date]; !ok || w != day.Value || day.Dominant != "pm25" {
			t.Errorf("%s: %v, want %v", day.Date, day.Value, w)
		}
	}
	checkExceedances(t, c)
	checkMonthlyReport(t, c)
	out := succeed(t, p.Dir, "ledger", "--verify", "--device", "airnow-hanoi",
		"--from", "2018-03-01T00:00:00Z", "--to", "2018-03-08T00:00:00Z")
	if strings.Contains(out, "HOLDS") {
		t.Errorf("the ledger differs from the database:\n%s", out)
	}
}

// checkExceedances checks what the agency reports of the year: 79 days, from 00:00 to 24:00, were above 50 µg/m³.
func checkExceedances(t *testing.T, c *apitest.Client) {
	t.Helper()
	var got struct {
		Rows []struct {
			Average           string
			Limit, Max, Hours float64
			Number, Evaluated int
		}
	}
	const path = "/v1/exceedances?station=airnow-hanoi&from=2018-01-01&to=2018-12-31"
	apptest.Decode(t, c.Get(t, path), &got)
	if len(got.Rows) != 2 || got.Rows[0].Average != "24h" || got.Rows[0].Limit != 50 || got.Rows[0].Number != 79 ||
		got.Rows[0].Hours != 79*24 ||
		got.Rows[1].Average != "year" || got.Rows[1].Number != 1 || got.Rows[1].Max < 40 {
		t.Errorf("exceedances of 2018: %+v", got.Rows)
	}
	table := c.Get(t, path+"&format=csv")
	if !strings.Contains(string(table.Body), "airnow-hanoi,,,pm25,24h,50,µg/m³,79,") {
		t.Errorf("exceedances as CSV: %s", table.Body)
	}
}

func checkMonthlyReport(t *testing.T, c *apitest.Client) {
	t.Helper()
	const path = "/v1/stations/airnow-hanoi/report?month=2018-03"
	for lang, words := range map[string][]string{
		"vi": {"Báo cáo tháng 3/2018", "Vượt quy chuẩn", "Trung bình", "Bụi mịn PM2.5 (µg/m³)", "Thứ Hai"},
		"en": {"Monthly report March 2018", "Exceedances of the limits", "Fine particles PM2.5 (µg/m³)", "Monday"},
	} {
		page := string(c.Get(t, path+"&lang="+lang).Body)
		for _, w := range append(words, "#FF7E00", "<svg", "QCVN 05:2023") {
			if !strings.Contains(page, w) {
				t.Errorf("the report in %s has no %q", lang, w)
			}
		}
	}
	days := string(c.Get(t, path+"&format=csv").Body)
	lines := strings.Split(strings.TrimSpace(days), "\n")
	if len(lines) != 32 || !strings.HasPrefix(lines[1], "2018-03-01,pm25,") {
		t.Errorf("the report as CSV: %s", days)
	}
}

// plainDays computes the daily VN_AQI of a file without the platform's code, by local date. It returns the number of
// readings in the file, too, and of their hours: the file has US clock changes, which give the hour from 1 to 2 of 11
// March the time stamp of the next.
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
		date := at.Add(-time.Hour).Format(time.DateOnly)
		if row[13] == "Valid" && strings.HasPrefix(date, "2018") {
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

// plainIndex returns the VN_AQI of a daily mean of PM2.5.
func plainIndex(c float64) float64 {
	table := [][2]float64{{0, 0}, {25, 50}, {50, 100}, {80, 150}, {150, 200}, {250, 300}, {350, 400}, {500, 500}}
	for i := 1; i < len(table); i++ {
		if lo, hi := table[i-1], table[i]; c <= hi[0] {
			return math.Floor((hi[1]-lo[1])/(hi[0]-lo[0])*(c-lo[0]) + lo[1] + 0.5 + 1e-9)
		}
	}
	return 500
}

// TestImportPrintsRejectedRows imports a table with a bad row: the row is printed with its line, and the others are
// stored.
func TestImportPrintsRejectedRows(t *testing.T) {
	p := apptest.Up(t, t.TempDir(), "")
	c := p.API(t)
	var b strings.Builder
	b.WriteString("time,quantity,mean,unit,period\n")
	start := time.Date(1999, 12, 31, 17, 0, 0, 0, time.UTC)
	for i := 1; i <= 1000; i++ {
		unit := "µg/m³"
		if i == 700 {
			unit = "stones"
		}
		value := 20 + i%7
		if i%40 == 0 {
			value = 99_999 // out of range
		}
		fmt.Fprintf(&b, "%s,pm25,%d.5,%s,1h\n", start.Add(time.Duration(i)*time.Hour).Format(time.RFC3339), value, unit)
	}
	file := apptest.WriteFile(t, "old-station.csv", b.String())
	code, out, errs := try(t, p.Dir, "import", "csv", file)
	if code != 1 || !strings.Contains(errs, file+":701: unit: ") ||
		!strings.Contains(out, "station old-station: 974 readings") {
		t.Errorf("exit %d\n%s\n%s", code, out, errs)
	}
	at := -1 // the faults are in the order of the lines
	for i := 40; i <= 1000; i += 40 {
		found := strings.Index(errs, fmt.Sprintf("%s:%d: values.pm25: ", file, i+1))
		if found <= at {
			t.Errorf("line %d is not named, or not in order", i+1)
		}
		at = found
	}
	apptest.AwaitAssessed(t, c, 974)
	var got struct {
		Readings []struct {
			Date  string
			Mean  float64
			Count int
		}
	}
	apptest.Decode(t, c.Get(t, "/v1/stations/old-station/readings?period=day&from=2000-01-01&to=2000-01-31"), &got)
	if len(got.Readings) != 31 || got.Readings[0].Date != "2000-01-01" || got.Readings[0].Count != 24 ||
		got.Readings[29].Count != 22 {
		t.Errorf("days: %+v", got.Readings)
	}
	var listed struct {
		Features []struct {
			Properties struct {
				ID, State string
				First     time.Time `json:"first_reading"`
				Last      time.Time `json:"last_reading"`
			}
		}
	}
	apptest.Decode(t, c.Get(t, "/v1/stations?state=all"), &listed)
	if f := listed.Features; len(f) != 1 || f[0].Properties.ID != "old-station" || f[0].Properties.State != "silent" ||
		!f[0].Properties.First.Equal(start.Add(time.Hour)) || !f[0].Properties.Last.Equal(start.Add(999*time.Hour)) {
		t.Errorf("list of all stations: %+v", f)
	}
	apptest.Decode(t, c.Get(t, "/v1/stations/old-station/readings?from=2005-01-01&to=2005-01-31"), &got)
	if len(got.Readings) != 0 {
		t.Errorf("readings of an empty month: %+v", got.Readings)
	}
	if code, out, _ := try(t, p.Dir, "import", "airnow", file); code == 0 {
		t.Errorf("a CSV table is imported as AirNow's:\n%s", out)
	}
}
