package air

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// memoryDB is a database in memory, so that the benchmark measures only our own work.
type memoryDB struct{ readings []nhip.AssessedReading }

func (m *memoryDB) Write(context.Context, []byte) error { return nil }

func (m *memoryDB) Readings(_ context.Context, q influx.ReadingQuery, yield func(nhip.AssessedReading) error) error {
	for i := range m.readings {
		if r := &m.readings[i]; r.Time.After(q.From) && !r.Time.After(q.To) {
			if err := yield(*r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *memoryDB) Rollups(context.Context, influx.RollupQuery, func(influx.RollupRow) error) error {
	return nil
}

// BenchmarkRecompute assesses and sums up a month of a station with six quantities every five minutes, without the
// time that the database takes.
func BenchmarkRecompute(b *testing.B) {
	month := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	var m memoryDB
	for at := month.Add(5 * time.Minute); !at.After(month.AddDate(0, 0, 31)); at = at.Add(5 * time.Minute) {
		for i, q := range []nhip.Quantity{nhip.PM25, nhip.PM10, nhip.NO2, nhip.SO2, nhip.O3, nhip.CO} {
			v := 30 + float64((int(at.Unix())/300*7+i*13)%17)
			m.readings = append(m.readings, nhip.AssessedReading{Reading: nhip.Reading{
				Station: "s", Quantity: q, Time: at, Period: 5 * time.Minute, Value: v, Flag: nhip.FlagNotEvaluated,
			}})
		}
	}
	p, err := New(Options{
		Dir: b.TempDir(), Clock: &manualClock{t: noon}, Store: &m, History: &m, Zone: hanoi,
		Logger: slog.New(slog.DiscardHandler),
		Stored: func(uint64) bool { return true }, Publish: func(LiveUpdate) {}, PublishAlert: func(nhip.Alert) {},
	})
	if err != nil {
		b.Fatal(err)
	}
	p.Observe([]nhip.Reading{m.readings[0].Reading, m.readings[len(m.readings)-1].Reading}, 1)
	for b.Loop() {
		if _, err := p.Recompute(nhip.RecomputeQuery{From: month, To: month.AddDate(0, 0, 31)}); err != nil {
			b.Fatal(err)
		}
		for p.hasWork() {
			for _, do := range []func(context.Context) error{p.backfill, p.flush, p.sumPeriods, p.flush} {
				if err := do(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.ReportMetric(float64(b.N*len(m.readings))/b.Elapsed().Seconds(), "readings/s")
}
