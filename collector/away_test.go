package collector

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/internal/await"
	"nhip/internal/torture"
)

// TestAnHourWithoutTheDatabase takes in what 2,500 buses say in an hour (in `make test`: in 24 s) while
// the database is away. It waits on disk and not in memory; then what is fresh is stored before what
// waited, and all is stored once.
func TestAnHourWithoutTheDatabase(t *testing.T) {
	const buses, tolerance = 2_500, 1.3
	seconds := torture.Times(t, 24, 3600)
	b := newBench(t)
	b.journal = 8 << 30
	b.shelf.forget = true
	gone := b.shelf.away()
	b.tune = func(c *Collector) { c.drain.fresh = 50 * time.Millisecond }
	b.start(t)
	gone.Store(true)
	b.clock.set(noon.Add(time.Hour))

	b.hear(t, 0, seconds/4, buses)
	quarter, waits := heap(), b.outbox.Stats().Bytes
	b.hear(t, seconds/4, seconds, buses)
	t.Logf("after a quarter %d MB of memory, %d MB on disk; at the end %d MB and %d MB",
		quarter>>20, waits>>20, heap()>>20, b.outbox.Stats().Bytes>>20)
	await.True(t, "memory is as small as it was, when buffers that rest are let go", func() bool {
		return float64(heap()) <= tolerance*float64(quarter)
	})
	if b.outbox.Stats().Bytes <= waits || !b.Taking() {
		t.Errorf("it does not wait on disk: %+v", b.outbox.Stats())
	}
	gone.Store(false)
	b.accept(t, "nhip/in/position/fresh", fix(noon.Add(time.Hour), 21))
	for left := b.Pending(); left > 0; { // a torture's backlog takes longer than one wait
		await.True(t, "rows come home", func() bool { return b.Pending() < left })
		left = b.Pending()
	}
	want := int64(seconds * buses)
	var stored int64
	for key, r := range b.ledgerNow(t) {
		if r.Received != r.Stored {
			t.Errorf("%s: %+v", key, r)
		}
		stored += r.Stored
	}
	if stored != want+1 || b.shelf.count != int(want)+1 {
		t.Errorf("%d rows are counted as stored, %d were written, want %d", stored, b.shelf.count, want+1)
	}
}

// hear takes in fixes of each second [from, to), one a bus, and waits until all that is judged.
func (b *bench) hear(t *testing.T, from, to, buses int) {
	t.Helper()
	var acked, failed atomic.Int64
	for second := from; second < to; second++ {
		at := noon.Add(time.Duration(second) * time.Second)
		for bus := range buses {
			m := nhip.Message{Topic: fmt.Sprintf("nhip/in/position/%d", bus), Payload: []byte(fix(at, 21)), Received: b.clock.Now()}
			b.Accept(m, func(err error) {
				acked.Add(1)
				if err != nil {
					failed.Add(1)
				}
			})
		}
		await.True(t, "the second is on disk", func() bool { return acked.Load() == int64((second-from+1)*buses) })
	}
	for left := b.clerk.behind(); left > 0; {
		await.True(t, "messages are judged", func() bool { return b.clerk.behind() < left })
		left = b.clerk.behind()
	}
	if failed.Load() > 0 {
		t.Fatalf("%d messages were refused", failed.Load())
	}
}

// heap returns the bytes that are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
