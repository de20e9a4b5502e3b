package journal

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// damagedJournal creates a journal of seven segments with two records each. It damages the second record in the
// segments that begin with the given seqs.
func damagedJournal(t *testing.T, o Options, damaged ...int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	j := mustOpen(t, dir, o)
	mustAppend(t, j, numbered(1, 9)...)
	mustAppend(t, j, "record A", "record B", "record C", "record D", "record E")
	mustClose(t, j)
	if n := len(segmentNames(t, dir)); n != 7 {
		t.Fatalf("%d segments, want 7", n)
	}
	for _, first := range damaged {
		path := segmentPath(dir, uint64(first))
		writeFile(t, path, flip(headerSize+frameHeader+9+frameHeader+5)(readFile(t, path)))
	}
	return dir
}

// twoEach makes segments of two frames of 29 bytes, 74 bytes with the header.
var twoEach = Options{SegmentBytes: 110}

func quarantineNames(firsts ...int) (names []string) {
	for _, first := range firsts {
		names = append(names, fmt.Sprintf("%020d.bad", first))
	}
	return names
}

func wantQuarantined(t *testing.T, j *Journal, dir string, firsts ...int) {
	t.Helper()
	if diff := cmp.Diff(quarantineNames(firsts...), quarantinedNames(t, dir)); diff != "" {
		t.Errorf("quarantined segments (-want +got):\n%s", diff)
	}
	const size = headerSize + 2*(frameHeader+9)
	if s := j.Stats(); s.QuarantinedSegments != len(firsts) || s.QuarantinedBytes != int64(len(firsts)*size) ||
		s.Bytes != bytesOnDisk(t, dir) {
		t.Errorf("stats %+v, want %d quarantined segments", s, len(firsts))
	}
}

// TestQuarantinedSegmentSurvivesRelease also releases the segment with a journal that has not detected the damage
// itself.
func TestQuarantinedSegmentSurvivesRelease(t *testing.T) {
	dir := damagedJournal(t, twoEach, 3)
	damaged := readFile(t, segmentPath(dir, 3))
	var log strings.Builder
	o := twoEach
	o.Logger = textLogger(&log)
	j := mustOpen(t, dir, o)
	wantQuarantined(t, j, dir)
	readFrom(t, j, 0)
	wantQuarantined(t, j, dir, 3)
	if n := strings.Count(log.String(), "segment quarantined"); n != 1 ||
		!strings.Contains(log.String(), quarantineNames(3)[0]) {
		t.Errorf("%d log lines about it, want 1 with its name:\n%s", n, log.String())
	}
	mustClose(t, j)
	j = mustOpen(t, dir, twoEach)
	wantQuarantined(t, j, dir, 3)
	if err := j.Release(14); err != nil {
		t.Fatal(err)
	}
	wantQuarantined(t, j, dir, 3)
	if got := readFile(t, filepath.Join(dir, quarantineNames(3)[0])); string(got) != string(damaged) {
		t.Error("the quarantined file differs from the damaged segment")
	}
	mustClose(t, j)
	wantQuarantined(t, mustOpen(t, dir, twoEach), dir, 3)
}

// TestQuarantineIsBounded checks the limit of the number of segments, and that of their size with MaxBytes.
func TestQuarantineIsBounded(t *testing.T) {
	dir := damagedJournal(t, twoEach, 1, 3, 5, 7, 9, 11)
	j := mustOpen(t, dir, twoEach)
	readFrom(t, j, 0)
	wantQuarantined(t, j, dir, 5, 7, 9, 11)
	mustClose(t, j)
	for _, c := range []struct {
		maxBytes int64
		want     []int
	}{
		{74 * 4 * 3, []int{7, 9, 11}},
		{74*4 + 3, []int{11}},
		{74*4 - 1, nil},
		{2 * 110, nil},
	} {
		o := Options{SegmentBytes: 110, MaxRecord: 20, MaxBytes: c.maxBytes}
		j := mustOpen(t, dir, o)
		wantQuarantined(t, j, dir, c.want...)
		if err := j.Release(j.LastSeq()); err != nil {
			t.Fatal(err)
		}
		wantQuarantined(t, j, dir, c.want...)
		mustAppend(t, j, strings.Repeat("x", 20))
		mustClose(t, j)
	}
}

// TestQuarantineFailureIsHarmless makes linking and deletion fail.
func TestQuarantineFailureIsHarmless(t *testing.T) {
	dir := damagedJournal(t, twoEach, 1, 3, 5, 7, 9, 11)
	files := newFaultFS(t, dir)
	j := mustOpenOn(t, dir, twoEach, files)
	files.failAfter(0, fault{err: syscall.EPERM}) // the first link
	files.failAfter(6, fault{err: syscall.EIO})   // the last deletion
	if got := len(readFrom(t, j, 0)); got != 8 {
		t.Errorf("%d records read, want 8", got)
	}
	wantQuarantined(t, j, dir, 3, 5, 7, 9, 11)
	mustClose(t, j)
	wantQuarantined(t, mustOpen(t, dir, twoEach), dir, 5, 7, 9, 11)
}
