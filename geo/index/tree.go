package index

import (
	"math"
	"slices"
)

// leafSize is the maximum number of points in a leaf. Measured for the nearest 10 among 2,500 to 1 M: sizes of 16
// and 48 are 10 to 20 % slower than 32.
const leafSize = 32

// tree is an inner node or a leaf, which is an unordered list of points. The zero tree is empty. Whatever a tree
// points to never changes once it is published. A leaf is stored in the node above it instead of behind a pointer
// of its own, because in a large index every pointer that is followed is a cache miss.
type tree[T any] struct {
	*node[T]
	points []leafPoint[T]
}

// node is a cell divided into four quadrants.
//
// Paths are compressed: a node has at least two non-empty children, except below maxDepth. Therefore its cell may
// be several levels smaller than the quadrant of its parent that holds it. The points of a leaf lie anywhere in
// the quadrant of its parent.
type node[T any] struct {
	cell
	cos      float64 // lower bound on cos(lat) over the cell
	count    int     // number of points
	children [4]tree[T]
}

// leafPoint is an item as the search uses it: its place on a sphere of diameter 1. There the squared chord
// between two places is a = sin²(angle/2), the haversine of the angle between them. It increases with the
// great-circle distance and needs no trigonometric functions and no special cases at the antimeridian or the
// poles.
type leafPoint[T any] struct {
	x, y, z float64
	e       *entry[T]
}

func newLeafPoint[T any](e *entry[T]) leafPoint[T] {
	x, y, z := onSphere(e.point[0], e.point[1])
	return leafPoint[T]{x, y, z, e}
}

func onSphere(lon, lat float64) (x, y, z float64) {
	sinLon, cosLon := math.Sincos(radians(lon))
	sinLat, cosLat := math.Sincos(radians(lat))
	return cosLat * cosLon / 2, cosLat * sinLon / 2, sinLat / 2
}

func (t tree[T]) size() int {
	if t.node != nil {
		return t.count
	}
	return len(t.points)
}

func leaf[T any](points []leafPoint[T]) tree[T] { return tree[T]{points: points} }

func newNode[T any](c cell, children [4]tree[T]) tree[T] {
	n := &node[T]{cell: c, cos: c.minCos(), children: children}
	for _, k := range children {
		n.count += k.size()
	}
	return tree[T]{node: n}
}

// add returns the tree with s added. slot is the quadrant that holds t.
func (t tree[T]) add(slot cell, s leafPoint[T]) tree[T] {
	if t.node == nil {
		return build(slot, append(slices.Clip(t.points), s))
	}
	if !covers(&t.cell, s.e) {
		return t.joinAbove(slot, s)
	}
	n := *t.node
	q := quadrant(&n.cell, s.e)
	n.children[q] = n.children[q].add(n.child(q), s)
	n.count++
	return tree[T]{node: &n}
}

// remove returns the tree without e, which it must contain.
func (t tree[T]) remove(e *entry[T]) tree[T] {
	if t.node == nil {
		i := t.find(e)
		return leaf(slices.Concat(t.points[:i], t.points[i+1:]))
	}
	n := *t.node
	q := quadrant(&n.cell, e)
	n.children[q] = n.children[q].remove(e)
	n.count--
	return tree[T]{node: &n}.collapse()
}

// move returns the tree with s in place of old, which it must contain. Nodes above both places are copied only once.
func (t tree[T]) move(slot cell, old *entry[T], s leafPoint[T]) tree[T] {
	if t.node == nil {
		points := slices.Clone(t.points)
		points[t.find(old)] = s
		return leaf(points)
	}
	q := quadrant(&t.cell, old)
	if !covers(&t.cell, s.e) || quadrant(&t.cell, s.e) != q {
		return t.remove(old).add(slot, s)
	}
	n := *t.node
	n.children[q] = n.children[q].move(n.child(q), old, s)
	return tree[T]{node: &n}
}

// build returns a tree of the points under slot.
func build[T any](slot cell, points []leafPoint[T]) tree[T] {
	if len(points) <= leafSize || slot.depth > maxDepth+hashLevels {
		return leaf(points)
	}
	c := slot
	for c.spatial() && inOneQuadrant(&c, points) {
		c = c.child(quadrant(&c, points[0].e))
	}
	var quadrants [4][]leafPoint[T]
	for _, s := range points {
		q := quadrant(&c, s.e)
		quadrants[q] = append(quadrants[q], s)
	}
	var children [4]tree[T]
	for q, part := range quadrants {
		children[q] = build(c.child(q), part)
	}
	return newNode(c, children)
}

// joinAbove joins a node and a point outside its cell under the smallest cell that contains both.
func (t tree[T]) joinAbove(slot cell, s leafPoint[T]) tree[T] {
	c := slot
	for {
		qt, qs := c.quadrant(t.lon, t.lat), quadrant(&c, s.e)
		if qt != qs {
			var children [4]tree[T]
			children[qt], children[qs] = t, leaf([]leafPoint[T]{s})
			return newNode(c, children)
		}
		c = c.child(qt)
	}
}

// collapse returns a node after a removal in its simplest form: a leaf if it is down to half a leaf's size, or its
// only non-empty child. The threshold is half the size so that alternating additions and removals do not split
// and join each time.
func (t tree[T]) collapse() tree[T] {
	if t.count <= leafSize/2 {
		return leaf(t.gather(make([]leafPoint[T], 0, t.count)))
	}
	if !t.spatial() {
		return t
	}
	for _, k := range t.children {
		if k.size() == t.count {
			return k
		}
	}
	return t
}

// gather appends all points of the tree.
func (t tree[T]) gather(points []leafPoint[T]) []leafPoint[T] {
	if t.node == nil {
		return append(points, t.points...)
	}
	for _, k := range t.children {
		points = k.gather(points)
	}
	return points
}

// find returns the index of e among the points of a leaf.
func (t tree[T]) find(e *entry[T]) int {
	return slices.IndexFunc(t.points, func(s leafPoint[T]) bool { return s.e == e })
}

func inOneQuadrant[T any](c *cell, points []leafPoint[T]) bool {
	first := quadrant(c, points[0].e)
	for _, s := range points[1:] {
		if quadrant(c, s.e) != first {
			return false
		}
	}
	return true
}

func quadrant[T any](c *cell, e *entry[T]) int {
	if !c.spatial() {
		return c.hashQuadrant(e.id)
	}
	return c.quadrant(key(e.point))
}

func covers[T any](c *cell, e *entry[T]) bool { return c.covers(key(e.point)) }
