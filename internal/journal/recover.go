package journal

import (
	"bytes"
	"fmt"
	"io"
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
	if err := j.listAside(); err != nil {
		return err
	}
	j.recount()
	cursor, err := j.highestCursor()
	if err != nil {
		return err
	}
	if len(segs) > 0 {
		if err := j.recoverNewest(segs[len(segs)-1], cursor); err != nil {
			return err
		}
	}
	j.pass(cursor)
	j.last = j.tail.next - 1
	if j.tail.file != nil && j.tail.size >= j.opts.SegmentBytes {
		j.end() // written with another setting: kept as the newest it could fill the bound for ever
	}
	if j.tail.file == nil {
		return j.begin()
	}
	return nil
}

// recoverNewest cuts off what lies behind the newest segment's last good frame, and puts that frame
// on disk once more. A cursor beyond that frame says that what follows was on disk once: it is
// damage, and not cut.
func (j *Journal) recoverNewest(seg *segment, cursor uint64) error {
	f, err := j.files.open(seg.path, os.O_RDWR)
	if err != nil {
		return err
	}
	j.tail.file, j.tail.seg = f, seg
	damaged := false
	scan := newScanner(f, seg.first, seg.size, func(bad span) {
		damaged = true
		j.quarantine(seg, bad)
	})
	begin, end, next, err := findEnd(scan)
	if err != nil {
		return fmt.Errorf("scan %s: %w", seg.path, err)
	}
	if cursor >= next {
		damaged = true
		j.quarantine(seg, span{from: scan.off, to: seg.size, lost: cursor + 1 - next})
	} else if err := j.cut(seg, end); err != nil {
		return err
	}
	if err := j.settle(begin, end); err != nil {
		return err
	}
	j.tail.size, j.tail.reach, j.tail.next = seg.size, seg.size, max(next, cursor+1)
	if damaged {
		j.end()
	}
	return nil
}

// findEnd returns where the segment's last good frame begins and ends, and the seq that follows it.
// A header without a frame is as good as nothing, and belongs to the first.
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

// cut shortens seg to end. Only what is not zero was a frame that a crash tore.
func (j *Journal) cut(seg *segment, end int64) error {
	if end == seg.size {
		return nil
	}
	torn, err := tornBytes(j.tail.file, end, seg.size)
	if err != nil {
		return err
	}
	if torn > 0 {
		j.log.Warn("torn end of the journal is cut off", "segment", seg.path, "at_byte", end, "cut_bytes", torn)
	}
	if err := j.tail.file.Truncate(end); err != nil {
		return err
	}
	j.stats.CutBytes = torn
	seg.size, seg.disk = end, end
	return nil
}

// tornBytes returns how many of the bytes from one offset to another come before nothing but zeros.
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

// settle makes all that lies before end durable, because a reader who sees it takes it for that. A
// killed process may have left the last frame in the page cache only; after a sync that failed it is
// there as if it were on disk, and no later sync writes it unless it is written anew.
func (j *Journal) settle(begin, end int64) error {
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

// pass keeps seqs that a consumer has passed from being given out again: it would skip the new
// records. They are behind the end only when every segment is gone.
func (j *Journal) pass(cursor uint64) {
	if cursor < j.tail.next {
		return
	}
	j.log.Error("journal is gone, its seqs go on after a saved cursor", "cursor", cursor)
	j.stats.LostRecords += cursor
	j.tail.next = cursor + 1
}
