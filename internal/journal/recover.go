package journal

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// recover finds the end of the journal, makes everything before it durable, and opens or creates the segment for the
// next record.
func (j *Journal) recover() error {
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
	if err := j.listQuarantined(); err != nil {
		return err
	}
	j.recount()
	cursor, err := j.highestCursor()
	if err != nil {
		return err
	}
	known := max(cursor, j.opts.KnownSeq)
	if len(segs) > 0 {
		if err := j.recoverNewest(segs[len(segs)-1], known); err != nil {
			return err
		}
	}
	j.skipPast(known)
	j.last = j.tail.next - 1
	if j.tail.file != nil && j.tail.size >= j.opts.SegmentBytes {
		j.endSegment() // written with another SegmentBytes: as the newest segment it could exhaust the bound permanently
	}
	if j.tail.file == nil {
		return j.beginSegment()
	}
	return nil
}

// recoverNewest truncates the newest segment after its last good frame and rewrites that frame. If records beyond that
// frame are known, the bytes after it were once on disk: they are damage and are kept.
func (j *Journal) recoverNewest(seg *segment, known uint64) error {
	f, err := j.files.open(seg.path, os.O_RDWR)
	if err != nil {
		return err
	}
	j.tail.file, j.tail.seg = f, seg
	damaged := false
	scan := newScanner(f, seg.first, seg.size, func(bad damage) {
		damaged = true
		j.reportDamage(seg, bad)
	})
	begin, end, next, err := findEnd(scan)
	if err != nil {
		return fmt.Errorf("scan %s: %w", seg.path, err)
	}
	if known >= next {
		damaged = true
		j.stats.MissingSeqs = known + 1 - next
		j.log.Error("journal is older than notes of its records; numbering continues after them",
			"last_seq", next-1, "known_seq", known)
		j.reportDamage(seg, damage{from: scan.off, to: seg.size, lost: known + 1 - next})
	} else if err := j.truncateTail(seg, end); err != nil {
		return err
	}
	if err := j.makeDurable(begin, end); err != nil {
		return err
	}
	j.tail.size, j.tail.allocated, j.tail.next = seg.size, seg.size, max(next, known+1)
	if damaged {
		j.endSegment()
	}
	return nil
}

// findEnd returns the begin and end of the segment's last good frame and the seq after it. The first frame includes the
// header; a header without a frame does not count.
func findEnd(s *scanner) (begin, end int64, next uint64, err error) {
	for {
		f, ok, err := s.scan()
		if err != nil {
			return 0, 0, 0, err
		}
		if !ok {
			return begin, end, s.next, nil
		}
		if end > 0 {
			begin = s.off - f.size
		}
		end = s.off
	}
}

// truncateTail truncates seg to end. Only bytes up to the last nonzero one are counted as a torn frame.
func (j *Journal) truncateTail(seg *segment, end int64) error {
	if end == seg.size {
		return nil
	}
	torn, err := tornBytes(j.tail.file, end, seg.size)
	if err != nil {
		return err
	}
	if torn > 0 {
		j.log.Warn("torn end of the journal cut off", "segment", seg.path, "at_byte", end, "cut_bytes", torn)
	}
	if err := j.tail.file.Truncate(end); err != nil {
		return err
	}
	j.stats.CutBytes = torn
	seg.size, seg.disk = end, end
	return nil
}

// tornBytes returns the number of bytes between two offsets, without the zeros at their end.
func tornBytes(src io.ReaderAt, from, to int64) (int64, error) {
	var torn int64
	buf := make([]byte, readAhead)
	for off := from; off < to; off += readAhead {
		b := buf[:min(readAhead, to-off)]
		if n, err := src.ReadAt(b, off); n < len(b) {
			return 0, fmt.Errorf("read at byte %d: %w", off, err)
		}
		if n := len(bytes.TrimRight(b, "\x00")); n > 0 {
			torn = off - from + int64(n)
		}
	}
	return torn, nil
}

// makeDurable makes all frames before end durable, because readers rely on it. A killed process may have left the last
// frame in the page cache only. If a sync of it failed, the cached pages are marked clean, and a later sync writes them
// only after they are written again.
func (j *Journal) makeDurable(begin, end int64) error {
	frame := make([]byte, end-begin)
	if n, err := j.tail.file.ReadAt(frame, begin); n < len(frame) {
		return fmt.Errorf("read at byte %d: %w", begin, err)
	}
	if _, err := j.tail.file.WriteAt(frame, begin); err != nil {
		return err
	}
	if err := j.tail.file.Sync(); err != nil {
		return err
	}
	return j.files.syncDir(j.dir)
}

// skipPast makes the next seq follow the highest known one. Otherwise seqs that a consumer has processed would be
// assigned again, and the consumer would skip the new records. A known seq is beyond the end only if there is no
// segment. It is unknown how many of its records were released, so that none are counted as lost.
func (j *Journal) skipPast(known uint64) {
	if known < j.tail.next {
		return
	}
	j.stats.MissingSeqs = known + 1 - j.tail.next
	j.log.Error("journal segments are missing; numbering continues after the highest known record", "known_seq", known)
	j.tail.next = known + 1
}
