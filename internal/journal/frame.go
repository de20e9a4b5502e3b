package journal

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

// Constants of the format; see the tables in doc.go.
const (
	magic       = "nhipjrnl"
	version     = 1
	headerSize  = 16
	frameHeader = 20
	frameFixed  = frameHeader - frameSummed // bytes of the frame's header that its length includes
	frameSummed = 8                         // offset of the part that the checksum covers
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is one commit in a segment.
type frame struct {
	first   uint64 // seq of the first record
	count   uint32
	payload []byte
	size    int64 // in the file, including the header
}

// last returns the seq of the frame's last record.
func (f *frame) last() uint64 { return f.first + uint64(f.count) - 1 }

// putHeader writes a segment's header into b.
func putHeader(b []byte) {
	copy(b, magic)
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b[:12], castagnoli))
}

// headerVersion returns the version in a segment's header, and false if b is not an intact header.
func headerVersion(b []byte) (uint32, bool) {
	if len(b) < headerSize || string(b[:len(magic)]) != magic {
		return 0, false
	}
	if binary.LittleEndian.Uint32(b[12:]) != crc32.Checksum(b[:12], castagnoli) {
		return 0, false
	}
	return binary.LittleEndian.Uint32(b[8:]), true
}

// putFrame writes the frame's header into b, which contains the payload.
func putFrame(b []byte, first uint64, count uint32) {
	binary.LittleEndian.PutUint32(b[0:], uint32(len(b)-frameSummed))
	binary.LittleEndian.PutUint64(b[8:], first)
	binary.LittleEndian.PutUint32(b[16:], count)
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[frameSummed:], castagnoli))
}

// frameSize returns the size of the frame with the header h, and false if its length is impossible.
func frameSize(h []byte) (int64, bool) {
	length := binary.LittleEndian.Uint32(h)
	return frameSummed + int64(length), length > frameFixed
}

// parseFrame parses b as one frame. It returns false if b is not a valid frame.
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
	valid := f.first > 0 && f.count > 0 && f.last() >= f.first && hasRecords(f.payload, f.count)
	return f, valid
}

// hasRecords reports whether p consists of exactly count records.
func hasRecords(p []byte, count uint32) bool {
	for ; count > 0; count-- {
		var ok bool
		if _, p, ok = cutRecord(p); !ok {
			return false
		}
	}
	return len(p) == 0
}

// recordSize returns the size in a frame of a record of n bytes.
func recordSize(n int) int64 {
	const bitsPerByte = 7 // of a uvarint
	return int64(bits.Len64(uint64(n)|1)+bitsPerByte-1)/bitsPerByte + int64(n)
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
