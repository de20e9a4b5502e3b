package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// model is the expected content of a journal on a disk that fails and crashes.
type model struct {
	tb    testing.TB
	dir   string
	o     Options
	files *faultFS
	j     *Journal
	tail  *Reader // reads until the journal is reopened

	maxBytes int64 // maximum bytes on disk; unused without a bound
	faulty   bool  // the disk has failed or will fail, so that the journal may count more bytes than there are

	serial   int        // makes records distinct
	durable  []string   // record of seq i+1: acknowledged, or read after a crash
	released uint64     // records up to this seq may be deleted
	doubtful [][]string // batches, of which one may appear after a crash
	read     uint64     // seq of the last record that tail returned
	cursor   []uint64   // possible positions of the cursor
}

// TestJournalMatchesModel runs random sequences of appends, reads, releases, cursors, failures and crashes, and
// compares the journal with the model after each step. Every acknowledged record is read once, in order, with its
// bytes. Nothing else is read, except for one batch without an outcome because of a crash, or one that the disk failed
// to invalidate.
func TestJournalMatchesModel(t *testing.T) {
	root, tb := t.TempDir(), t
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		if err != nil {
			t.Fatal(err)
		}
		o := rapid.SampledFrom([]Options{
			{SegmentBytes: 200},
			{SegmentBytes: 2000},
			{SegmentBytes: 400, MaxBytes: 1200, MaxRecord: 350},
		}).Draw(t, "options")
		m := &model{tb: tb, dir: dir, o: o, files: newFaultFS(t, dir), cursor: []uint64{0}}
		m.start(t)
		defer func() { _ = m.j.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"append":     m.append,
			"append two": m.append, // appends are more frequent
			"read":       m.readSome,
			"release":    m.release,
			"drain":      m.drain,
			"cursor":     m.saveCursor,
			"fail":       m.fail,
			"fill disk":  m.fillDisk,
			"heal":       func(*rapid.T) { m.files.heal() },
			"reopen":     m.reopen,
			"crash":      m.crash,
			"kill":       m.kill,
			"crash soon": m.crashSoon,
			"":           m.check,
		})
		m.crash(t)
		m.check(t)
	})
}

// newBatch draws records that fit into one frame.
func (m *model) newBatch(t *rapid.T) (batch []string) {
	size := int64(headerSize + frameHeader)
	for range rapid.IntRange(1, 4).Draw(t, "records") {
		m.serial++
		filler := strings.Repeat("x", rapid.SampledFrom([]int{0, 0, 5, 30, 300}).Draw(t, "filler"))
		record := fmt.Sprintf("%d%s", m.serial, filler)
		size += recordSize(len(record))
		if m.o.MaxBytes > 0 && size > m.o.SegmentBytes {
			break
		}
		batch = append(batch, record)
	}
	return batch
}

// append appends a batch. The bound may reject some of its records; all others have the same outcome.
func (m *model) append(t *rapid.T) {
	drawn := m.newBatch(t)
	free := m.freeBytes(t)
	outcomes := appendBatch(m.j, drawn)
	var batch []string
	var failed error
	for i, a := range outcomes {
		n := recordSize(len(drawn[i]))
		if errors.Is(a.err, ErrBound) {
			if n <= free && !m.faulty {
				t.Fatalf("record of %d bytes is rejected with %d bytes free", n, free)
			}
			continue
		}
		free -= n
		batch = append(batch, drawn[i])
		if len(batch) > 1 && (a.err == nil) != (failed == nil) {
			t.Fatalf("outcomes of one batch differ: %v", outcomes)
		}
		if want := uint64(len(m.durable) + len(batch)); a.err == nil && a.seq != want {
			t.Fatalf("seq %d, want %d", a.seq, want)
		}
		failed = a.err
	}
	switch {
	case len(batch) == 0:
	case failed == nil:
		m.durable = append(m.durable, batch...)
		m.doubtful = nil
	case m.files.isCrashed():
		m.doubtful = append(m.doubtful, batch)
	case m.j.tailOpen():
		m.doubtful = nil // all are overridden
	default:
		m.doubtful = append(m.doubtful, batch)
	}
}

// freeBytes returns the number of bytes for records in a new frame that fit under the bound, from the files on disk.
func (m *model) freeBytes(t *rapid.T) int64 {
	if m.o.MaxBytes == 0 || m.files.isCrashed() {
		return math.MaxInt64
	}
	names := segmentNames(m.tb, m.dir)
	newest := readFile(m.tb, filepath.Join(m.dir, names[len(names)-1]))
	zeros := len(newest) - len(bytes.TrimRight(newest, "\x00"))
	return m.o.MaxBytes - bytesOnDisk(m.tb, m.dir) + int64(zeros) - headerSize - frameHeader
}

// drain releases all records on a disk without faults. Then the longest record must fit.
func (m *model) drain(t *rapid.T) {
	if m.o.MaxBytes == 0 || m.files.isCrashed() {
		return
	}
	m.files.heal()
	m.released = uint64(len(m.durable))
	if err := m.j.Release(m.released); err != nil {
		t.Fatal(err)
	}
	m.serial++
	record := fmt.Sprintf("%0*d", m.o.MaxRecord, m.serial)
	if a := appendOne(m.j, record); a != (outcome{seq: m.released + 1}) {
		t.Fatalf("append to a drained journal: %v, want seq %d; %+v", a, m.released+1, m.j.Stats())
	}
	m.durable = append(m.durable, record)
	m.doubtful = nil
}

func (m *model) fillDisk(*rapid.T) {
	m.faulty = true
	m.files.setAlways(syscall.ENOSPC)
}

func (m *model) crashSoon(t *rapid.T) {
	m.faulty = true
	m.files.crashAfter(rapid.IntRange(0, 8).Draw(t, "operations"))
}

func (m *model) fail(t *rapid.T) {
	m.faulty = true
	m.files.failAfter(rapid.IntRange(0, 6).Draw(t, "operations"), fault{
		err:  rapid.SampledFrom([]error{syscall.EIO, syscall.ENOSPC}).Draw(t, "error"),
		part: rapid.SampledFrom([]int{0, 1, 10, 30, 1 << 20}).Draw(t, "part"),
	})
}

// readSome reads some records with the tailing reader.
func (m *model) readSome(t *rapid.T) {
	for range rapid.IntRange(1, 6).Draw(t, "records") {
		seq, record, ok, err := m.tail.TryNext()
		if err != nil {
			if !m.files.isCrashed() {
				t.Fatal(err)
			}
			return
		}
		if !ok {
			m.wantRead(t, m.read, len(m.durable))
			return
		}
		if seq != m.read+1 && (seq <= m.read || m.read >= m.released || seq > m.released+1) {
			t.Fatalf("read seq %d after %d, up to %d are released", seq, m.read, m.released)
		}
		if string(record) != m.durable[seq-1] {
			t.Fatalf("seq %d is %q, want %q", seq, record, m.durable[seq-1])
		}
		m.read = seq
	}
}

func (m *model) wantRead(t *rapid.T, read uint64, want int) {
	if read != uint64(want) && !(read < m.released && m.released == uint64(want)) {
		t.Fatalf("read to %d, want %d (released: %d)", read, want, m.released)
	}
}

func (m *model) release(t *rapid.T) {
	seq := rapid.Uint64Range(0, uint64(len(m.durable))).Draw(t, "seq")
	m.released = max(m.released, seq)
	_ = m.j.Release(seq) // after a failure some segments remain
}

func (m *model) saveCursor(t *rapid.T) {
	seq := rapid.Uint64Range(0, uint64(len(m.durable))).Draw(t, "seq")
	if err := m.j.SaveCursor("c", seq); err != nil {
		m.cursor = append(m.cursor, seq)
		return
	}
	m.cursor = []uint64{seq}
}

// reopen closes and opens the journal; closing may fail.
func (m *model) reopen(t *rapid.T) {
	m.stop()
	m.start(t)
}

// crash simulates a power failure: unsynced changes may be lost, completely or in part.
func (m *model) crash(t *rapid.T) {
	m.stop()
	m.powerCut(t)
	m.start(t)
}

// kill ends the process but not the machine: all written bytes remain, synced or not.
func (m *model) kill(t *rapid.T) {
	m.files.crashNow()
	m.stop()
	m.files.revive()
	m.start(t)
}

func (m *model) stop() {
	_ = m.tail.Close()
	_ = m.j.Close()
}

func (m *model) powerCut(t *rapid.T) {
	image := m.files.image(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") })
	if err := os.RemoveAll(m.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(m.dir, dirMode); err != nil {
		t.Fatal(err)
	}
	for name, content := range image {
		if err := os.WriteFile(filepath.Join(m.dir, name), content, fileMode); err != nil {
			t.Fatal(err)
		}
	}
	m.files = newFaultFS(t, m.dir)
	cursor, err := readCursor(filepath.Join(m.dir, "c.cursor"))
	if errors.Is(err, fs.ErrNotExist) {
		cursor, err = 0, nil
	}
	if err != nil || !slices.Contains(m.cursor, cursor) {
		t.Fatalf("cursor after a crash is %d, %v, want one of %v", cursor, err, m.cursor)
	}
	m.cursor = []uint64{cursor}
}

// start opens the journal, on a new disk or the same. A doubtful batch that appears is durable from now on.
func (m *model) start(t *rapid.T) {
	j, err := open(m.dir, m.o, m.files)
	for err != nil {
		if m.files.isCrashed() {
			m.powerCut(t)
		}
		m.files.heal()
		if j, err = open(m.dir, m.o, m.files); err != nil {
			t.Fatalf("open a disk without faults: %v", err)
		}
	}
	m.j = j
	m.faulty = m.files.armed()
	m.maxBytes = max(m.o.MaxBytes, bytesOnDisk(m.tb, m.dir)) // a crash may restore released segments
	if last := j.LastSeq(); last < uint64(len(m.durable)) {
		t.Fatalf("last seq %d after opening, %d were acknowledged", last, len(m.durable))
	}
	var restored []string
	for _, e := range m.all(t) {
		if e.Seq > uint64(len(m.durable)) {
			restored = append(restored, e.Record)
		}
	}
	allowed := func(batch []string) bool { return slices.Equal(batch, restored) }
	if len(restored) > 0 && !slices.ContainsFunc(m.doubtful, allowed) {
		t.Fatalf("records %q appeared, allowed is one of %q", restored, m.doubtful)
	}
	m.durable = append(m.durable, restored...)
	m.doubtful = nil
	m.tail = j.Reader(m.read + 1)
}

// all reads the whole journal with a new reader.
func (m *model) all(t *rapid.T) (all []entry) {
	r := m.j.Reader(0)
	defer r.Close()
	for {
		seq, record, ok, err := r.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return all
		}
		all = append(all, entry{seq, string(record)})
	}
}

func (m *model) check(t *rapid.T) {
	if m.files.isCrashed() {
		rapid.SampledFrom([]func(*rapid.T){m.crash, m.kill}).Draw(t, "how")(t)
	}
	if got := m.j.LastSeq(); got != uint64(len(m.durable)) {
		t.Fatalf("LastSeq = %d, want %d", got, len(m.durable))
	}
	if got := bytesOnDisk(m.tb, m.dir); m.o.MaxBytes > 0 && got > m.maxBytes {
		t.Fatalf("%d bytes on disk, the maximum is %d", got, m.maxBytes)
	}
	first := m.j.FirstSeq()
	if first > m.released+1 {
		t.Fatalf("FirstSeq = %d, up to %d are released", first, m.released)
	}
	if diff := cmp.Diff(entries(first, m.durable[first-1:]...), m.all(t)); diff != "" {
		t.Fatalf("records (-want +got):\n%s", diff)
	}
	if cursor, err := m.j.Cursor("c"); err != nil || !slices.Contains(m.cursor, cursor) {
		t.Fatalf("Cursor = %d, %v, want one of %v", cursor, err, m.cursor)
	}
	if s := m.j.Stats(); s.DamagedParts != 0 || s.LostRecords != 0 {
		t.Fatalf("crashes and failures were counted as damage: %+v", s)
	}
}
