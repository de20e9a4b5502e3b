package sta_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"nhip"
	"nhip/api/resttest"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
	"nhip/internal/suitetest"
)

// fill writes readings of 400 stations with 5 quantities each every 15 minutes until noon.
func fill(b *testing.B, db *influx.DB, times int) {
	b.Helper()
	quantities := []nhip.Quantity{nhip.PM25, nhip.PM10, nhip.NO2, nhip.O3, nhip.Temperature}
	var lines []byte
	for i := range times {
		for s := range 400 {
			for _, q := range quantities {
				r := nhip.Reading{
					Station: fmt.Sprintf("m%03d", s), Quantity: q, Time: noon.Add(-time.Duration(i) * 15 * time.Minute),
					Period: 15 * time.Minute, Value: float64((i*7+s)%97) + 0.5, Flag: nhip.FlagGood,
				}
				lines = influx.AppendReading(lines, &r, noon)
			}
		}
		if len(lines) > 4<<20 || i == times-1 {
			if err := db.Write(b.Context(), lines); err != nil {
				b.Fatal(err)
			}
			lines = lines[:0]
		}
	}
}

// BenchmarkObservations asks an InfluxDB of 400 stations with 200,000 readings, and with 10 million in the long
// form, for
// what is slow elsewhere.
func BenchmarkObservations(b *testing.B) {
	db := influxtest.Start(b)
	fill(b, db, suitetest.Pick(100, 5000))
	h := newHandler(b, db)
	began := time.Now()
	resttest.Get(h, "/sta/v1.1/Things") // lists the stations and series, which a request does once in a while
	b.Logf("the list of series took %v", time.Since(began))
	for _, c := range []struct{ name, path string }{
		{"FirstPage", "/Observations?$expand=Datastream($expand=Thing)"},
		{"FirstPageOfDatastream", "/Datastreams('m200:pm25')/Observations?$expand=Datastream($expand=Thing)"},
		{"Count", "/Observations?$count=true&$top=1"},
		{"CountOfDatastream", "/Datastreams('m200:pm25')/Observations?$count=true&$top=1"},
		{"CountOfTime", "/Observations?$count=true&$top=1&$filter=phenomenonTime gt 2026-02-28T12:00:00Z"},
		{"RareResult", "/Observations?$filter=result gt 1000"},
		{"Oldest", "/Observations?$orderby=phenomenonTime"},
		{"LatestOfEach", "/Datastreams?$top=50&$expand=Observations($top=1)"},
		{"ThingsNear", "/Things?$filter=geo.distance(Locations/location,geography'POINT(105.8 21)') lt 5000"},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := "/sta/v1.1" + encoded(c.path)
			var w *httptest.ResponseRecorder
			for b.Loop() {
				if w = resttest.Get(h, path); w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
			b.ReportMetric(float64(w.Body.Len()), "bytes")
		})
	}
	b.Run("PlainCount", func(b *testing.B) {
		for b.Loop() {
			if _, err := db.Count(b.Context(), influx.ReadingMeasurement, noon.AddDate(-1, 0, 0), noon); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// encoded returns a path whose query has one value encoded in each option.
func encoded(path string) string {
	u, err := url.Parse(path)
	if err != nil {
		return path
	}
	v, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return path
	}
	u.RawQuery = v.Encode()
	return u.String()
}
