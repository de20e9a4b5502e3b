package ledger

import (
	"maps"
	"slices"
)

// lastComplete finds the last checkpoint if the file "checkpoint" is missing or damaged: the newest one with all its
// segments present. The earlier ones are complete, because a checkpoint begins only after the previous one is durable.
func (l *Ledger) lastComplete(found []segmentWithHeader) *checkpoint {
	byLast := map[uint64][]segmentWithHeader{}
	for _, h := range found {
		byLast[h.last] = append(byLast[h.last], h)
	}
	numbers := slices.Sorted(maps.Keys(byLast))
	if len(numbers) == 0 {
		return &checkpoint{marks: marks{}}
	}
	at := lastCompleteOf(numbers, byLast)
	l.log.Warn("ledger continues from the last checkpoint found in its segments", "number", at.number, "dir", l.dir)
	return at
}

func lastCompleteOf(numbers []uint64, byLast map[uint64][]segmentWithHeader) *checkpoint {
	newest := numbers[len(numbers)-1]
	if complete(byLast[newest]) {
		return &checkpoint{newest, byLast[newest][0].header.marks}
	}
	if len(numbers) == 1 {
		return &checkpoint{newest - 1, marks{}}
	}
	before := numbers[len(numbers)-2]
	return &checkpoint{newest - 1, byLast[before][0].header.marks}
}

// complete reports whether these are all segments that a checkpoint wrote. Segments are merged only after their
// checkpoint is durable, so one merged segment is enough.
func complete(segments []segmentWithHeader) bool {
	merged := slices.ContainsFunc(segments, func(r segmentWithHeader) bool { return r.header.segments == 0 })
	return merged || uint32(len(segments)) == segments[0].header.segments
}
