package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sectorBytes is the unit in which disks lose data.
const sectorBytes = 512

// TestEverySectorDamaged damages each sector of a journal of several segments in turn, in several ways. All records
// outside the damaged frames are read, none twice, the lost ones are counted exactly, and numbering goes on.
func TestEverySectorDamaged(t *testing.T) {
	intact := t.TempDir()
	frames := writeVariedFrames(t, intact)
	records := frames[len(frames)-1].records
	last := records[len(records)-1].Seq
	for _, name := range segmentNames(t, intact) {
		content := readFile(t, filepath.Join(intact, name))
		for from := 0; from < len(content); from += sectorBytes {
			to := min(from+sectorBytes, len(content))
			for how, damage := range sectorDamages {
				for _, known := range []uint64{0, last} {
					c := sectorCase{frames: frames, segment: name, from: from, to: to, known: known}
					b := slices.Clone(content)
					damage(b[from:to])
					c.check(t, how, intact, b)
				}
			}
		}
	}
}

var sectorDamages = map[string]func(b []byte){
	"zeroed": func(b []byte) { clear(b) },
	"flipped": func(b []byte) {
		for i := range b {
			b[i] ^= 0xff
		}
	},
	"one bit flipped": func(b []byte) { b[len(b)/2] ^= 1 },
}

// writeVariedFrames creates a journal with frames that are shorter and longer than a sector.
func writeVariedFrames(t *testing.T, dir string) (frames []written) {
	j := mustOpenOn(t, dir, Options{SegmentBytes: 5000}, noSyncFS{})
	for i := 0; len(segmentNames(t, dir)) < 3; i++ {
		var f written
		var batch []string
		for k := range i%3 + 1 {
			batch = append(batch, fmt.Sprintf("%d %d %s", i, k, strings.Repeat("y", []int{3, 40, 700, 0, 1500}[(i+k)%5])))
		}
		for k, a := range appendBatch(j, batch) {
			if a.err != nil {
				t.Fatal(a.err)
			}
			f.records = append(f.records, entry{a.seq, batch[k]})
		}
		f.segment, f.end = filepath.Base(j.tail.seg.path), int(j.tail.size)
		f.begin = headerSize
		if n := len(frames); n > 0 && frames[n-1].segment == f.segment {
			f.begin = frames[n-1].end
		}
		frames = append(frames, f)
	}
	mustClose(t, j)
	return frames
}

// sectorCase is a journal with one damaged sector. known is Options.KnownSeq.
type sectorCase struct {
	frames   []written
	segment  string
	from, to int
	known    uint64
}

func (c sectorCase) check(t *testing.T, how, intact string, content []byte) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(intact)); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, c.segment), content)
	what := fmt.Sprintf("%s: bytes %d to %d of %s, known %d", how, c.from, c.to, c.segment, c.known)
	o := Options{SegmentBytes: 5000, KnownSeq: c.known}
	j := mustOpenOn(t, dir, o, noSyncFS{})
	want, last, lost := c.want(content)
	r := j.Reader(1)
	if diff := cmp.Diff(want, readAll(t, r)); diff != "" {
		t.Fatalf("%s: records (-want +got):\n%s", what, diff)
	}
	if r.Skipped() != lost || r.Position() != last || j.Stats().LostRecords != lost || j.LastSeq() != last {
		t.Fatalf("%s: %d skipped up to %d, %+v, want %d lost up to %d", what, r.Skipped(), r.Position(), j.Stats(), lost,
			last)
	}
	if a := appendOne(j, "new"); a.seq != last+1 || a.err != nil {
		t.Fatalf("%s: append %v, want seq %d", what, a, last+1)
	}
	mustClose(t, j)
	j = mustOpenOn(t, dir, o, noSyncFS{})
	r = j.Reader(1)
	if diff := cmp.Diff(append(want, entry{last + 1, "new"}), readAll(t, r)); diff != "" || r.Skipped() != lost {
		t.Fatalf("%s: reopened, %d skipped, records (-want +got):\n%s", what, r.Skipped(), diff)
	}
	mustClose(t, j)
}

// want returns the records outside the damaged frames, the last seq, and the number of lost records. Damage at the very
// end is cut off like a torn frame, unless the last record is known.
func (c sectorCase) want(content []byte) (want []entry, last, lost uint64) {
	var missing uint64
	for _, f := range c.frames {
		if f.segment == c.segment && !goodFrame(content, f) {
			missing += uint64(len(f.records))
			continue
		}
		want = append(want, f.records...)
		last = f.records[len(f.records)-1].Seq
		lost, missing = lost+missing, 0
	}
	if c.known > last {
		last, lost = c.known, lost+missing
	}
	return want, last, lost
}

func goodFrame(content []byte, f written) bool {
	_, ok := parseFrame(content[f.begin:f.end])
	return ok
}

// readAll reads to the end of the journal.
func readAll(t *testing.T, r *Reader) (got []entry) {
	t.Helper()
	defer func() { _ = r.Close() }()
	for {
		seq, record, ok, err := r.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return got
		}
		got = append(got, entry{seq, string(record)})
	}
}

// TestKnownSeqOfMissingJournal removes the journal's folder: numbering goes on behind the records that others know.
func TestKnownSeqOfMissingJournal(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{KnownSeq: 2500})
	r := j.Reader(2001)
	if got := readAll(t, r); len(got) > 0 || r.Position() != 2500 || r.Skipped() != 500 {
		t.Errorf("read %v, %d skipped up to %d, want 500 skipped up to 2500", got, r.Skipped(), r.Position())
	}
	if a := appendOne(j, "new"); a.seq != 2501 || a.err != nil {
		t.Errorf("append %v, want seq 2501", a)
	}
	mustClose(t, j)
	j = mustOpen(t, dir, Options{KnownSeq: 2500})
	wantEntries(t, j, entries(2501, "new"))
}

// TestEmbeddedFrameIsNotRead damages a frame whose payload looks like a frame with a possible seq. The length of the
// bad frame leads over it.
func TestEmbeddedFrameIsNotRead(t *testing.T) {
	dir := t.TempDir()
	forged := append(make([]byte, frameHeader), "\x06forged"...)
	putFrame(forged, 3, 1)
	path, offsets := writeSegment(t, dir, "a", string(forged)+strings.Repeat("x", 100), "b")
	b := readFile(t, path)
	b[offsets[2]-1] ^= 1
	writeFile(t, path, b)
	j := mustOpen(t, dir, Options{})
	wantEntries(t, j, []entry{{1, "a"}, {3, "b"}})
}

// badSectorFS is a disk that can't read some bytes of segments.
type badSectorFS struct {
	osFS
	from, to int64
	bad      *bool
}

type badSectorFile struct {
	file
	fs badSectorFS
}

func (d badSectorFS) open(path string, flag int) (file, error) {
	f, err := d.osFS.open(path, flag)
	return badSectorFile{f, d}, err
}

func (f badSectorFile) ReadAt(p []byte, off int64) (int, error) {
	if *f.fs.bad && off < f.fs.to && off+int64(len(p)) > f.fs.from {
		return 0, syscall.EIO
	}
	return f.file.ReadAt(p, off)
}

// TestUnreadableSectorIsSkipped lets the disk fail to read a sector of each segment. Readers report that at first,
// because it may pass, and then skip the frames in the sector.
func TestUnreadableSectorIsSkipped(t *testing.T) {
	dir, bad := t.TempDir(), true
	j := mustOpenOn(t, dir, Options{SegmentBytes: 64 << 10}, badSectorFS{from: sectorSize, to: 2 * sectorSize, bad: &bad})
	const n, filler = 60, 2000
	for i := range n {
		mustAppend(t, j, fmt.Sprint(i, strings.Repeat("x", filler)))
	}
	r := j.Reader(1)
	defer r.Close()
	failures, read := 0, 0
	for {
		_, _, ok, err := r.TryNext()
		if err != nil {
			failures++
			continue
		}
		if !ok {
			break
		}
		read++
	}
	lost := int(r.Skipped())
	segments := j.Stats().Segments
	if failures != segments*readAttempts || lost < 2*segments || lost > 4*segments || read+lost != n ||
		j.Stats().LostRecords != r.Skipped() {
		t.Errorf("%d failures, %d records read, %d skipped: %+v", failures, read, lost, j.Stats())
	}
}
