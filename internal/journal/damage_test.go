package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// written is a frame that a journal wrote.
type written struct {
	segment    string
	begin, end int
	records    []entry
}

// TestRandomDamage writes a journal, damages its files at random, and opens it. Everything before a segment's first
// damage is read, nothing is read that was not written, every record is read or counted as lost, damaged segments
// remain after their release, and the journal accepts records.
func TestRandomDamage(t *testing.T) {
	root, tb := t.TempDir(), t
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		if err != nil {
			t.Fatal(err)
		}
		o := Options{SegmentBytes: 300}
		frames := writeFrames(t, dir, o)
		damaged := damageSegments(t, tb, dir)
		j, err := open(dir, o, noSyncFS{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = j.Close() }()
		got := readFrom(tb, j, 0)
		checkRead(t, got, frames, damaged)
		checkLost(t, j, got)
		if diff := cmp.Diff(got, readFrom(tb, j, 0)); diff != "" {
			t.Fatalf("second read (-first +second):\n%s", diff)
		}
		a := appendOne(j, "after")
		if a.err != nil {
			t.Fatal(a.err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j, err = open(dir, o, noSyncFS{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append(got, entry{a.seq, "after"}), readFrom(tb, j, 0)); diff != "" {
			t.Fatalf("read after reopening (-want +got):\n%s", diff)
		}
		quarantined := j.Stats().QuarantinedSegments
		if err := j.Release(a.seq); err != nil {
			t.Fatal(err)
		}
		s := j.Stats()
		if n := len(quarantinedNames(tb, dir)); n != s.QuarantinedSegments || n != quarantined || n > maxQuarantined ||
			s.Bytes != bytesOnDisk(tb, dir) {
			t.Fatalf("%d quarantined segments, %d before the release, %d bytes on disk: %+v", n, quarantined,
				bytesOnDisk(tb, dir), s)
		}
	})
}

// writeFrames creates a journal of some segments and sometimes a cursor.
func writeFrames(t *rapid.T, dir string, o Options) (frames []written) {
	j, err := open(dir, o, noSyncFS{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range rapid.IntRange(1, 12).Draw(t, "frames") {
		var f written
		var batch []string
		for k := range rapid.IntRange(1, 4).Draw(t, "records") {
			batch = append(batch, fmt.Sprintf("%d %d %s", i, k, rapid.StringN(0, 20, 60).Draw(t, "text")))
		}
		for k, a := range appendBatch(j, batch) {
			if a.err != nil {
				t.Fatal(a.err)
			}
			f.records = append(f.records, entry{a.seq, batch[k]})
		}
		f.segment, f.end = filepath.Base(j.tail.seg.path), int(j.tail.size)
		if n := len(frames); n > 0 && frames[n-1].segment == f.segment {
			f.begin = frames[n-1].end
		}
		frames = append(frames, f)
	}
	if seq := rapid.Uint64Range(0, j.LastSeq()).Draw(t, "cursor"); seq > 0 {
		if err := j.SaveCursor("c", seq); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return frames
}

// damageSegments changes some of the segments and returns the offset of the first changed byte of each.
func damageSegments(t *rapid.T, tb testing.TB, dir string) map[string]int {
	first := map[string]int{}
	names := segmentNames(tb, dir)
	for range rapid.IntRange(1, 3).Draw(t, "damages") {
		name := rapid.SampledFrom(names).Draw(t, "segment")
		path := filepath.Join(dir, name)
		intact := readFile(tb, path)
		if len(intact) == 0 {
			continue
		}
		from := rapid.IntRange(0, len(intact)-1).Draw(t, "from")
		to := min(len(intact), from+rapid.SampledFrom([]int{1, 4, 64, 512}).Draw(t, "length"))
		b := slices.Clone(intact)
		switch rapid.SampledFrom([]string{"flip", "zero", "garbage", "cut", "repeat"}).Draw(t, "how") {
		case "flip":
			b[from] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case "zero":
			clear(b[from:to])
		case "garbage":
			copy(b[from:to], bytes.Repeat([]byte("\x05\x00\x00\x00garbage\xff\xff"), 60))
		case "cut":
			b = b[:from]
		case "repeat": // like a disk that writes to the wrong place
			copy(b[from:to], intact)
		}
		writeFile(tb, path, b)
		at := 0
		for at < len(b) && b[at] == intact[at] {
			at++
		}
		if known, ok := first[name]; at < len(intact) && (!ok || at < known) {
			first[name] = at
		}
	}
	return first
}

func checkRead(t *rapid.T, got []entry, frames []written, damaged map[string]int) {
	read := map[entry]bool{}
	for i, e := range got {
		read[e] = true
		if i > 0 && e.Seq <= got[i-1].Seq {
			t.Fatalf("seq %d after %d", e.Seq, got[i-1].Seq)
		}
	}
	known := 0
	for _, f := range frames {
		at, hit := damaged[f.segment]
		for _, e := range f.records {
			if read[e] {
				known++
			} else if !hit || f.end <= at {
				t.Fatalf("seq %d before the damage of %s at byte %d is not read", e.Seq, f.segment, at)
			}
		}
	}
	if known != len(got) {
		t.Fatalf("read %d records, of which %d were written: %v", len(got), known, got)
	}
}

// checkLost checks that each seq is read or counted as lost, and that damaged segments are quarantined.
func checkLost(t *rapid.T, j *Journal, got []entry) {
	s := j.Stats()
	if s.Records != s.LostRecords+uint64(len(got)) {
		t.Fatalf("%d records read, stats %+v", len(got), s)
	}
	if (s.DamagedParts > 0) != (s.QuarantinedSegments > 0) {
		t.Fatalf("damage without a quarantined segment, or the reverse: %+v", s)
	}
}
