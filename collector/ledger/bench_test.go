package ledger

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// crowd is a city of buses that speak every ten seconds, from an hour's begin on.
type crowd struct {
	*Book
	devices []string
	said    int // rounds
}

const crowdEvery = 10 * time.Second

func newCrowd(b *testing.B, devices int) *crowd {
	b.Helper()
	book, err := Open(filepath.Join(b.TempDir(), "book"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = book.Close() })
	c := &crowd{Book: book}
	for i := range devices {
		c.devices = append(c.devices, fmt.Sprint("bus/hanoi/29B-", i))
	}
	return c
}

func (c *crowd) fact(i, round int) Fact {
	return Fact{Device: c.devices[i], Series: "vp", Time: begin.Add(time.Duration(round) * crowdEvery).UnixMilli(), Print: uint64(i*7919 + round)}
}

// speak lets each device say something new, and counts it; a checkpoint comes as often as a collector's.
func (c *crowd) speak(b *testing.B) {
	b.Helper()
	for i := range c.devices {
		f := c.fact(i, c.said)
		if v, _ := c.Judge(&f); v != New {
			b.Fatalf("%+v is %s", f, v)
		}
		if i%1000 == 0 {
			c.count(f.Time, c.devices[i:min(i+1000, len(c.devices))])
		}
		if c.Unsaved() >= 300_000 {
			c.save(b)
		}
	}
	c.said++
}

func (c *crowd) count(t int64, devices []string) {
	c.Update(func(tx *Tx) {
		for _, d := range devices {
			counts := tx.Counts(d, hourOf(t))
			counts.Received++
			counts.Queued++
			counts.Stored++
		}
	})
}

func (c *crowd) save(b *testing.B) {
	b.Helper()
	if err := c.Checkpoint(); err != nil {
		b.Fatal(err)
	}
	if err := c.Maintain(begin.Add(time.Duration(c.said) * crowdEvery)); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkJudge judges what 2,500 buses say: something new; the same again, from memory; and what was
// said an hour ago again, from disk.
func BenchmarkJudge(b *testing.B) {
	const devices, hour = 2_500, int(time.Hour / crowdEvery)
	b.Run("new", func(b *testing.B) {
		c := newCrowd(b, devices)
		for i := range b.N {
			f := c.fact(i%devices, i/devices)
			c.Judge(&f)
			if i%300_000 == 299_999 {
				b.StopTimer()
				c.save(b)
				b.StartTimer()
			}
		}
	})
	c := newCrowd(b, devices)
	for range 2 * hour {
		c.speak(b)
	}
	c.save(b)
	for name, round := range map[string]int{"again": c.said - 1, "again, from disk": hour / 2} {
		b.Run(name, func(b *testing.B) {
			for i := range b.N {
				f := c.fact(i%devices, round)
				if v, _ := c.Judge(&f); v != Duplicate {
					b.Fatalf("%+v is %s", f, v)
				}
			}
		})
	}
}

// BenchmarkSize is what an hour of 100,000 devices takes: on disk, a fact, once its runs are merged; in
// memory, a device.
func BenchmarkSize(b *testing.B) {
	const devices, rounds = 100_000, 12
	for range b.N {
		before := inUse()
		c := newCrowd(b, devices)
		for range rounds {
			c.speak(b)
		}
		c.save(b)
		for range quietCheckpoints + manyRuns {
			c.mark()
			c.save(b)
		}
		b.ReportMetric(float64(inUse()-before)/devices, "mem-B/device")
		b.ReportMetric(float64(c.Stats().Bytes)/devices/rounds, "disk-B/fact")
	}
}

// mark gives the next checkpoint something to hold.
func (c *crowd) mark() {
	c.Update(func(tx *Tx) { tx.SetMark("bench", fmt.Append(nil, c.saved.number)) })
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
