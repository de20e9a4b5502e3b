// Package ring computes on rings of polygons, in degrees or on a plane: hulls, crossings, and rings with few vertices.
package ring

import (
	"cmp"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/simplify"
)

// Hull returns the corners of the convex hull of points counter-clockwise (Andrew's monotone chain), without points on
// its sides. The first one is not repeated.
func Hull(points []orb.Point) []orb.Point {
	points = slices.Clone(points)
	slices.SortFunc(points, func(a, b orb.Point) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	points = slices.Compact(points)
	if len(points) < 3 {
		return points
	}
	lower := chain(points)
	slices.Reverse(points)
	upper := chain(points)
	return append(lower[:len(lower)-1], upper[:len(upper)-1]...)
}

// chain returns the sorted points at which the hull turns left.
func chain(points []orb.Point) []orb.Point {
	var c []orb.Point
	for _, p := range points {
		for len(c) > 1 && turn(c[len(c)-2], c[len(c)-1], p) <= 0 {
			c = c[:len(c)-1]
		}
		c = append(c, p)
	}
	return c
}

// turn is positive if a, b, c make a left turn.
func turn(a, b, c orb.Point) float64 {
	return (b[0]-a[0])*(c[1]-a[1]) - (b[1]-a[1])*(c[0]-a[0])
}

// Simplify returns a closed ring with at most so many vertices, 4 or more, the closing one among them: those are left
// out that change the area least. A ring whose sides would cross becomes its convex hull, which holds all of it.
func Simplify(r orb.Ring, vertices int) orb.Ring {
	if len(r) <= vertices {
		return r
	}
	keep := simplify.VisvalingamKeep(vertices)
	out := keep.Ring(r.Clone())
	if !CrossesItself(out) {
		return out
	}
	if out = Hull(r); len(out) > 0 {
		out = append(out, out[0])
	}
	if len(out) > vertices {
		out = keep.Ring(out) // stays convex
	}
	return out
}

// CrossesItself reports whether two sides of a closed ring that are not neighbors meet. Its time grows with the square
// of the number of vertices.
func CrossesItself(r orb.Ring) bool {
	for i := 1; i < len(r); i++ {
		for j := i + 2; j < len(r); j++ {
			neighbors := i == 1 && j == len(r)-1
			if !neighbors && turn(r[i-1], r[i], r[j-1])*turn(r[i-1], r[i], r[j]) <= 0 &&
				turn(r[j-1], r[j], r[i-1])*turn(r[j-1], r[j], r[i]) <= 0 {
				return true
			}
		}
	}
	return false
}
