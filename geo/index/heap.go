package index

// candidate is a thing that may be among the nearest. Its a is the haversine of its angle from the
// place (see spot), and in the end its distance in metres.
type candidate[T any] struct {
	a float64
	e *entry[T]
}

// after reports whether c comes after d: things equally far go by id.
func (c *candidate[T]) after(d *candidate[T]) bool {
	return c.a > d.a || c.a == d.a && c.e.id > d.e.id
}

// heapify makes h a heap with the last in order on top. (container/heap calls through an interface
// for every step, which costs more here than all of the search.)
func heapify[T any](h []candidate[T]) {
	for i := len(h)/2 - 1; i >= 0; i-- {
		sink(h, i)
	}
}

// sink puts h[i] right in a heap that is right below it.
func sink[T any](h []candidate[T], i int) {
	c := h[i]
	for {
		kid := 2*i + 1
		if kid >= len(h) {
			break
		}
		if kid+1 < len(h) && h[kid+1].after(&h[kid]) {
			kid++
		}
		if !h[kid].after(&c) {
			break
		}
		h[i] = h[kid]
		i = kid
	}
	h[i] = c
}

// sortHeap turns a heap into a slice in order.
func sortHeap[T any](h []candidate[T]) {
	for last := len(h) - 1; last > 0; last-- {
		h[0], h[last] = h[last], h[0]
		sink(h[:last], 0)
	}
}

// insert puts c where it belongs by a in what is sorted but for its last, which it pushes out.
func insert[T any](sorted []candidate[T], c candidate[T]) {
	i := len(sorted) - 1
	for ; i > 0 && sorted[i-1].a > c.a; i-- {
		sorted[i] = sorted[i-1]
	}
	sorted[i] = c
}
