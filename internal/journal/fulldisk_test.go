package journal

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"
	"testing"
)

// stretch is a piece of a journal's life that makes every operation on the disk there is: appends
// into zeros and with new ones, segments that end, begin and are released, and cursors.
func stretch(j *Journal, acked map[uint64]string) {
	for i := range 9 {
		batch := []string{fmt.Sprintf("%d a", j.LastSeq()), fmt.Sprintf("%d b", j.LastSeq())}
		for k, a := range appendBatch(j, batch) {
			if a.err == nil {
				acked[a.seq] = batch[k]
			}
		}
		if i == 5 {
			_ = j.SaveCursor("c", j.LastSeq())
			_ = j.Release(j.LastSeq() / 2)
		}
	}
}

var stretchOptions = Options{SegmentBytes: 250}

// TestDiskFullFromAnyCall has the disk full, or broken, from each operation on for some operations,
// the opening's among them. Nothing is acknowledged that is not there afterwards, at once and after a
// crash, and the journal goes on by itself.
func TestDiskFullFromAnyCall(t *testing.T) {
	whole := countOps(t)
	if whole < 30 {
		t.Fatalf("a stretch is %d operations only", whole)
	}
	for i, length := range []int{1, 2, 3, 4, 5, 7, 11, whole} {
		for from := range whole {
			err := []error{syscall.ENOSPC, syscall.EIO}[(from+i)%2]
			if !diskFull(t, from, length, err) {
				t.Fatalf("in %v from operation %d on for %d", err, from, length)
			}
		}
	}
}

func countOps(t *testing.T) int {
	dir := t.TempDir()
	files := newFaultFS(t, dir)
	stretch(mustOpenOn(t, dir, stretchOptions, files), map[uint64]string{})
	return files.count()
}

func diskFull(t *testing.T, from, length int, err error) bool {
	dir, rerr := os.MkdirTemp(t.TempDir(), "")
	if rerr != nil {
		t.Fatal(rerr)
	}
	files := newFaultFS(t, dir)
	for i := range length {
		files.failAfter(from+i, fault{err: err, part: 25 * (i % 3)})
	}
	j, oerr := open(dir, stretchOptions, files)
	for tries := 0; oerr != nil; tries++ {
		if !errors.Is(oerr, err) || tries > length {
			t.Fatalf("open %v, want %v until it works", oerr, err)
		}
		j, oerr = open(dir, stretchOptions, files)
	}
	defer j.Close()
	acked := map[uint64]string{}
	stretch(j, acked)
	files.heal()
	for range 2 { // the first may meet what is broken still
		a := appendOne(j, "healthy")
		if a.err != nil {
			t.Errorf("append to a disk that has recovered: %v", a.err)
			return false
		}
		acked[a.seq] = "healthy"
	}
	want := keep(acked, j.FirstSeq(), j.LastSeq())
	wantEntries(t, j, want)
	crashBoth(t, files, stretchOptions, want, j.LastSeq())
	return !t.Failed()
}

// keep returns the acknowledged records from one seq to another, each of which must be one.
func keep(acked map[uint64]string, first, last uint64) (all []entry) {
	for _, seq := range slices.Sorted(maps.Keys(acked)) {
		if seq >= first && seq <= last {
			all = append(all, entry{seq, acked[seq]})
		}
	}
	return all
}
