package ledger

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// benchDevices is a ledger with buses that send a position every reportEvery from testStart on.
type benchDevices struct {
	*Ledger
	devices []string
	rounds  int // positions sent by each device
}

const reportEvery = 10 * time.Second

func newBenchDevices(b *testing.B, devices int) *benchDevices {
	b.Helper()
	l, err := Open(filepath.Join(b.TempDir(), "ledger"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	d := &benchDevices{Ledger: l}
	for i := range devices {
		d.devices = append(d.devices, fmt.Sprint("bus/hanoi/29B-", i))
	}
	return d
}

func (d *benchDevices) factOf(i, round int) Fact {
	return Fact{
		Device: d.devices[i], Series: "vp", Time: testStart.Add(time.Duration(round) * reportEvery).UnixMilli(),
		Print: uint64(i*7919 + round),
	}
}

// reportAll classifies and counts a new fact of each device, with checkpoints as frequent as a collector's.
func (d *benchDevices) reportAll(b *testing.B) {
	b.Helper()
	for i := range d.devices {
		f := d.factOf(i, d.rounds)
		if v, _ := d.Classify(&f); v != New {
			b.Fatalf("%+v is %s, want new", f, v)
		}
		if i%1000 == 0 {
			d.count(f.Time, d.devices[i:min(i+1000, len(d.devices))])
		}
		if d.Unsaved() >= 300_000 {
			d.checkpoint(b)
		}
	}
	d.rounds++
}

func (d *benchDevices) count(t int64, devices []string) {
	d.Update(func(tx *Tx) {
		for _, name := range devices {
			counts := tx.Counts(name, hourOf(t))
			counts.Received++
			counts.Queued++
			counts.Stored++
		}
	})
}

func (d *benchDevices) checkpoint(b *testing.B) {
	b.Helper()
	if err := d.Checkpoint(); err != nil {
		b.Fatal(err)
	}
	if err := d.Maintain(testStart.Add(time.Duration(d.rounds) * reportEvery)); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkClassify classifies facts of 2,500 buses: new ones, duplicates that are in memory, and duplicates from an
// hour ago, which are on disk.
func BenchmarkClassify(b *testing.B) {
	const devices, hour = 2_500, int(time.Hour / reportEvery)
	b.Run("new", func(b *testing.B) {
		d := newBenchDevices(b, devices)
		for i := range b.N {
			f := d.factOf(i%devices, i/devices)
			d.Classify(&f)
			if i%300_000 == 299_999 {
				b.StopTimer()
				d.checkpoint(b)
				b.StartTimer()
			}
		}
	})
	d := newBenchDevices(b, devices)
	for range 2 * hour {
		d.reportAll(b)
	}
	d.checkpoint(b)
	for name, round := range map[string]int{"duplicate": d.rounds - 1, "duplicate on disk": hour / 2} {
		b.Run(name, func(b *testing.B) {
			for i := range b.N {
				f := d.factOf(i%devices, round)
				if v, _ := d.Classify(&f); v != Duplicate {
					b.Fatalf("%+v is %s, want duplicate", f, v)
				}
			}
		})
	}
}

// BenchmarkSize measures an hour of 100,000 devices: bytes in memory per device, and bytes on disk per fact after the
// segments were merged.
func BenchmarkSize(b *testing.B) {
	const devices, rounds = 100_000, 12
	for range b.N {
		before := heapInUse()
		d := newBenchDevices(b, devices)
		for range rounds {
			d.reportAll(b)
		}
		d.checkpoint(b)
		for range settledAfter + maxSegmentsPerHour {
			d.setMark()
			d.checkpoint(b)
		}
		b.ReportMetric(float64(heapInUse()-before)/devices, "mem-B/device")
		b.ReportMetric(float64(d.Stats().Bytes)/devices/rounds, "disk-B/fact")
	}
}

// setMark changes a mark, so that the next checkpoint is not empty.
func (d *benchDevices) setMark() {
	d.Update(func(tx *Tx) { tx.SetMark("bench", fmt.Append(nil, d.saved.number)) })
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
