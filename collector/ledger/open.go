package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nhip"
)

// Open opens the ledger in dir, and creates it if needed. It removes the files of a checkpoint or merge that a crash
// interrupted; damaged segments are renamed to .bad, counted and logged. Only one process may have a ledger open.
func Open(dir string, o Options) (*Ledger, error) { return open(dir, o, osFS{}) }

func open(dir string, o Options, files fileSystem) (*Ledger, error) {
	l := &Ledger{
		dir: dir, files: files, late: cmp.Or(o.Late, nhip.LateWindow), log: o.Logger,
		devices: map[string]*device{}, cache: newSegmentCache(files), tally: tally{}, marks: marks{},
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if err := l.load(); err != nil {
		return nil, fmt.Errorf("can't open the ledger in %s: %w", dir, err)
	}
	return l, nil
}

// load reads the checkpoint and the headers of all segments.
func (l *Ledger) load() error {
	if err := os.MkdirAll(l.dir, dirMode); err != nil {
		return err
	}
	if err := l.files.syncDir(filepath.Dir(l.dir)); err != nil {
		return err
	}
	found, err := l.list()
	if err != nil {
		return err
	}
	at, err := l.readCheckpoint()
	if err != nil && !isDamage(err) {
		return err
	}
	if errors.Is(err, errDamaged) || err != nil && len(found) > 0 {
		l.damaged.Add(1)
		l.log.Error("damaged ledger checkpoint is rebuilt from the segments", "dir", l.dir, "error", err)
	}
	if at != nil && olderThan(at, found) {
		l.damaged.Add(1)
		l.log.Error("ledger checkpoint is older than the segments; it is rebuilt from them",
			"dir", l.dir, "number", at.number)
		at = nil
	}
	if at != nil {
		if found, err = l.removeUncommitted(found, at.number); err != nil {
			return err
		}
	}
	heads, err := l.readHeaders(found)
	if err != nil {
		return err
	}
	if at == nil {
		at = l.lastComplete(heads)
		if err := l.save(at); err != nil {
			return err
		}
	}
	return l.loadCatalog(at, heads)
}

// olderThan reports whether segments show that a later checkpoint than at was durable, as in a copy whose files are of
// different moments: segments of the checkpoint after the next one, or a merged segment. Their removal would lose what
// the merged segment replaced.
func olderThan(at *checkpoint, found []*segment) bool {
	return slices.ContainsFunc(found, func(s *segment) bool {
		return s.last > at.number+1 || s.last > at.number && s.first < s.last
	})
}

// loadCatalog fills the catalog with the segments that count, and removes the others.
func (l *Ledger) loadCatalog(at *checkpoint, heads []segmentWithHeader) error {
	var found []*segment
	for _, h := range heads {
		found = append(found, h.segment)
	}
	found, err := l.removeUncommitted(found, at.number)
	if err != nil {
		return err
	}
	var merged []*segment
	l.catalog = l.catalog.change(nil, found)
	for _, p := range l.catalog {
		for _, seg := range p.segments {
			if mergedIntoAnother(seg, p.segments) {
				merged = append(merged, seg)
				err = errors.Join(err, l.files.remove(seg.path))
			}
		}
	}
	l.catalog = l.catalog.change(merged, nil)
	l.saved = checkpoint{at.number, maps.Clone(at.marks)}
	l.marks = at.marks
	return errors.Join(err, l.files.syncDir(l.dir))
}

// mergedIntoAnother reports whether a merged segment includes seg.
func mergedIntoAnother(seg *segment, segments []*segment) bool {
	return slices.ContainsFunc(segments, func(o *segment) bool { return o != seg && o.holds(seg.span) })
}

// list returns the segments in the folder. It removes unfinished files, and counts those that were renamed to .bad.
func (l *Ledger) list() ([]*segment, error) {
	files, err := os.ReadDir(l.dir)
	if err != nil {
		return nil, err
	}
	var found []*segment
	for _, f := range files {
		path := filepath.Join(l.dir, f.Name())
		switch {
		case strings.HasSuffix(path, tmpSuffix):
			err = errors.Join(err, l.files.remove(path))
		case strings.HasSuffix(path, badSuffix):
			l.damaged.Add(1)
		case strings.HasSuffix(path, segmentSuffix):
			if s, ok := parseFileName(f.Name()); ok {
				found = append(found, &segment{span: s, path: path})
			} else {
				l.quarantine(path, damaged("name"))
			}
		}
	}
	return found, err
}

// quarantine renames a segment that Open can't use.
func (l *Ledger) quarantine(path string, err error) {
	l.damaged.Add(1)
	l.log.Error("corrupt ledger segment skipped; counts and duplicates of its hour may be wrong",
		"segment", path, "error", err)
	l.renameBad(path)
}

// readCheckpoint reads the file "checkpoint". isDamage is true for its error if the file is missing or damaged.
func (l *Ledger) readCheckpoint() (*checkpoint, error) {
	content, err := readAll(l.files, filepath.Join(l.dir, checkpointName))
	if err != nil {
		return nil, err
	}
	at, ok := parseCheckpoint(content)
	if err := newerCheckpoint(content); err != nil {
		return nil, fmt.Errorf("the file %s %w", checkpointName, err)
	}
	if !ok {
		return nil, damaged("content")
	}
	return at, nil
}

func readAll(files fileSystem, path string) ([]byte, error) {
	f, err := files.open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := files.size(f)
	if err != nil {
		return nil, err
	}
	return readAt(f, 0, int(size), nil)
}

// removeUncommitted removes the segments of an unfinished checkpoint, and returns the others.
func (l *Ledger) removeUncommitted(found []*segment, number uint64) ([]*segment, error) {
	var err error
	found = slices.DeleteFunc(found, func(seg *segment) bool {
		if seg.last <= number {
			return false
		}
		err = errors.Join(err, l.files.remove(seg.path))
		return true
	})
	return found, err
}

// segmentWithHeader is a segment with its parsed header.
type segmentWithHeader struct {
	*segment
	header *header
}

// readHeaders reads the headers of segments and quarantines the damaged ones, but only once it is certain that no
// segment has a newer format.
func (l *Ledger) readHeaders(found []*segment) ([]segmentWithHeader, error) {
	var heads []segmentWithHeader
	bad := map[string]error{}
	for _, seg := range found {
		h, err := l.readHeader(seg)
		switch {
		case err == nil:
			heads = append(heads, segmentWithHeader{seg, h})
		case isDamage(err):
			bad[seg.path] = err
		default:
			return nil, fmt.Errorf("the segment %s %w", filepath.Base(seg.path), err)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(bad)) {
		l.quarantine(path, bad[path])
	}
	return heads, nil
}

func (l *Ledger) readHeader(seg *segment) (*header, error) {
	f, err := l.files.open(seg.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := l.files.size(f)
	if err != nil {
		return nil, err
	}
	h, foot, err := readEnds(f, size)
	if err != nil {
		return nil, err
	}
	if h.span != seg.span {
		return nil, damaged("name")
	}
	seg.size, seg.facts = foot.size, foot.facts
	return h, nil
}
