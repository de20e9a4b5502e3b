package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/suitetest"
)

// importRows writes rows of the columns of nhip import csv to a file and imports them.
func importRows(t *testing.T, p *apptest.Platform, rows []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rows.csv")
	table := "time,station,quantity,value,unit,period\n" + strings.Join(rows, "\n") + "\n"
	if err := os.WriteFile(file, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
	succeed(t, p.Dir, "import", "csv", file)
}

// TestAuditOfMadeUpWeeks imports two weeks with gaps and faulty values, audits them, and alters a roll-up.
func TestAuditOfMadeUpWeeks(t *testing.T) {
	p := apptest.Up(t, t.TempDir(), "")
	from := time.Date(2025, 12, 23, 17, 0, 0, 0, time.UTC) // midnight in Hanoi; the limit changes in the second week
	var rows []string
	hours := make(map[string]bool)
	for i := range 15 * 24 {
		at := from.Add(time.Duration(i+1) * time.Hour)
		for k, q := range []nhip.Quantity{nhip.PM25, nhip.PM10, nhip.O3, nhip.NO2, nhip.SO2, nhip.CO} {
			if (i*7+k*11)%13 == 0 || i > 100 && i < 120 && k < 3 { // missing
				continue
			}
			v := math.Round(10*(60+40*math.Sin(float64(i)/17+float64(k))+float64((i*31+k*17)%23))) / 10
			switch {
			case q == nhip.PM10:
				v += 80
			case q == nhip.CO:
				v *= 90
			case (i+k)%97 == 0:
				v = -3 // suspect
			case (i+k)%101 == 0:
				v = 5000 // fails
			}
			rows = append(rows, fmt.Sprintf("%s,made-up,%s,%v,µg/m³,1h", at.Format(time.RFC3339), q, v))
			hours[string(q)+at.String()] = true
		}
	}
	importRows(t, p, rows)
	c := p.API(t)
	apptest.AwaitAssessed(t, c, len(hours))
	audit := []string{"verify", "air", "--station", "made-up", "--from", "2025-12-24", "--to", "2026-01-07"}
	var out string
	awaittest.True(t, "the days are summed up, and the audit finds no difference", func() bool {
		var code int
		code, out, _ = try(t, p.Dir, audit...)
		return code == 0
	})
	if !strings.Contains(out, fmt.Sprintf("compared: %d flags", len(rows))) {
		t.Errorf("%s", out)
	}
	// The longest span.
	succeed(t, p.Dir, "verify", "air", "--station", "made-up", "--from", "2025-01-09", "--to", "2026-01-07")
	altered := nhip.Rollup{
		Station: "made-up", Quantity: nhip.NO2, Period: nhip.PeriodHour, Quality: nhip.QualityAutomatic,
		Time:        from.Add(30 * time.Hour),
		RollupStats: nhip.RollupStats{Mean: 433, Min: 433, Max: 433, P98: 433, Count: 1, Capture: 100, Flag: nhip.FlagGood},
	}
	lines := influx.AppendRollup(nil, &altered, influx.NetworkHour{}, from)
	altered.Period, altered.Time = nhip.PeriodDay, from.Add(48*time.Hour)
	lines = influx.AppendRollupHours(lines, &altered, slices.Repeat([]float64{433}, 24), from)
	writeLines(t, p, lines)
	code, out, stderr := try(t, p.Dir, audit...)
	if code != 1 || !strings.Contains(out, "2025-12-24T23:00:00Z 1h automatic no2 mean: served 433") ||
		!strings.Contains(out, "exceedance") || !strings.Contains(stderr, "results differ") {
		t.Errorf("after an alteration: %d %s\n%s", code, out, stderr)
	}
	if code, _, stderr = try(t, p.Dir, "verify", "air", "--station", "nobody", "--from", "2026-01-01", "--to",
		"2026-01-02"); code != 1 || !strings.Contains(stderr, "nobody") {
		t.Errorf("unknown station: %d %s", code, stderr)
	}
	if code, _, stderr = try(t, p.Dir, "verify", "air", "--station", "made-up", "--from", "2998-12-31", "--to",
		"2999-01-01"); code != 1 || !strings.Contains(stderr, "has not ended") {
		t.Errorf("a day to come: %d %s", code, stderr)
	}
}

// writeLines writes line protocol to the platform's database.
func writeLines(t *testing.T, p *apptest.Platform, lines []byte) {
	t.Helper()
	token, err := os.ReadFile(filepath.Join(p.Dir, "influx.auth"))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.Influx+"/write?db=nhip&precision=ms",
		strings.NewReader(string(lines)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token "+strings.TrimSpace(string(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatal(resp.Status)
	}
}

// TestAuditOfRecordedAir audits the embassy's year 2018 and a quarter of a year of Beijing.
func TestAuditOfRecordedAir(t *testing.T) {
	suitetest.Only(t)
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: the recorded air is missing")
	}
	p := apptest.Up(t, t.TempDir(), "")
	file := filepath.Join(dir, "air", "hanoi_us_embassy", "Hanoi_PM2.5_2018_YTD.csv")
	_, _, hours := plainDays(t, file)
	succeed(t, p.Dir, "import", "airnow", file)
	rows, of := beijing(t, filepath.Join(dir, "air", "beijing_12site", "beijing_12site_2016-11_2017-01.csv"))
	importRows(t, p, rows)
	apptest.AwaitAssessed(t, p.API(t), hours+len(rows))
	out := succeed(t, p.Dir, "verify", "air", "--station", "airnow-hanoi", "--from", "2018-01-01", "--to", "2018-12-30")
	t.Logf("embassy: %s", out)
	for _, station := range of {
		out := succeed(t, p.Dir, "verify", "air", "--station", station, "--from", "2016-11-02", "--to", "2017-01-30")
		t.Logf("%s: %s", station, out)
	}
}

// beijing returns the rows of the recorded air of Beijing, whose times are the local begins of hours, and its stations.
func beijing(t *testing.T, file string) (rows, stations []string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := make(map[string]int)
	for i, name := range all[0] {
		column[strings.ToLower(strings.ReplaceAll(name, ".", ""))] = i
	}
	zone := time.FixedZone("", 8*3600)
	number := func(row []string, name string) int {
		n, err := strconv.Atoi(row[column[name]])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, row := range all[1:] {
		month := time.Month(number(row, "month"))
		at := time.Date(number(row, "year"), month, number(row, "day"), number(row, "hour")+1, 0, 0, 0, zone)
		id := "bj-" + strings.ToLower(row[column["station"]])
		if !slices.Contains(stations, id) {
			stations = append(stations, id)
		}
		for _, q := range []nhip.Quantity{nhip.PM25, nhip.PM10, nhip.O3, nhip.NO2, nhip.SO2, nhip.CO} {
			if v := row[column[string(q)]]; v != "" && v != "NA" {
				rows = append(rows, fmt.Sprintf("%s,%s,%s,%s,µg/m³,1h", at.UTC().Format(time.RFC3339), id, q, v))
			}
		}
	}
	return rows, stations
}
