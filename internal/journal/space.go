package journal

import (
	"errors"
	"fmt"
	"syscall"
)

// preallocBytes is the unit of preallocation with zeros. A sync of bytes that overwrite zeros needs no commit of the
// file system's own journal, which on ext4 gives a single appender 40 % more commits and 256 appenders 70 % more
// records. Preallocating a whole segment gained less.
const preallocBytes = 1 << 20

// zeros is read-only.
var zeros [preallocBytes]byte

// space counts the journal's bytes. Journal.mu guards it.
type space struct {
	kept         int64 // bytes of all files except the newest segment's
	inFlight     int64 // bytes of the batch that is being committed
	lastRejected int64 // bytes of the last appended record if it was rejected, otherwise 0
	logged       bool  // the rejection of records is already logged
	diskFull     bool  // the last commit failed because the disk is full
}

// recount updates space.kept. The caller holds mu and has changed the list of files.
func (j *Journal) recount() {
	j.space.kept = 0
	for _, seg := range j.segs[:max(len(j.segs)-1, 0)] {
		j.space.kept += seg.disk
	}
	for _, seg := range j.deleting {
		j.space.kept += seg.disk
	}
	for _, q := range j.quarantined {
		if q.exclusive {
			j.space.kept += q.size
		}
	}
}

// fitsBound reports whether a record that takes n bytes in its frame fits under the bound, in addition to everything on
// disk, being committed or pending. Preallocated zeros count as free, because they are overwritten or cut off. The
// caller holds mu.
func (j *Journal) fitsBound(n int64) bool {
	if j.opts.MaxBytes == 0 {
		return true
	}
	newest := j.segs[len(j.segs)-1]
	return j.space.kept+newest.disk+j.space.inFlight+int64(len(j.pending.buf))+n <= j.opts.MaxBytes
}

// reject records that a record of n bytes was rejected. The caller holds mu.
func (j *Journal) reject(n int64) error {
	j.space.lastRejected = n
	j.stats.Rejected++
	return ErrBound
}

// logFull logs that records are rejected, once between two releases.
func (j *Journal) logFull() {
	j.mu.Lock()
	logged := j.space.logged
	j.space.logged = true
	j.mu.Unlock()
	if !logged {
		j.log.Error("journal has reached its bound; records are rejected until space is released",
			"max_bytes", j.opts.MaxBytes)
	}
}

// allocationFor returns the size to which the newest segment's file is extended so that its frames can end at end: its
// size, or the next MiB. It returns false if the bound prevents that, which happens to admitted records only if the
// disk failed to truncate a failed frame.
func (j *Journal) allocationFor(end int64) (int64, bool) {
	if end <= j.tail.allocated {
		return j.tail.allocated, true
	}
	allocated := min((end+preallocBytes-1)/preallocBytes*preallocBytes, j.opts.SegmentBytes)
	if j.opts.MaxBytes > 0 {
		j.mu.Lock()
		limit := j.opts.MaxBytes - j.space.kept
		j.mu.Unlock()
		if end > limit {
			return 0, false
		}
		allocated = min(allocated, limit)
	}
	return max(allocated, end), true
}

// checkMinFree returns an error if extending the newest segment's file to allocated bytes would leave less than
// MinFree. It queries the file system once per MiB of growth, and at each commit after a failure, so that the journal
// continues as soon as there is space.
func (j *Journal) checkMinFree(allocated int64) error {
	growth := allocated - j.tail.allocated
	if j.opts.MinFree == 0 || growth <= 0 {
		return nil
	}
	free, err := j.files.free(j.dir)
	if err != nil {
		return fmt.Errorf("journal: get free disk space: %w", err)
	}
	if free-growth < j.opts.MinFree {
		return fmt.Errorf("journal: %w: %d bytes of the disk are free, MinFree is %d", ErrFull, free, j.opts.MinFree)
	}
	return nil
}

// grow records that the segment's frames end at size and its file at allocated. The caller holds mu.
func (s *segment) grow(size, allocated int64) { s.size, s.disk, s.zeros = size, size, allocated-size }

// markFull adds ErrFull to an error of a full file system, an exhausted quota, or a file at its size limit.
func markFull(err error) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) {
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	return err
}
