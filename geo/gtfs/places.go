package gtfs

// places assigns the rows of a file to their groups in one array, which has the right size from the beginning: an
// array that grows would need more than twice the memory.
type places struct {
	starts []int // of each group, and the end of the last one
	cursor []int // the next place of each group
}

// newPlaces returns the places of groups with these numbers of rows.
func newPlaces(counts []int32) *places {
	p := &places{starts: make([]int, len(counts)+1), cursor: make([]int, len(counts))}
	for i, n := range counts {
		p.cursor[i] = p.starts[i]
		p.starts[i+1] = p.starts[i] + int(n)
	}
	return p
}

// next returns the next place of a group, and false if all are taken.
func (p *places) next(group int32) (at int, ok bool) {
	at = p.cursor[group]
	if at == p.starts[group+1] {
		return 0, false
	}
	p.cursor[group]++
	return at, true
}

// of returns the places of a group: from, and to, which is exclusive. Places that no row took are at the end.
func (p *places) of(group int) (from, to int) { return p.starts[group], p.cursor[group] }
