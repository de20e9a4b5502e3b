package ledger

import (
	"maps"
	"slices"
)

// lastComplete finds from the runs which checkpoint was the last, when the file that says so is gone
// or damaged: the newest of which every run is there. Those before it are, because a checkpoint is
// begun when the one before is finished.
func (b *Book) lastComplete(heads []headed) *checkpoint {
	byLast := map[uint64][]headed{}
	for _, h := range heads {
		byLast[h.last] = append(byLast[h.last], h)
	}
	numbers := slices.Sorted(maps.Keys(byLast))
	if len(numbers) == 0 {
		return &checkpoint{marks: marks{}}
	}
	at := fromRuns(numbers, byLast)
	b.log.Warn("the ledger goes on from the last checkpoint that its runs hold", "number", at.number, "dir", b.dir)
	return at
}

func fromRuns(numbers []uint64, byLast map[uint64][]headed) *checkpoint {
	newest := numbers[len(numbers)-1]
	if complete(byLast[newest]) {
		return &checkpoint{newest, byLast[newest][0].head.marks}
	}
	if len(numbers) == 1 {
		return &checkpoint{newest - 1, marks{}}
	}
	before := numbers[len(numbers)-2]
	return &checkpoint{newest - 1, byLast[before][0].head.marks}
}

// complete reports whether these are all the runs that a checkpoint wrote. Only finished ones are
// merged.
func complete(runs []headed) bool {
	merged := slices.ContainsFunc(runs, func(r headed) bool { return r.head.of == 0 })
	return merged || uint32(len(runs)) == runs[0].head.of
}
