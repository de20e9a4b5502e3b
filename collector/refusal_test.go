package collector

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/deadletter"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
)

// refuse returns a fakeStore.fail that refuses a request with a row of which bad is true. Like InfluxDB, it says how
// many rows it refused; unless mute.
func refuse(status int, words string, mute bool, bad func(line string) bool) func(string) error {
	return func(lines string) error {
		dropped := 0
		for line := range strings.Lines(lines) {
			if bad(line) {
				dropped++
			}
		}
		switch {
		case dropped == 0:
			return nil
		case mute:
			return &influx.WriteError{Kind: influx.Rejected, Status: status, Err: errors.New(words)}
		}
		err := fmt.Errorf("partial write: %s dropped=%d", words, dropped)
		return &influx.WriteError{Kind: influx.Rejected, Status: status, Err: err, Dropped: dropped}
	}
}

func everyRow(string) bool { return true }

func ofVehicle(id string) func(string) bool {
	return func(line string) bool { return strings.Contains(line, "vehicle="+id+" ") }
}

const typeConflict = `field type conflict: input field "lat" on measurement "position" is type float, ` +
	`already exists as type string`

// acceptRows accepts a message with so many positions of a vehicle.
func (h *harness) acceptRows(t *testing.T, vehicle string, first, rows int) {
	t.Helper()
	var all []string
	for i := first; i < first+rows; i++ {
		all = append(all, positionAt(noon.Add(-time.Duration(i)*time.Second), 21))
	}
	h.accept(t, "nhip/in/position/"+vehicle, "["+strings.Join(all, ",")+"]")
}

func (h *harness) refusedLetters(t *testing.T) []nhip.DeadLetter {
	t.Helper()
	all, _ := h.allLetters(t, nhip.DeadLetterQuery{Code: nhip.CodeRefused})
	return all
}

// sumOf returns the sum of the ledger's rows, and fails if one is unbalanced.
func (h *harness) sumOf(t *testing.T, vehicle string) (sum nhip.LedgerRow) {
	t.Helper()
	for key, r := range h.ledgerNow(t) {
		if !r.Balanced() {
			t.Errorf("%s: unbalanced %+v", key, r)
		}
		if !strings.HasPrefix(key, "bus/hanoi/"+vehicle+" ") {
			continue
		}
		sum.Received += r.Received
		sum.Stored += r.Stored
		sum.Duplicate += r.Duplicate
		sum.Pending += r.Pending
		sum.Rejected = map[nhip.Code]int64{nhip.CodeRefused: sum.Rejected[nhip.CodeRefused] + r.Rejected[nhip.CodeRefused]}
	}
	return sum
}

// unreplayed counts the refused rows that are not replayed. The collector's own count belongs to its housekeeping.
func (h *harness) unreplayed(t *testing.T) int64 {
	t.Helper()
	r := deadletter.NewRefused(h.deadDir)
	if err := r.Count(); err != nil {
		t.Fatal(err)
	}
	return r.Unreplayed()
}

// TestRefusedRowsAreAllKept lets the database refuse half of 1,200 rows. All of those must be dead letters, and be
// stored once when they are replayed after the database was cured, however often.
func TestRefusedRowsAreAllKept(t *testing.T) {
	for _, mute := range []bool{false, true} {
		t.Run(fmt.Sprintf("mute %v", mute), func(t *testing.T) {
			const half = 600
			h := newHarness(t)
			h.store.fail = refuse(400, typeConflict, mute, ofVehicle("7"))
			h.start(t)
			for i := range half / 100 { // interleaved
				h.acceptRows(t, "7", i*100, 100)
				h.acceptRows(t, "8", i*100, 100)
			}
			awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
			if r := h.sumOf(t, "7"); r.Rejected[nhip.CodeRefused] != half || r.Stored != 0 {
				t.Errorf("ledger of the refused rows %+v", r)
			}
			if r := h.sumOf(t, "8"); r.Stored != half {
				t.Errorf("ledger of the good rows %+v", r)
			}
			letters := h.refusedLetters(t)
			if len(letters) != half {
				t.Fatalf("%d letters, want %d", len(letters), half)
			}
			if n := h.unreplayed(t); n != half {
				t.Errorf("%d rows not replayed, want %d", n, half)
			}
			h.store.setFail(nil)
			for range 2 {
				for ids := letters; len(ids) > 0; ids = ids[min(len(ids), nhip.MaxReplay):] {
					var names []string
					for _, l := range ids[:min(len(ids), nhip.MaxReplay)] {
						names = append(names, l.ID)
					}
					for _, r := range h.replayLetters(t, names...) {
						if r.Passed != 1 {
							t.Fatalf("replay: %+v", r)
						}
					}
				}
			}
			awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
			if r := h.sumOf(t, "7"); r.Stored != half || r.Duplicate != half || r.Rejected[nhip.CodeRefused] != half {
				t.Errorf("ledger after two replays %+v", r)
			}
			if n := h.unreplayed(t); n != 0 {
				t.Errorf("%d rows not replayed after the replay", n)
			}
		})
	}
}

// TestEverythingRefusedStopsTheWriter lets the database refuse everything. The rows must stay in the outbox, also over
// a crash, and be stored without anybody's help once the database accepts rows.
func TestEverythingRefusedStopsTheWriter(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func(string) error
	}{
		{"with the number of rows", refuse(422, "points beyond retention policy", false, everyRow)},
		{"without", refuse(400, "<html>a proxy", true, everyRow)},
		{"too large", func(string) error {
			return &influx.WriteError{Kind: influx.TooLarge, Status: 413, Err: errors.New("<html>a proxy")}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			const messages, rows = 10, 100
			h := newHarness(t)
			h.store.fail = c.fail
			h.start(t)
			for i := range messages {
				h.acceptRows(t, "7", i*rows, rows)
			}
			stopped := func() bool { return h.writer.writeFault(time.Now(), 0) != "" }
			awaittest.True(t, "the writer stops", stopped)
			h.crash(t)
			h.start(t)
			awaittest.True(t, "the writer stops again", stopped)
			words := c.fail("x\n").Error()
			if why := h.writer.writeFault(time.Now(), 0); !strings.Contains(why, words[:50]) {
				t.Errorf("the reason is %q, want it to contain %q", why, words[:50])
			}
			if r := h.sumOf(t, "7"); r.Pending != messages*rows {
				t.Errorf("the ledger counts %+v, want all pending", r)
			}
			if n := len(h.refusedLetters(t)); n > 0 {
				t.Errorf("%d dead letters", n)
			}
			h.store.setFail(nil)
			awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
			if r := h.sumOf(t, "7"); r.Stored != messages*rows {
				t.Errorf("the ledger counts %+v, want all stored", r)
			}
			awaittest.True(t, "the fault is over", func() bool { return !stopped() })
		})
	}
}

// TestRefusedRowsDoNotHoldUpOthers lets the database refuse all rows of one bus, whose rows come first.
func TestRefusedRowsDoNotHoldUpOthers(t *testing.T) {
	const bad = 2_000
	h := newHarness(t)
	h.store.fail = refuse(400, "unable to parse", true, ofVehicle("7"))
	h.start(t)
	for i := range bad / 500 {
		h.acceptRows(t, "7", i*500, 500)
	}
	awaittest.True(t, "the writer stops", func() bool { return h.writer.writeFault(time.Now(), 0) != "" })
	h.acceptRows(t, "8", 0, 1)
	awaittest.True(t, "the good row is stored", func() bool { return len(h.store.rows()) == 1 })
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
	if r := h.sumOf(t, "7"); r.Rejected[nhip.CodeRefused] != bad {
		t.Errorf("ledger of the refused rows %+v", r)
	}
	if n := len(h.refusedLetters(t)); n != bad {
		t.Errorf("%d letters, want %d", n, bad)
	}
}

// TestRefusedRowsAfterGoodOnesAreNotHeld lets the database refuse the last rows that come in.
func TestRefusedRowsAfterGoodOnesAreNotHeld(t *testing.T) {
	const rows = 300
	h := newHarness(t)
	h.store.fail = refuse(422, typeConflict, false, ofVehicle("7"))
	h.start(t)
	h.acceptRows(t, "8", 0, rows)
	awaittest.True(t, "the good rows are stored", func() bool { return h.dedup.behind() == 0 && h.Pending() == 0 })
	h.acceptRows(t, "7", 0, rows)
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
	if n := len(h.refusedLetters(t)); n != rows {
		t.Errorf("%d letters, want %d", n, rows)
	}
	if r := h.sumOf(t, "8"); r.Stored != rows || r.Received != rows {
		t.Errorf("ledger of the good rows %+v", r)
	}
}

// TestRefusedRowsFillTheirRoom lets refused rows fill the room of dead letters: the rest must wait in the outbox.
func TestRefusedRowsFillTheirRoom(t *testing.T) {
	const rows = 400
	h := newHarness(t)
	h.store.fail = refuse(400, typeConflict, false, ofVehicle("7"))
	h.tune = func(c *Collector) { c.writer.maxDeadBytes = 100 << 10 }
	h.start(t)
	for i := range rows / 20 {
		h.acceptRows(t, "7", i*20, 20)
		h.acceptRows(t, "8", i*20, 20)
		want := uint64(i)
		awaittest.True(t, "the rows are in the outbox", func() bool { return h.outbox.LastSeq() > want })
	}
	awaittest.True(t, "the writer stops", func() bool {
		return strings.Contains(h.writer.writeFault(time.Now(), 0), "collector.dead_bytes")
	})
	kept := len(h.refusedLetters(t))
	if r := h.sumOf(t, "7"); kept == 0 || r.Rejected[nhip.CodeRefused] != int64(kept) || r.Pending == 0 {
		t.Errorf("%d letters, ledger %+v", kept, r)
	}
	if size := h.refused.Bytes(); size > 100<<10 {
		t.Errorf("the letters have %d bytes", size)
	}
	h.store.setFail(nil)
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
	if r := h.sumOf(t, "7"); r.Stored != rows-int64(kept) || r.Received != rows {
		t.Errorf("%d letters, ledger %+v", kept, r)
	}
}

// TestPruneKeepsRefusedRows prunes by age and by size. Refused rows must stay until they are replayed.
func TestPruneKeepsRefusedRows(t *testing.T) {
	h := newHarness(t)
	h.store.fail = rejectVehicle7
	h.start(t)
	h.accept(t, "nhip/in/position/7", positionAt(noon, 21))
	h.accept(t, "nhip/in/position/8", positionAt(noon, 21))
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
	refused := h.refusedLetters(t)
	if len(refused) != 1 {
		t.Fatalf("letters %+v", refused)
	}
	h.keeper.maxDeadBytes = 1
	for _, age := range []time.Duration{0, 1000 * 24 * time.Hour} { // letters of rows have the machine's time
		h.clock.set(time.Now().Add(age))
		h.accept(t, "nhip/in/position/1", "garbage") // on a newer day
		awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
		h.keeper.countRefused()
		h.keeper.pruneDeadLetters()
		if n := len(h.refusedLetters(t)); n != 1 {
			t.Fatalf("%d refused rows left, want 1", n)
		}
	}
	h.store.setFail(nil)
	h.replayLetters(t, refused[0].ID)
	awaittest.True(t, "the replay is over", func() bool {
		h.keeper.countRefused()
		return h.refused.Unreplayed() == 0
	})
	h.keeper.pruneDeadLetters()
	if n := len(h.refusedLetters(t)); n != 0 {
		t.Errorf("%d replayed rows left, want none", n)
	}
}
