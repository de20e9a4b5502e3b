package gtfs

import (
	"archive/zip"
	"fmt"
	"io"
	"math"
)

// Bounds of a timetable. Reading needs at most about twice the memory that is held, because a garbage collector
// frees late: so at most 1 GB, and at most four times the unpacked size of a large timetable.
const (
	// MaxFileSize is the maximum unpacked size of one file in bytes: 30 times the stop times of Hanoi.
	MaxFileSize = 512 << 20
	// MaxSize is the maximum unpacked size of all files that are used, in bytes.
	MaxSize = 1 << 30

	maxHeld      = 512 << 20 // bytes of memory that a feed may hold, whatever its size
	heldPerByte  = 2         // bytes of memory that a feed may hold per unpacked byte …
	alwaysHeld   = 32 << 20  // … and what every feed may hold
	maxRatio     = 200       // of a packed file; those of real timetables are below 40
	freeRatio    = 1 << 20   // bytes of a file that may have any ratio
	maxDirectory = 512 << 10 // bytes of the directory of an archive, some thousand files
	maxRecord    = 64 << 10  // bytes of a row, with its line breaks
	maxColumns   = 1000
)

// Estimates of memory, in bytes, on a 64-bit machine.
const (
	mapEntry  = 48 // of a map from an id to a pointer, with its share of empty slots
	reference = 20 // of a pointer in a slice that grows
)

// budget bounds the memory that a feed holds. A nil budget has no bound.
type budget struct{ used, limit int64 }

// newBudget returns the budget of a feed with an unpacked size in bytes.
func newBudget(size int64) *budget {
	return &budget{limit: min(max(alwaysHeld, size*heldPerByte), maxHeld)}
}

// take adds memory that is about to be held. It returns false if that is too much.
func (b *budget) take(bytes int64) bool {
	if b == nil {
		return true
	}
	b.used += bytes
	return b.used <= b.limit
}

// hold takes memory of the feed's budget. Beyond it the table fails.
func (t *table) hold(bytes uintptr) bool {
	if t.held.take(int64(bytes)) {
		return true
	}
	if t.err == nil {
		t.err = &Error{
			File: t.name, Line: t.line(),
			Rule: fmt.Sprintf("the timetable needs more than %d bytes of memory up to this row, too much for its size",
				t.held.limit),
			code: codeTooManyRows, bound: true,
		}
	}
	return false
}

// clone returns a copy of a text, which counts as held.
func (t *table) clone(s string) string {
	if s == "" || !t.hold(uintptr(len(s)+textUnit-1)&^(textUnit-1)) {
		return ""
	}
	return string([]byte(s))
}

// textUnit is what the size of a text in memory is a multiple of, bytes.
const textUnit = 16

// intern returns a copy of a text, the same one for all rows with that text.
func (t *table) intern(s string) string {
	if s == "" || t.texts == nil {
		return t.clone(s)
	}
	if known, ok := t.texts[s]; ok {
		return known
	}
	own := t.clone(s)
	if own != "" && t.hold(mapEntry) {
		t.texts[own] = own
	}
	return own
}

// directoryReader fails when an archive's directory needs more than its bound.
type directoryReader struct {
	r    io.ReaderAt
	left int64
}

// zipTail is what archive/zip reads at the end of an archive to find its directory, bytes, with the record of a
// large archive and the buffer of the directory.
const zipTail = 1<<10 + 66<<10 + 8<<10

// ReadAt reads until the bound is reached.
func (d *directoryReader) ReadAt(p []byte, at int64) (int, error) {
	if d.left -= int64(len(p)); d.left < 0 {
		return 0, fmt.Errorf("the directory of the archive must have at most %d bytes", maxDirectory)
	}
	return d.r.ReadAt(p, at)
}

// measure unpacks all files that are used, without keeping anything, and returns their size. The directory of an
// archive may state any size. An optional file that can't be unpacked is left out.
func (l *loader) measure() (int64, error) {
	var total int64
	for _, name := range usedFiles {
		f := l.files[name]
		if f == nil {
			continue
		}
		n, err := l.unpack(name, f)
		if total += n; err == nil && total > MaxSize {
			err = &Error{
				File: name, bound: true, code: codeTooManyRows,
				Rule: fmt.Sprintf("the files must have at most %d bytes together when unpacked", int64(MaxSize)),
			}
		}
		if err = l.tolerate(name, err); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// unpack unpacks a file without keeping anything and returns its size.
func (l *loader) unpack(name string, f *zip.File) (int64, error) {
	r, err := l.open(f)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, r)
	return n, closed(r, name, err)
}

// ratioLimit returns the unpacked size that a file of a packed size may have.
func ratioLimit(packed uint64) int64 {
	if packed > math.MaxInt64/maxRatio {
		return math.MaxInt64
	}
	return max(int64(packed)*maxRatio, freeRatio)
}
