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

// workload causes every kind of disk operation: appends with and without preallocation, segments that end, begin and
// are released, and cursors.
func workload(j *Journal, acked map[uint64]string) {
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

var workloadOptions = Options{SegmentBytes: 250}

// TestDiskFailsFromAnyOperation makes some operations fail, from each operation on, including those of Open. Every
// acknowledged record can be read afterwards, also after a crash, and the journal recovers.
func TestDiskFailsFromAnyOperation(t *testing.T) {
	whole := countOps(t)
	if whole < 30 {
		t.Fatalf("the workload has only %d operations", whole)
	}
	for i, length := range []int{1, 2, 3, 4, 5, 7, 11, whole} {
		for from := range whole {
			err := []error{syscall.ENOSPC, syscall.EIO}[(from+i)%2]
			if !diskFull(t, from, length, err) {
				t.Fatalf("with %v from operation %d on for %d operations", err, from, length)
			}
		}
	}
}

func countOps(t *testing.T) int {
	dir := t.TempDir()
	files := newFaultFS(t, dir)
	workload(mustOpenOn(t, dir, workloadOptions, files), map[uint64]string{})
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
	j, oerr := open(dir, workloadOptions, files)
	for tries := 0; oerr != nil; tries++ {
		if !errors.Is(oerr, err) || tries > length {
			t.Fatalf("open: %v, want %v or success", oerr, err)
		}
		j, oerr = open(dir, workloadOptions, files)
	}
	defer j.Close()
	acked := map[uint64]string{}
	workload(j, acked)
	files.heal()
	for range 2 { // the second commit follows a complete one
		a := appendOne(j, "healthy")
		if a.err != nil {
			t.Errorf("append after the disk has recovered: %v", a.err)
			return false
		}
		acked[a.seq] = "healthy"
	}
	want := between(acked, j.FirstSeq(), j.LastSeq())
	wantEntries(t, j, want)
	crashBoth(t, files, workloadOptions, want, j.LastSeq())
	return !t.Failed()
}

// between returns the acknowledged records between two seqs, inclusive.
func between(acked map[uint64]string, first, last uint64) (all []entry) {
	for _, seq := range slices.Sorted(maps.Keys(acked)) {
		if seq >= first && seq <= last {
			all = append(all, entry{seq, acked[seq]})
		}
	}
	return all
}
