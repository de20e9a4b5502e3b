package journal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
	"testing"
)

// segmentBytes returns a segment that begins with seq first and has frames with the given records.
func segmentBytes(first uint64, frames ...[]string) []byte {
	var out []byte
	for i, records := range frames {
		b := newBatch()
		for _, r := range records {
			b.add([]byte(r), nil)
		}
		out = append(out, b.seal(first, i == 0)...)
		first += uint64(len(records))
	}
	return out
}

// reseal updates the checksum of a changed frame.
func reseal(frame []byte) []byte {
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(frame[8:], crc32.MakeTable(crc32.Castagnoli)))
	return frame
}

// scanAll returns the first seq and the count of each frame that a scanner finds.
func scanAll(t testing.TB, content []byte, first, limit uint64) (found [][2]uint64, bad []damage, s *scanner) {
	s = newScanner(bytes.NewReader(content), first, int64(len(content)), func(b damage) { bad = append(bad, b) })
	s.limit = limit
	for {
		f, ok, err := s.scan()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return found, bad, s
		}
		found = append(found, [2]uint64{f.first, uint64(f.count)})
	}
}

// TestScannerRejectsInvalidFrames checks frames that are invalid in spite of a correct checksum.
func TestScannerRejectsInvalidFrames(t *testing.T) {
	good := segmentBytes(5, []string{"a", "b"})
	header, frame := good[:headerSize], good[headerSize:]
	change := func(do func(f []byte)) []byte {
		f := slices.Clone(frame)
		do(f)
		return append(slices.Clone(header), reseal(f)...)
	}
	put64, put32 := binary.LittleEndian.PutUint64, binary.LittleEndian.PutUint32
	for name, content := range map[string][]byte{
		"lower seq":             change(func(f []byte) { put64(f[8:], 4) }),
		"higher seq":            change(func(f []byte) { put64(f[8:], 6) }),
		"seq 0":                 change(func(f []byte) { put64(f[8:], 0) }),
		"highest seq":           change(func(f []byte) { put64(f[8:], math.MaxUint64) }),
		"no records":            change(func(f []byte) { put32(f[16:], 0) }),
		"one record too many":   change(func(f []byte) { put32(f[16:], 3) }),
		"one record too few":    change(func(f []byte) { put32(f[16:], 1) }),
		"record too long":       change(func(f []byte) { f[20] = 100 }),
		"endless length":        change(func(f []byte) { copy(f[20:], "\xff\xff\xff\xff") }),
		"four billion records":  change(func(f []byte) { put32(f[16:], math.MaxUint32) }),
		"no payload":            append(slices.Clone(header), reseal(slices.Concat([]byte{12, 0, 0, 0}, frame[4:20]))...),
		"length too short":      append(slices.Clone(header), slices.Concat([]byte{3, 0, 0, 0}, frame[4:])...),
		"length beyond the end": append(slices.Clone(header), slices.Concat([]byte{17, 0, 0, 0}, frame[4:])...),
		"empty":                 nil,
		"header only":           header,
		"zeros":                 make([]byte, 200),
	} {
		if found, bad, _ := scanAll(t, content, 5, math.MaxUint64); len(found) > 0 || len(bad) > 0 {
			t.Errorf("%s: found %v, skipped %v, want nothing", name, found, bad)
		}
	}
	if found, _, _ := scanAll(t, good, 5, math.MaxUint64); !slices.Equal(found, [][2]uint64{{5, 2}}) {
		t.Errorf("valid frame: found %v", found)
	}
}

// TestScannerStopsAtLimit checks that frames that a later segment overrides are neither returned nor counted as damage.
func TestScannerStopsAtLimit(t *testing.T) {
	content := segmentBytes(1, []string{"a", "b"}, []string{"c", "d"}, []string{"e"})
	for _, c := range []struct {
		limit uint64
		want  int
		next  uint64
	}{{1, 0, 1}, {2, 0, 1}, {3, 1, 3}, {4, 1, 3}, {5, 2, 5}, {6, 3, 6}, {9, 3, 6}} {
		found, bad, s := scanAll(t, content, 1, c.limit)
		if len(found) != c.want || len(bad) != 0 || s.next != c.next {
			t.Errorf("limit %d: %d frames, %d skipped, next %d; want %d, 0 and %d", c.limit, len(found), len(bad), s.next,
				c.want, c.next)
		}
	}
}

// FuzzScanner scans arbitrary bytes: the scanner ends, does not panic, and returns only frames with a valid checksum,
// with their own payload and seqs, in order.
func FuzzScanner(f *testing.F) {
	whole := segmentBytes(7, []string{"a", ""}, []string{"third"}, []string{string(make([]byte, 300))})
	f.Add(whole, uint64(7), uint64(math.MaxUint64), false)
	f.Add(whole, uint64(7), uint64(9), false)
	f.Add(whole[:len(whole)-1], uint64(7), uint64(100), false)
	f.Add(flip(40)(slices.Clone(whole)), uint64(7), uint64(100), false)
	f.Add(flip(3)(slices.Clone(whole)), uint64(7), uint64(100), false)
	f.Add(segmentBytes(3, []string{"a", "bc"}), uint64(3), uint64(100), true)
	f.Add(make([]byte, 64), uint64(1), uint64(2), true)
	f.Add([]byte(nil), uint64(0), uint64(0), false)
	table := crc32.MakeTable(crc32.Castagnoli)
	f.Fuzz(func(t *testing.T, content []byte, first, limit uint64, whole bool) {
		if whole && len(content) > headerSize+frameHeader { // makes the checksum valid
			content = slices.Clone(content)
			putFrame(content[headerSize:], first, binary.LittleEndian.Uint32(content[headerSize+16:]))
		}
		var skipped int64
		s := newScanner(bytes.NewReader(content), first, int64(len(content)), func(b damage) { skipped += b.to - b.from })
		s.limit = limit
		for before, next := int64(0), first; ; before = s.off {
			fr, ok, err := s.scan()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			begin := s.off - fr.size
			b := content[begin:s.off]
			if begin < before || crc32.Checksum(b[8:], table) != binary.LittleEndian.Uint32(b[4:]) {
				t.Fatalf("frame at byte %d after byte %d with a wrong checksum", begin, before)
			}
			if !bytes.Equal(fr.payload, b[frameHeader:]) || fr.first != binary.LittleEndian.Uint64(b[8:]) {
				t.Fatalf("frame at byte %d differs from the file", begin)
			}
			if fr.first < next || fr.last() >= limit {
				t.Fatalf("seqs %d to %d, want from %d and below %d", fr.first, fr.last(), next, limit)
			}
			next = fr.last() + 1
			rest := fr.payload
			for range fr.count {
				if _, rest, ok = cutRecord(rest); !ok {
					t.Fatalf("frame at byte %d has fewer records than its count", begin)
				}
			}
		}
		if s.off > int64(len(content)) || skipped > s.off {
			t.Fatalf("stopped at %d of %d with %d skipped", s.off, len(content), skipped)
		}
	})
}
