package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// tail is the end of the journal, as the committer writes it.
type tail struct {
	file      file // the newest segment's file; nil when it must not be written to any more
	seg       *segment
	size      int64  // bytes of file that are on disk for certain
	allocated int64  // maximum size of file; beyond size it has zeros or a failed frame
	next      uint64 // seq of the next record
	failing   bool   // the last batch failed
}

// run is the committer. No other goroutine writes segments.
func (j *Journal) run() {
	defer close(j.stopped)
	spare := newBatch()
	for {
		b, ok := j.takeBatch(spare)
		if !ok {
			return
		}
		first := j.tail.next
		err := j.commit(b)
		j.recordOutcome(err)
		b.acknowledge(first, err)
		b.reset()
		spare = b
		runtime.Gosched() // lets the acknowledged appenders into the next batch: 18 of 20 instead of 10
	}
}

// commit writes b as one frame, syncs it, and makes it visible to readers.
func (j *Journal) commit(b *batch) error {
	t := &j.tail
	if t.file != nil && t.size > 0 && t.size+int64(len(b.buf)) > j.opts.SegmentBytes {
		j.endSegment()
	}
	if t.file == nil {
		if err := j.beginSegment(); err != nil {
			return err
		}
	}
	written := b.seal(t.next, t.size == 0)
	allocated, ok := j.allocationFor(t.size + int64(len(written)))
	if !ok {
		return ErrBound
	}
	if err := j.checkMinFree(allocated); err != nil {
		return err
	}
	if err := j.write(written, allocated); err != nil {
		j.abandonSegment()
		return err
	}
	t.size += int64(len(written))
	t.next += uint64(len(b.dones))
	j.publish(len(b.dones))
	return nil
}

// write writes p at the end of the newest segment's frames, extends the file with zeros to allocated bytes, and syncs
// it.
func (j *Journal) write(p []byte, allocated int64) error {
	t := &j.tail
	if allocated > t.allocated {
		t.allocated = allocated
		if err := j.preallocate(t.size+int64(len(p)), allocated); err != nil {
			return err
		}
	}
	if _, err := t.file.WriteAt(p, t.size); err != nil {
		return fmt.Errorf("journal: write %s: %w", t.seg.path, markFull(err))
	}
	if err := t.file.Sync(); err != nil {
		return fmt.Errorf("journal: sync %s: %w", t.seg.path, markFull(err))
	}
	return nil
}

// preallocate fills the newest segment's file with zeros between two offsets, which may be equal.
func (j *Journal) preallocate(from, to int64) error {
	if from == to {
		return nil
	}
	if _, err := j.tail.file.WriteAt(zeros[:to-from], from); err != nil {
		return fmt.Errorf("journal: extend %s: %w", j.tail.seg.path, markFull(err))
	}
	return nil
}

// publish makes the newest commit visible to readers.
func (j *Journal) publish(records int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tail.seg.grow(j.tail.size, j.tail.allocated)
	j.space.inFlight, j.space.diskFull = 0, false
	j.last = j.tail.next - 1
	j.stats.Commits++
	j.stats.Appended += uint64(records)
	j.notifyReaders()
}

// notifyReaders wakes all waiting readers. The caller holds mu.
func (j *Journal) notifyReaders() {
	if j.changed != nil {
		close(j.changed)
		j.changed = nil
	}
}

// closeSegment truncates the newest segment after its last good frame, removing zeros or a failed frame, and closes it.
// Correctness does not depend on the truncation: readers find the end by the frames. It is not synced, because a sync
// of this descriptor may be meaningless after a failure.
func (j *Journal) closeSegment() error {
	t := &j.tail
	var err error
	if t.allocated > t.size {
		if err = t.file.Truncate(t.size); err == nil {
			t.allocated = t.size
		}
	}
	err = errors.Join(err, t.file.Close())
	t.file = nil
	j.mu.Lock()
	defer j.mu.Unlock()
	t.seg.disk, t.seg.zeros = t.allocated, 0
	return err
}

// endSegment closes the newest segment, whose frames are all on disk.
func (j *Journal) endSegment() {
	if err := j.closeSegment(); err != nil {
		j.log.Warn("journal segment can't be closed cleanly", "segment", j.tail.seg.path, "error", err)
	}
}

// abandonSegment ends the newest segment after a failed write or sync and invalidates the failed frame: by truncation,
// and by a new segment that overrides it. If the new segment fails too, the next commit tries again.
func (j *Journal) abandonSegment() {
	j.endSegment()
	if err := j.beginSegment(); err != nil {
		j.log.Warn("failed journal frame not yet overridden", "next_seq", j.tail.next, "error", err)
	}
}

// beginSegment creates the segment for the next record and makes its name durable. A segment of that name may exist
// with nothing but a failed frame. It is replaced by a rename, because a folder that has no segment, even for a moment,
// would lose the seqs in a crash.
func (j *Journal) beginSegment() error {
	seg := &segment{first: j.tail.next, path: segmentPath(j.dir, j.tail.next)}
	temp := filepath.Join(j.dir, newSegment)
	f, err := j.files.open(temp, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return fmt.Errorf("journal: create segment: %w", markFull(err))
	}
	if err = j.files.rename(temp, seg.path); err == nil {
		err = j.files.syncDir(j.dir)
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return fmt.Errorf("journal: create segment %s: %w", seg.path, markFull(err))
	}
	j.tail.file, j.tail.seg, j.tail.size, j.tail.allocated = f, seg, 0, 0
	j.addSegment(seg)
	return nil
}

// addSegment makes seg the newest segment. It replaces a failed segment of the same name.
func (j *Journal) addSegment(seg *segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.segs); n > 0 && j.segs[n-1].first == seg.first {
		j.segs = j.segs[:n-1]
	}
	j.segs = append(j.segs, seg)
	j.recount()
}

// recordOutcome counts a failed batch, and logs the first failure and the first success after failures.
func (j *Journal) recordOutcome(err error) {
	if err != nil {
		j.mu.Lock()
		j.stats.Failures++
		j.space.inFlight, j.space.diskFull = 0, errors.Is(err, ErrFull)
		j.mu.Unlock()
	}
	switch {
	case err != nil && !j.tail.failing:
		j.log.Error("journal write failed; records are rejected until a write succeeds", "error", err)
	case err == nil && j.tail.failing:
		j.log.Info("journal writes succeed again", "last_seq", j.tail.next-1)
	}
	j.tail.failing = err != nil
}
