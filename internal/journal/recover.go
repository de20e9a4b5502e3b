package journal

import (
	"fmt"
	"os"
)

// restore finds the journal's end, makes sure that all before it is on disk, and gets a segment
// ready to append to.
func (j *Journal) restore() error {
	segs, err := listSegments(j.dir)
	if err != nil {
		return err
	}
	for _, seg := range segs {
		if err := checkVersion(j.files, seg); err != nil {
			return err
		}
	}
	j.segs, j.tail.next = segs, 1
	if len(segs) > 0 {
		if err := j.recoverNewest(segs[len(segs)-1]); err != nil {
			return err
		}
	}
	if err := j.passCursors(); err != nil {
		return err
	}
	j.last = j.tail.next - 1
	if j.tail.file == nil {
		return j.begin()
	}
	return nil
}

// recoverNewest cuts the newest segment's torn tail. The sync is needed also when nothing was torn:
// a process that was killed may have left frames in the page cache, and a consumer that reads one
// takes it for durable.
func (j *Journal) recoverNewest(seg *segment) error {
	f, err := j.files.open(seg.path, os.O_RDWR)
	if err != nil {
		return err
	}
	j.tail.file, j.tail.seg = f, seg
	damaged := false
	end, next, err := findEnd(newScanner(f, seg.first, seg.size, func(bad span) {
		damaged = true
		j.quarantine(seg, bad)
	}))
	if err != nil {
		return fmt.Errorf("scan %s: %w", seg.path, err)
	}
	if err := j.cut(seg, end); err != nil {
		return err
	}
	j.tail.size, j.tail.next = end, next
	if damaged {
		j.leave()
	}
	return nil
}

// findEnd returns where the segment's last good frame ends and the seq that follows it. A header
// without a frame is as good as nothing.
func findEnd(s *scanner) (end int64, next uint64, err error) {
	for {
		_, ok, err := s.scan()
		if err != nil {
			return 0, 0, err
		}
		if !ok {
			return end, s.next, nil
		}
		end = s.off
	}
}

func (j *Journal) cut(seg *segment, end int64) error {
	if end < seg.size {
		j.log.Warn("torn end of the journal is cut off", "segment", seg.path, "at_byte", end, "cut_bytes", seg.size-end)
		if err := j.tail.file.Truncate(end); err != nil {
			return err
		}
		j.stats.CutBytes = seg.size - end
		seg.size = end
	}
	if err := j.tail.file.Sync(); err != nil {
		return err
	}
	return j.files.syncDir(j.dir)
}

// passCursors keeps seqs that a consumer has passed from being given out again: it would skip the
// new records. Only damage can bring a cursor beyond the journal's end.
func (j *Journal) passCursors() error {
	highest, err := j.highestCursor()
	if err != nil || highest < j.tail.next {
		return err
	}
	j.log.Error("journal ends before a saved cursor, its seqs go on after it",
		"next_seq", j.tail.next, "cursor", highest)
	j.stats.LostRecords += highest + 1 - j.tail.next
	j.tail.next = highest + 1
	if j.tail.file != nil {
		j.leave()
	}
	return nil
}
