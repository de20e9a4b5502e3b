package index

// candidate is an item that may be among the nearest. a is the haversine of its angle from the query point (see
// leafPoint), and finally its distance in metres.
type candidate[T any] struct {
	a float64
	e *entry[T]
}

// after reports whether c comes after d. Equal distances are ordered by id.
func (c *candidate[T]) after(d *candidate[T]) bool {
	return c.a > d.a || c.a == d.a && c.e.id > d.e.id
}

// heapify makes h a heap with the last in order on top. container/heap is not used because its interface calls
// would cost more than the rest of the search.
func heapify[T any](h []candidate[T]) {
	for i := len(h)/2 - 1; i >= 0; i-- {
		siftDown(h, i)
	}
}

// siftDown restores the heap at h[i], below which it is valid.
func siftDown[T any](h []candidate[T], i int) {
	c := h[i]
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].after(&h[child]) {
			child++
		}
		if !h[child].after(&c) {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = c
}

// sortHeap sorts a heap.
func sortHeap[T any](h []candidate[T]) {
	for last := len(h) - 1; last > 0; last-- {
		h[0], h[last] = h[last], h[0]
		siftDown(h[:last], 0)
	}
}

// insertSorted inserts c by its a into a slice that is sorted except for its last element, which is dropped.
func insertSorted[T any](sorted []candidate[T], c candidate[T]) {
	i := len(sorted) - 1
	for ; i > 0 && sorted[i-1].a > c.a; i-- {
		sorted[i] = sorted[i-1]
	}
	sorted[i] = c
}
