// Package index finds moving things: the k nearest to a place and those within a box, exactly and
// by great-circle metres, while they move.
//
// The index is a tree that is never changed, only replaced: a writer copies the handful of nodes
// between the root and the place that changes, and publishes the new root. So a reader never waits
// for a writer, sees one moment of the whole city, and finds a thing where it is as soon as Set has
// returned.
package index

import (
	"sync"
	"sync/atomic"

	"nhip"

	"github.com/paulmach/orb"
)

// Index holds things by id, each at one place. All methods may be called from any goroutine;
// readers (Get, Len, Nearest, Within) take no lock. An item belongs to the index once it is set:
// neither the caller of Set nor a reader may change what it points to.
type Index[T any] struct {
	root atomic.Pointer[tree[T]] // nil until the first Set

	mu    sync.Mutex // one writer at a time
	items sync.Map   // id → *entry[T]; written under mu

	idle sync.Pool // of *search[T]
}

// entry is one thing at one place. It never changes.
type entry[T any] struct {
	id    string
	point orb.Point
	item  T
}

// New returns an empty index.
func New[T any]() *Index[T] { return new(Index[T]) }

// Set puts the item at p, which is WGS84 lon, lat, and takes it away from where it was. An empty
// id and a p that is no place on earth are an *nhip.Error, and then nothing changes. 0,0 is a place
// here: whether a receiver had a fix is for the door to say.
func (x *Index[T]) Set(id string, p orb.Point, item T) error {
	if id == "" {
		return nhip.Errorf(nhip.Missing, "id", "is required")
	}
	if err := checkPlace(p); err != nil {
		return err
	}
	e := &entry[T]{id: id, point: p, item: item}

	x.mu.Lock()
	defer x.mu.Unlock()
	root := x.tree()
	if old, ok := x.entry(id); ok {
		root = root.move(world, old, newSpot(e))
	} else {
		root = root.put(world, newSpot(e))
	}
	x.items.Store(id, e)
	x.root.Store(&root)
	return nil
}

// Remove takes the item away and reports whether there was one.
func (x *Index[T]) Remove(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	old, ok := x.entry(id)
	if !ok {
		return false
	}
	x.items.Delete(id)
	root := x.tree().take(old)
	x.root.Store(&root)
	return true
}

// Get returns the item with the id.
func (x *Index[T]) Get(id string) (T, bool) {
	if e, ok := x.entry(id); ok {
		return e.item, true
	}
	var none T
	return none, false
}

// Len returns how many items there are.
func (x *Index[T]) Len() int { return x.tree().size() }

// tree returns everything, at this moment.
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

// Hit is one thing that was found.
type Hit[T any] struct {
	ID     string
	Item   T
	Point  orb.Point // as it was set
	Metres float64   // great-circle distance from the place asked for; 0 from Within
}

func (e *entry[T]) hit(metres float64) Hit[T] {
	return Hit[T]{ID: e.id, Item: e.item, Point: e.point, Metres: metres}
}

// checkPlace is the platform's rule for a place, which here holds for 0,0 as well.
func checkPlace(p orb.Point) error {
	if err := nhip.CheckPoint(p); err != nil && nhip.ErrorCode(err) != nhip.NullIsland {
		return err
	}
	return nil
}
