package ledger

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip"
)

// newSavedLedger creates a ledger with the counts of one device after three checkpoints and returns its folder.
func newSavedLedger(t *testing.T, files ...func(dir string, checkpoint int)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ledger")
	l, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		l.Classify(&Fact{Device: "bus/a/1", Series: "vp", Time: int64(i), Print: 1})
		l.Update(func(tx *Tx) {
			c := tx.Counts("bus/a/1", 0)
			c.Received++
			c.Queued++
			c.Stored++
			tx.SetMark("m", []byte{byte('1' + i)})
		})
		if err := l.Checkpoint(); err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			f(dir, i+1)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestOpenRefusesNewerFormat checks that files of a newer version are refused and stay as they are, instead of being
// set aside as damage.
func TestOpenRefusesNewerFormat(t *testing.T) {
	for _, pattern := range []string{"*.run", checkpointName} {
		dir := newSavedLedger(t)
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatal(paths, err)
		}
		b, err := os.ReadFile(paths[0])
		if err != nil {
			t.Fatal(err)
		}
		b[8] = 2 // the version
		end := len(b)
		if n, ok := headerSize(b); ok {
			end = int(n)
		}
		binary.LittleEndian.PutUint32(b[end-sumSize:], checksum(b[:end-sumSize]))
		if err := os.WriteFile(paths[0], b, fileMode); err != nil {
			t.Fatal(err)
		}
		before := fileNames(t, dir)
		if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "newer version of nhip") ||
			!strings.Contains(err.Error(), filepath.Base(paths[0])) {
			t.Errorf("%s: Open = %v", pattern, err)
		}
		if after := fileNames(t, dir); after != before {
			t.Errorf("%s: files %s, before %s", pattern, after, before)
		}
	}
}

func fileNames(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestCheckpointOlderThanSegments restores a copy of the live folder in which the file "checkpoint" was copied before
// the segments were merged. The merged segment must not be removed.
func TestCheckpointOlderThanSegments(t *testing.T) {
	var old []byte
	dir := newSavedLedger(t, func(dir string, checkpoint int) {
		if checkpoint == 1 {
			var err error
			if old, err = os.ReadFile(filepath.Join(dir, checkpointName)); err != nil {
				t.Fatal(err)
			}
		}
	})
	if err := os.WriteFile(filepath.Join(dir, checkpointName), old, fileMode); err != nil {
		t.Fatal(err)
	}
	l, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	page, err := l.Page(nhip.LedgerQuery{}, "c")
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	if len(page.Rows) != 1 || page.Rows[0].Stored != 3 || string(l.Mark("m")) != "3" {
		t.Errorf("%+v, mark %q, want 3 stored", page.Rows, l.Mark("m"))
	}
}

// TestLostIsKept checks that lost rows are counted over a checkpoint and a reopening, and are not pending.
func TestLostIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	l, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	l.Update(func(tx *Tx) {
		c := tx.Counts("bus/a/1", 7)
		c.Received, c.Queued, c.Stored, c.Lost = 5, 5, 1, 3
		c.Reject(nhip.CodeMalformed, 2)
		c.Received += 2
	})
	if err := errors.Join(l.Checkpoint(), l.Close()); err != nil {
		t.Fatal(err)
	}
	if l, err = Open(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	page, err := l.Page(nhip.LedgerQuery{}, "c")
	if err != nil || len(page.Rows) != 1 {
		t.Fatal(page, err)
	}
	r := page.Rows[0]
	if !r.Balanced() || r.Lost != 3 || r.Pending != 1 || r.TotalRejected() != 2 || len(r.Rejected) != 1 {
		t.Errorf("%+v", r)
	}
	out, err := l.Outstanding()
	if err != nil || len(out.Pending) != 1 || out.Pending[Cell{"bus/a/1", 7}] != 1 {
		t.Errorf("outstanding %+v, %v", out, err)
	}
}
