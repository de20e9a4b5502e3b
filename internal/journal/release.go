package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// Release declares that the records up to seq are no longer needed. It deletes the segments that contain no others,
// except the newest, which preserves the numbering. Segments that a failed call could not delete are deleted by the
// next call. Readers in a deleted segment continue with the oldest remaining one.
func (j *Journal) Release(seq uint64) error {
	for _, seg := range j.unlist(seq) {
		if err := j.deleteSegment(seg); err != nil {
			return fmt.Errorf("journal: release: %w", err)
		}
	}
	return nil
}

// deleteSegment durably removes a segment before the next one is removed. Otherwise a crash could keep an older segment
// and lose a newer one, a gap that looks like damage.
func (j *Journal) deleteSegment(seg *segment) error {
	if err := j.files.remove(seg.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := j.files.syncDir(j.dir); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.deleting = slices.DeleteFunc(j.deleting, func(s *segment) bool { return s == seg })
	j.detachQuarantined(seg)
	j.recount()
	j.space.logged = false
	return nil
}

// unlist removes the segments with no record after seq from the list and returns them, together with those whose
// deletion failed before. Two concurrent calls may delete the same segment, which is harmless: its name is never used
// again.
func (j *Journal) unlist(seq uint64) []*segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.segs) > 1 && j.segs[1].first-1 <= seq {
		j.deleting = append(j.deleting, j.segs[0])
		j.segs[0] = nil
		j.segs = j.segs[1:]
	}
	return slices.Clone(j.deleting)
}
