package collector

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/torturetest"
)

// TestOneHourDatabaseOutage accepts the positions of 2,500 buses for an hour (in `make test`: 12 s) while the database
// is down. The rows must wait on disk, not in memory. When the database is up again, fresh rows must be stored before
// the backlog, and all rows once.
func TestOneHourDatabaseOutage(t *testing.T) {
	const buses, tolerance = 2_500, 1.3
	seconds := torturetest.Times(t, 12, 3600)
	h := newHarness(t)
	h.journalBytes = 8 << 30
	h.store.countOnly = true
	down := h.store.outage()
	h.tune = func(c *Collector) { c.writer.freshFor = 50 * time.Millisecond }
	h.start(t)
	down.Store(true)
	h.clock.set(noon.Add(time.Hour))

	h.acceptPositions(t, 0, seconds/4, buses)
	quarter, waiting := heapInUse(), h.outbox.Stats().Bytes
	h.acceptPositions(t, seconds/4, seconds, buses)
	t.Logf("after a quarter %d MB in memory, %d MB on disk; at the end %d MB and %d MB",
		quarter>>20, waiting>>20, heapInUse()>>20, h.outbox.Stats().Bytes>>20)
	awaittest.True(t, "memory is as small as after a quarter, once idle buffers are freed", func() bool {
		return float64(heapInUse()) <= tolerance*float64(quarter)
	})
	if h.outbox.Stats().Bytes <= waiting || !h.Taking() {
		t.Errorf("rows do not wait on disk: %+v", h.outbox.Stats())
	}
	down.Store(false)
	h.accept(t, "nhip/in/position/fresh", positionAt(noon.Add(time.Hour), 21))
	for left := h.Pending(); left > 0; { // the backlog of make torture takes longer than one wait
		awaittest.True(t, "rows are stored", func() bool { return h.Pending() < left })
		left = h.Pending()
	}
	want := int64(seconds * buses)
	var stored int64
	for key, r := range h.ledgerNow(t) {
		if r.Received != r.Stored {
			t.Errorf("%s: %+v", key, r)
		}
		stored += r.Stored
	}
	if stored != want+1 || h.store.count != int(want)+1 {
		t.Errorf("%d rows counted as stored, %d written, want %d", stored, h.store.count, want+1)
	}
}

// acceptPositions accepts a position of each bus for each second in [from, to), and waits until they are classified.
func (h *harness) acceptPositions(t *testing.T, from, to, buses int) {
	t.Helper()
	var acked, failed atomic.Int64
	for second := from; second < to; second++ {
		at := noon.Add(time.Duration(second) * time.Second)
		for bus := range buses {
			m := nhip.Message{
				Topic: fmt.Sprintf("nhip/in/position/%d", bus), Payload: []byte(positionAt(at, 21)), Received: h.clock.Now(),
			}
			h.Accept(m, func(err error) {
				acked.Add(1)
				if err != nil {
					failed.Add(1)
				}
			})
		}
		awaittest.True(t, "the second is on disk", func() bool { return acked.Load() == int64((second-from+1)*buses) })
	}
	for left := h.dedup.behind(); left > 0; {
		awaittest.True(t, "messages are classified", func() bool { return h.dedup.behind() < left })
		left = h.dedup.behind()
	}
	if failed.Load() > 0 {
		t.Fatalf("%d messages failed", failed.Load())
	}
}

// heapInUse returns the bytes in use after a garbage collection.
func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
