package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Release says that nobody needs the records up to seq any more. It deletes the segments that hold
// no others, except the newest, which carries the numbering on. What a failed call leaves behind the
// next one deletes. Readers that are still in a deleted segment go on with the oldest kept one.
func (j *Journal) Release(seq uint64) error {
	for _, seg := range j.doom(seq) {
		if err := j.delete(seg); err != nil {
			return fmt.Errorf("journal: release: %w", err)
		}
	}
	return nil
}

// delete removes a segment durably before the next one goes: a crash that kept an older one and not
// the younger would leave a gap that looks like damage.
func (j *Journal) delete(seg *segment) error {
	if err := j.files.remove(seg.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := j.files.syncDir(j.dir); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.doomed = slices.DeleteFunc(j.doomed, func(s *segment) bool { return s == seg })
	j.outlive(seg)
	j.recount()
	j.space.said = false
	return nil
}

// doom takes the segments wholly at or below seq off the list and returns them, together with those
// that are not deleted yet. Two calls may delete the same: its name is never given out again.
func (j *Journal) doom(seq uint64) []*segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.segs) > 1 && j.segs[1].first-1 <= seq {
		j.doomed = append(j.doomed, j.segs[0])
		j.segs[0] = nil
		j.segs = j.segs[1:]
	}
	return slices.Clone(j.doomed)
}
