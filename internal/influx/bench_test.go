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
	week := weekOfReadings(b, db)
	compareReads(b, db, "a week of 8 quantities each minute", influx.ReadingSelection(&week), func() (n int) {
		if err := db.Readings(b.Context(), week, func(nhip.AssessedReading) error { n++; return nil }); err != nil {
			b.Fatal(err)
		}
		return n
	})
	from, to := dayOfPositions(b, db)
	compareReads(b, db, "an hour of 2500 buses", influx.FleetSelection(from, to), func() (n int) {
		if err := db.Fleet(b.Context(), from, to, func(nhip.Position) error { n++; return nil }); err != nil {
			b.Fatal(err)
		}
		return n
	})
	day := influx.FleetSelection(from, to)
	day.Function, day.GroupBy = influx.None, nil
	compareReads(b, db, "each position of 2500 buses", day, func() (n int) {
		if err := db.Select(b.Context(), day, func(*influx.Row) error { n++; return nil }); err != nil {
			b.Fatal(err)
		}
		return n
	})
}

// compareReads measures a read and the plainest client that asks the same, in turns. The ratio is the client's time
// divided by that of the read: 1 is as fast.
func compareReads(b *testing.B, db *influx.DB, name string, s *influx.Selection, read func() int) {
	b.Run("read "+name, func(b *testing.B) {
		var reading, discarding time.Duration
		rows := 0
		for b.Loop() {
			began := time.Now()
			rows = read()
			reading += time.Since(began)
			began = time.Now()
			if err := influx.Discard(db, b.Context(), s); err != nil {
				b.Fatal(err)
			}
			discarding += time.Since(began)
		}
		b.ReportMetric(float64(rows)*float64(b.N)/reading.Seconds(), "rows/s")
		b.ReportMetric(float64(reading.Milliseconds())/float64(b.N), "ms/read")
		b.ReportMetric(discarding.Seconds()/reading.Seconds(), "ratio")
	})
}

// dayOfPositions stores the positions of 2,500 buses, one each 20 s for an hour: 450,000 rows. A day has 24 times as
// many, and the ratio is the same.
func dayOfPositions(b *testing.B, db *influx.DB) (from, to time.Time) {
	p := fullPosition()
	p.Event = nhip.EventPosition
	from = noon.AddDate(0, 1, 0)
	for tick := range 180 {
		var lines []byte
		p.Time = from.Add(time.Duration(tick+1) * 20 * time.Second)
		for i := range 2500 {
			p.Vehicle, p.Route = fmt.Sprint("bus", i), fmt.Sprint(i%120)
			lines = influx.AppendPosition(lines, &p, received)
		}
		if err := db.Write(b.Context(), lines); err != nil {
			b.Fatal(err)
		}
	}
	return from, from.Add(time.Hour)
}

func weekOfReadings(b *testing.B, db *influx.DB) influx.ReadingQuery {
	quantities := []nhip.Quantity{
		nhip.PM1, nhip.PM25, nhip.PM10, nhip.NO2, nhip.CO, nhip.O3, nhip.Temperature, nhip.Humidity,
	}
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
