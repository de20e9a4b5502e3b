package journal

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func textLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// TestFailedCommit makes each operation of a commit fail in turn. The batch gets the error, the next one succeeds, and
// the failed records are never read: not by readers, not after reopening, and not after a crash that keeps every
// written byte or loses every byte that it can.
func TestFailedCommit(t *testing.T) {
	for _, roll := range []bool{false, true} {
		ops := 2 // write, sync
		if roll {
			ops = 5 // create, rename, sync of the folder, write, sync
		}
		for op := range ops {
			for _, f := range []fault{
				{err: syscall.ENOSPC},
				{err: syscall.EIO, part: 1 << 20},
				{err: syscall.ENOSPC, part: 30},
			} {
				t.Run(fmt.Sprintf("roll=%v/op=%d/%+v", roll, op, f), func(t *testing.T) { failOne(t, roll, op, f) })
			}
		}
	}
}

func failOne(t *testing.T, roll bool, op int, f fault) {
	dir := t.TempDir()
	o := Options{SegmentBytes: 1 << 20}
	if roll {
		o.SegmentBytes = 1
	}
	files := newFaultFS(t, dir)
	j := mustOpenOn(t, dir, o, files)
	mustAppend(t, j, "a", "b")
	files.failAfter(op, f)
	for _, a := range appendBatch(j, []string{"failed 1", "failed 2"}) {
		if !errors.Is(a.err, f.err) || a.seq != 0 {
			t.Fatalf("outcome %v, want %v", a, f.err)
		}
	}
	wantEntries(t, j, entries(1, "a", "b"))

	if j.tailOpen() { // otherwise the failed frame is not overridden yet
		if got, want := bytesOnDisk(t, dir), j.Stats().Bytes; got != want {
			t.Errorf("%d bytes on disk after the failure, want %d", got, want)
		}
		crashBoth(t, files, o, entries(1, "a", "b"), 2)
	}
	mustAppend(t, j, "c")
	wantEntries(t, j, entries(1, "a", "b", "c"))
	crashBoth(t, files, o, entries(1, "a", "b", "c"), 3)
}

// bytesOnDisk returns the size of all segments and of the quarantined files that are not a second name of one of them.
func bytesOnDisk(t testing.TB, dir string) (size int64) {
	names := segmentNames(t, dir)
	for _, name := range append(names, quarantinedNames(t, dir)...) {
		twin := strings.Replace(name, quarantineSuffix, segmentSuffix, 1)
		if twin == name || !slices.Contains(names, twin) {
			size += int64(len(readFile(t, filepath.Join(dir, name))))
		}
	}
	return size
}

// tailOpen reports whether the newest segment is open. The committer must be idle.
func (j *Journal) tailOpen() bool { return j.tail.file != nil }

// crashBoth opens copies of a journal's disk after two possible crashes: one that keeps as little as possible and one
// that keeps as much as possible.
func crashBoth(t *testing.T, files *faultFS, o Options, want []entry, last uint64) {
	t.Helper()
	for name, pick := range map[string]func(int) int{
		"least": func(int) int { return 0 },
		"most":  func(n int) int { return n - 1 },
	} {
		dir := t.TempDir()
		for name, content := range files.image(pick) {
			writeFile(t, filepath.Join(dir, name), content)
		}
		j := mustOpenOn(t, dir, o, noSyncFS{})
		wantEntries(t, j, want)
		if a := appendOne(j, "after"); a != (outcome{seq: last + 1}) {
			t.Errorf("crash that keeps the %s: append %v, want seq %d", name, a, last+1)
		}
		wantEntries(t, j, append(slices.Clone(want), entry{last + 1, "after"}))
		mustClose(t, j)
	}
}

func TestFullDiskRecovers(t *testing.T) {
	dir := t.TempDir()
	var log strings.Builder
	files := newFaultFS(t, dir)
	j := mustOpenOn(t, dir, Options{Logger: textLogger(&log)}, files)
	mustAppend(t, j, "a")
	files.setAlways(syscall.ENOSPC)
	for range 5 {
		if a := appendOne(j, "rejected"); !errors.Is(a.err, syscall.ENOSPC) {
			t.Fatalf("outcome %v, want %v", a, syscall.ENOSPC)
		}
	}
	if err := j.Release(1); err != nil { // must keep the only segment, which preserves the seqs
		t.Error(err)
	}
	files.heal()
	if a := appendOne(j, "b"); a != (outcome{seq: 2}) {
		t.Errorf("outcome %v, want seq 2", a)
	}
	wantEntries(t, j, entries(1, "a", "b"))
	if s := j.Stats(); s.Failures != 5 || s.Appended != 2 {
		t.Errorf("stats %+v, want 5 failures", s)
	}
	for line, n := range map[string]int{"journal write failed": 1, "journal writes succeed again": 1} {
		if got := strings.Count(log.String(), line); got != n {
			t.Errorf("%q logged %d times, want %d:\n%s", line, got, n, log.String())
		}
	}
	mustClose(t, j)
	wantEntries(t, mustOpen(t, dir, Options{}), entries(1, "a", "b"))
}

// TestFailedSegmentPreservesSeqs makes the only remaining segment, which is empty, fail. A crash before its replacement
// is durable must not lose the seqs.
func TestFailedSegmentPreservesSeqs(t *testing.T) {
	dir := t.TempDir()
	files := newFaultFS(t, dir)
	j := mustOpenOn(t, dir, Options{}, files)
	mustAppend(t, j, "a", "b")
	files.failAfter(1, fault{err: syscall.EIO}) // the sync
	if a := appendOne(j, "rejected"); a.err == nil {
		t.Fatal("the sync did not fail")
	}
	if err := j.Release(2); err != nil {
		t.Fatal(err)
	}
	files.failAfter(0, fault{err: syscall.ENOSPC, part: 5}) // write to the new, empty segment
	files.failAfter(3, fault{err: syscall.ENOSPC})          // rename of its replacement
	if a := appendOne(j, "rejected"); a.err == nil {
		t.Fatal("the write did not fail")
	}
	crashBoth(t, files, Options{}, nil, 2)
}

func TestReleaseRetriesFailedDeletions(t *testing.T) {
	dir := t.TempDir()
	files := newFaultFS(t, dir)
	j := mustOpenOn(t, dir, Options{SegmentBytes: 1}, files)
	mustAppend(t, j, "a", "b", "c")
	files.failAfter(2, fault{err: syscall.EIO}) // the second deletion
	if err := j.Release(2); !errors.Is(err, syscall.EIO) {
		t.Fatalf("Release = %v, want %v", err, syscall.EIO)
	}
	if n := len(segmentNames(t, dir)); n != 2 {
		t.Fatalf("%d segments after the failed release, want 2", n)
	}
	if err := j.Release(2); err != nil {
		t.Fatal(err)
	}
	if n := len(segmentNames(t, dir)); n != 1 {
		t.Errorf("%d segments after the second release, want 1", n)
	}
	wantEntries(t, j, entries(3, "c"))
}

func TestReaderContinuesAfterReadError(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{})
	mustAppend(t, j, "a", "b")
	r := j.Reader(1)
	defer r.Close()
	real := j.files
	j.files = unreadable{real}
	if _, _, err := r.Next(t.Context()); !errors.Is(err, syscall.EIO) {
		t.Errorf("Next = %v, want %v", err, syscall.EIO)
	}
	j.files = real
	_ = r.closeSegment()
	if seq, record, err := r.Next(t.Context()); seq != 1 || string(record) != "a" || err != nil {
		t.Errorf("Next after the error = %d %q %v, want 1 a", seq, record, err)
	}
}

// unreadable is a disk whose files can be opened but not read.
type unreadable struct{ fileSystem }

func (u unreadable) open(path string, flag int) (file, error) {
	f, err := u.fileSystem.open(path, flag)
	return unreadableFile{f}, err
}

type unreadableFile struct{ file }

func (unreadableFile) ReadAt([]byte, int64) (int, error) { return 0, syscall.EIO }
