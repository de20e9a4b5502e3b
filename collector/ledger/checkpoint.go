package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"nhip"
)

// Checkpoint makes the facts, counts and marks that are only in memory durable, all of them or none. After an error
// nothing is lost, and Checkpoint may be called again. It must be called from the goroutine that calls Classify.
func (l *Ledger) Checkpoint() error {
	if err := l.rollBackFailed(); err != nil {
		return fmt.Errorf("can't roll back a failed checkpoint of the ledger: %w", err)
	}
	next := l.begin()
	if next == nil {
		return nil
	}
	segments, err := l.write(next)
	if err != nil {
		l.restoreTally()
		return fmt.Errorf("can't save a checkpoint of the ledger: %w", err)
	}
	l.publish(next, segments)
	return nil
}

// begin moves the counts out of the way of later updates, and returns the checkpoint that will hold them, or nil if
// there is nothing to save.
func (l *Ledger) begin() *checkpoint {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.cells) == 0 && len(l.tally) == 0 && maps.EqualFunc(l.marks, l.saved.marks, slices.Equal) {
		return nil
	}
	l.writing, l.tally = l.tally, tally{}
	return &checkpoint{number: l.saved.number + 1, marks: maps.Clone(l.marks)}
}

// restoreTally adds the counts of a failed checkpoint to the next one.
func (l *Ledger) restoreTally() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writing.addAll(l.tally)
	l.tally, l.writing = l.writing, nil
}

// publish makes a durable checkpoint the current one.
func (l *Ledger) publish(c *checkpoint, segments []*segment) {
	l.saved = *c
	l.failed, l.failedFiles = nil, nil
	l.clearCells()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.catalog = l.catalog.change(nil, segments)
	l.writing = nil
}

// write makes a checkpoint durable: first the segments, then the file "checkpoint", which makes them count. If write
// fails, the checkpoint may be on disk partly or even completely, whatever the error is.
func (l *Ledger) write(c *checkpoint) ([]*segment, error) {
	if n := len(appendMarks(nil, c.marks)); n > maxMarks {
		return nil, nhip.Errorf(nhip.CodeInternal, "marks", "must be at most %d bytes in total, are %d", maxMarks, n)
	}
	batches := l.hourBatches()
	l.failed = c
	var segments []*segment
	for _, batch := range batches {
		h := &header{span: span{batch.hour, c.number, c.number}, segments: uint32(len(batches)), marks: c.marks}
		l.failedFiles = append(l.failedFiles, h.pathIn(l.dir))
		seg, err := l.writeSegment(h, batch.write)
		if err != nil {
			return nil, err
		}
		segments = append(segments, seg)
	}
	if err := l.files.syncDir(l.dir); err != nil {
		return nil, err
	}
	return segments, l.save(c)
}

// writeSegment writes a segment, which is durable once the folder is synced.
func (l *Ledger) writeSegment(h *header, fill func(*segmentWriter) error) (*segment, error) {
	seg := &segment{span: h.span, path: h.pathIn(l.dir)}
	err := writeFile(l.files, seg.path, func(out io.Writer) error {
		w := newSegmentWriter(out, h)
		if err := fill(w); err != nil {
			return err
		}
		foot, err := w.close()
		seg.size, seg.facts = foot.size, foot.facts
		return err
	})
	return seg, err
}

// save replaces the file "checkpoint".
func (l *Ledger) save(c *checkpoint) error {
	err := writeFile(l.files, filepath.Join(l.dir, checkpointName), func(w io.Writer) error {
		_, err := w.Write(appendCheckpoint(nil, c))
		return err
	})
	if err != nil {
		return err
	}
	return l.files.syncDir(l.dir)
}

// rollBackFailed makes sure that a failed checkpoint does not count, and removes its files. Both are necessary,
// because the next checkpoint reuses its number.
func (l *Ledger) rollBackFailed() error {
	if l.failed == nil {
		return nil
	}
	if err := l.save(&l.saved); err != nil {
		return err
	}
	var err error
	for _, path := range l.failedFiles {
		err = errors.Join(err, ignoreMissing(l.files.remove(path)))
	}
	if err = errors.Join(err, l.files.syncDir(l.dir)); err == nil {
		l.failed, l.failedFiles = nil, nil
	}
	return err
}

// hourBatch is the data of one hour that a checkpoint writes.
type hourBatch struct {
	hour   int64
	cells  []*cell // sorted by device and series
	counts map[string]*Counts
}

// hourBatches groups the data to be saved by hour.
func (l *Ledger) hourBatches() []hourBatch {
	slices.SortFunc(l.cells, func(x, y *cell) int {
		return cmp.Or(cmp.Compare(x.hour, y.hour), cmp.Compare(x.device.name, y.device.name),
			cmp.Compare(x.name(), y.name()))
	})
	var batches []hourBatch
	for cells := range chunks(l.cells, func(x, y *cell) bool { return x.hour == y.hour }) {
		batches = append(batches, hourBatch{cells[0].hour, cells, l.writing[cells[0].hour]})
	}
	withFacts := len(batches)
	for _, hour := range slices.Sorted(maps.Keys(l.writing)) {
		_, ok := slices.BinarySearchFunc(batches[:withFacts], hour, func(p hourBatch, h int64) int {
			return cmp.Compare(p.hour, h)
		})
		if !ok {
			batches = append(batches, hourBatch{hour: hour, counts: l.writing[hour]})
		}
	}
	return batches
}

func (c *cell) name() string { return c.device.series[c.series].name }

// write adds the hour's devices to a segment.
func (b *hourBatch) write(w *segmentWriter) error {
	none := new(Counts)
	names := slices.Sorted(maps.Keys(b.counts))
	for cells := range chunks(b.cells, func(x, y *cell) bool { return x.device == y.device }) {
		device := cells[0].device.name
		for len(names) > 0 && names[0] < device {
			w.add(names[0], b.counts[names[0]], nil)
			names = names[1:]
		}
		counts := none
		if len(names) > 0 && names[0] == device {
			counts = b.counts[device]
			names = names[1:]
		}
		w.add(device, counts, factsOf(cells))
	}
	for _, name := range names {
		w.add(name, b.counts[name], nil)
	}
	return w.err
}

func factsOf(cells []*cell) []seriesEntries {
	facts := make([]seriesEntries, len(cells))
	for i, c := range cells {
		facts[i] = seriesEntries{c.name(), c.entries}
	}
	return facts
}

// chunks yields the longest subslices of s in which all neighbours are the same.
func chunks[T any](s []T, same func(x, y T) bool) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(s) > 0 {
			n := 1
			for n < len(s) && same(s[n-1], s[n]) {
				n++
			}
			if !yield(s[:n:n]) {
				return
			}
			s = s[n:]
		}
	}
}
