package journal

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
)

// bounded makes small segments of nine records of 25 bytes.
var bounded = Options{SegmentBytes: 450, MaxRecord: 400, MaxBytes: 1400}

// fill appends records, each in a commit of its own, until one is rejected, and returns the number of accepted ones.
func fill(t *testing.T, j *Journal, dir string) (accepted int) {
	t.Helper()
	for {
		switch a := appendOne(j, strings.Repeat("x", 25)); {
		case errors.Is(a.err, ErrBound) && errors.Is(a.err, ErrFull) && a.seq == 0:
			return accepted
		case a.err != nil:
			t.Fatal(a.err)
		}
		accepted++
		if got := bytesOnDisk(t, dir); got > j.opts.MaxBytes || got != j.Stats().Bytes {
			t.Fatalf("%d bytes on disk, %d in Stats, MaxBytes is %d", got, j.Stats().Bytes, j.opts.MaxBytes)
		}
	}
}

// TestBoundRejectsUntilRelease checks that only appends fail at the bound, and that Release is sufficient for more.
func TestBoundRejectsUntilRelease(t *testing.T) {
	dir := t.TempDir()
	var log strings.Builder
	o := bounded
	o.Logger = textLogger(&log)
	j := mustOpen(t, dir, o)
	accepted := fill(t, j, dir)
	const frame, overhead = 26 + frameHeader, 26 + frameHeader + headerSize
	if left := o.MaxBytes - int64(accepted*frame+4*headerSize); left < 0 || left >= overhead {
		t.Errorf("rejected after %d records with %d bytes left", accepted, left)
	}
	if a := appendOne(j, "also rejected, whatever its size"); !errors.Is(a.err, ErrBound) {
		t.Errorf("outcome %v, want %v", a, ErrBound)
	}
	s := j.Stats()
	if !s.Full || s.Rejected != 2 || s.MaxBytes != o.MaxBytes || s.Failures != 0 || s.Appended != uint64(accepted) {
		t.Errorf("stats %+v, want full with 2 rejected", s)
	}
	if got := len(readFrom(t, j, 0)); got != accepted {
		t.Errorf("%d records read, want %d", got, accepted)
	}
	if err := j.SaveCursor("c", 9); err != nil {
		t.Error(err)
	}
	if err := j.Release(8); err != nil || !j.Stats().Full { // no complete segment
		t.Errorf("Release = %v, full %v, want full", err, j.Stats().Full)
	}
	if err := j.Release(9); err != nil || j.Stats().Full {
		t.Errorf("Release = %v, full %v, want not full", err, j.Stats().Full)
	}
	if more := fill(t, j, dir); more < 8 || more > 10 {
		t.Errorf("%d records after the release of a segment, want about 9", more)
	}
	if n := strings.Count(log.String(), "records are rejected until space is released"); n != 2 {
		t.Errorf("%d log lines, want 2:\n%s", n, log.String())
	}
	mustClose(t, j)
	j = mustOpen(t, dir, o)
	if more := fill(t, j, dir); more > 1 {
		t.Errorf("%d records after reopening a full journal", more)
	}
}

// TestReleasedJournalAcceptsLongestRecord checks that after the release of all records the longest record fits,
// whatever options the journal was written with.
func TestReleasedJournalAcceptsLongestRecord(t *testing.T) {
	for _, before := range []Options{
		bounded,
		{SegmentBytes: 1 << 20},
		{SegmentBytes: bounded.SegmentBytes - 1},
		{SegmentBytes: 2000, MaxBytes: 4000, MaxRecord: 100},
	} {
		t.Run(fmt.Sprintf("%+v", before), func(t *testing.T) {
			dir := t.TempDir()
			j := mustOpen(t, dir, before)
			for range 3 {
				for range 30 {
					appendOne(j, strings.Repeat("x", 25)) // may be rejected
				}
				for n := range 4 {
					appendOne(j, strings.Repeat("x", n*100)) // up to the longest
				}
				mustClose(t, j)
				j = mustOpen(t, dir, bounded)
				if err := j.Release(j.LastSeq()); err != nil {
					t.Fatal(err)
				}
				mustAppend(t, j, strings.Repeat("x", bounded.MaxRecord))
				if got := bytesOnDisk(t, dir); got > bounded.MaxBytes {
					t.Errorf("%d bytes on disk, MaxBytes is %d", got, bounded.MaxBytes)
				}
			}
		})
	}
}

// TestBoundRejectsAtOnce checks that pending records count, and that a rejection does not wait for the disk.
func TestBoundRejectsAtOnce(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		files := newFaultFS(t, dir)
		files.gate = make(chan struct{})
		j := mustOpenOn(t, dir, Options{SegmentBytes: 700, MaxRecord: 500, MaxBytes: 1400}, files)
		acked, rejected := 0, 0
		put := func() {
			j.Append(make([]byte, 298), func(_ uint64, err error) {
				switch {
				case err == nil:
					acked++
				case errors.Is(err, ErrBound):
					rejected++
				}
			})
		}
		put()
		synctest.Wait() // the first is being synced; two more fill a frame
		for range 2 {
			put()
		}
		waiting := make(chan struct{})
		go func() {
			put() // fits under the bound, but not into the frame
			close(waiting)
		}()
		synctest.Wait()
		j.Append(make([]byte, 500), func(_ uint64, err error) { rejected++ }) // does not fit
		select {
		case <-waiting:
			t.Error("the fourth append did not wait")
		default:
		}
		if acked != 0 || rejected != 1 {
			t.Errorf("acked %d, rejected %d during the sync, want 0 and 1", acked, rejected)
		}
		close(files.gate)
		<-waiting
		mustClose(t, j)
		if acked != 4 || rejected != 1 {
			t.Errorf("acked %d, rejected %d, want 4 and 1", acked, rejected)
		}
	})
}

func TestBoundCountsUndeletedSegments(t *testing.T) {
	dir := t.TempDir()
	files := newFaultFS(t, dir)
	j := mustOpenOn(t, dir, bounded, files)
	fill(t, j, dir)
	files.failAfter(2, fault{err: syscall.EIO}) // the second deletion
	if err := j.Release(j.LastSeq()); !errors.Is(err, syscall.EIO) {
		t.Fatalf("Release = %v, want %v", err, syscall.EIO)
	}
	if got, want := j.Stats().Bytes, bytesOnDisk(t, dir); got != want || len(segmentNames(t, dir)) != 3 {
		t.Errorf("%d bytes after a partly failed release, want the %d of 3 segments", got, want)
	}
	fill(t, j, dir)
	if err := j.Release(0); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, strings.Repeat("x", bounded.MaxRecord))
}

// TestBoundHoldsForAdmittedRecords checks that the committer rejects an admitted record that no longer fits, as happens
// if the disk fails to truncate a failed frame.
func TestBoundHoldsForAdmittedRecords(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, bounded)
	accepted := fill(t, j, dir)
	got := make(chan outcome, 1)
	j.mu.Lock()
	j.pending.add(make([]byte, bounded.MaxRecord), func(seq uint64, err error) { got <- outcome{seq, err} })
	j.workReady.Signal()
	j.mu.Unlock()
	if a := <-got; !errors.Is(a.err, ErrBound) || a.seq != 0 {
		t.Errorf("outcome %v, want %v", a, ErrBound)
	}
	if size := bytesOnDisk(t, dir); size > bounded.MaxBytes {
		t.Errorf("%d bytes on disk, MaxBytes is %d", size, bounded.MaxBytes)
	}
	if err := j.Release(j.LastSeq()); err != nil {
		t.Fatal(err)
	}
	if a := appendOne(j, "a"); a != (outcome{seq: uint64(accepted + 1)}) {
		t.Errorf("outcome %v, want seq %d", a, accepted+1)
	}
}

// TestDiskErrorsAreErrFull checks which errors of the disk are ErrFull, and when Stats.Full is set and cleared.
func TestDiskErrorsAreErrFull(t *testing.T) {
	for err, want := range map[error]bool{
		syscall.ENOSPC: true, syscall.EDQUOT: true, syscall.EFBIG: true, syscall.EIO: false, syscall.EROFS: false,
	} {
		dir := t.TempDir()
		files := newFaultFS(t, dir)
		j := mustOpenOn(t, dir, Options{}, files)
		mustAppend(t, j, "a")
		files.setAlways(err)
		a := appendOne(j, "b")
		if !errors.Is(a.err, err) || errors.Is(a.err, ErrFull) != want || errors.Is(a.err, ErrBound) {
			t.Errorf("append with disk error %q: %v, ErrFull %v", err, a.err, !want)
		}
		if serr := j.SaveCursor("c", 1); errors.Is(serr, ErrFull) != want {
			t.Errorf("SaveCursor with disk error %q: %v, ErrFull %v", err, serr, !want)
		}
		if got := j.Stats().Full; got != want {
			t.Errorf("Full is %v after %q, want %v", got, err, want)
		}
		files.heal()
		mustAppend(t, j, "c")
		if j.Stats().Full {
			t.Errorf("Full is still set after the end of %q", err)
		}
	}
}
