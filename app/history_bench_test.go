package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/app/apptest"
	"nhip/internal/influx"
)

// BenchmarkYearOfHours requests a year of hourly values of one station over the HTTP API, and the same rows from
// InfluxDB with a client that throws the bytes away, in turns. The ratio is the API's time divided by that client's.
func BenchmarkYearOfHours(b *testing.B) {
	p := apptest.Up(b, b.TempDir(), "")
	const hours = 365 * 24
	from := time.Now().UTC().Truncate(time.Hour).Add(-(hours + 1) * time.Hour)
	storeYear(b, p, from, hours)
	to := from.Add(hours * time.Hour)
	path := "/v1/stations/s/readings?" + url.Values{
		"period": {"hour"}, "quantity": {"pm25"}, "from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)},
	}.Encode()
	statement := fmt.Sprintf(`SELECT quantity::tag, station::tag, level::tag, mean, min, max, p98, max_1h, max_8h, `+
		`count, capture, flag FROM rollup WHERE time >= %dms AND time < %dms AND period = '1h' AND (level = 'automatic' OR `+
		`level = 'reviewed') AND station = 's' AND quantity = 'pm25'`, from.UnixMilli(), to.UnixMilli())
	form := url.Values{
		"db": {"nhip"}, "rp": {"autogen"}, "epoch": {"ms"}, "chunked": {"true"}, "chunk_size": {"5000"}, "q": {statement},
	}
	token := influxToken(b, p)
	var api, plain time.Duration
	for b.Loop() {
		began := time.Now()
		if n := fetch(b, http.MethodGet, p.HTTP+path, "", ""); n < hours*40 {
			b.Fatalf("%d bytes", n)
		}
		api += time.Since(began)
		began = time.Now()
		if n := fetch(b, http.MethodPost, p.Influx+"/query", form.Encode(), token); n < hours*40 {
			b.Fatalf("%d bytes of InfluxDB", n)
		}
		plain += time.Since(began)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(api.Microseconds())/1e3/float64(b.N), "api-ms")
	b.ReportMetric(float64(plain.Microseconds())/1e3/float64(b.N), "plain-ms")
	b.ReportMetric(api.Seconds()/plain.Seconds(), "ratio")
}

func storeYear(b *testing.B, p *apptest.Platform, from time.Time, hours int) {
	b.Helper()
	var lines []byte
	for i := range hours {
		r := nhip.Rollup{
			Station: "s", Quantity: nhip.PM25, Period: nhip.PeriodHour, Quality: nhip.QualityAutomatic,
			Time: from.Add(time.Duration(i+1) * time.Hour),
			RollupStats: nhip.RollupStats{
				Mean: 20 + float64(i%97)/7, Min: 12.25, Max: 61.5, P98: 60.125, Median: 21, Count: 12, Capture: 100,
				Flag: nhip.FlagGood,
			},
		}
		lines = influx.AppendRollup(lines, &r, influx.NetworkHour{}, from)
	}
	fetch(b, http.MethodPost, p.Influx+"/write?db=nhip&precision=ms", string(lines), influxToken(b, p))
}

func influxToken(b *testing.B, p *apptest.Platform) string {
	b.Helper()
	token, err := os.ReadFile(filepath.Join(p.Dir, "influx.auth"))
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(string(token))
}

// fetch sends a request and returns the number of bytes of the answer.
func fetch(b *testing.B, method, url, body, token string) int64 {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, url, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Token "+token)
		req.Header.Set("Accept", "application/x-msgpack")
	}
	if strings.HasSuffix(url, "/query") {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		b.Fatalf("%s: %s, %v", url, resp.Status, err)
	}
	return n
}
