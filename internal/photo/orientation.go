package photo

import (
	"bytes"
	"encoding/binary"
)

// orientation returns the orientation that the EXIF data of a picture state (tag 0x0112), 1 if they state none. Damaged
// data state none.
func orientation(raw []byte) int {
	at := bytes.Index(raw, []byte("Exif\x00\x00")) // JPEG
	switch {
	case at >= 0 && at < maxExifAt && bytes.HasPrefix(raw, []byte("\xff\xd8")):
		return tiffOrientation(raw[at+6:])
	case bytes.HasPrefix(raw, []byte("\x89PNG")):
		if at = bytes.Index(raw, []byte("eXIf")); at >= 0 {
			return tiffOrientation(raw[at+4:])
		}
	case bytes.HasPrefix(raw, []byte("RIFF")):
		if at = bytes.LastIndex(raw, []byte("EXIF")); at >= 0 && at+8 < len(raw) {
			return tiffOrientation(bytes.TrimPrefix(raw[at+8:], []byte("Exif\x00\x00")))
		}
	}
	return 1
}

// maxExifAt is how far from the beginning of a JPEG its EXIF data begin, bytes: other segments may come first.
const maxExifAt = 256 << 10

const (
	tagOrientation = 0x0112
	entrySize      = 12 // bytes of an entry of a directory
)

// tiffOrientation returns the orientation in the first directory of TIFF data.
func tiffOrientation(b []byte) int {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(b[:2]) == "II" {
		order = binary.LittleEndian
	}
	first := uint64(order.Uint32(b[4:]))
	if first+2 > uint64(len(b)) {
		return 1
	}
	entries := b[first+2:]
	for range order.Uint16(b[first:]) {
		if len(entries) < entrySize {
			return 1
		}
		if order.Uint16(entries) == tagOrientation {
			return int(order.Uint16(entries[8:]))
		}
		entries = entries[entrySize:]
	}
	return 1
}
