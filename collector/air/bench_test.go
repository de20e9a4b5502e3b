package air

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// memory is a database that answers at once, so that only our own work is measured.
type memory struct{ readings []nhip.Judged }

func (m *memory) Write(context.Context, []byte) error { return nil }

func (m *memory) Readings(_ context.Context, q influx.ReadingQuery, yield func(nhip.Judged) error) error {
	for i := range m.readings {
		if r := &m.readings[i]; r.Time.After(q.From) && !r.Time.After(q.To) {
			if err := yield(*r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *memory) Rollups(context.Context, influx.RollupQuery, func(influx.Rolled) error) error {
	return nil
}

// BenchmarkRecompute judges and sums up a month of a station again, six quantities each five minutes: all but the
// database's own time.
func BenchmarkRecompute(b *testing.B) {
	month := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	var m memory
	for at := month.Add(5 * time.Minute); !at.After(month.AddDate(0, 0, 31)); at = at.Add(5 * time.Minute) {
		for i, q := range []nhip.Quantity{nhip.PM25, nhip.PM10, nhip.NO2, nhip.SO2, nhip.O3, nhip.CO} {
			v := 30 + float64((int(at.Unix())/300*7+i*13)%17)
			m.readings = append(m.readings, nhip.Judged{Reading: nhip.Reading{
				Station: "s", Quantity: q, Time: at, Period: 5 * time.Minute, Value: v, Flag: nhip.NotEvaluated,
			}})
		}
	}
	k, err := New(Options{
		Dir: b.TempDir(), Clock: &hands{t: noon}, Store: &m, History: &m, Zone: hanoi, Logger: slog.New(slog.DiscardHandler),
		Stored: func(uint64) bool { return true }, Tell: func(Told) {}, Alert: func(nhip.Alert) {},
	})
	if err != nil {
		b.Fatal(err)
	}
	k.Hear([]nhip.Reading{m.readings[0].Reading, m.readings[len(m.readings)-1].Reading}, 1)
	for b.Loop() {
		if _, err := k.Recompute(nhip.RecomputeQuery{From: month, To: month.AddDate(0, 0, 31)}); err != nil {
			b.Fatal(err)
		}
		for k.more() {
			if !k.old(b.Context()) || !k.send(b.Context()) || !k.sum(b.Context()) || !k.send(b.Context()) {
				b.Fatal("it did not work")
			}
		}
	}
	b.ReportMetric(float64(b.N*len(m.readings))/b.Elapsed().Seconds(), "readings/s")
}
