package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// tail is the end of the journal as its writer sees it.
type tail struct {
	file    file // the newest segment's; nil when it must not be written to any more
	seg     *segment
	size    int64  // bytes of file that are known to be on disk
	reach   int64  // bytes that file may have: up to here it holds zeros, or what failed
	next    uint64 // seq of the next record
	failing bool   // the last batch failed
}

// run is the committer: it alone writes segments.
func (j *Journal) run() {
	defer close(j.stopped)
	spare := newBatch()
	for {
		b, ok := j.take(spare)
		if !ok {
			return
		}
		first := j.tail.next
		err := j.commit(b)
		j.note(err)
		b.answer(first, err)
		b.reset()
		spare = b
		runtime.Gosched() // lets those just answered into the next batch: 18 of 20 appenders instead of 10
	}
}

// commit puts b on disk as one frame and shows it to the readers.
func (j *Journal) commit(b *batch) error {
	t := &j.tail
	if t.file != nil && t.size > 0 && t.size+int64(len(b.buf)) > j.opts.SegmentBytes {
		j.end()
	}
	if t.file == nil {
		if err := j.begin(); err != nil {
			return err
		}
	}
	written := b.seal(t.next, t.size == 0)
	reach, ok := j.reachFor(t.size + int64(len(written)))
	if !ok {
		return ErrFull
	}
	if err := j.leaves(reach); err != nil {
		return err
	}
	if err := j.write(written, reach); err != nil {
		j.abandon()
		return err
	}
	t.size += int64(len(written))
	t.next += uint64(len(b.dones))
	j.publish(len(b.dones))
	return nil
}

// write puts p at the end of the newest segment, with zeros behind it as far as the file is to
// reach, and syncs it.
func (j *Journal) write(p []byte, reach int64) error {
	t := &j.tail
	if reach > t.reach {
		t.reach = reach
		if err := j.writeAhead(t.size+int64(len(p)), reach); err != nil {
			return err
		}
	}
	if _, err := t.file.WriteAt(p, t.size); err != nil {
		return fmt.Errorf("journal: write %s: %w", t.seg.path, noRoom(err))
	}
	if err := t.file.Sync(); err != nil {
		return fmt.Errorf("journal: sync %s: %w", t.seg.path, noRoom(err))
	}
	return nil
}

// writeAhead fills the newest segment's file with zeros, of which there may be none.
func (j *Journal) writeAhead(from, to int64) error {
	if from == to {
		return nil
	}
	if _, err := j.tail.file.WriteAt(zeros[:to-from], from); err != nil {
		return fmt.Errorf("journal: write ahead in %s: %w", j.tail.seg.path, noRoom(err))
	}
	return nil
}

// publish shows the newest commit to the readers.
func (j *Journal) publish(records int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tail.seg.grow(j.tail.size, j.tail.reach)
	j.space.flight, j.space.diskFull = 0, false
	j.last = j.tail.next - 1
	j.stats.Commits++
	j.stats.Appended += uint64(records)
	j.wake()
}

// wake lets every waiting reader look again. It is called with mu held.
func (j *Journal) wake() {
	if j.changed != nil {
		close(j.changed)
		j.changed = nil
	}
}

// leave cuts off what lies behind the newest segment's last good frame, zeros or a frame that
// failed, and closes it. Nothing depends on the cut: readers find the end by the frames, and on this
// descriptor a sync of it may mean nothing.
func (j *Journal) leave() error {
	t := &j.tail
	var err error
	if t.reach > t.size {
		if err = t.file.Truncate(t.size); err == nil {
			t.reach = t.size
		}
	}
	err = errors.Join(err, t.file.Close())
	t.file = nil
	j.mu.Lock()
	defer j.mu.Unlock()
	t.seg.disk, t.seg.zeros = t.reach, 0
	return err
}

// end leaves the newest segment, all of which is on disk.
func (j *Journal) end() {
	if err := j.leave(); err != nil {
		j.log.Warn("journal segment did not end cleanly", "segment", j.tail.seg.path, "error", err)
	}
}

// abandon ends the newest segment after a failed write or sync and disowns the failed frame: first
// by a cut, then by a new segment that overrides it. If that fails too, the next commit tries again.
func (j *Journal) abandon() {
	j.end()
	if err := j.begin(); err != nil {
		j.log.Warn("failed journal frame is not overridden yet", "next_seq", j.tail.next, "error", err)
	}
}

// begin makes the segment that the next record goes to, durably. One by that name may be there
// already, with nothing in it but a frame that failed; it is replaced by a rename, because a folder
// without a segment, even for a moment, would have forgotten the seqs.
func (j *Journal) begin() error {
	seg := &segment{first: j.tail.next, path: segmentPath(j.dir, j.tail.next)}
	temp := filepath.Join(j.dir, newSegment)
	f, err := j.files.open(temp, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return fmt.Errorf("journal: create segment: %w", noRoom(err))
	}
	if err = j.files.rename(temp, seg.path); err == nil {
		err = j.files.syncDir(j.dir)
	}
	if err != nil {
		_ = f.Close() // it is empty
		return fmt.Errorf("journal: create segment %s: %w", seg.path, noRoom(err))
	}
	j.tail.file, j.tail.seg, j.tail.size, j.tail.reach = f, seg, 0, 0
	j.list(seg)
	return nil
}

// list makes seg the newest segment, in place of a failed one of the same name.
func (j *Journal) list(seg *segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.segs); n > 0 && j.segs[n-1].first == seg.first {
		j.segs = j.segs[:n-1]
	}
	j.segs = append(j.segs, seg)
	j.recount()
}

// note counts a failed batch, and logs the first of a row and the end of it.
func (j *Journal) note(err error) {
	if err != nil {
		j.mu.Lock()
		j.stats.Failures++
		j.space.flight, j.space.diskFull = 0, errors.Is(err, ErrNoRoom)
		j.mu.Unlock()
	}
	switch {
	case err != nil && !j.tail.failing:
		j.log.Error("journal can't write, records are refused until it can", "error", err)
	case err == nil && j.tail.failing:
		j.log.Info("journal writes again", "last_seq", j.tail.next-1)
	}
	j.tail.failing = err != nil
}
