package influx_test

import (
	"fmt"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
)

func BenchmarkWithInfluxDB(b *testing.B) {
	db := influxtest.Start(b)
	const rows, series = 5000, 500
	b.Run("write 5000 rows", func(b *testing.B) {
		p := fullPosition()
		var lines []byte
		for tick := range b.N {
			lines = lines[:0]
			for i := range rows {
				p.Vehicle, p.Time = fmt.Sprint("bus", i%series), noon.Add(time.Duration(tick*rows+i)*time.Millisecond)
				lines = influx.AppendPosition(lines, &p, received)
			}
			if err := db.Write(b.Context(), lines); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("read a week of 8 quantities each minute", func(b *testing.B) {
		q := weekOfReadings(b, db)
		for b.Loop() {
			n := 0
			if err := db.Readings(b.Context(), q, func(nhip.Judged) error { n++; return nil }); err != nil || n != 8*7*24*60 {
				b.Fatal(n, err)
			}
		}
		b.ReportMetric(8*7*24*60*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

func weekOfReadings(b *testing.B, db *influx.DB) influx.ReadingQuery {
	quantities := []nhip.Quantity{nhip.PM1, nhip.PM25, nhip.PM10, nhip.NO2, nhip.CO, nhip.O3, nhip.Temperature, nhip.Humidity}
	r := fullReading()
	r.Period = time.Minute
	var lines []byte
	for minute := range 7 * 24 * 60 {
		r.Time, r.Value = noon.Add(time.Duration(minute+1)*time.Minute), float64(minute%97)+0.5
		for _, r.Quantity = range quantities {
			lines = influx.AppendReading(lines, &r, received)
		}
	}
	if err := db.Write(b.Context(), lines); err != nil {
		b.Fatal(err)
	}
	return influx.ReadingQuery{Station: r.Station, From: noon, To: noon.Add(7 * 24 * time.Hour)}
}
