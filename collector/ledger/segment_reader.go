package ledger

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// errDamaged is in the chain of every error about invalid content, in contrast to failed reads.
var errDamaged = errors.New("damaged")

func damaged(part string) error { return fmt.Errorf("%s %w", part, errDamaged) }

// leaf is an entry of the index: the position of a leaf and the name of its first device.
type leaf struct {
	off    int64
	size   int
	device string
}

// segmentReader reads an open segment. It is not safe for concurrent use.
type segmentReader struct {
	f      io.ReaderAt
	start  int64 // of the hour, in ms
	foot   footer
	leaves []leaf
	buf    []byte // the last leaf that was read
	part   []byte // the last section that was read
}

// readEnds reads the header and the footer of a segment.
func readEnds(f io.ReaderAt, size int64) (*header, *footer, error) {
	h, err := readHeader(f, size)
	if err != nil {
		return nil, nil, err
	}
	foot, err := readFooter(f, size)
	return h, foot, err
}

func readHeader(f io.ReaderAt, size int64) (*header, error) {
	if size < headerFixed {
		return nil, damaged("header")
	}
	b, err := readAt(f, 0, headerFixed, nil)
	if err != nil {
		return nil, err
	}
	n, ok := headerSize(b)
	if !ok || n > size {
		return nil, damaged("header")
	}
	if b, err = readAt(f, 0, int(n), nil); err != nil {
		return nil, err
	}
	h, ok := parseHeader(b)
	if err := newerHeader(b); err != nil {
		return nil, err
	}
	if !ok {
		return nil, damaged("header")
	}
	return h, nil
}

func readFooter(f io.ReaderAt, size int64) (*footer, error) {
	if size < footerSize {
		return nil, damaged("footer")
	}
	b, err := readAt(f, size-footerSize, footerSize, nil)
	if err != nil {
		return nil, err
	}
	foot, ok := parseFooter(b, size)
	if !ok {
		return nil, damaged("footer")
	}
	return foot, nil
}

// newSegmentReader reads the index of a segment.
func newSegmentReader(f io.ReaderAt, size, hour int64) (*segmentReader, error) {
	foot, err := readFooter(f, size)
	if err != nil {
		return nil, err
	}
	index, err := readAt(f, foot.index, int(size-footerSize-foot.index), nil)
	if err != nil {
		return nil, err
	}
	if checksum(index) != foot.indexSum {
		return nil, damaged("index")
	}
	leaves, ok := parseIndex(index, foot.index)
	if !ok {
		return nil, damaged("index")
	}
	return &segmentReader{f: f, start: hour * msPerHour, foot: *foot, leaves: leaves}, nil
}

// parseIndex parses an index. All leaves must lie before end.
func parseIndex(b []byte, end int64) ([]leaf, bool) {
	var leaves []leaf
	s := scanner{b: b}
	for len(s.b) > 0 {
		off, size, device := s.uvarint(), s.uvarint(), s.bytes()
		if s.bad || !within(off, size, end) {
			return nil, false
		}
		leaves = append(leaves, leaf{int64(off), int(size), string(device)})
	}
	return leaves, !s.bad
}

// within reports whether a part of a file lies before end.
func within(off, size uint64, end int64) bool {
	return off <= uint64(end) && size <= uint64(end)-off
}

// bytes estimates the memory of the reader.
func (r *segmentReader) bytes() int {
	const perLeaf = 48
	n := cap(r.buf) + cap(r.part)
	for i := range r.leaves {
		n += perLeaf + len(r.leaves[i].device)
	}
	return n
}

// deviceEntry is the entry of a device in a leaf.
type deviceEntry struct {
	name      []byte
	counts    []byte // for scanCounts
	off, size uint64 // of its section; size is 0 without facts
}

// scanDevice reads a device from a leaf.
func scanDevice(s *scanner) deviceEntry {
	d := deviceEntry{name: s.bytes()}
	from := s.b
	scanCounts(s, nil)
	d.counts = from[:len(from)-len(s.b)]
	d.off, d.size = s.uvarint(), s.uvarint()
	return d
}

// readLeaf returns a scanner of the devices of a leaf, valid until the next call.
func (r *segmentReader) readLeaf(i int) (scanner, error) {
	b, err := readAt(r.f, r.leaves[i].off, r.leaves[i].size, r.buf)
	if err != nil {
		return scanner{}, err
	}
	r.buf = b
	body, ok := splitSum(b)
	if !ok {
		return scanner{}, damaged("leaf")
	}
	return scanner{b: body}, nil
}

// leafOf returns the only leaf that may hold the device, or -1 if none can.
func (r *segmentReader) leafOf(device string) int {
	i, exact := slices.BinarySearchFunc(r.leaves, device, func(l leaf, d string) int { return cmp.Compare(l.device, d) })
	if exact {
		return i
	}
	return i - 1
}

// find returns the entry of a device, valid until the next call, and false if there is none.
func (r *segmentReader) find(device string) (deviceEntry, bool, error) {
	i := r.leafOf(device)
	if i < 0 {
		return deviceEntry{}, false, nil
	}
	s, err := r.readLeaf(i)
	if err != nil {
		return deviceEntry{}, false, err
	}
	for len(s.b) > 0 {
		d := scanDevice(&s)
		if string(d.name) >= device {
			return d, string(d.name) == device, nil
		}
	}
	if s.bad {
		return deviceEntry{}, false, damaged("leaf")
	}
	return deviceEntry{}, false, nil
}

// section returns a scanner of the device's series for scanSeries, valid until the next call.
func (r *segmentReader) section(d *deviceEntry) (scanner, error) {
	if d.size == 0 {
		return scanner{}, nil
	}
	if !within(d.off, d.size, r.foot.index) || d.size < sumSize {
		return scanner{}, damaged("leaf")
	}
	b, err := readAt(r.f, int64(d.off), int(d.size), r.part)
	if err != nil {
		return scanner{}, err
	}
	r.part = b
	body := b[:len(b)-sumSize]
	sum := updateSum(checksum(d.name), body)
	if binary.LittleEndian.Uint32(b[len(body):]) != sum {
		return scanner{}, damaged("facts")
	}
	return scanner{b: body}, nil
}

// series returns the entries of a series, valid until the next call, and false if there are none.
func (r *segmentReader) series(device, series string) (entryReader, bool, error) {
	d, ok, err := r.find(device)
	if !ok {
		return entryReader{}, false, err
	}
	s, err := r.section(&d)
	if err != nil {
		return entryReader{}, false, err
	}
	for len(s.b) > 0 {
		name, entries := scanSeries(&s, r.start)
		if string(name) == series {
			return entries, !s.bad, nil
		}
	}
	if s.bad {
		return entryReader{}, false, damaged("facts")
	}
	return entryReader{}, false, nil
}

// readAt reads n bytes into buf, which it replaces if it is too small.
func readAt(f io.ReaderAt, off int64, n int, buf []byte) ([]byte, error) {
	buf = slices.Grow(buf[:0], n)[:n]
	k, err := f.ReadAt(buf, off)
	if k == n {
		return buf, nil
	}
	if errors.Is(err, io.EOF) {
		return nil, damaged("length")
	}
	return nil, err
}
