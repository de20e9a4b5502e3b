package ledger

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// errDamaged is in the chain of every error about what a run holds, and not about reading it.
var errDamaged = errors.New("is damaged")

func damaged(what string) error { return fmt.Errorf("its %s %w", what, errDamaged) }

// leaf is where a run's leaf lies, and with which device it begins.
type leaf struct {
	off    int64
	size   int
	device string
}

// runReader reads an open run. It is for one goroutine.
type runReader struct {
	f      io.ReaderAt
	start  int64 // of the hour, in ms
	foot   footer
	leaves []leaf
	buf    []byte // of the last leaf that was read
	part   []byte // of the last section that was read
}

// readEnds reads a run's header and footer.
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

// newRunReader reads the index of a run.
func newRunReader(f io.ReaderAt, size, hour int64) (*runReader, error) {
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
	return &runReader{f: f, start: hour * msPerHour, foot: *foot, leaves: leaves}, nil
}

// parseIndex reads an index whose leaves lie before end.
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

// bytes returns about how much memory the reader takes.
func (r *runReader) bytes() int {
	const perLeaf = 48
	n := cap(r.buf) + cap(r.part)
	for i := range r.leaves {
		n += perLeaf + len(r.leaves[i].device)
	}
	return n
}

// device is what a leaf says of a device.
type deviceEntry struct {
	name      []byte
	counts    []byte // for scanCounts
	off, size uint64 // of its facts; size is 0 when there are none
}

// scanDevice takes a device off a leaf.
func scanDevice(s *scanner) deviceEntry {
	d := deviceEntry{name: s.bytes()}
	from := s.b
	scanCounts(s, nil)
	d.counts = from[:len(from)-len(s.b)]
	d.off, d.size = s.uvarint(), s.uvarint()
	return d
}

// readLeaf returns a scanner of the devices of a leaf, good until the next call.
func (r *runReader) readLeaf(i int) (scanner, error) {
	b, err := readAt(r.f, r.leaves[i].off, r.leaves[i].size, r.buf)
	if err != nil {
		return scanner{}, err
	}
	r.buf = b
	body, ok := cutSum(b)
	if !ok {
		return scanner{}, damaged("directory")
	}
	return scanner{b: body}, nil
}

// leafOf returns the leaf that holds the device if any does, -1 when none can.
func (r *runReader) leafOf(device string) int {
	i, exact := slices.BinarySearchFunc(r.leaves, device, func(l leaf, d string) int { return cmp.Compare(l.device, d) })
	if exact {
		return i
	}
	return i - 1
}

// find returns what the directory says of a device, good until the next call, and false when it is
// not there.
func (r *runReader) find(device string) (deviceEntry, bool, error) {
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
		return deviceEntry{}, false, damaged("directory")
	}
	return deviceEntry{}, false, nil
}

// section returns a scanner of a device's series, for scanSeries, good until the next call.
func (r *runReader) section(d *deviceEntry) (scanner, error) {
	if d.size == 0 {
		return scanner{}, nil
	}
	if !within(d.off, d.size, r.foot.index) || d.size < sumSize {
		return scanner{}, damaged("directory")
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

// series returns the entries of a device's series, good until the next call, and false when there
// are none.
func (r *runReader) series(device, series string) (entryReader, bool, error) {
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

// readAt reads n bytes into buf, or into a larger one.
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
