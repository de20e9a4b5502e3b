package capdoc

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"nhip/geo/ring"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
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
	var pairs []string
	for _, p := range ring.Simplify(r, maxVertices) {
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

// Circle returns a circle in the form of CAP: latitude, longitude and the radius in km.
func Circle(center orb.Point, km float64) string {
	return fmt.Sprintf("%.5f,%.5f ", center.Lat(), center.Lon()) + strconv.FormatFloat(km, 'f', -1, 64)
}
