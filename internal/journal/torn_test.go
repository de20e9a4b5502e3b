package journal

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// noSyncFS does not sync, for tests that open a journal thousands of times.
type noSyncFS struct{ osFS }

func (u noSyncFS) open(path string, flag int) (file, error) {
	f, err := u.osFS.open(path, flag)
	return noSyncFile{f}, err
}

func (noSyncFS) syncDir(string) error { return nil }

type noSyncFile struct{ file }

func (noSyncFile) Sync() error { return nil }

// TestTornLastFrameIsCutOff damages the last frame in every way that a crash can: it is truncated and zeroed from each
// byte on, has a hole at each byte and each bit flipped, with and without preallocated zeros after it. All records
// before it remain, nothing else appears, and the journal accepts records.
func TestTornLastFrameIsCutOff(t *testing.T) {
	dir := t.TempDir()
	path, before := writeSegment(t, dir, numbered(1, 3)...)
	j := mustOpen(t, dir, Options{})
	appendBatch(j, []string{"torn 1", "", "torn 3"})
	mustClose(t, j)
	intact := readFile(t, path)
	tail := tornTail{t: t, dir: dir, path: path, last: before[2] + frameHeader + 1 + len("record 3")}
	for off := tail.last; off < len(intact); off++ {
		tail.check("cut", off, intact[:off])
		zeroed := append(slices.Clone(intact[:off]), make([]byte, len(intact)-off)...)
		tail.check("zeroed", off, zeroed)
		for bit := range 8 {
			flipped := slices.Clone(intact)
			flipped[off] ^= 1 << bit
			tail.check("flipped", off, flipped)
		}
		holed := slices.Clone(intact)
		clear(holed[off:min(off+4, len(holed))])
		if !bytes.Equal(holed, intact) {
			tail.check("holed", off, holed)
		}
	}
	tail.check("garbage", tail.last, append(intact[:tail.last:tail.last], "\xff\xff\xff\xffgarbage"...))
}

// tornTail is a segment of three frames with one record each and a fourth frame that begins at last.
type tornTail struct {
	t         *testing.T
	dir, path string
	last      int
}

func (c tornTail) check(what string, off int, content []byte) {
	c.t.Helper()
	for _, ahead := range []int{0, 70, 5000} {
		c.open(what, off, append(slices.Clone(content), make([]byte, ahead)...))
	}
}

func (c tornTail) open(what string, off int, content []byte) {
	t := c.t
	t.Helper()
	writeFile(t, c.path, content)
	torn := len(bytes.TrimRight(content[c.last:], "\x00"))
	j := mustOpenOn(t, c.dir, Options{}, noSyncFS{})
	wantEntries(t, j, entries(1, numbered(1, 3)...))
	s := j.Stats()
	if s.CutBytes != int64(torn) || s.DamagedParts != 0 || s.Segments != 1 {
		t.Errorf("%s at byte %d: stats %+v, want %d bytes cut", what, off, s, torn)
	}
	mustAppend(t, j, "after")
	mustClose(t, j)
	j = mustOpenOn(t, c.dir, Options{}, noSyncFS{})
	wantEntries(t, j, entries(1, append(numbered(1, 3), "after")...))
	if s := j.Stats(); s.CutBytes != 0 || s.Bytes != int64(len(readFile(t, c.path))) {
		t.Errorf("%s at byte %d: bytes cut at the second opening: %+v", what, off, s)
	}
	mustClose(t, j)
}

// TestTornOnlyFrameIsCutOff truncates the only frame, which includes the header.
func TestTornOnlyFrameIsCutOff(t *testing.T) {
	dir := t.TempDir()
	path, _ := writeSegment(t, dir, "only")
	intact := readFile(t, path)
	for off := range intact {
		for _, ahead := range []int{0, 100} {
			writeFile(t, path, append(slices.Clone(intact[:off]), make([]byte, ahead)...))
			j := mustOpenOn(t, dir, Options{}, noSyncFS{})
			wantEntries(t, j, nil)
			mustAppend(t, j, "anew")
			mustClose(t, j)
			j = mustOpenOn(t, dir, Options{}, noSyncFS{})
			wantEntries(t, j, entries(1, "anew"))
			mustClose(t, j)
		}
	}
}

// TestTrailingZerosAreNotReported checks that the zeros that a killed process leaves are neither counted nor logged.
func TestTrailingZerosAreNotReported(t *testing.T) {
	dir := t.TempDir()
	path, _ := writeSegment(t, dir, "a")
	writeFile(t, path, append(readFile(t, path), make([]byte, 3*readAhead)...))
	var log strings.Builder
	j := mustOpen(t, dir, Options{Logger: textLogger(&log)})
	wantEntries(t, j, entries(1, "a"))
	if j.Stats().CutBytes != 0 || log.String() != "" {
		t.Errorf("%d bytes cut, log %q, want none", j.Stats().CutBytes, log.String())
	}
}

// TestPreallocation checks that frames overwrite zeros, and that a segment that ended cleanly has none.
func TestPreallocation(t *testing.T) {
	dir := t.TempDir()
	o := Options{SegmentBytes: preallocBytes + 1000}
	j := mustOpen(t, dir, o)
	path := filepath.Join(dir, segmentNames(t, dir)[0])
	size := func() int64 { return int64(len(readFile(t, path))) }
	mustAppend(t, j, "a")
	if size() != preallocBytes || j.Stats().Bytes != preallocBytes {
		t.Errorf("file of %d bytes, stats %+v, want %d", size(), j.Stats(), preallocBytes)
	}
	mustAppend(t, j, string(make([]byte, preallocBytes-1000)))
	if size() != preallocBytes {
		t.Errorf("file of %d bytes after a frame that fits, want %d", size(), preallocBytes)
	}
	mustAppend(t, j, string(make([]byte, 1000)))
	if size() != o.SegmentBytes {
		t.Errorf("file of %d bytes, want at most a segment's %d", size(), o.SegmentBytes)
	}
	end := j.tail.size
	mustAppend(t, j, string(make([]byte, 1000)))
	if size() != end || len(segmentNames(t, dir)) != 2 {
		t.Errorf("file of %d bytes after the begin of a second segment, want %d", size(), end)
	}
	mustClose(t, j)
	if got, want := bytesOnDisk(t, dir), j.Stats().Bytes; got != want {
		t.Errorf("%d bytes on disk after Close, want %d", got, want)
	}
}
