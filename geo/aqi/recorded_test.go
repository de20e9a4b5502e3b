package aqi

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"nhip"

	"github.com/google/go-cmp/cmp"
)

// testdata returns the directory of recorded measurements and reference tables.
func testdata(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: no recorded measurements")
	}
	return dir
}

func table(t *testing.T, path string) [][]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	if s == "" {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// truncated truncates to 0.1, as AirNow has done since July 2018.
func truncated(v float64) float64 { return math.Floor(v*10+1e-6) / 10 }

func TestVNBreakpointsMatchDecision1459(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(testdata(t), "aqi", "vn_aqi_breakpoints.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		I       []float64
		Ozone1h []float64  `json:"o3_1h"`
		Ozone8h []*float64 `json:"o3_8h"`
		CO      []float64  `json:"co"`
		SO2     []float64  `json:"so2"`
		NO2     []float64  `json:"no2"`
		PM10    []float64  `json:"pm10"`
		PM25    []float64  `json:"pm25"`
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want []float64 }{
		{vnIndex, want.I},
		{vnOzone1h, want.Ozone1h},
		{vnCO, want.CO},
		{vnSO2, want.SO2},
		{vnNO2, want.NO2},
		{vnPM10, want.PM10},
		{vnPM25, want.PM25},
	} {
		if !cmp.Equal(c.got, c.want) {
			t.Error(cmp.Diff(c.want, c.got))
		}
	}
	for i, v := range vnOzone8h {
		if *want.Ozone8h[i] != v {
			t.Errorf("row %d of 8-hour ozone is %v", i, v)
		}
	}
}

func TestNowCastMatchesAirNowVectors(t *testing.T) {
	rows := table(t, filepath.Join(testdata(t), "aqi", "nowcast_hanoi_embassy.csv"))
	for _, row := range rows {
		hours := make([]float64, nowCastHours)
		for i := range hours {
			hours[i] = number(t, row[2+i])
		}
		got, ok := NowCast(hours)
		if want := number(t, row[2+nowCastHours]); ok == math.IsNaN(want) || ok && truncated(got) != want {
			t.Errorf("%s %s: %v %t, want %v", row[0], row[1], got, ok, want)
		}
	}
	if len(rows) != 578 {
		t.Errorf("%d vectors, want 578", len(rows))
	}
}

// embassy reads the records of the US embassy in Hanoi: raw means and published NowCasts by the END of their hour.
func embassy(t *testing.T) (raw, nowCast map[time.Time]float64) {
	t.Helper()
	raw, nowCast = make(map[time.Time]float64), make(map[time.Time]float64)
	files, err := filepath.Glob(filepath.Join(testdata(t), "air", "hanoi_us_embassy", "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no files")
	}
	const stamp, published, measured, qc = 2, 7, 10, 13
	for _, file := range files {
		for _, row := range table(t, file) {
			at, err := time.Parse("2006-01-02 03:04 PM", row[stamp])
			if err != nil {
				t.Fatal(err)
			}
			raw[at] = math.NaN()
			if row[qc] != "Missing" && row[qc] != "Invalid" {
				raw[at] = number(t, row[measured])
			}
			if v := number(t, row[published]); v > -900 {
				nowCast[at] = v
			}
		}
	}
	return raw, nowCast
}

// If two of the last three hours are missing there is no NowCast. AirNow then repeats its last value for up to
// three hours. Those hours are not counted; the test only checks that they are repetitions.
func TestNowCastMatchesEmbassyRecords(t *testing.T) {
	raw, published := embassy(t)
	truncatesFrom := time.Date(2018, 7, 1, 0, 0, 0, 0, time.UTC)
	agree, all := 0, 0
	for at := range raw {
		hours, whole := before(raw, at)
		got, ok := NowCast(hours)
		want, exists := published[at]
		if at.Before(truncatesFrom) || !whole || !exists && !ok {
			continue
		}
		if !ok && countPresent(hours[:3]) < 2 {
			if last, known := lastBefore(published, at); !known || want != last {
				t.Errorf("%s: AirNow published %v, which is neither a NowCast nor a repetition", at, want)
			}
			continue
		}
		all++
		if ok && exists && math.Abs(truncated(got)-want) < 1e-9 {
			agree++
		}
	}
	if t.Logf("%d of %d hours agree", agree, all); all < 10_000 || float64(agree) < 0.999*float64(all) {
		t.Errorf("%d of %d hours agree", agree, all)
	}
}

// lastBefore returns the latest value that was published in the three hours before a time.
func lastBefore(published map[time.Time]float64, at time.Time) (float64, bool) {
	for i := 1; i <= 3; i++ {
		if v, ok := published[at.Add(-time.Duration(i)*time.Hour)]; ok {
			return v, true
		}
	}
	return 0, false
}

// before returns the 12 hours that end at a time. whole reports whether the record has a row for each of them.
func before(raw map[time.Time]float64, at time.Time) (hours []float64, whole bool) {
	whole = true
	for i := range nowCastHours {
		v, ok := raw[at.Add(-time.Duration(i)*time.Hour)]
		if !ok {
			v, whole = math.NaN(), false
		}
		hours = append(hours, v)
	}
	return hours, whole
}

// The breakpoint tables in the test data were collected independently of the EPA document.
func TestUSBreakpointsMatchReference(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(testdata(t), "aqi", "us_epa_2024.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]json.RawMessage
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	for name, table := range map[string]*usTable{
		"pm25_24h_ugm3": &usPM25, "pm10_24h_ugm3": &usPM10, "o3_8h_ppb": &usOzone8h,
		"co_8h_ppm": &usCO, "so2_1h_ppb": &usSO2, "no2_1h_ppb": &usNO2,
	} {
		var rows [][2]float64
		if err := json.Unmarshal(want[name], &rows); err != nil {
			t.Fatal(err)
		}
		var got [][2]float64
		for _, r := range table.rows {
			got = append(got, [2]float64{r.low, r.high})
		}
		if !cmp.Equal(got, rows) {
			t.Errorf("%s: %s", name, cmp.Diff(rows, got))
		}
	}
	if _, ok := HourlyIndex(nhip.ScaleUSEPA, time.Time{}, nil); ok {
		t.Error("an index without concentrations")
	}
}
