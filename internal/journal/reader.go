package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// Reader reads the durable records in order. It must be used by one goroutine at a time. Any number of readers may read
// concurrently.
type Reader struct {
	j       *Journal
	next    uint64 // least seq to return next
	skipped uint64 // see Skipped
	closed  bool

	failures int // failed reads in a row

	seg  *segment // the segment that is open
	file file
	scan *scanner

	seq       uint64 // seq of the first record in rest
	remaining uint32 // number of records in rest
	rest      []byte // unread part of the current frame's payload
}

// Reader returns a reader that starts at the first durable record with a seq of at least from.
func (j *Journal) Reader(from uint64) *Reader { return &Reader{j: j, next: max(from, 1)} }

// Next returns the next record, valid until the next call. It waits until there is one. The error is ctx.Err() when ctx
// has ended, io.EOF when the journal is closed and all records were read, ErrClosed when the reader is closed, or an
// error of reading the disk, after which Next may be called again. After three such errors in a row, what the disk
// can't read is skipped as damage.
func (r *Reader) Next(ctx context.Context) (seq uint64, record []byte, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, nil, err
		}
		seq, record, ok, err := r.TryNext()
		if ok || err != nil {
			return seq, record, err
		}
		select {
		case <-r.j.changedBeyond(r.next):
		case <-ctx.Done():
		}
	}
}

// TryNext is Next without waiting: ok is false if no further record is durable yet.
func (r *Reader) TryNext() (seq uint64, record []byte, ok bool, err error) {
	if r.closed {
		return 0, nil, false, ErrClosed
	}
	for {
		for r.remaining > 0 {
			seq, record := r.popRecord()
			if seq >= r.next {
				r.skipTo(seq)
				r.next = seq + 1
				return seq, record, true, nil
			}
		}
		if ok, err := r.loadFrame(); !ok || err != nil {
			return 0, nil, false, err
		}
	}
}

// Close closes the reader's file. Further calls do nothing.
func (r *Reader) Close() error {
	r.closed = true
	return r.closeSegment()
}

// popRecord removes the first record from the current frame, which the scanner has validated.
func (r *Reader) popRecord() (seq uint64, record []byte) {
	record, r.rest, _ = cutRecord(r.rest)
	seq = r.seq
	r.seq++
	r.remaining--
	return seq, record
}

// readAttempts is the number of failed reads in a row after which sectors that the disk can't read count as damaged.
// Otherwise one bad sector would stop the consumer for good.
const readAttempts = 3

// loadFrame reads the next frame with a record at or after r.next. It returns false if none is durable yet.
func (r *Reader) loadFrame() (bool, error) {
	for {
		at, err := r.j.locate(r.next)
		if err != nil || at.seg == nil {
			return false, err
		}
		if err := r.openSegment(at.seg); err != nil {
			if errors.Is(err, fs.ErrNotExist) && r.j.released(at.seg) {
				continue
			}
			return false, fmt.Errorf("journal: read: %w", err)
		}
		r.scan.end, r.scan.limit = at.end, at.limit
		r.scan.tolerant = r.failures >= readAttempts
		f, ok, err := r.scan.scan()
		if err != nil {
			r.failures++
			return false, fmt.Errorf("journal: read %s: %w", r.seg.path, err)
		}
		r.failures = 0
		if !ok {
			r.skipSegment()
			continue
		}
		if f.last() >= r.next {
			r.seq, r.remaining, r.rest = f.first, f.count, f.payload
			return true, nil
		}
	}
}

// skipSegment skips the rest of the segment. Records that it should contain are reported as lost.
func (r *Reader) skipSegment() {
	s := r.scan
	if s.next < s.limit {
		r.j.reportDamage(r.seg, damage{from: s.off, to: s.end, lost: s.limit - s.next})
	}
	s.off, s.next = s.end, s.limit // the newest segment may continue here
	r.skipTo(s.limit)
}

// skipTo makes seq the next one, and counts those before it as skipped.
func (r *Reader) skipTo(seq uint64) {
	if seq > r.next {
		r.skipped += seq - r.next
		r.next = seq
	}
}

// Skipped returns the number of seqs that the reader has passed over because the journal does not have their records:
// they are damaged, missing or released. With the records that it has returned, they are all seqs from the reader's
// start to Position.
func (r *Reader) Skipped() uint64 { return r.skipped }

// Position returns the last seq that the reader has returned or skipped.
func (r *Reader) Position() uint64 { return r.next - 1 }

// openSegment opens seg unless it is already open.
func (r *Reader) openSegment(seg *segment) error {
	if r.seg == seg {
		return nil
	}
	f, err := r.j.files.open(seg.path, os.O_RDONLY)
	if err != nil {
		return err
	}
	_ = r.closeSegment() // the file was only read
	r.seg, r.file = seg, f
	r.scan = newScanner(f, seg.first, 0, func(bad damage) { r.j.reportDamage(seg, bad) })
	return nil
}

func (r *Reader) closeSegment() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.seg, r.file, r.scan = nil, nil, nil
	r.remaining, r.rest = 0, nil
	return err
}

// location is where to read a record.
type location struct {
	seg   *segment
	end   int64  // readable bytes of seg
	limit uint64 // seqs from here on are in other segments
}

// locate returns the location of seq, or of the first record after it. The location is empty if that record is not
// durable yet. The error is io.EOF if there will be none, because the journal is closed.
func (j *Journal) locate(seq uint64) (location, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq > j.last {
		if j.closed {
			return location{}, io.EOF
		}
		return location{}, nil
	}
	i, found := slices.BinarySearchFunc(j.segs, seq, func(s *segment, seq uint64) int {
		return cmp.Compare(s.first, seq)
	})
	if !found {
		i = max(i-1, 0)
	}
	p := location{seg: j.segs[i], end: j.segs[i].size, limit: j.last + 1}
	if i+1 < len(j.segs) {
		p.limit = j.segs[i+1].first
	}
	return p, nil
}

// released reports whether seg was deleted.
func (j *Journal) released(seg *segment) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return seg.first < j.segs[0].first
}

// changedBeyond returns a channel that is closed when seq is durable or the journal is closed.
func (j *Journal) changedBeyond(seq uint64) <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq <= j.last || j.closed {
		now := make(chan struct{})
		close(now)
		return now
	}
	if j.changed == nil {
		j.changed = make(chan struct{})
	}
	return j.changed
}
