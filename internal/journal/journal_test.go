package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

func TestOptionsAreChecked(t *testing.T) {
	for _, c := range []struct {
		dir  string
		o    Options
		want string
	}{
		{"x", Options{SegmentBytes: -1}, "SegmentBytes: must not be negative, got -1"},
		{"x", Options{MaxRecord: -1}, "MaxRecord: must be between 0 and 1073741824, got -1"},
		{"x", Options{MaxRecord: 1<<30 + 1}, "MaxRecord: must be between 0 and 1073741824"},
		{"x", Options{MaxBytes: -1}, "MaxBytes: must be at least 2 times SegmentBytes, 1048615, got -1"},
		{"x", Options{MaxBytes: 1 << 20}, "MaxBytes: must be at least 2 times SegmentBytes, 1048615, got 1048576"},
		{
			"x",
			Options{MaxBytes: 1000, SegmentBytes: 501, MaxRecord: 9},
			"MaxBytes: must be at least 2 times SegmentBytes, 501, got 1000",
		},
		{
			"x",
			Options{MaxBytes: 1000, SegmentBytes: 136, MaxRecord: 100},
			"SegmentBytes: must be at least 137 to hold a record of MaxRecord, got 136",
		},
		{"", Options{}, "dir: is required"},
	} {
		j, err := Open(c.dir, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open(%q, %+v) = %v, %v, want an error with %q", c.dir, c.o, j, err, c.want)
		}
	}
}

func TestOpenRejectsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	writeFile(t, path, nil)
	if _, err := Open(path, Options{}); !errors.Is(err, errNotDir) {
		t.Errorf("Open on a file = %v, want %v", err, errNotDir)
	}
}

func TestRecordsSurviveReopening(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	records := []string{"one", "", "three", strings.Repeat("x", 200_000)}
	j := mustOpen(t, dir, Options{})
	for i, r := range records {
		if got, want := appendOne(j, r), (outcome{seq: uint64(i + 1)}); got != want {
			t.Fatalf("outcome %d = %v, want %v", i, got, want)
		}
	}
	wantEntries(t, j, entries(1, records...))
	mustClose(t, j)

	j = mustOpen(t, dir, Options{})
	wantEntries(t, j, entries(1, records...))
	mustAppend(t, j, "five")
	wantEntries(t, j, entries(1, append(records, "five")...))
	s := j.Stats()
	if s.Segments != 1 || s.Records != 5 || s.FirstSeq != 1 || s.LastSeq != 5 || s.Appended != 1 || s.Commits != 1 {
		t.Errorf("stats = %+v", s)
	}
}

func TestSegmentFormat(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{})
	appendBatch(j, []string{"hi", ""})
	mustClose(t, j)
	want := "6e686970" + "6a726e6c" + "01000000" + "d2d15a4a" + // header: magic, version, checksum
		"10000000" + "1a75398d" + // frame: 16 bytes, checksum
		"0100000000000000" + "02000000" + // seq 1, 2 records
		"026869" + "00" // "hi", ""
	got := fmt.Sprintf("%x", readFile(t, filepath.Join(dir, "00000000000000000001.seg")))
	if got != want {
		t.Errorf("segment = %s\nwant      %s", got, want)
	}
}

func TestAppendCopiesRecord(t *testing.T) {
	j := mustOpen(t, t.TempDir(), Options{})
	buf := []byte("first")
	got := make(chan outcome, 2)
	done := func(seq uint64, err error) { got <- outcome{seq, err} }
	j.Append(buf, done)
	copy(buf, "other")
	j.Append(buf, done)
	for range 2 {
		if a := <-got; a.err != nil {
			t.Fatal(a.err)
		}
	}
	wantEntries(t, j, entries(1, "first", "other"))
}

func TestAppendRejectsTooBigAndAfterClose(t *testing.T) {
	j := mustOpen(t, t.TempDir(), Options{MaxRecord: 4})
	if a := appendOne(j, "12345"); !errors.Is(a.err, ErrTooBig) || a.seq != 0 {
		t.Errorf("too long record: %v, want %v", a, ErrTooBig)
	}
	mustAppend(t, j, "1234")
	j.Append([]byte("1"), nil)
	mustClose(t, j)
	if a := appendOne(j, "1"); !errors.Is(a.err, ErrClosed) {
		t.Errorf("after Close: %v, want %v", a, ErrClosed)
	}
	if err := j.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	left := entries(1, "1234", "1")
	r := j.Reader(1)
	defer r.Close()
	for _, want := range left {
		seq, record, err := r.Next(t.Context())
		if got := (entry{seq, string(record)}); err != nil || got != want {
			t.Errorf("after Close read %v, %v, want %v", got, err, want)
		}
	}
	if _, _, err := r.Next(t.Context()); err != io.EOF {
		t.Errorf("at the end of a closed journal: %v, want EOF", err)
	}
}

func TestSecondOpenIsLocked(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{})
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second Open = %v, want %v with the folder's name", err, ErrLocked)
	}
	mustAppend(t, j, "still works")
	mustClose(t, j)
	wantEntries(t, mustOpen(t, dir, Options{}), entries(1, "still works"))
}

func TestReleaseDeletesCompleteSegments(t *testing.T) {
	dir := t.TempDir()
	o := Options{SegmentBytes: 100} // a header and two frames of 29 to 31 bytes
	j := mustOpen(t, dir, o)
	mustAppend(t, j, numbered(1, 7)...)
	names := func(firsts ...int) (names []string) {
		for _, first := range firsts {
			names = append(names, fmt.Sprintf("%020d.seg", first))
		}
		return names
	}
	for _, c := range []struct {
		release uint64
		segs    []string
		first   uint64
	}{
		{0, names(1, 3, 5, 7), 1},
		{1, names(1, 3, 5, 7), 1},
		{2, names(3, 5, 7), 3},
		{2, names(3, 5, 7), 3},
		{5, names(5, 7), 5},
		{1 << 63, names(7), 7}, // the newest segment remains
	} {
		if err := j.Release(c.release); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.segs, segmentNames(t, dir)); diff != "" {
			t.Errorf("after Release(%d) (-want +got):\n%s", c.release, diff)
		}
		if got := j.FirstSeq(); got != c.first {
			t.Errorf("after Release(%d) FirstSeq = %d, want %d", c.release, got, c.first)
		}
		wantEntries(t, j, entries(c.first, numbered(int(c.first), 8-int(c.first))...))
	}
}

func TestSeqsContinueAfterFullRelease(t *testing.T) {
	dir := t.TempDir()
	o := Options{SegmentBytes: 1} // one frame per segment
	j := mustOpen(t, dir, o)
	mustAppend(t, j, "a", "b")
	j.rollForTest()
	if err := j.Release(2); err != nil {
		t.Fatal(err)
	}
	if j.FirstSeq() != 3 || j.LastSeq() != 2 || len(readFrom(t, j, 0)) != 0 {
		t.Errorf("FirstSeq %d LastSeq %d, want 3 and 2, nothing to read", j.FirstSeq(), j.LastSeq())
	}
	mustClose(t, j)
	j = mustOpen(t, dir, o)
	if j.FirstSeq() != 3 || j.LastSeq() != 2 {
		t.Errorf("reopened: FirstSeq %d LastSeq %d, want 3 and 2", j.FirstSeq(), j.LastSeq())
	}
	mustAppend(t, j, "c")
	wantEntries(t, j, entries(3, "c"))
}

// rollForTest begins a new, empty segment, as a failure or a crash after the begin of a segment does. The committer
// must be idle.
func (j *Journal) rollForTest() {
	j.closeSegment()
	if err := j.beginSegment(); err != nil {
		panic(err)
	}
}

func TestAppendWaitsAtMaxPending(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		files := newFaultFS(t, dir)
		files.gate = make(chan struct{})
		j := mustOpenOn(t, dir, Options{}, files)
		record := make([]byte, 1<<20)
		acked, appended := 0, 0
		put := func() { j.Append(record, func(_ uint64, err error) { acked++ }); appended++ }
		put()
		synctest.Wait() // the first is being synced
		go func() {
			for range 17 {
				put()
			}
		}()
		synctest.Wait()
		if acked != 0 || appended != 17 {
			t.Errorf("acked %d, appended %d before the sync ends, want 0 and 17", acked, appended)
		}
		files.gate <- struct{}{}
		synctest.Wait()
		if acked != 1 || appended != 18 {
			t.Errorf("acked %d, appended %d after the first sync, want 1 and 18", acked, appended)
		}
		close(files.gate)
		mustClose(t, j)
		if acked != 18 {
			t.Errorf("acked %d of 18 after Close", acked)
		}
	})
}

func TestCloseEndsWaitingAppends(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		files := newFaultFS(t, dir)
		files.gate = make(chan struct{})
		j := mustOpenOn(t, dir, Options{}, files)
		record := make([]byte, 1<<20)
		j.Append(record, nil)
		synctest.Wait()
		for range 16 {
			j.Append(record, nil)
		}
		rejected := make(chan outcome, 1)
		go j.Append(record, func(seq uint64, err error) { rejected <- outcome{seq, err} })
		synctest.Wait()
		closed := make(chan error)
		go func() { closed <- j.Close() }()
		if a := <-rejected; !errors.Is(a.err, ErrClosed) {
			t.Errorf("the waiting append got %v, want %v", a, ErrClosed)
		}
		close(files.gate)
		if err := <-closed; err != nil || j.LastSeq() != 17 {
			t.Errorf("Close = %v with %d records, want 17", err, j.LastSeq())
		}
	})
}

// TestConcurrentUse runs appenders, readers that release, and Stats together. It is for the race detector as much as
// for the order of the records.
func TestConcurrentUse(t *testing.T) {
	const appenders, each = 8, 400
	j := mustOpen(t, t.TempDir(), Options{SegmentBytes: 4 << 10})
	var wg sync.WaitGroup
	for a := range appenders {
		wg.Go(func() {
			for i := range each {
				j.Append(fmt.Appendf(nil, "%d %d", a, i), func(_ uint64, err error) {
					if err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
	for range 2 {
		wg.Go(func() { consume(t, j, appenders, each) })
	}
	wg.Wait()
	if s := j.Stats(); s.LastSeq != appenders*each || s.Segments > 2 || s.DamagedParts != 0 {
		t.Errorf("stats at the end = %+v", s)
	}
}

// consume reads the appenders' records. Those of each appender must be in order.
func consume(t *testing.T, j *Journal, appenders, each int) {
	r := j.Reader(1)
	defer r.Close()
	next := make([]int, appenders)
	for n := uint64(1); n <= uint64(appenders*each); n++ {
		seq, record, err := r.Next(t.Context())
		if err != nil || seq < n {
			t.Errorf("record %d: seq %d, %v", n, seq, err)
			return
		}
		n = seq // the other consumer may have released records in between
		var a, i int
		if _, err := fmt.Sscanf(string(record), "%d %d", &a, &i); err != nil || i < next[a] {
			t.Errorf("record %d is %q, want at least number %d of its appender", seq, record, next[a])
			return
		}
		next[a] = i + 1
		if err := j.Release(seq); err != nil {
			t.Error(err)
		}
		_ = j.Stats()
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	j := mustOpen(t, t.TempDir(), Options{})
	record := make([]byte, 150)
	var wg sync.WaitGroup
	done := func(uint64, error) { wg.Done() }
	allocs := testing.AllocsPerRun(200, func() {
		wg.Add(100)
		for range 100 {
			j.Append(record, done)
		}
		wg.Wait()
	}) / 100
	if allocs > 0.1 {
		t.Errorf("%.2f allocations per append, want at most 0.1", allocs)
	}
}

func TestOtherFilesAreIgnored(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"1.seg", "0000000000000000000x.seg", "00000000000000000000.seg", "notes.txt"} {
		writeFile(t, filepath.Join(dir, name), []byte("not ours"))
	}
	j := mustOpen(t, dir, Options{})
	mustAppend(t, j, "a")
	if err := j.Release(1); err != nil {
		t.Fatal(err)
	}
	wantEntries(t, j, entries(1, "a"))
	if _, err := os.Stat(filepath.Join(dir, "1.seg")); err != nil {
		t.Error(err)
	}
}
