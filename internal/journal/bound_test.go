package journal

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
)

// bounded is a journal of small segments: nine records of 25 bytes to each.
var bounded = Options{SegmentBytes: 450, MaxRecord: 400, MaxBytes: 1400}

// fill appends records, each in a commit of its own, until one is refused, and returns how many were
// not.
func fill(t *testing.T, j *Journal, dir string) (taken int) {
	t.Helper()
	for {
		switch a := appendOne(j, strings.Repeat("x", 25)); {
		case errors.Is(a.err, ErrFull) && errors.Is(a.err, ErrNoRoom) && a.seq == 0:
			return taken
		case a.err != nil:
			t.Fatal(a.err)
		}
		taken++
		if got := bytesOnDisk(t, dir); got > j.opts.MaxBytes || got != j.Stats().Bytes {
			t.Fatalf("%d bytes on disk, stats say %d, the most is %d", got, j.Stats().Bytes, j.opts.MaxBytes)
		}
	}
}

// TestBound: at the bound records are refused and all else goes on; a release is all that is needed
// for more.
func TestBound(t *testing.T) {
	dir := t.TempDir()
	var log strings.Builder
	o := bounded
	o.Logger = textLogger(&log)
	j := mustOpen(t, dir, o)
	taken := fill(t, j, dir)
	const frame, overhead = 26 + frameHeader, 26 + frameHeader + headerSize
	if left := o.MaxBytes - int64(taken*frame+4*headerSize); left < 0 || left >= overhead {
		t.Errorf("refused after %d records with %d bytes left", taken, left)
	}
	if a := appendOne(j, "also refused, whatever its size"); !errors.Is(a.err, ErrFull) {
		t.Errorf("answer %v, want %v", a, ErrFull)
	}
	s := j.Stats()
	if !s.Full || s.Refused != 2 || s.MaxBytes != o.MaxBytes || s.Failures != 0 || s.Appended != uint64(taken) {
		t.Errorf("stats %+v, want full with 2 refused", s)
	}
	if got := len(readFrom(t, j, 0)); got != taken {
		t.Errorf("%d records to read, want %d", got, taken)
	}
	if err := j.SaveCursor("c", 9); err != nil {
		t.Error(err)
	}
	if err := j.Release(8); err != nil || !j.Stats().Full { // not a whole segment
		t.Errorf("Release = %v, full %v, want full still", err, j.Stats().Full)
	}
	if err := j.Release(9); err != nil || j.Stats().Full {
		t.Errorf("Release = %v, full %v, want room before the next append", err, j.Stats().Full)
	}
	if more := fill(t, j, dir); more < 8 || more > 10 {
		t.Errorf("%d records after a segment was released, want about 9", more)
	}
	if n := strings.Count(log.String(), "records are refused until some are released"); n != 2 {
		t.Errorf("%d log lines of two times full:\n%s", n, log.String())
	}
	mustClose(t, j)
	j = mustOpen(t, dir, o)
	if more := fill(t, j, dir); more > 1 {
		t.Errorf("%d records after reopening a full journal", more)
	}
}

// TestNeverFullForEver: when all is released the longest record finds room, whatever the settings
// that the journal was written with.
func TestNeverFullForEver(t *testing.T) {
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
					appendOne(j, strings.Repeat("x", 25)) // refused or not
				}
				for n := range 4 {
					appendOne(j, strings.Repeat("x", n*100)) // also the longest
				}
				mustClose(t, j)
				j = mustOpen(t, dir, bounded)
				if err := j.Release(j.LastSeq()); err != nil {
					t.Fatal(err)
				}
				mustAppend(t, j, strings.Repeat("x", bounded.MaxRecord))
				if got := bytesOnDisk(t, dir); got > bounded.MaxBytes {
					t.Errorf("%d bytes on disk, the most is %d", got, bounded.MaxBytes)
				}
			}
		})
	}
}

// TestFullIsSaidAtOnce: what waits for the disk takes room too, and nobody waits to hear of it.
func TestFullIsSaidAtOnce(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		files := newFaultFS(t, dir)
		files.gate = make(chan struct{})
		j := mustOpenOn(t, dir, Options{SegmentBytes: 700, MaxRecord: 500, MaxBytes: 1400}, files)
		acked, refused := 0, 0
		put := func() {
			j.Append(make([]byte, 298), func(_ uint64, err error) {
				switch {
				case err == nil:
					acked++
				case errors.Is(err, ErrFull):
					refused++
				}
			})
		}
		put()
		synctest.Wait() // it is in its sync; two more fill a frame
		for range 2 {
			put()
		}
		waiting := make(chan struct{})
		go func() {
			put() // fits under the bound and not in the frame
			close(waiting)
		}()
		synctest.Wait()
		j.Append(make([]byte, 500), func(_ uint64, err error) { refused++ }) // does not fit
		select {
		case <-waiting:
			t.Error("the fourth did not wait for the frame")
		default:
		}
		if acked != 0 || refused != 1 {
			t.Errorf("acked %d, refused %d while the disk is busy, want 0 and 1", acked, refused)
		}
		close(files.gate)
		<-waiting
		mustClose(t, j)
		if acked != 4 || refused != 1 {
			t.Errorf("acked %d, refused %d, want 4 and 1", acked, refused)
		}
	})
}

// TestBoundCountsWhatCannotBeDeleted: released is not deleted yet.
func TestBoundCountsWhatCannotBeDeleted(t *testing.T) {
	dir := t.TempDir()
	files := newFaultFS(t, dir)
	j := mustOpenOn(t, dir, bounded, files)
	fill(t, j, dir)
	files.failAfter(2, fault{err: syscall.EIO}) // the second remove
	if err := j.Release(j.LastSeq()); !errors.Is(err, syscall.EIO) {
		t.Fatalf("Release = %v, want %v", err, syscall.EIO)
	}
	if got, want := j.Stats().Bytes, bytesOnDisk(t, dir); got != want || len(segmentNames(t, dir)) != 3 {
		t.Errorf("%d bytes after a release that failed half way, want the %d of 3 segments", got, want)
	}
	fill(t, j, dir)
	if err := j.Release(0); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, strings.Repeat("x", bounded.MaxRecord))
}

// TestBoundHoldsAtTheDisk: what was admitted and finds no room any more, because a failed frame that
// the disk does not cut off took it, is refused too; and that is no failure of the disk.
func TestBoundHoldsAtTheDisk(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, bounded)
	taken := fill(t, j, dir)
	got := make(chan answer, 1)
	j.mu.Lock()
	j.pending.add(make([]byte, bounded.MaxRecord), func(seq uint64, err error) { got <- answer{seq, err} })
	j.work.Signal()
	j.mu.Unlock()
	if a := <-got; !errors.Is(a.err, ErrFull) || a.seq != 0 {
		t.Errorf("answer %v, want %v", a, ErrFull)
	}
	if size := bytesOnDisk(t, dir); size > bounded.MaxBytes {
		t.Errorf("%d bytes on disk, the most is %d", size, bounded.MaxBytes)
	}
	if err := j.Release(j.LastSeq()); err != nil {
		t.Fatal(err)
	}
	if a := appendOne(j, "a"); a != (answer{seq: uint64(taken + 1)}) {
		t.Errorf("answer %v, want seq %d", a, taken+1)
	}
}

// TestNoRoomOnDisk: which errors of the disk are ErrNoRoom, and how long the journal is full.
func TestNoRoomOnDisk(t *testing.T) {
	for err, want := range map[error]bool{
		syscall.ENOSPC: true, syscall.EDQUOT: true, syscall.EFBIG: true, syscall.EIO: false, syscall.EROFS: false,
	} {
		dir := t.TempDir()
		files := newFaultFS(t, dir)
		j := mustOpenOn(t, dir, Options{}, files)
		mustAppend(t, j, "a")
		files.setAlways(err)
		a := appendOne(j, "b")
		if !errors.Is(a.err, err) || errors.Is(a.err, ErrNoRoom) != want || errors.Is(a.err, ErrFull) {
			t.Errorf("append on a disk that says %q: %v, ErrNoRoom %v", err, a.err, !want)
		}
		if serr := j.SaveCursor("c", 1); errors.Is(serr, ErrNoRoom) != want {
			t.Errorf("SaveCursor on a disk that says %q: %v, ErrNoRoom %v", err, serr, !want)
		}
		if got := j.Stats().Full; got != want {
			t.Errorf("full %v after %q, want %v", got, err, want)
		}
		files.heal()
		mustAppend(t, j, "c")
		if j.Stats().Full {
			t.Errorf("full after %q has gone", err)
		}
	}
}
