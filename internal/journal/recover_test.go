package journal

import (
	"encoding/binary"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writeSegment creates a journal of the records, one frame each, and returns the path of its only segment and the
// offset of each frame.
func writeSegment(t *testing.T, dir string, records ...string) (path string, offsets []int) {
	t.Helper()
	j := mustOpen(t, dir, Options{})
	for _, r := range records {
		offsets = append(offsets, max(headerSize, int(j.tail.size)))
		mustAppend(t, j, r)
	}
	mustClose(t, j)
	return filepath.Join(dir, "00000000000000000001.seg"), offsets
}

// TestDamagedFrameIsSkipped damages a frame that is followed by good ones, which is not a torn write. Only that frame
// is lost: the following ones are not cut off, and their seqs are not assigned again.
func TestDamagedFrameIsSkipped(t *testing.T) {
	dir := t.TempDir()
	path, offsets := writeSegment(t, dir, numbered(1, 4)...)
	intact := readFile(t, path)
	want := append(entries(1, "record 1"), entries(3, "record 3", "record 4")...)
	for off := offsets[1] + 4; off < offsets[2]; off++ { // after the length
		damaged := slices.Clone(intact)
		damaged[off] ^= 4
		writeFile(t, path, damaged)
		j := mustOpen(t, dir, Options{})
		wantEntries(t, j, want)
		wantEntries(t, j, want) // a second reader does not count the damage again
		s := j.Stats()
		if s.DamagedParts != 1 || s.DamagedBytes != int64(offsets[2]-offsets[1]) || s.LostRecords != 1 || s.CutBytes != 0 {
			t.Errorf("byte %d: stats %+v, want one skipped frame with one record", off, s)
		}
		mustAppend(t, j, "five")
		wantEntries(t, j, append(slices.Clone(want), entry{5, "five"}))
		if n := len(segmentNames(t, dir)); n != 2 {
			t.Errorf("byte %d: %d segments, want a second one for the new record", off, n)
		}
		if err := j.Release(4); err != nil {
			t.Fatal(err)
		}
		mustClose(t, j)
		if err := (osFS{}).remove(filepath.Join(dir, "00000000000000000005.seg")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamagedHeaderIsSkipped(t *testing.T) {
	dir := t.TempDir()
	path, _ := writeSegment(t, dir, "a", "b")
	damaged := readFile(t, path)
	damaged[9] ^= 1 // of the version
	writeFile(t, path, damaged)
	j := mustOpen(t, dir, Options{})
	mustAppend(t, j, "c")
	wantEntries(t, j, entries(1, "a", "b", "c"))
	if s := j.Stats(); s.DamagedParts != 1 || s.DamagedBytes != headerSize || s.LostRecords != 0 {
		t.Errorf("stats %+v, want the header counted as damage", s)
	}
}

// TestDamagedOlderSegmentIsSkipped checks that neither Open nor the other segments are affected.
func TestDamagedOlderSegmentIsSkipped(t *testing.T) {
	intact := t.TempDir()
	j := mustOpen(t, intact, Options{SegmentBytes: 150})
	mustAppend(t, j, numbered(1, 9)...) // four per segment
	mustClose(t, j)
	if n := len(segmentNames(t, intact)); n != 3 {
		t.Fatalf("%d segments, want 3", n)
	}
	const first, frame = headerSize, frameHeader + 1 + len("record 1")
	for _, c := range []struct {
		name   string
		damage func(b []byte) []byte
		want   []int // readable records of the first four
		bytes  int64
	}{
		{"payload of the second frame", flip(first + frame + 25), []int{1, 3, 4}, int64(frame)},
		{"payload of the last frame", flip(first + 3*frame + 25), []int{1, 2, 3}, int64(frame)},
		{"length of the second frame", flip(first + frame), []int{1, 3, 4}, int64(frame)},
		{"length of the last frame", flip(first + 3*frame + 3), []int{1, 2, 3}, int64(frame)},
		{
			"header and first frame", func(b []byte) []byte { return flip(0)(flip(30)(b)) },
			[]int{2, 3, 4},
			int64(first + frame),
		},
		{"last byte missing", func(b []byte) []byte { return b[:len(b)-1] }, []int{1, 2, 3}, int64(frame - 1)},
		{"last frame missing", func(b []byte) []byte { return b[:len(b)-frame] }, []int{1, 2, 3}, 0},
		{"empty", func([]byte) []byte { return nil }, nil, 0},
		{"all zero", func(b []byte) []byte { return make([]byte, len(b)) }, nil, int64(first + 4*frame)},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for i, name := range segmentNames(t, intact) {
				b := readFile(t, filepath.Join(intact, name))
				if i == 0 {
					b = c.damage(b)
				}
				writeFile(t, filepath.Join(dir, name), b)
			}
			var log strings.Builder
			j := mustOpen(t, dir, Options{Logger: textLogger(&log)})
			var want []entry
			for _, n := range c.want {
				want = append(want, entries(uint64(n), numbered(n, 1)...)...)
			}
			want = append(want, entries(5, numbered(5, 5)...)...)
			wantEntries(t, j, want)
			wantEntries(t, j, want)
			s := j.Stats()
			if s.DamagedParts != 1 || s.DamagedBytes != c.bytes || s.LostRecords != uint64(4-len(c.want)) {
				t.Errorf("stats %+v, want %d bytes in one part with %d records", s, c.bytes, 4-len(c.want))
			}
			if n := strings.Count(log.String(), "damaged part of a journal segment skipped"); n != 1 {
				t.Errorf("%d log lines about it, want 1:\n%s", n, log.String())
			}
			mustAppend(t, j, "ten")
		})
	}
}

func flip(off int) func([]byte) []byte {
	return func(b []byte) []byte {
		b[off] ^= 1
		return b
	}
}

func TestOpenRejectsNewerFormat(t *testing.T) {
	dir := t.TempDir()
	path, _ := writeSegment(t, dir, "a")
	b := readFile(t, path)
	binary.LittleEndian.PutUint32(b[8:], 2)
	binary.LittleEndian.PutUint32(b[12:], crc32.Checksum(b[:12], crc32.MakeTable(crc32.Castagnoli)))
	writeFile(t, path, b)
	_, err := Open(dir, Options{})
	if err == nil || !strings.Contains(err.Error(), path+" has format version 2, this program reads version 1") {
		t.Errorf("Open = %v, want an error that names the file and the version", err)
	}
	if string(readFile(t, path)) != string(b) {
		t.Error("the segment was changed")
	}
}

// TestSeqsContinueAfterCursor checks that seqs up to a saved cursor are not assigned again: the consumer would skip the
// new records.
func TestSeqsContinueAfterCursor(t *testing.T) {
	for _, damage := range []struct {
		name string
		do   func(b []byte, offsets []int) []byte
		want []entry
	}{
		{
			"last frame damaged", func(b []byte, o []int) []byte { return flip(o[2] + 25)(b) },
			entries(1, "record 1", "record 2"),
		},
		{"empty", func([]byte, []int) []byte { return nil }, nil},
	} {
		t.Run(damage.name, func(t *testing.T) {
			dir := t.TempDir()
			path, offsets := writeSegment(t, dir, numbered(1, 3)...)
			j := mustOpen(t, dir, Options{})
			if err := j.SaveCursor("c", 3); err != nil {
				t.Fatal(err)
			}
			mustClose(t, j)
			writeFile(t, path, damage.do(readFile(t, path), offsets))
			j = mustOpen(t, dir, Options{})
			if s := j.Stats(); s.LastSeq != 3 || s.LostRecords != uint64(3-len(damage.want)) {
				t.Errorf("stats %+v, want LastSeq 3", s)
			}
			if a := appendOne(j, "new"); a.seq != 4 || a.err != nil {
				t.Errorf("append after the cursor: %v, want seq 4", a)
			}
			wantEntries(t, j, append(slices.Clone(damage.want), entry{4, "new"}))
			mustClose(t, j)
			j = mustOpen(t, dir, Options{})
			wantEntries(t, j, append(slices.Clone(damage.want), entry{4, "new"}))
		})
	}
}

// TestReaderSkipsDamageInNewestSegment damages the newest segment of an open journal: the reader continues with the
// next commit.
func TestReaderSkipsDamageInNewestSegment(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{})
	mustAppend(t, j, "a", "b", "c")
	path := filepath.Join(dir, "00000000000000000001.seg")
	b := readFile(t, path)
	b[headerSize+frameHeader+2] ^= 1 // the length of the second frame
	writeFile(t, path, b)
	r := j.Reader(1)
	defer r.Close()
	var got []entry
	for _, more := range []string{"d", "e"} {
		for {
			seq, record, ok, err := r.TryNext()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			got = append(got, entry{seq, string(record)})
		}
		mustAppend(t, j, more)
	}
	if seq, record, err := r.Next(t.Context()); err == nil {
		got = append(got, entry{seq, string(record)})
	}
	if diff := cmp.Diff(append(entries(1, "a"), entries(3, "c", "d", "e")...), got); diff != "" {
		t.Errorf("read around the damage (-want +got):\n%s", diff)
	}
	if s := j.Stats(); s.DamagedParts != 1 || s.LostRecords != 1 {
		t.Errorf("stats %+v, want one lost record in one part", s)
	}
}

// TestOpenSyncsLastFrame checks that a frame that a killed process wrote but did not sync is durable before readers see
// it after reopening.
func TestOpenSyncsLastFrame(t *testing.T) {
	dir := t.TempDir()
	files := newFaultFS(t, dir)
	j := mustOpenOn(t, dir, Options{}, files)
	mustAppend(t, j, "a")
	files.crashAfter(1) // during the sync
	if a := appendOne(j, "b"); a.err == nil {
		t.Fatal("acknowledged during a crash")
	}
	_ = j.Close()
	files.revive()
	j = mustOpenOn(t, dir, Options{}, files)
	wantEntries(t, j, entries(1, "a", "b"))
	crashBoth(t, files, Options{}, entries(1, "a", "b"), 2)
}
