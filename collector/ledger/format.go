package ledger

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
)

// Sizes and magic numbers of the format; doc.go describes the bytes.
const (
	segmentMagic    = "nhipbook"
	checkpointMagic = "nhipmark"
	version         = 1

	headerFixed = 48 // before the marks
	footerSize  = 36
	sumSize     = 4
	maxMarks    = 1 << 20 // bytes of marks in a header
	leafSize    = 4 << 10 // a leaf is closed once it is at least this long

	checkpointFixed = 24 // bytes of the file "checkpoint" before the marks

	segmentSuffix  = ".run"
	badSuffix      = ".bad"
	tmpSuffix      = ".tmp"
	checkpointName = "checkpoint"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// appendSum appends the checksum of b[begin:].
func appendSum(b []byte, begin int) []byte {
	return binary.LittleEndian.AppendUint32(b, checksum(b[begin:]))
}

// splitSum removes the checksum at the end of b, and returns false if it does not match.
func splitSum(b []byte) ([]byte, bool) {
	if len(b) < sumSize {
		return nil, false
	}
	body := b[:len(b)-sumSize]
	return body, binary.LittleEndian.Uint32(b[len(body):]) == checksum(body)
}

// span is the hour of a segment and the range of checkpoints that it holds.
type span struct {
	hour        int64
	first, last uint64
}

// holds reports whether s includes o.
func (s span) holds(o span) bool { return s.hour == o.hour && s.first <= o.first && o.last <= s.last }

// header is the beginning of a segment.
type header struct {
	span
	segments uint32 // number of segments that its checkpoint wrote; 0 after a merge
	marks    marks  // of its last checkpoint
}

func appendHeader(b []byte, h *header) []byte {
	begin := len(b)
	b = append(b, segmentMagic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = binary.LittleEndian.AppendUint32(b, h.segments)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.hour))
	b = binary.LittleEndian.AppendUint64(b, h.first)
	b = binary.LittleEndian.AppendUint64(b, h.last)
	encoded := appendMarks(nil, h.marks)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(encoded)))
	return appendSum(append(b, encoded...), begin)
}

// headerSize returns the size of the header at the start of b, and false if there is no valid one.
func headerSize(b []byte) (int64, bool) {
	if len(b) < headerFixed || string(b[:len(segmentMagic)]) != segmentMagic {
		return 0, false
	}
	n := binary.LittleEndian.Uint64(b[40:])
	return int64(headerFixed + n + sumSize), n <= maxMarks
}

// newerError reports a file that a newer program wrote, which is not damage. In all formats, the header of a segment
// and the file "checkpoint" begin and end with the same fields, up to the version and with the checksum.
type newerError struct{ version uint64 }

func (e newerError) Error() string {
	return fmt.Sprintf("was written by a newer version of nhip: it has format version %d, this program reads version %d",
		e.version, version)
}

// newerHeader returns an error if b is a complete header in a newer format.
func newerHeader(b []byte) error {
	if body, ok := splitSum(b); ok && len(body) >= headerFixed && binary.LittleEndian.Uint32(body[8:]) > version {
		return newerError{uint64(binary.LittleEndian.Uint32(body[8:]))}
	}
	return nil
}

// newerCheckpoint returns an error if b is a file "checkpoint" in a newer format.
func newerCheckpoint(b []byte) error {
	body, ok := splitSum(b)
	if ok && len(body) >= checkpointFixed && string(body[:len(checkpointMagic)]) == checkpointMagic &&
		binary.LittleEndian.Uint64(body[8:]) > version {
		return newerError{binary.LittleEndian.Uint64(body[8:])}
	}
	return nil
}

// parseHeader parses b, which must be a complete header.
func parseHeader(b []byte) (*header, bool) {
	body, ok := splitSum(b)
	if !ok || len(body) < headerFixed || binary.LittleEndian.Uint32(body[8:]) != version {
		return nil, false
	}
	h := &header{
		segments: binary.LittleEndian.Uint32(body[12:]),
		span: span{
			hour:  int64(binary.LittleEndian.Uint64(body[16:])),
			first: binary.LittleEndian.Uint64(body[24:]),
			last:  binary.LittleEndian.Uint64(body[32:]),
		},
	}
	h.marks, ok = parseMarks(body[headerFixed:])
	return h, ok
}

// footer holds the positions of the parts of a segment.
type footer struct {
	index    int64 // offset of the index, which ends at the footer
	size     int64 // of the file
	facts    int64
	devices  uint32
	indexSum uint32
}

func appendFooter(b []byte, f *footer) []byte {
	begin := len(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(f.index))
	b = binary.LittleEndian.AppendUint64(b, uint64(f.size))
	b = binary.LittleEndian.AppendUint64(b, uint64(f.facts))
	b = binary.LittleEndian.AppendUint32(b, f.devices)
	b = binary.LittleEndian.AppendUint32(b, f.indexSum)
	return appendSum(b, begin)
}

// parseFooter parses the footer of a file of the given size.
func parseFooter(b []byte, size int64) (*footer, bool) {
	body, ok := splitSum(b)
	if !ok || len(b) != footerSize {
		return nil, false
	}
	f := &footer{
		index:    int64(binary.LittleEndian.Uint64(body[0:])),
		size:     int64(binary.LittleEndian.Uint64(body[8:])),
		facts:    int64(binary.LittleEndian.Uint64(body[16:])),
		devices:  binary.LittleEndian.Uint32(body[24:]),
		indexSum: binary.LittleEndian.Uint32(body[28:]),
	}
	return f, f.size == size && f.index >= 0 && f.index <= size-footerSize
}

// marks are the positions of the ledger's consumers by name.
type marks map[string][]byte

func appendMarks(b []byte, m marks) []byte {
	b = binary.AppendUvarint(b, uint64(len(m)))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		b = appendBytes(b, name)
		b = appendBytes(b, m[name])
	}
	return b
}

func parseMarks(b []byte) (marks, bool) {
	s := scanner{b: b}
	m := marks{}
	for range s.uvarint() {
		name, value := s.bytes(), s.bytes()
		if s.bad {
			return nil, false
		}
		m[string(name)] = slices.Clone(value)
	}
	return m, !s.bad && len(s.b) == 0
}

// checkpoint is the content of the file of that name: segments up to this number count, later ones do not.
type checkpoint struct {
	number uint64
	marks  marks
}

func appendCheckpoint(b []byte, c *checkpoint) []byte {
	begin := len(b)
	b = append(b, checkpointMagic...)
	b = binary.LittleEndian.AppendUint64(b, version)
	b = binary.LittleEndian.AppendUint64(b, c.number)
	return appendSum(appendMarks(b, c.marks), begin)
}

func parseCheckpoint(b []byte) (*checkpoint, bool) {
	body, ok := splitSum(b)
	if !ok || len(body) < checkpointFixed || string(body[:len(checkpointMagic)]) != checkpointMagic ||
		binary.LittleEndian.Uint64(body[8:]) != version {
		return nil, false
	}
	m, ok := parseMarks(body[checkpointFixed:])
	return &checkpoint{number: binary.LittleEndian.Uint64(body[16:]), marks: m}, ok
}

// updateSum continues the checksum sum with b.
func updateSum(sum uint32, b []byte) uint32 { return crc32.Update(sum, castagnoli, b) }
