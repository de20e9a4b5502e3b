package capdoc

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"github.com/paulmach/orb/simplify"
)

// Bounds of the polygons of an area: phones and pagers take few points.
const (
	maxVertices = 100 // of a polygon, with the closing one
	maxPolygons = 20  // the largest ones
)

// Polygons returns the outer rings of an area in the form of CAP: pairs of latitude and longitude, the last of which is
// the first. Rings have at most 100 vertices: those that change the area least are left out. Holes are left out, too:
// CAP has none.
func Polygons(area orb.MultiPolygon) []string {
	rings := make([]orb.Ring, 0, len(area))
	for _, p := range area {
		if len(p) > 0 {
			rings = append(rings, p[0])
		}
	}
	slices.SortStableFunc(rings, func(a, b orb.Ring) int { return cmp.Compare(size(b), size(a)) })
	var out []string
	for _, r := range rings[:min(len(rings), maxPolygons)] {
		if text := polygon(r); text != "" {
			out = append(out, text)
		}
	}
	return out
}

func size(r orb.Ring) float64 { return max(planar.Area(r), -planar.Area(r)) }

// polygon formats a ring; "" if fewer than three different points are left of it.
func polygon(r orb.Ring) string {
	if len(r) > maxVertices {
		r = simplified(r)
	}
	var pairs []string
	for _, p := range r {
		pair := fmt.Sprintf("%.5f,%.5f", p.Lat(), p.Lon()) // 1 m
		if len(pairs) == 0 || pairs[len(pairs)-1] != pair {
			pairs = append(pairs, pair)
		}
	}
	if len(pairs) > 0 && pairs[0] != pairs[len(pairs)-1] {
		pairs = append(pairs, pairs[0])
	}
	if len(pairs) < 4 {
		return ""
	}
	return strings.Join(pairs, " ")
}

// simplified returns a ring with maxVertices. A ring whose sides would cross becomes its convex hull, which holds all
// of it.
func simplified(r orb.Ring) orb.Ring {
	keep := simplify.VisvalingamKeep(maxVertices)
	out := keep.Ring(r.Clone())
	if !crossesItself(out) {
		return out
	}
	if out = hull(r); len(out) > maxVertices {
		out = keep.Ring(out) // stays convex
	}
	return out
}

// crossesItself reports whether two sides of a closed ring that are not neighbors meet.
func crossesItself(r orb.Ring) bool {
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

// turn is above 0 if c is on the left of the way from a to b.
func turn(a, b, c orb.Point) float64 { return (b[0]-a[0])*(c[1]-a[1]) - (b[1]-a[1])*(c[0]-a[0]) }

// hull returns the convex hull of a ring's vertices, closed (Andrew's monotone chain).
func hull(r orb.Ring) orb.Ring {
	points := slices.Clone(r)
	slices.SortFunc(points, func(a, b orb.Point) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	var out orb.Ring
	for range 2 { // the lower side, and backwards the upper one
		begin := len(out)
		for _, p := range points {
			for len(out) >= begin+2 && turn(out[len(out)-2], out[len(out)-1], p) <= 0 {
				out = out[:len(out)-1]
			}
			out = append(out, p)
		}
		out = out[:len(out)-1]
		slices.Reverse(points)
	}
	return append(out, out[0])
}

// Circle returns a circle in the form of CAP: latitude, longitude and the radius in km.
func Circle(center orb.Point, km float64) string {
	return fmt.Sprintf("%.5f,%.5f ", center.Lat(), center.Lon()) + strconv.FormatFloat(km, 'f', -1, 64)
}
