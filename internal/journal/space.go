package journal

import (
	"errors"
	"fmt"
	"syscall"
)

// aheadBytes is how far zeros are written ahead of the frames. A sync of bytes that overwrite zeros
// needs no entry in the file system's own journal, which on ext4 is worth 40 % more commits to a lone
// appender and 70 % more records to 256 of them. Zeros for a whole segment at once gained less.
const aheadBytes = 1 << 20

// zeros is never written to.
var zeros [aheadBytes]byte

// space is the account of a journal's bytes. All of it is guarded by Journal.mu.
type space struct {
	kept     int64 // bytes of all files but the newest segment's
	flight   int64 // bytes of the batch that is being committed
	refused  int64 // bytes of the last record to come, if it was refused
	said     bool  // that records are refused is in the log already
	diskFull bool  // the last commit found no room on the disk
}

// recount sums up the files behind the newest segment. It is called with mu held, after every change
// of their list.
func (j *Journal) recount() {
	j.space.kept = 0
	for _, seg := range j.segs[:max(len(j.segs)-1, 0)] {
		j.space.kept += seg.disk
	}
	for _, seg := range j.doomed {
		j.space.kept += seg.disk
	}
	for _, a := range j.aside {
		if a.alone {
			j.space.kept += a.size
		}
	}
}

// admits reports whether a record of n bytes in its frame finds room under the bound beside all that
// is on disk and on its way there. The zeros of the newest segment are room: they are written over,
// or cut off. It is called with mu held.
func (j *Journal) admits(n int64) bool {
	if j.opts.MaxBytes == 0 {
		return true
	}
	newest := j.segs[len(j.segs)-1]
	return j.space.kept+newest.disk+j.space.flight+int64(len(j.pending.buf))+n <= j.opts.MaxBytes
}

// refuse notes that a record of n bytes was not admitted. It is called with mu held.
func (j *Journal) refuse(n int64) error {
	j.space.refused = n
	j.stats.Refused++
	return ErrFull
}

// sayFull logs that records are refused, once between two releases.
func (j *Journal) sayFull() {
	j.mu.Lock()
	said := j.space.said
	j.space.said = true
	j.mu.Unlock()
	if !said {
		j.log.Error("journal has reached its bound, records are refused until some are released", "max_bytes", j.opts.MaxBytes)
	}
}

// reachFor returns how far the newest segment's file is to be written when its frames are to end at
// end: as far as it is already, or to the next MiB. It is false when the bound is in the way, which
// what was admitted never meets unless the disk refused to cut a failed frame off.
func (j *Journal) reachFor(end int64) (int64, bool) {
	if end <= j.tail.reach {
		return j.tail.reach, true
	}
	reach := min((end+aheadBytes-1)/aheadBytes*aheadBytes, j.opts.SegmentBytes)
	if j.opts.MaxBytes > 0 {
		j.mu.Lock()
		most := j.opts.MaxBytes - j.space.kept
		j.mu.Unlock()
		if end > most {
			return 0, false
		}
		reach = min(reach, most)
	}
	return max(reach, end), true
}

// leaves checks that the newest segment's file may grow as far as reach and leave MinFree of the disk
// alone. It asks once for each MiB of growth, and while it is refused at each commit, so that the journal
// goes on by itself when there is room.
func (j *Journal) leaves(reach int64) error {
	more := reach - j.tail.reach
	if j.opts.MinFree == 0 || more <= 0 {
		return nil
	}
	free, err := j.files.free(j.dir)
	if err != nil {
		return fmt.Errorf("journal: ask how much of the disk is free: %w", err)
	}
	if free-more < j.opts.MinFree {
		return fmt.Errorf("journal: %w: %d bytes of the disk are free, of which %d are left alone", ErrNoRoom, free, j.opts.MinFree)
	}
	return nil
}

// grow says that the segment's frames end at size and its file at reach. It is called with mu held.
func (s *segment) grow(size, reach int64) { s.size, s.disk, s.zeros = size, size, reach-size }

// noRoom marks an error of the disk that more room would cure with ErrNoRoom: the file system, the
// quota or the file may not grow.
func noRoom(err error) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) {
			return fmt.Errorf("%w: %w", ErrNoRoom, err)
		}
	}
	return err
}
