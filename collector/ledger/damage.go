package ledger

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
)

// isDamage reports whether an error is about the content of a file or about a missing file, so that a retry can't
// help.
func isDamage(err error) bool {
	return errors.Is(err, errDamaged) || errors.Is(err, fs.ErrNotExist)
}

// openFailed handles a failed open of a segment. A segment that is damaged as a whole leaves the catalog and is
// renamed to .bad.
func (l *Ledger) openFailed(seg *segment, err error) {
	if !isDamage(err) {
		l.readFailed(seg, err)
		return
	}
	l.mu.Lock()
	counts := slices.Contains(l.catalog.segments(seg.hour), seg)
	l.catalog = l.catalog.change([]*segment{seg}, nil)
	l.mu.Unlock()
	if counts {
		l.readFailed(seg, err)
		l.renameBad(seg.path)
	}
}

// readFailed counts and logs damage and failed reads, each once for a segment.
func (l *Ledger) readFailed(seg *segment, err error) {
	if isDamage(err) {
		if !seg.damaged.Swap(true) {
			l.damaged.Add(1)
			l.log.Error("corrupt part of a ledger segment skipped; counts and duplicates of its hour may be wrong",
				"segment", seg.path, "error", err)
		}
		return
	}
	l.readErrors.Add(1)
	if !seg.readFailed.Swap(true) {
		l.log.Error("can't read a ledger segment; facts in it may be classified as new",
			"segment", seg.path, "error", err)
	}
}

// renameBad renames a damaged segment to .bad for inspection.
func (l *Ledger) renameBad(path string) {
	err := l.files.rename(path, strings.TrimSuffix(path, segmentSuffix)+badSuffix)
	if ignoreMissing(err) != nil {
		l.log.Error("can't rename a corrupt ledger segment", "segment", path, "error", err)
	}
}
