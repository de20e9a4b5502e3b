package ledger

import (
	"encoding/binary"
	"hash/crc32"
	"maps"
	"slices"
)

// The sizes and marks of the format; doc.go has the byte tables.
const (
	runMagic        = "nhipbook"
	checkpointMagic = "nhipmark"
	version         = 1

	headerFixed = 48 // before the marks
	footerSize  = 36
	sumSize     = 4
	maxMarks    = 1 << 20 // bytes of marks that a header may hold
	leafSize    = 4 << 10 // a leaf is closed when it is longer

	checkpointFixed = 24 // of the file "checkpoint", before the marks

	runSuffix      = ".run"
	badSuffix      = ".bad"
	tmpSuffix      = ".tmp"
	checkpointName = "checkpoint"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// appendSum appends the checksum of b from begin on.
func appendSum(b []byte, begin int) []byte {
	return binary.LittleEndian.AppendUint32(b, checksum(b[begin:]))
}

// cutSum splits off the checksum at b's end, and reports false when it is not b's.
func cutSum(b []byte) ([]byte, bool) {
	if len(b) < sumSize {
		return nil, false
	}
	body := b[:len(b)-sumSize]
	return body, binary.LittleEndian.Uint32(b[len(body):]) == checksum(body)
}

// span is which checkpoints a run holds, for one hour.
type span struct {
	hour        int64
	first, last uint64
}

// holds reports whether s holds all that o does.
func (s span) holds(o span) bool { return s.hour == o.hour && s.first <= o.first && o.last <= s.last }

// header is what a run says of itself at its beginning.
type header struct {
	span
	of    uint32 // how many runs its checkpoint wrote; 0 for what came of a merge
	marks marks  // of its last checkpoint
}

func appendHeader(b []byte, h *header) []byte {
	begin := len(b)
	b = append(b, runMagic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = binary.LittleEndian.AppendUint32(b, h.of)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.hour))
	b = binary.LittleEndian.AppendUint64(b, h.first)
	b = binary.LittleEndian.AppendUint64(b, h.last)
	encoded := appendMarks(nil, h.marks)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(encoded)))
	return appendSum(append(b, encoded...), begin)
}

// headerSize returns the size of the header that b begins, and false when b begins none.
func headerSize(b []byte) (int64, bool) {
	if len(b) < headerFixed || string(b[:len(runMagic)]) != runMagic {
		return 0, false
	}
	n := binary.LittleEndian.Uint64(b[40:])
	return int64(headerFixed + n + sumSize), n <= maxMarks
}

// parseHeader reads the header that b is, whole.
func parseHeader(b []byte) (*header, bool) {
	body, ok := cutSum(b)
	if !ok || len(body) < headerFixed || binary.LittleEndian.Uint32(body[8:]) != version {
		return nil, false
	}
	h := &header{
		of: binary.LittleEndian.Uint32(body[12:]),
		span: span{
			hour:  int64(binary.LittleEndian.Uint64(body[16:])),
			first: binary.LittleEndian.Uint64(body[24:]),
			last:  binary.LittleEndian.Uint64(body[32:]),
		},
	}
	h.marks, ok = parseMarks(body[headerFixed:])
	return h, ok
}

// footer is where the parts of a run lie.
type footer struct {
	index    int64 // where the index begins; it ends at the footer
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

// parseFooter reads the footer that b is, of a file of some size.
func parseFooter(b []byte, size int64) (*footer, bool) {
	body, ok := cutSum(b)
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

// marks are the positions of the book's consumers.
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

// checkpoint is what the file of that name says: everything up to this number counts, and nothing
// behind it.
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
	body, ok := cutSum(b)
	if !ok || len(body) < checkpointFixed || string(body[:len(checkpointMagic)]) != checkpointMagic ||
		binary.LittleEndian.Uint64(body[8:]) != version {
		return nil, false
	}
	m, ok := parseMarks(body[checkpointFixed:])
	return &checkpoint{number: binary.LittleEndian.Uint64(body[16:]), marks: m}, ok
}

// updateSum returns the checksum of what sum is of, and b behind it.
func updateSum(sum uint32, b []byte) uint32 { return crc32.Update(sum, castagnoli, b) }
