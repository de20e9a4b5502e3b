package broker

import "unsafe"

// keptBytes is how much memory an empty deque keeps.
const keptBytes = 1 << 10

// deque is a queue in a slice. The zero deque is empty.
type deque[T any] struct {
	items []T
	head  int
}

func (d *deque[T]) len() int { return len(d.items) - d.head }

func (d *deque[T]) push(item T) { d.items = append(d.items, item) }

// at returns the i-th item from the front. The pointer is valid until the next call.
func (d *deque[T]) at(i int) *T { return &d.items[d.head+i] }

// pop removes the first item.
func (d *deque[T]) pop() {
	var zero T
	d.items[d.head] = zero // releases what it refers to
	d.head++
	switch {
	case d.head == len(d.items):
		d.clear()
	case d.head >= 64 && d.head*2 >= len(d.items):
		n := copy(d.items, d.items[d.head:])
		clear(d.items[n:])
		d.items, d.head = d.items[:n], 0
	}
}

// clear removes all items.
func (d *deque[T]) clear() {
	var zero T
	clear(d.items[d.head:])
	d.items, d.head = d.items[:0], 0
	if uintptr(cap(d.items))*unsafe.Sizeof(zero) > keptBytes {
		d.items = nil
	}
}
