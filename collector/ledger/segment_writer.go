package ledger

import (
	"bufio"
	"encoding/binary"
	"io"
)

const writeBuffer = 256 << 10

// seriesEntries are the facts of a series, sorted by time.
type seriesEntries struct {
	name    string
	entries []entry
}

// segmentWriter writes a segment. Devices must be added sorted by name, each once. The leaves are buffered until all
// sections are written.
type segmentWriter struct {
	out     *bufio.Writer
	err     error
	head    header
	off     int64
	section []byte
	leaf    []byte // the open leaf
	first   string // first device of the open leaf
	leaves  []byte // the closed leaves
	spans   []leafSpan
	foot    footer
}

// leafSpan is the offset of a leaf within segmentWriter.leaves, and its first device.
type leafSpan struct {
	off    int
	device string
}

func newSegmentWriter(w io.Writer, h *header) *segmentWriter {
	r := &segmentWriter{out: bufio.NewWriterSize(w, writeBuffer), head: *h}
	r.write(appendHeader(nil, h))
	return r
}

func (w *segmentWriter) write(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.out.Write(b)
	w.off += int64(n)
	w.err = err
}

// add adds a device with its counts and facts, either of which may be empty.
func (w *segmentWriter) add(device string, c *Counts, facts []seriesEntries) {
	if len(w.leaf) == 0 {
		w.first = device
	}
	off := w.off
	if len(facts) > 0 {
		w.addSection(device, facts)
	}
	w.leaf = appendBytes(w.leaf, device)
	w.leaf = appendCounts(w.leaf, c)
	w.leaf = binary.AppendUvarint(w.leaf, uint64(off))
	w.leaf = binary.AppendUvarint(w.leaf, uint64(w.off-off))
	w.foot.devices++
	if len(w.leaf) >= leafSize {
		w.closeLeaf()
	}
}

// addSection writes a device's facts. The checksum includes the device's name, so that the section of another device
// does not pass for this one.
func (w *segmentWriter) addSection(device string, facts []seriesEntries) {
	b := append(w.section[:0], device...)
	for _, s := range facts {
		b = appendSeries(b, s.name, w.head.hour*msPerHour, s.entries)
		w.foot.facts += int64(len(s.entries))
	}
	b = appendSum(b, 0)
	w.section = b
	w.write(b[len(device):])
}

func (w *segmentWriter) closeLeaf() {
	w.spans = append(w.spans, leafSpan{len(w.leaves), w.first})
	w.leaves = append(w.leaves, w.leaf...)
	w.leaves = appendSum(w.leaves, w.spans[len(w.spans)-1].off)
	w.leaf = w.leaf[:0]
}

// close writes the leaves, the index and the footer, and returns the footer.
func (w *segmentWriter) close() (*footer, error) {
	if len(w.leaf) > 0 {
		w.closeLeaf()
	}
	index := w.index(w.off)
	w.write(w.leaves)
	w.foot.index = w.off
	w.foot.indexSum = checksum(index)
	w.foot.size = w.off + int64(len(index)) + footerSize
	w.write(index)
	w.write(appendFooter(nil, &w.foot))
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return &w.foot, w.err
}

// index returns the index of the leaves. The first leaf is at off.
func (w *segmentWriter) index(off int64) []byte {
	var b []byte
	for i, s := range w.spans {
		end := len(w.leaves)
		if i+1 < len(w.spans) {
			end = w.spans[i+1].off
		}
		b = binary.AppendUvarint(b, uint64(off)+uint64(s.off))
		b = binary.AppendUvarint(b, uint64(end-s.off))
		b = appendBytes(b, s.device)
	}
	return b
}
