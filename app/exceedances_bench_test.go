package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"nhip"
	"nhip/app/apptest"
	"nhip/geo/limits"
	"nhip/internal/influx"
)

// A city-year, as Beijing's: twelve stations with six quantities.
const cityStations, yearHours = 12, 365 * 24

var cityQuantities = []nhip.Quantity{nhip.PM25, nhip.PM10, nhip.NO2, nhip.SO2, nhip.CO, nhip.O3}

// BenchmarkCityYearOfExceedances requests the exceedances of a city over a year, and the hours that they need from
// InfluxDB with a client that throws the bytes away, in turns. The ratio is the API's time divided by that client's.
func BenchmarkCityYearOfExceedances(b *testing.B) {
	p := apptest.Up(b, b.TempDir(), "")
	from := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for s := range cityStations {
		for k, q := range cityQuantities {
			storeHours(b, p, fmt.Sprint("s", s), q, from, yearHours, float64(s*7+k*3))
		}
	}
	path := "/v1/exceedances?from=2024-01-01&to=2024-12-30"
	statement := fmt.Sprintf(`SELECT mean::float, flag::integer FROM rollup WHERE time >= %dms AND time < %dms AND `+
		`period::tag = '1h' AND level::tag = 'automatic' AND (quantity::tag = 'o3' OR quantity::tag = 'no2' OR `+
		`quantity::tag = 'so2' OR quantity::tag = 'co') GROUP BY quantity, station`, from.UnixMilli(),
		from.Add(yearHours*time.Hour).UnixMilli())
	form := url.Values{
		"db": {"nhip"}, "rp": {"autogen"}, "epoch": {"ms"}, "chunked": {"true"}, "chunk_size": {"5000"}, "q": {statement},
	}
	token := influxToken(b, p)
	var api, plain time.Duration
	for b.Loop() {
		began := time.Now()
		if n := fetch(b, http.MethodGet, p.HTTP+path, "", ""); n < int64(cityStations*len(cityQuantities)*200) {
			b.Fatalf("%d bytes", n)
		}
		api += time.Since(began)
		began = time.Now()
		if n := fetch(b, http.MethodPost, p.Influx+"/query", form.Encode(), token); n < int64(cityStations*4*yearHours*10) {
			b.Fatalf("%d bytes of InfluxDB", n)
		}
		plain += time.Since(began)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(api.Microseconds())/1e3/float64(b.N), "api-ms")
	b.ReportMetric(float64(plain.Microseconds())/1e3/float64(b.N), "plain-ms")
	b.ReportMetric(api.Seconds()/plain.Seconds(), "ratio")
}

// storeHours writes a number of hours and their days of a quantity at a station.
func storeHours(b *testing.B, p *apptest.Platform, station string, q nhip.Quantity, from time.Time, hours int,
	level float64,
) {
	b.Helper()
	var lines []byte
	var means []float64 // of the day
	for i := range hours {
		r := nhip.Rollup{
			Station: station, Quantity: q, Period: nhip.PeriodHour, Quality: nhip.QualityAutomatic,
			Time: from.Add(time.Duration(i+1) * time.Hour),
			RollupStats: nhip.RollupStats{
				Mean: level + float64(i%97)/7, Min: 12.25, Max: 61.5, P98: 60.125, Median: 21, Count: 12, Capture: 100,
				Flag: nhip.FlagGood,
			},
		}
		lines = influx.AppendRollup(lines, &r, influx.NetworkHour{}, from)
		if means = append(means, r.Mean); i%24 == 23 {
			r.Period = nhip.PeriodDay
			if !slices.Contains(limits.Hourly(), q) {
				means = nil
			}
			lines = influx.AppendRollupHours(lines, &r, means, from)
			means = means[:0]
		}
	}
	fetch(b, http.MethodPost, p.Influx+"/write?db=nhip&precision=ms", string(lines), influxToken(b, p))
}

// BenchmarkNetworkMonthReport requests the monthly report of a network of 40 stations with six quantities.
func BenchmarkNetworkMonthReport(b *testing.B) {
	p := apptest.Up(b, b.TempDir(), "")
	from := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(-7 * time.Hour)
	for s := range 40 {
		for k, q := range cityQuantities {
			storeHours(b, p, fmt.Sprint("s", s), q, from, 31*24, float64(s%12*7+k*3))
		}
	}
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, p.HTTP+"/v1/reports/monthly?month=2024-01", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.Token(b))
	for b.Loop() {
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		if _ = resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK || n < 40*6*100 {
			b.Fatalf("%d, %d bytes: %v", resp.StatusCode, n, err)
		}
	}
}
