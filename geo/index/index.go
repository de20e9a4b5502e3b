// Package index is a spatial index of moving items. It finds the k items nearest to a place and the items in a
// box, exactly by great-circle distance, while items move.
//
// The index is an immutable tree. A writer copies the few nodes between the root and the place that changes and
// publishes the new root. Readers never wait for a writer, they see a consistent state of all items, and they see
// a change as soon as Set has returned.
package index

import (
	"sync"
	"sync/atomic"

	"nhip"

	"github.com/paulmach/orb"
)

// Index holds items by id, each at one place. It is safe for concurrent use; readers (Get, Len, Nearest, Within)
// take no lock. Once set, an item belongs to the index: neither the caller of Set nor a reader may change what it
// points to.
type Index[T any] struct {
	root atomic.Pointer[tree[T]] // nil until the first Set

	mu    sync.Mutex // one writer at a time
	items sync.Map   // id → *entry[T]; written under mu

	searches sync.Pool // of *search[T]
}

// entry is one item at one place. It never changes.
type entry[T any] struct {
	id    string
	point orb.Point
	item  T
}

// New returns an empty index.
func New[T any]() *Index[T] { return new(Index[T]) }

// Set puts the item at p (WGS84 lon, lat) and removes it from its previous place. An empty id or invalid
// coordinates return an *nhip.Error and change nothing. The point 0,0 is accepted here; rejecting positions
// without a fix is the decoder's task.
func (x *Index[T]) Set(id string, p orb.Point, item T) error {
	if id == "" {
		return nhip.Errorf(nhip.CodeMissing, "id", "is required")
	}
	if err := checkPlace(p); err != nil {
		return err
	}
	e := &entry[T]{id: id, point: p, item: item}

	x.mu.Lock()
	defer x.mu.Unlock()
	root := x.tree()
	if old, ok := x.entry(id); ok {
		root = root.move(world, old, newLeafPoint(e))
	} else {
		root = root.add(world, newLeafPoint(e))
	}
	x.items.Store(id, e)
	x.root.Store(&root)
	return nil
}

// Remove removes the item and reports whether there was one.
func (x *Index[T]) Remove(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	old, ok := x.entry(id)
	if !ok {
		return false
	}
	x.items.Delete(id)
	root := x.tree().remove(old)
	x.root.Store(&root)
	return true
}

// Get returns the item with the id.
func (x *Index[T]) Get(id string) (T, bool) {
	if e, ok := x.entry(id); ok {
		return e.item, true
	}
	var zero T
	return zero, false
}

// Len returns the number of items.
func (x *Index[T]) Len() int { return x.tree().size() }

// tree returns the current tree.
func (x *Index[T]) tree() tree[T] {
	if t := x.root.Load(); t != nil {
		return *t
	}
	return tree[T]{}
}

func (x *Index[T]) entry(id string) (*entry[T], bool) {
	v, ok := x.items.Load(id)
	if !ok {
		return nil, false
	}
	return v.(*entry[T]), true
}

// Hit is one item that was found.
type Hit[T any] struct {
	ID     string
	Item   T
	Point  orb.Point // as it was set
	Metres float64   // great-circle distance from the query point; 0 from Within
}

func (e *entry[T]) hit(metres float64) Hit[T] {
	return Hit[T]{ID: e.id, Item: e.item, Point: e.point, Metres: metres}
}

// checkPlace applies the platform's rule for coordinates but accepts 0,0.
func checkPlace(p orb.Point) error {
	if err := nhip.CheckPoint(p); err != nil && nhip.ErrorCode(err) != nhip.CodeNullIsland {
		return err
	}
	return nil
}
