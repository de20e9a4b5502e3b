package journal

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// readAhead is the minimum number of bytes that the scanner reads at once: one system call for a few hundred small
// records.
const readAhead = 64 << 10

// damage is a corrupt part of a segment.
type damage struct {
	from, to int64  // bytes
	lost     uint64 // number of records that were in it
}

// scanner reads the frames of one segment. It returns only frames with a valid checksum, numbering and structure.
type scanner struct {
	src      io.ReaderAt
	off      int64        // offset of the next frame
	end      int64        // number of readable bytes
	next     uint64       // seq of the next frame's first record
	limit    uint64       // from this seq on a later segment overrides this one
	onDamage func(damage) // called for each skipped part

	badHeader bool // the segment's header is damaged, which is not reported yet
	tolerant  bool // take sectors that the disk can't read for zeros

	buf    []byte
	bufOff int64
}

// newScanner returns a scanner of the first end bytes of the segment that begins with seq first.
func newScanner(src io.ReaderAt, first uint64, end int64, bad func(damage)) *scanner {
	return &scanner{src: src, end: end, next: first, limit: math.MaxUint64, onDamage: bad}
}

// scan returns the next frame, valid until the next call. It skips damage that has a good frame behind it. It returns
// false at the limit, at the end, and where the rest is corrupt. The error is that of reading the file.
func (s *scanner) scan() (frame, bool, error) {
	if s.next >= s.limit {
		return frame{}, false, nil
	}
	begin := s.off
	if err := s.skipHeader(); err != nil {
		return frame{}, false, err
	}
	f, ok, err := s.frameAt(s.off, s.next, s.next)
	at := s.off
	if !ok && err == nil {
		f, at, ok, err = s.findFrame()
	}
	if !ok || err != nil {
		s.off = begin
		return frame{}, false, err
	}
	if s.badHeader {
		begin, s.badHeader = 0, false
	} else {
		begin = s.off
	}
	if at > begin {
		s.onDamage(damage{from: begin, to: at, lost: f.first - s.next})
	}
	s.off = at + f.size
	s.next = f.last() + 1
	return f, true, nil
}

// skipHeader skips the segment's header, if it is next. A damaged header does not matter, because the segment's name
// contains the first seq.
func (s *scanner) skipHeader() error {
	if s.off > 0 || s.end < headerSize {
		return nil
	}
	h, err := s.bytesAt(0, headerSize)
	if err != nil {
		return err
	}
	v, ok := headerVersion(h)
	s.badHeader = !ok || v != version
	s.off = headerSize
	return nil
}

// findFrame returns the first good frame behind the bad one at off, and its offset.
func (s *scanner) findFrame() (frame, int64, bool, error) {
	f, at, ok, err := s.frameByLength()
	if ok || err != nil {
		return f, at, ok, err
	}
	budget := int64(maxSearched)
	for at := s.off + 1; at <= s.end-frameHeader && budget > 0; at++ {
		h, err := s.bytesAt(at, frameHeader)
		if err != nil {
			return frame{}, 0, false, err
		}
		// Each missing record takes at least one byte, so the distance bounds the number of missing seqs.
		highest := s.next + uint64(at-s.off)
		if !plausible(h, s.end-at, s.next, highest) {
			continue
		}
		size, _ := frameSize(h)
		budget -= size
		if f, ok, err := s.frameAt(at, s.next, highest); ok || err != nil {
			return f, at, ok, err
		}
	}
	return frame{}, 0, false, nil
}

// maxSearched bounds the bytes whose checksum is computed in the search for one good frame, because damage or payloads
// may be full of headers. A checksum of 4 GiB takes about a second.
const maxSearched = 4 << 30

// plausible reports whether h may be the header of a frame that has at most room bytes and begins with a seq between
// low and high. The check is cheap: it is made for each byte of damage.
func plausible(h []byte, room int64, low, high uint64) bool {
	first := binary.LittleEndian.Uint64(h[8:])
	if first < low || first > high {
		return false
	}
	size, ok := frameSize(h)
	count := int64(binary.LittleEndian.Uint32(h[16:]))
	return ok && size <= room && count > 0 && count <= size-frameHeader
}

// frameByLength returns the frame to which the length of the bad frame at off leads, if the bad frame's header fits to
// it. This excludes what looks like a frame in the payload of the bad one.
func (s *scanner) frameByLength() (frame, int64, bool, error) {
	if s.end-s.off < frameHeader {
		return frame{}, 0, false, nil
	}
	h, err := s.bytesAt(s.off, frameHeader)
	if err != nil {
		return frame{}, 0, false, err
	}
	size, ok := frameSize(h)
	if !ok || binary.LittleEndian.Uint64(h[8:]) != s.next {
		return frame{}, 0, false, nil
	}
	behind := s.next + uint64(binary.LittleEndian.Uint32(h[16:]))
	f, ok, err := s.frameAt(s.off+size, behind, behind)
	return f, s.off + size, ok && behind > s.next, err
}

// frameAt reads the frame at off. It returns false unless the frame is valid, its first seq is between low and high,
// and its last seq is below the limit.
func (s *scanner) frameAt(off int64, low, high uint64) (frame, bool, error) {
	if s.end-off < frameHeader {
		return frame{}, false, nil
	}
	h, err := s.bytesAt(off, frameHeader)
	if err != nil {
		return frame{}, false, err
	}
	size, ok := frameSize(h)
	if !ok || size > s.end-off {
		return frame{}, false, nil
	}
	b, err := s.bytesAt(off, int(size))
	if err != nil {
		return frame{}, false, err
	}
	f, ok := parseFrame(b)
	ok = ok && f.first >= low && f.first <= high && f.last() < s.limit
	return f, ok, nil
}

// bytesAt returns n bytes at off, which must be before the end, valid until the next call.
func (s *scanner) bytesAt(off int64, n int) ([]byte, error) {
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
	if s.tolerant && err != nil && !errors.Is(err, io.EOF) {
		s.fillReadable(off)
		return nil
	}
	s.buf = s.buf[:0]
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// sectorSize is the unit in which a disk fails to read, in bytes.
const sectorSize = 4 << 10

// fillReadable fills the buffer from off on sector by sector, with zeros for those that can't be read.
func (s *scanner) fillReadable(off int64) {
	for at := 0; at < len(s.buf); {
		n := min(sectorSize-int((off+int64(at))%sectorSize), len(s.buf)-at)
		part := s.buf[at : at+n]
		if got, _ := s.src.ReadAt(part, off+int64(at)); got < n {
			clear(part[got:])
		}
		at += n
	}
}
