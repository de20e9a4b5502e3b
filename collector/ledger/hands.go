package ledger

import "errors"

// What the open runs may take. An index is about a hundredth of its run's directory.
const (
	maxHands      = 256
	maxHandsBytes = 32 << 20
)

// hands are the runs that are open for looking facts up, the last used ones.
type hands struct {
	files fileSystem
	open  map[*run]*hand
	bytes int
	tick  uint64
}

// hand is an open run.
type hand struct {
	file   file
	reader *runReader
	bytes  int
	used   uint64
}

func newHands(files fileSystem) *hands {
	return &hands{files: files, open: map[*run]*hand{}}
}

// take returns an open run, which it opens if need be.
func (h *hands) take(r *run) (*hand, error) {
	h.tick++
	if it := h.open[r]; it != nil {
		it.used = h.tick
		return it, nil
	}
	f, reader, err := openRun(h.files, r)
	if err != nil {
		return nil, err
	}
	it := &hand{file: f, reader: reader, bytes: reader.bytes(), used: h.tick}
	h.bytes += it.bytes
	for len(h.open) >= maxHands || len(h.open) > 0 && h.bytes > maxHandsBytes {
		h.drop(h.oldest())
	}
	h.open[r] = it
	return it, nil
}

func (h *hands) oldest() *run {
	var oldest *run
	for r, it := range h.open {
		if oldest == nil || it.used < h.open[oldest].used {
			oldest = r
		}
	}
	return oldest
}

// drop closes a run if it is open. Nothing was written, so there is nothing to learn from how that
// goes.
func (h *hands) drop(r *run) {
	it := h.open[r]
	if it == nil {
		return
	}
	delete(h.open, r)
	h.bytes -= it.bytes
	_ = it.file.Close()
}

func (h *hands) close() error {
	var err error
	for r, it := range h.open {
		err = errors.Join(err, it.file.Close())
		delete(h.open, r)
	}
	return err
}

// openRun opens a run and reads its index.
func openRun(files fileSystem, r *run) (file, *runReader, error) {
	f, err := files.open(r.path)
	if err != nil {
		return nil, nil, err
	}
	size, err := files.size(f)
	if err == nil {
		var reader *runReader
		if reader, err = newRunReader(f, size, r.hour); err == nil {
			return f, reader, nil
		}
	}
	return nil, nil, errors.Join(err, f.Close())
}
