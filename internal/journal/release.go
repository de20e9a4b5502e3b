package journal

import (
	"errors"
	"fmt"
	"io/fs"
)

// Release says that nobody needs the records up to seq any more. It deletes the segments that hold
// no others, except the newest, which carries the numbering on. What a failed call leaves behind the
// next one deletes. Readers that are still in a deleted segment go on with the oldest kept one.
func (j *Journal) Release(seq uint64) error {
	doomed := j.doom(seq)
	for i, path := range doomed {
		if err := j.delete(path); err != nil {
			j.mu.Lock()
			j.doomed = append(j.doomed, doomed[i:]...)
			j.mu.Unlock()
			return fmt.Errorf("journal: release: %w", err)
		}
	}
	return nil
}

// delete removes a segment durably before the next one goes: a crash that kept an older one and not
// the younger would leave a gap that looks like damage.
func (j *Journal) delete(path string) error {
	if err := j.files.remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return j.files.syncDir(j.dir)
}

// doom takes the segments wholly at or below seq off the list and returns their paths, together with
// those that could not be deleted before.
func (j *Journal) doom(seq uint64) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	paths := j.doomed
	j.doomed = nil
	for len(j.segs) > 1 && j.segs[1].first-1 <= seq {
		paths = append(paths, j.segs[0].path)
		j.segs[0] = nil
		j.segs = j.segs[1:]
	}
	return paths
}
