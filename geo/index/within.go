package index

import (
	"cmp"
	"slices"

	"github.com/paulmach/orb"
)

// Box is an area between two meridians and two parallels in degrees, edges included. It crosses the antimeridian
// if MinLon > MaxLon, as in GeoJSON (RFC 7946 §5.2).
type Box struct{ MinLon, MinLat, MaxLon, MaxLat float64 }

// Contains reports whether p lies in the box. 180° and -180° are the same meridian. A box with a NaN or with
// MinLat > MaxLat contains nothing.
func (b Box) Contains(p orb.Point) bool {
	return b.contains(p[0], p[1]) || p[0] == 180 && b.contains(-180, p[1]) || p[0] == -180 && b.contains(180, p[1])
}

func (b Box) contains(lon, lat float64) bool {
	if !(lat >= b.MinLat && lat <= b.MaxLat) {
		return false
	}
	if b.MinLon > b.MaxLon {
		return lon >= b.MinLon || lon <= b.MaxLon
	}
	return lon >= b.MinLon && lon <= b.MaxLon
}

// mayIntersect reports whether the box may intersect a cell.
func (b Box) mayIntersect(c *cell) bool {
	h := c.half / 2
	if !(c.lat+h >= b.MinLat && c.lat-h <= b.MaxLat) {
		return false
	}
	west, east := c.lon-c.half, c.lon+c.half
	if b.MinLon > b.MaxLon {
		return east >= b.MinLon || west <= b.MaxLon
	}
	// Keys at 180° are stored at -180°, in cells that a box ending at 180° does not reach otherwise.
	return east >= b.MinLon && west <= b.MaxLon || west == -180 && b.MaxLon >= 180
}

// Within returns the items in the box that keep accepts (nil accepts all), sorted by id. It overwrites buf.
// Metres is 0 in every hit. keep must obey the same rules as in Nearest.
func (x *Index[T]) Within(buf []Hit[T], box Box, keep func(*T) bool) []Hit[T] {
	buf = buf[:0]
	found := x.tree().within(nil, world, box, keep)
	slices.SortFunc(found, func(a, b *entry[T]) int { return cmp.Compare(a.id, b.id) })
	buf = slices.Grow(buf, len(found))
	for _, e := range found {
		buf = append(buf, e.hit(0))
	}
	return buf
}

func (t tree[T]) within(found []*entry[T], slot cell, box Box, keep func(*T) bool) []*entry[T] {
	if !box.mayIntersect(&slot) {
		return found
	}
	for _, s := range t.points {
		if box.Contains(s.e.point) && (keep == nil || keep(&s.e.item)) {
			found = append(found, s.e)
		}
	}
	if t.node == nil || !box.mayIntersect(&t.cell) {
		return found
	}
	for q, k := range t.children {
		found = k.within(found, t.child(q), box, keep)
	}
	return found
}
