package quota

// node is an entry of a list, which holds its value.
type node[T any] struct {
	value      T
	next, prev *node[T]
}

// list holds entries, the least recently used first. It is linked through its entries, so that none is allocated.
type list[T any] struct{ first, last *node[T] }

func (l *list[T]) oldest() *node[T] { return l.first }

// push adds an entry as the most recently used.
func (l *list[T]) push(n *node[T]) {
	n.prev, n.next = l.last, nil
	if l.last != nil {
		l.last.next = n
	} else {
		l.first = n
	}
	l.last = n
}

func (l *list[T]) remove(n *node[T]) {
	if n.prev != nil {
		n.prev.next = n.next
	} else {
		l.first = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	} else {
		l.last = n.prev
	}
	n.next, n.prev = nil, nil
}

// touch makes an entry the most recently used.
func (l *list[T]) touch(n *node[T]) {
	if l.last != n {
		l.remove(n)
		l.push(n)
	}
}
