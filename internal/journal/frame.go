package journal

import (
	"encoding/binary"
	"hash/crc32"
)

// The sizes and marks of the format; doc.go has the byte tables.
const (
	magic       = "nhipjrnl"
	version     = 1
	headerSize  = 16
	frameHeader = 20
	frameFixed  = frameHeader - frameSummed // of the frame's header, what its length counts
	frameSummed = 8                         // where the part under the checksum begins
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is one commit as it lies in a segment.
type frame struct {
	first   uint64 // seq of the first record
	count   uint32
	payload []byte
	size    int64 // in the file, header included
}

// last returns the seq of the frame's last record.
func (f *frame) last() uint64 { return f.first + uint64(f.count) - 1 }

// putHeader writes a segment's header into b.
func putHeader(b []byte) {
	copy(b, magic)
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b[:12], castagnoli))
}

// headerVersion returns the version in a segment's header, and false when b is no intact header.
func headerVersion(b []byte) (uint32, bool) {
	if len(b) < headerSize || string(b[:len(magic)]) != magic {
		return 0, false
	}
	if binary.LittleEndian.Uint32(b[12:]) != crc32.Checksum(b[:12], castagnoli) {
		return 0, false
	}
	return binary.LittleEndian.Uint32(b[8:]), true
}

// putFrame fills in the header of the frame that b holds, payload already in place.
func putFrame(b []byte, first uint64, count uint32) {
	binary.LittleEndian.PutUint32(b[0:], uint32(len(b)-frameSummed))
	binary.LittleEndian.PutUint64(b[8:], first)
	binary.LittleEndian.PutUint32(b[16:], count)
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[frameSummed:], castagnoli))
}

// frameSize returns the size of the frame that begins with the header h, and false when h holds no
// possible length.
func frameSize(h []byte) (int64, bool) {
	length := binary.LittleEndian.Uint32(h)
	return frameSummed + int64(length), length > frameFixed
}

// parseFrame reads the frame that b is, whole, and false when it isn't one.
func parseFrame(b []byte) (frame, bool) {
	if binary.LittleEndian.Uint32(b[4:]) != crc32.Checksum(b[frameSummed:], castagnoli) {
		return frame{}, false
	}
	f := frame{
		first:   binary.LittleEndian.Uint64(b[8:]),
		count:   binary.LittleEndian.Uint32(b[16:]),
		payload: b[frameHeader:],
		size:    int64(len(b)),
	}
	sound := f.first > 0 && f.count > 0 && f.last() >= f.first && holds(f.payload, f.count)
	return f, sound
}

// holds reports whether p is exactly count records.
func holds(p []byte, count uint32) bool {
	for ; count > 0; count-- {
		var ok bool
		if _, p, ok = cutRecord(p); !ok {
			return false
		}
	}
	return len(p) == 0
}

// cutRecord splits the first record off p.
func cutRecord(p []byte) (record, rest []byte, ok bool) {
	n, width := binary.Uvarint(p)
	if width <= 0 || n > uint64(len(p)-width) {
		return nil, nil, false
	}
	end := width + int(n)
	return p[width:end:end], p[end:], true
}
