package collector

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip"
	"nhip/collector/ledger"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
)

// zeroRecord overwrites the frame that contains text in a journal with zeros.
func zeroRecord(t *testing.T, dir, text string) {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range segments {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		const segmentHeader, summed = 16, 8
		for from := segmentHeader; from+summed < len(b); {
			to := from + summed + int(binary.LittleEndian.Uint32(b[from:]))
			if bytes.Contains(b[from:to], []byte(text)) {
				clear(b[from:to])
				if err := os.WriteFile(path, b, 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			from = to
		}
	}
	t.Fatalf("%s is not in %s", text, dir)
}

// reconciled reports whether all losses are counted.
func (h *harness) reconciled() bool { return h.losses.outbox.Load() == h.dedup.reconciled.Load() }

func (h *harness) databaseDown() {
	h.store.setFail(func(string) error {
		return &influx.WriteError{Kind: influx.Retry, Err: errors.New("connection refused")}
	})
}

// TestLostOutboxRecordsAreCounted damages an outbox record while the database is down: its rows become lost and do not
// stay pending, all others are stored.
func TestLostOutboxRecordsAreCounted(t *testing.T) {
	h := newHarness(t)
	h.databaseDown()
	h.start(t)
	for i := range 5 {
		h.accept(t, fmt.Sprintf("nhip/in/position/lost%d", i), positionAt(noon, 21))
		awaittest.True(t, "an outbox record of its own", func() bool { return h.dedup.behind() == 0 })
	}
	h.stop(t)
	zeroRecord(t, filepath.Join(h.dir, "outbox"), "vehicle=lost2")
	h.store.setFail(nil)
	h.start(t)
	awaittest.True(t, "the loss is counted", func() bool { return h.Pending() == 0 && h.reconciled() })
	rows := h.ledgerNow(t)
	for i := range 5 {
		want := nhip.LedgerRow{Received: 1, Stored: 1}
		if i == 2 {
			want = nhip.LedgerRow{Received: 1, Lost: 1}
		}
		got := rows[fmt.Sprintf("bus/hanoi/lost%d 12:00", i)]
		if got.Received != want.Received || got.Stored != want.Stored || got.Lost != want.Lost || got.Pending != 0 {
			t.Errorf("bus %d: %+v, want %+v", i, got, want)
		}
	}
	if h.Intact() {
		t.Error("the loss does not degrade the collector")
	}
	if bad, err := filepath.Glob(filepath.Join(h.dir, "outbox", "*.bad")); err != nil || len(bad) != 1 {
		t.Errorf("copies of the damaged segment: %v, %v", bad, err)
	}
}

// TestLostIntakeRecordsAreCounted damages an intake record that is not classified yet. It is counted as received and
// lost, and the messages behind it are stored.
func TestLostIntakeRecordsAreCounted(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	h.accept(t, "nhip/in/position/first", positionAt(noon, 21))
	awaittest.True(t, "the first is stored", func() bool { return h.Pending() == 0 })
	h.stop(t)
	ledgerBefore, outboxBefore := readDir(t, filepath.Join(h.dir, "ledger")), readDir(t, filepath.Join(h.dir, "outbox"))
	h.databaseDown()
	h.start(t)
	for i := range 5 {
		h.accept(t, fmt.Sprintf("nhip/in/position/lost%d", i), positionAt(noon, 21))
	}
	h.stop(t)
	restoreDir(t, filepath.Join(h.dir, "ledger"), ledgerBefore) // as if nothing of it had been classified
	restoreDir(t, filepath.Join(h.dir, "outbox"), outboxBefore)
	for _, cursor := range []string{"clerk.cursor"} {
		if err := os.Remove(filepath.Join(h.dir, "journal", cursor)); err != nil {
			t.Fatal(err)
		}
	}
	zeroRecord(t, filepath.Join(h.dir, "journal"), "lost2")
	h.store.setFail(nil)
	h.start(t)
	rows := h.ledger(t)
	for i := range 5 {
		if got := rows[fmt.Sprintf("bus/hanoi/lost%d 12:00", i)]; i != 2 && got.Stored != 1 || i == 2 && got.Received != 0 {
			t.Errorf("bus %d: %+v", i, got)
		}
	}
	if got := rows[nhip.LostDevice+" 12:00"]; got.Received != 1 || got.Lost != 1 {
		t.Errorf("lost messages: %+v, want 1 received and lost", got)
	}
	if h.Intact() {
		t.Error("the loss does not degrade the collector")
	}
}

// readDir returns the contents of a folder's files by name.
func readDir(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func restoreDir(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCrashWithFullOutbox fills the outbox while the database is down and crashes. The record that is classified but
// has no room in the outbox is beside the ledger; once the database is up, everything is stored once.
func TestCrashWithFullOutbox(t *testing.T) {
	h := newHarness(t)
	h.databaseDown()
	h.start(t)
	fillers := 0
	for size := 7 << 20; size > 16; {
		filler := newOutboxRecord()
		filler.lines = []byte("filler\n")
		filler.add(0, "filler", hourOf(noon.UnixMilli()), false)
		filler.devices = append(filler.devices, strings.Repeat("x", size))
		if h.dedup.appendToOutbox(filler.append(nil)) != nil {
			size /= 2
			continue
		}
		fillers++
		h.Collector.ledger.Update(func(tx *ledger.Tx) {
			c := tx.Counts("filler", hourOf(noon.UnixMilli()))
			c.Received++
			c.Queued++
		})
	}
	const accepted = 20
	for i := range accepted {
		h.accept(t, fmt.Sprintf("nhip/in/position/%d", i), positionAt(noon, 21))
	}
	path := filepath.Join(h.dir, "unqueued")
	awaittest.True(t, "a checkpoint covers the record that has no room", func() bool {
		covered, err := h.intake.Cursor(dedupMark)
		_, missing := os.Stat(path)
		return missing == nil && err == nil && covered == h.dedup.classified.Load()
	})
	h.crash(t)
	h.store.setFail(nil)
	h.start(t)
	awaittest.True(t, "everything is stored", func() bool { return h.Pending() == 0 })
	for key, r := range h.ledgerNow(t) {
		if r.Received != r.Stored {
			t.Errorf("%s: %+v", key, r)
		}
	}
	if n := len(h.store.rows()); n != accepted+fillers {
		t.Errorf("%d rows stored, want %d", n, accepted+fillers)
	}
	if !h.Intact() {
		t.Error("a loss is reported")
	}
	awaittest.True(t, "the record beside the ledger is removed", func() bool {
		_, err := os.Stat(filepath.Join(h.dir, "unqueued"))
		return errors.Is(err, fs.ErrNotExist)
	})
}

// TestUnqueuedRecordOfMaximumSize keeps the longest outbox record for a checkpoint of the ledger, and damages it.
func TestUnqueuedRecordOfMaximumSize(t *testing.T) {
	dir := t.TempDir()
	l, err := ledger.Open(filepath.Join(dir, "ledger"), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	u := unqueued{filepath.Join(dir, "unqueued")}
	want := bytes.Repeat([]byte("x"), maxOutboxRecord)
	note, err := u.save(7, want)
	if err != nil {
		t.Fatal(err)
	}
	l.Update(func(tx *ledger.Tx) { tx.SetMark(unqueuedMark, note) })
	if err := l.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	if got, through, err := u.load(l); err != nil || through != 7 || !bytes.Equal(got, want) {
		t.Errorf("%d bytes through %d, %v", len(got), through, err)
	}
	want[0] = 'y'
	if err := os.WriteFile(u.path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, through, err := u.load(l); err == nil || through != 7 || got != nil {
		t.Errorf("damaged record: %d bytes through %d, %v", len(got), through, err)
	}
}
