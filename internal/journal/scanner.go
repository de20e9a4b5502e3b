package journal

import (
	"io"
	"math"
)

// readAhead is how much the scanner reads at once when the frames are small: one system call for a
// few hundred records.
const readAhead = 64 << 10

// span is a part of a segment that can't be trusted.
type span struct {
	from, to int64  // bytes
	lost     uint64 // records that should have been there
}

// scanner walks the frames of one segment. It returns only frames whose checksum, numbering and
// structure hold.
type scanner struct {
	src   io.ReaderAt
	off   int64      // where the next frame begins
	end   int64      // bytes that may be read
	next  uint64     // seq that the next frame must begin with
	limit uint64     // from this seq on a later segment overrides this one
	bad   func(span) // is told of what was skipped

	buf    []byte
	bufOff int64
}

// newScanner returns a scanner over the first end bytes of the segment that begins at seq first.
func newScanner(src io.ReaderAt, first uint64, end int64, bad func(span)) *scanner {
	return &scanner{src: src, end: end, next: first, limit: math.MaxUint64, bad: bad}
}

// scan returns the next frame, valid until the next call; false at the limit, the end, or where
// nothing more can be trusted. Its error is one of reading the file.
func (s *scanner) scan() (frame, bool, error) {
	if s.next >= s.limit {
		return frame{}, false, nil
	}
	if s.off == 0 {
		if ok, err := s.header(); !ok || err != nil {
			return frame{}, false, err
		}
	}
	f, ok, err := s.frameAt(s.off, s.next, s.next)
	if !ok && err == nil {
		f, ok, err = s.hop()
	}
	if !ok || err != nil {
		return frame{}, false, err
	}
	s.off += f.size
	s.next = f.last() + 1
	return f, true, nil
}

// header steps over the segment's header. A damaged one is forgiven when the right frame follows:
// the segment's name says all that is needed.
func (s *scanner) header() (bool, error) {
	if s.end < headerSize {
		return false, nil
	}
	h, err := s.at(0, headerSize)
	if err != nil {
		return false, err
	}
	if v, ok := headerVersion(h); ok && v == version {
		s.off = headerSize
		return true, nil
	}
	_, ok, err := s.frameAt(headerSize, s.next, s.next)
	if ok {
		s.bad(span{from: 0, to: headerSize})
		s.off = headerSize
	}
	return ok, err
}

// hop steps over a bad frame when its length still leads to a good one. Each record takes a byte at
// least, so the length also bounds the seqs that may be missing.
func (s *scanner) hop() (frame, bool, error) {
	if s.end-s.off < frameHeader {
		return frame{}, false, nil
	}
	h, err := s.at(s.off, frameHeader)
	if err != nil {
		return frame{}, false, err
	}
	size, ok := frameSize(h)
	if !ok {
		return frame{}, false, nil
	}
	f, ok, err := s.frameAt(s.off+size, s.next+1, s.next+uint64(size-frameHeader))
	if ok {
		s.bad(span{from: s.off, to: s.off + size, lost: f.first - s.next})
		s.off += size
	}
	return f, ok, err
}

// frameAt reads the frame at off; false when there is none that begins with a seq between low and
// high and stays under the limit.
func (s *scanner) frameAt(off int64, low, high uint64) (frame, bool, error) {
	if s.end-off < frameHeader {
		return frame{}, false, nil
	}
	h, err := s.at(off, frameHeader)
	if err != nil {
		return frame{}, false, err
	}
	size, ok := frameSize(h)
	if !ok || size > s.end-off {
		return frame{}, false, nil
	}
	b, err := s.at(off, int(size))
	if err != nil {
		return frame{}, false, err
	}
	f, ok := parseFrame(b)
	ok = ok && f.first >= low && f.first <= high && f.last() < s.limit
	return f, ok, nil
}

// at returns the n bytes at off, which must lie before the end; valid until the next call.
func (s *scanner) at(off int64, n int) ([]byte, error) {
	if off < s.bufOff || off+int64(n) > s.bufOff+int64(len(s.buf)) {
		if err := s.fill(off, n); err != nil {
			return nil, err
		}
	}
	i := int(off - s.bufOff)
	return s.buf[i : i+n], nil
}

func (s *scanner) fill(off int64, n int) error {
	size := int(min(max(int64(n), readAhead), s.end-off))
	if cap(s.buf) < size {
		s.buf = make([]byte, max(size, readAhead))
	}
	s.buf, s.bufOff = s.buf[:size], off
	got, err := s.src.ReadAt(s.buf, off)
	if got == size {
		return nil
	}
	s.buf = s.buf[:0]
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
