package stream

import (
	"cmp"
	"slices"
	"time"
)

// change says that an object changed. Once the object has changed again, most streams skip it.
type change struct {
	number uint64
	slot   uint32
}

// changeLog lists the changes of all objects in order, at least those that object.concerns. Streams read it from where
// they are, so a slow stream finds the newest state of each object and no queue grows.
type changeLog struct {
	changes []change // numbers ascend, with gaps where outdated changes were removed
	last    uint64   // number of the newest change
}

// add adds a change and returns its number.
func (l *changeLog) add(slot uint32) uint64 {
	l.last++
	l.changes = append(l.changes, change{l.last, slot})
	return l.last
}

// after returns the changes with higher numbers.
func (l *changeLog) after(number uint64) []change {
	i, _ := slices.BinarySearchFunc(l.changes, number+1, func(c change, n uint64) int { return cmp.Compare(c.number, n) })
	return l.changes[i:]
}

// compact removes the changes that keep rejects.
func (l *changeLog) compact(keep func(change) bool) {
	l.changes = slices.DeleteFunc(l.changes, func(c change) bool { return !keep(c) })
}

// epochs divide the log for clients that resume.
type epochs struct {
	earliest, current uint64        // last change before the previous epoch, and before this one
	began             time.Duration // when this one began
}
