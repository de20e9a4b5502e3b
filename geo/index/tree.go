package index

import (
	"math"
	"slices"
)

// leafSize is how many things a leaf holds before it is cut. Measured for the nearest 10 among 2,500
// to 1 M: 16 and 48 are a tenth to a fifth slower than 32.
const leafSize = 32

// tree is a fork or a leaf: spots without an order. The zero tree is empty. What a tree points to
// never changes once it is published. (A leaf lies in the fork above it and not behind a pointer
// of its own: in a large index every pointer that is followed is a cache miss.)
type tree[T any] struct {
	*fork[T]
	spots []spot[T]
}

// fork is a cell cut in four.
//
// Paths are compressed: a fork has at least two kids that are not empty, except below maxDepth, so
// its cell may be several cuts smaller than the quarter of its parent in which it hangs. A leaf's
// ground is the quarter in which it hangs.
type fork[T any] struct {
	cell
	cos   float64 // lower bound on cos(lat) over the cell
	count int     // of things
	kids  [4]tree[T]
}

// spot is a thing as the search sees it: its place on a sphere of diameter 1. There the squared
// chord between two places is a = sin²(angle/2), the haversine of the angle between them, which
// grows with their great-circle distance and needs no trigonometry, no care at the antimeridian
// and none at the poles.
type spot[T any] struct {
	x, y, z float64
	e       *entry[T]
}

func newSpot[T any](e *entry[T]) spot[T] {
	x, y, z := onSphere(e.point[0], e.point[1])
	return spot[T]{x, y, z, e}
}

func onSphere(lon, lat float64) (x, y, z float64) {
	sinLon, cosLon := math.Sincos(radians(lon))
	sinLat, cosLat := math.Sincos(radians(lat))
	return cosLat * cosLon / 2, cosLat * sinLon / 2, sinLat / 2
}

func (t tree[T]) size() int {
	if t.fork != nil {
		return t.count
	}
	return len(t.spots)
}

func leaf[T any](spots []spot[T]) tree[T] { return tree[T]{spots: spots} }

func newFork[T any](c cell, kids [4]tree[T]) tree[T] {
	f := &fork[T]{cell: c, cos: c.minCos(), kids: kids}
	for _, k := range kids {
		f.count += k.size()
	}
	return tree[T]{fork: f}
}

// put returns the tree with s added. The slot is the ground on which t hangs.
func (t tree[T]) put(slot cell, s spot[T]) tree[T] {
	if t.fork == nil {
		return build(slot, append(slices.Clip(t.spots), s))
	}
	if !covers(&t.cell, s.e) {
		return t.forkAbove(slot, s)
	}
	f := *t.fork
	q := quadrant(&f.cell, s.e)
	f.kids[q] = f.kids[q].put(f.child(q), s)
	f.count++
	return tree[T]{fork: &f}
}

// take returns the tree without e, which it must hold.
func (t tree[T]) take(e *entry[T]) tree[T] {
	if t.fork == nil {
		i := t.find(e)
		return leaf(slices.Concat(t.spots[:i], t.spots[i+1:]))
	}
	f := *t.fork
	q := quadrant(&f.cell, e)
	f.kids[q] = f.kids[q].take(e)
	f.count--
	return tree[T]{fork: &f}.shrunk()
}

// move returns the tree with s in place of old, which it must hold. Forks above both places are
// copied once.
func (t tree[T]) move(slot cell, old *entry[T], s spot[T]) tree[T] {
	if t.fork == nil {
		spots := slices.Clone(t.spots)
		spots[t.find(old)] = s
		return leaf(spots)
	}
	q := quadrant(&t.cell, old)
	if !covers(&t.cell, s.e) || quadrant(&t.cell, s.e) != q {
		return t.take(old).put(slot, s)
	}
	f := *t.fork
	f.kids[q] = f.kids[q].move(f.child(q), old, s)
	return tree[T]{fork: &f}
}

// build returns a tree under slot that holds the spots.
func build[T any](slot cell, spots []spot[T]) tree[T] {
	if len(spots) <= leafSize || slot.depth > maxDepth+hashLevels {
		return leaf(spots)
	}
	c := slot
	for c.spatial() && together(&c, spots) {
		c = c.child(quadrant(&c, spots[0].e))
	}
	var parts [4][]spot[T]
	for _, s := range spots {
		q := quadrant(&c, s.e)
		parts[q] = append(parts[q], s)
	}
	var kids [4]tree[T]
	for q, part := range parts {
		kids[q] = build(c.child(q), part)
	}
	return newFork(c, kids)
}

// forkAbove joins a fork and a spot outside its cell under the smallest cell that has both.
func (t tree[T]) forkAbove(slot cell, s spot[T]) tree[T] {
	c := slot
	for {
		qt, qs := c.quadrant(t.lon, t.lat), quadrant(&c, s.e)
		if qt != qs {
			var kids [4]tree[T]
			kids[qt], kids[qs] = t, leaf([]spot[T]{s})
			return newFork(c, kids)
		}
		c = c.child(qt)
	}
}

// shrunk returns what a fork becomes when it lost something: a leaf once it is half a leaf's size
// (half, so that coming and going at the edge does not cut and join each time), or its only kid.
func (t tree[T]) shrunk() tree[T] {
	if t.count <= leafSize/2 {
		return leaf(t.gather(make([]spot[T], 0, t.count)))
	}
	if !t.spatial() {
		return t
	}
	for _, k := range t.kids {
		if k.size() == t.count {
			return k
		}
	}
	return t
}

// gather appends everything in the tree to spots.
func (t tree[T]) gather(spots []spot[T]) []spot[T] {
	if t.fork == nil {
		return append(spots, t.spots...)
	}
	for _, k := range t.kids {
		spots = k.gather(spots)
	}
	return spots
}

// find returns the place of e among a leaf's spots.
func (t tree[T]) find(e *entry[T]) int {
	return slices.IndexFunc(t.spots, func(s spot[T]) bool { return s.e == e })
}

func together[T any](c *cell, spots []spot[T]) bool {
	first := quadrant(c, spots[0].e)
	for _, s := range spots[1:] {
		if quadrant(c, s.e) != first {
			return false
		}
	}
	return true
}

func quadrant[T any](c *cell, e *entry[T]) int {
	if !c.spatial() {
		return c.hashed(e.id)
	}
	return c.quadrant(key(e.point))
}

func covers[T any](c *cell, e *entry[T]) bool { return c.covers(key(e.point)) }
