package collector

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/internal/await"
	"nhip/internal/influx"
	"nhip/internal/journal"
)

// away lets a shelf's database be away.
func (s *shelf) away() (gone *atomic.Bool) {
	gone = new(atomic.Bool)
	s.fail = func(string) error {
		if gone.Load() {
			return &influx.WriteError{Kind: influx.Retry, Err: errors.New("away")}
		}
		return nil
	}
	return gone
}

// TestWhatIsFreshOvertakes lets rows wait for longer than they may, and looks at the order in which
// the database gets them.
func TestWhatIsFreshOvertakes(t *testing.T) {
	b := newBench(t)
	gone := b.shelf.away()
	b.tune = func(c *Collector) { c.drain.fresh = 50 * time.Millisecond }
	b.start(t)
	gone.Store(true)
	parcels := func() uint64 { return b.outbox.LastSeq() }
	for i := range uint64(20) { // a parcel each
		b.accept(t, "nhip/in/position/old", fix(noon.Add(time.Duration(i)*time.Second), 21))
		await.True(t, "it is in the outbox", func() bool { return parcels() == i+1 })
	}
	if rows := b.ledgerNow(t); rows["bus/hanoi/old 12:00"].Pending != 20 {
		t.Errorf("what waits is told as %+v", rows)
	}
	gone.Store(false)
	await.True(t, "a gap is left", func() bool { return b.drain.progress.head() > 20 })
	b.accept(t, "nhip/in/position/new", fix(noon, 21))
	b.checkLedger(t, map[string]string{"bus/hanoi/old 12:00": "20 20 0 0 0 map[]", "bus/hanoi/new 12:00": "1 1 0 0 0 map[]"})
	if n := len(b.shelf.rows()); n != 21 {
		t.Errorf("%d rows are stored, want 21 once each", n)
	}
}

// TestTheBacklogKeepsItsRate holds the rows that were overtaken back for good, as a rate of one row in
// an hour does, and looks whether fresh ones pass, also over a restart.
func TestTheBacklogKeepsItsRate(t *testing.T) {
	b := newBench(t)
	gone := b.shelf.away()
	b.tune = func(c *Collector) {
		c.drain.fresh = time.Nanosecond
		c.drain.rate.SetLimit(1.0 / 3600)
		c.drain.rate.SetBurst(1)
	}
	b.start(t)
	gone.Store(true)
	for i := range 5 {
		b.accept(t, "nhip/in/position/old", fix(noon.Add(time.Duration(i)*time.Second), 21))
		await.True(t, "it is in the outbox", func() bool { return b.outbox.LastSeq() == uint64(i+1) })
	}
	gone.Store(false)
	await.True(t, "they are overtaken", func() bool { return b.drain.progress.head() > 5 })
	for _, again := range []func(*testing.T){func(*testing.T) {}, b.crash} {
		again(t)
		if b.Collector == nil {
			b.start(t)
		}
		before := len(b.shelf.rows())
		b.accept(t, "nhip/in/position/new", fix(noon.Add(time.Duration(before)*time.Second), 21))
		await.True(t, "the fresh row is stored", func() bool {
			return strings.Contains(strings.Join(b.shelf.rows()[before:], "\n"), "vehicle=new")
		})
	}
	b.tune = nil
	b.stop(t)
	b.start(t)
	rows := b.ledger(t)
	if old := rows["bus/hanoi/old 12:00"]; old.Stored != 5 {
		t.Errorf("the overtaken rows: %+v", old)
	}
}

// TestAFullDiskStopsTheIntakeAndNothingElse fills what may wait on disk.
func TestAFullDiskStopsTheIntakeAndNothingElse(t *testing.T) {
	b := newBench(t)
	gone := b.shelf.away()
	gone.Store(true)
	b.start(t)
	if !b.Taking() {
		t.Fatal("an empty journal is full")
	}
	accepted, full := fillUp(t, b)
	if !errors.Is(full, journal.ErrNoRoom) || b.Taking() {
		t.Fatalf("after %d messages: %v, taking %v", accepted, full, b.Taking())
	}
	gone.Store(false)
	taken := false // once: said again it would be a duplicate, and counted
	await.True(t, "messages are taken in again", func() bool {
		taken = taken || b.try(big(accepted)) == nil
		return taken && b.Taking()
	})
	b.await(t, accepted+1)
}

// fillUp accepts messages until one is refused.
func fillUp(t *testing.T, b *bench) (accepted int, err error) {
	t.Helper()
	for err == nil {
		if err = b.try(big(accepted)); err == nil {
			accepted++
		}
		if accepted > 1_000 {
			t.Fatal("there is no bound")
		}
	}
	return accepted, err
}

// try takes a message through the door and returns its outcome.
func (b *bench) try(m nhip.Message) error {
	done := make(chan error, 1)
	b.Accept(m, func(err error) { done <- err })
	return <-done
}

const bigRows = 300

// big is a message of so many rows with all that a text may hold, half a megabyte as a record.
func big(n int) nhip.Message {
	long := strings.Repeat("x", 250)
	var rows []string
	for i := range bigRows {
		rows = append(rows, fmt.Sprintf(`{"time":%q,"lat":21,"lon":105,"headsign":%q,"trip":%q,"stop":%q,"next_stop":%q,"line":%q,"route":%q}`,
			noon.Add(-time.Duration(n*bigRows+i)*time.Second).Format(time.RFC3339), long, long, long, long, long, long))
	}
	return nhip.Message{Topic: "nhip/in/position/1", Payload: []byte("[" + strings.Join(rows, ",") + "]"), Received: noon}
}

// await waits until so many big messages are stored, once each.
func (b *bench) await(t *testing.T, messages int) {
	t.Helper()
	await.True(t, "nothing is pending", func() bool { return b.Pending() == 0 })
	var stored, received int64
	for _, r := range b.ledgerNow(t) {
		stored += r.Stored
		received += r.Received
	}
	if want := int64(messages * bigRows); stored != want || received != want || int64(len(b.shelf.rows())) != want {
		t.Errorf("received %d, stored %d, in the database %d, want %d", received, stored, len(b.shelf.rows()), want)
	}
}
