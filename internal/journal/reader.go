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

// Reader reads the durable records in order. It is for one goroutine; any number of readers may
// read at once.
type Reader struct {
	j      *Journal
	next   uint64 // the least seq still wanted
	closed bool

	seg  *segment // the open one
	file file
	scan *scanner

	seq  uint64 // of the first record in rest
	left uint32 // records in rest
	rest []byte // of the current frame
}

// Reader returns a reader that begins with the first durable record whose seq is at least from.
func (j *Journal) Reader(from uint64) *Reader { return &Reader{j: j, next: from} }

// Next returns the next record, valid until the next call, and waits for it when there is none. It
// ends with ctx's error, with io.EOF when the journal is closed and all was read, with ErrClosed
// when the reader is, and with an error of reading the disk, after which it may be called again.
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

// TryNext returns the next record, valid until the next call, or false when none is durable yet. Its
// errors are Next's, but for ctx's.
func (r *Reader) TryNext() (seq uint64, record []byte, ok bool, err error) {
	if r.closed {
		return 0, nil, false, ErrClosed
	}
	for {
		for r.left > 0 {
			seq, record := r.cut()
			if seq >= r.next {
				r.next = seq + 1
				return seq, record, true, nil
			}
		}
		if ok, err := r.load(); !ok || err != nil {
			return 0, nil, false, err
		}
	}
}

// Close gives the reader's file free. The second call does nothing.
func (r *Reader) Close() error {
	r.closed = true
	return r.leave()
}

// cut takes the first record off the current frame, which the scanner has checked.
func (r *Reader) cut() (seq uint64, record []byte) {
	record, r.rest, _ = cutRecord(r.rest)
	seq = r.seq
	r.seq++
	r.left--
	return seq, record
}

// load gets the next frame that holds something wanted; false when none is durable yet.
func (r *Reader) load() (bool, error) {
	for {
		at, err := r.j.locate(r.next)
		if err != nil || at.seg == nil {
			return false, err
		}
		if err := r.enter(at.seg); err != nil {
			if errors.Is(err, fs.ErrNotExist) && r.j.released(at.seg) {
				continue
			}
			return false, fmt.Errorf("journal: read: %w", err)
		}
		r.scan.end, r.scan.limit = at.end, at.limit
		f, ok, err := r.scan.scan()
		if err != nil {
			return false, fmt.Errorf("journal: read %s: %w", r.seg.path, err)
		}
		if !ok {
			r.skip()
			continue
		}
		if f.last() >= r.next {
			r.seq, r.left, r.rest = f.first, f.count, f.payload
			return true, nil
		}
	}
}

// skip leaves the rest of the segment behind. Records that should be there are lost.
func (r *Reader) skip() {
	s := r.scan
	if s.next < s.limit {
		r.j.quarantine(r.seg, span{from: s.off, to: s.end, lost: s.limit - s.next})
	}
	s.off, s.next = s.end, s.limit // where the newest segment will go on
	r.next = max(r.next, s.limit)
}

// enter opens seg unless it is open.
func (r *Reader) enter(seg *segment) error {
	if r.seg == seg {
		return nil
	}
	f, err := r.j.files.open(seg.path, os.O_RDONLY)
	if err != nil {
		return err
	}
	_ = r.leave() // it was only read
	r.seg, r.file = seg, f
	r.scan = newScanner(f, seg.first, 0, func(bad span) { r.j.quarantine(seg, bad) })
	return nil
}

func (r *Reader) leave() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.seg, r.file, r.scan = nil, nil, nil
	r.left, r.rest = 0, nil
	return err
}

// place is where a record is to be looked for.
type place struct {
	seg   *segment
	end   int64  // readable bytes of seg
	limit uint64 // seqs from here on are elsewhere
}

// locate finds the segment that holds seq, or the first record after it. Its place is empty when
// that record is not durable yet, and io.EOF says that it never will be.
func (j *Journal) locate(seq uint64) (place, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq > j.last {
		if j.closed {
			return place{}, io.EOF
		}
		return place{}, nil
	}
	i, found := slices.BinarySearchFunc(j.segs, seq, func(s *segment, seq uint64) int {
		return cmp.Compare(s.first, seq)
	})
	if !found {
		i = max(i-1, 0)
	}
	p := place{seg: j.segs[i], end: j.segs[i].size, limit: j.last + 1}
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

// changedBeyond returns a channel that is closed once there is something to say about seq: when it
// is durable, or the journal closed.
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
