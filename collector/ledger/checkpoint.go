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

// Checkpoint saves what is in memory only: facts, counts and marks, all or nothing. When it returns
// nil, they are durable. When it fails, nothing is lost and it may be tried again. It is for the
// goroutine that judges.
func (b *Book) Checkpoint() error {
	if err := b.undo(); err != nil {
		return fmt.Errorf("can't take a failed checkpoint of the ledger back: %w", err)
	}
	next := b.begin()
	if next == nil {
		return nil
	}
	runs, err := b.write(next)
	if err != nil {
		b.putBack()
		return fmt.Errorf("can't save a checkpoint of the ledger: %w", err)
	}
	b.publish(next, runs)
	return nil
}

// begin takes what was counted out of the way of later updates, and returns the checkpoint that is
// to hold it, nil when there is nothing to save.
func (b *Book) begin() *checkpoint {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.cells) == 0 && len(b.tally) == 0 && maps.EqualFunc(b.marks, b.saved.marks, slices.Equal) {
		return nil
	}
	b.writing, b.tally = b.tally, tally{}
	return &checkpoint{number: b.saved.number + 1, marks: maps.Clone(b.marks)}
}

// putBack makes what a failed checkpoint would have held a part of the next.
func (b *Book) putBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writing.addAll(b.tally)
	b.tally, b.writing = b.writing, nil
}

// publish makes a checkpoint that is durable the last.
func (b *Book) publish(c *checkpoint, runs []*run) {
	b.saved = *c
	b.failed, b.litter = nil, nil
	b.clearCells()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shelf = b.shelf.change(nil, runs)
	b.writing = nil
}

// write makes a checkpoint durable: the runs first, then the file that says that they count. From
// its first byte to its last it may be found on disk in part or, whatever the error says, whole.
func (b *Book) write(c *checkpoint) ([]*run, error) {
	if n := len(appendMarks(nil, c.marks)); n > maxMarks {
		return nil, nhip.Errorf(nhip.Internal, "marks", "must be at most %d bytes together, are %d", maxMarks, n)
	}
	pages := b.pages()
	b.failed = c
	var runs []*run
	for _, p := range pages {
		h := &header{span: span{p.hour, c.number, c.number}, of: uint32(len(pages)), marks: c.marks}
		b.litter = append(b.litter, h.pathIn(b.dir))
		r, err := b.writeRun(h, p.write)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	if err := b.files.syncDir(b.dir); err != nil {
		return nil, err
	}
	return runs, b.save(c)
}

// writeRun writes a run, which lasts when the folder is synced.
func (b *Book) writeRun(h *header, fill func(*runWriter) error) (*run, error) {
	r := &run{span: h.span, path: h.pathIn(b.dir)}
	err := writeFile(b.files, r.path, func(out io.Writer) error {
		w := newRunWriter(out, h)
		if err := fill(w); err != nil {
			return err
		}
		foot, err := w.close()
		r.size, r.facts = foot.size, foot.facts
		return err
	})
	return r, err
}

// save replaces the file that says which checkpoint counts.
func (b *Book) save(c *checkpoint) error {
	err := writeFile(b.files, filepath.Join(b.dir, checkpointName), func(w io.Writer) error {
		_, err := w.Write(appendCheckpoint(nil, c))
		return err
	})
	if err != nil {
		return err
	}
	return b.files.syncDir(b.dir)
}

// undo makes sure that a checkpoint which failed does not count, and removes what it left. Its
// number is given out again, so neither may be left to chance.
func (b *Book) undo() error {
	if b.failed == nil {
		return nil
	}
	if err := b.save(&b.saved); err != nil {
		return err
	}
	var err error
	for _, path := range b.litter {
		err = errors.Join(err, ignoreMissing(b.files.remove(path)))
	}
	if err = errors.Join(err, b.files.syncDir(b.dir)); err == nil {
		b.failed, b.litter = nil, nil
	}
	return err
}

// hourPage is what a checkpoint writes of an hour.
type hourPage struct {
	hour   int64
	cells  []*cell // by device and series
	counts map[string]*Counts
}

// pages sorts what is to be saved by hour.
func (b *Book) pages() []hourPage {
	slices.SortFunc(b.cells, func(x, y *cell) int {
		return cmp.Or(cmp.Compare(x.hour, y.hour), cmp.Compare(x.device.name, y.device.name),
			cmp.Compare(x.name(), y.name()))
	})
	var pages []hourPage
	for cells := range chunks(b.cells, func(x, y *cell) bool { return x.hour == y.hour }) {
		pages = append(pages, hourPage{cells[0].hour, cells, b.writing[cells[0].hour]})
	}
	withFacts := len(pages)
	for _, hour := range slices.Sorted(maps.Keys(b.writing)) {
		_, ok := slices.BinarySearchFunc(pages[:withFacts], hour, func(p hourPage, h int64) int { return cmp.Compare(p.hour, h) })
		if !ok {
			pages = append(pages, hourPage{hour: hour, counts: b.writing[hour]})
		}
	}
	return pages
}

func (c *cell) name() string { return c.device.series[c.series].name }

// write adds the hour's devices to a run.
func (p *hourPage) write(w *runWriter) error {
	none := new(Counts)
	names := slices.Sorted(maps.Keys(p.counts))
	for cells := range chunks(p.cells, func(x, y *cell) bool { return x.device == y.device }) {
		device := cells[0].device.name
		for len(names) > 0 && names[0] < device {
			w.add(names[0], p.counts[names[0]], nil)
			names = names[1:]
		}
		counts := none
		if len(names) > 0 && names[0] == device {
			counts = p.counts[device]
			names = names[1:]
		}
		w.add(device, counts, factsOf(cells))
	}
	for _, name := range names {
		w.add(name, p.counts[name], nil)
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

// chunks yields the longest parts of s whose neighbours are the same.
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
