package gtfs

import (
	"slices"
	"strings"

	"github.com/paulmach/orb"
)

// ShapesOf returns the different shapes of a route's trips, in the feed's order of trips.
func (f *Feed) ShapesOf(r *Route) []*Shape {
	var shapes []*Shape
	for _, t := range f.Trips {
		if t.Route == r && t.Shape != nil && !slices.Contains(shapes, t.Shape) {
			shapes = append(shapes, t.Shape)
		}
	}
	return shapes
}

// WebColor returns the route's colour as the web writes it, #rrggbb, or nothing.
func (r *Route) WebColor() string {
	if r.Color == "" {
		return ""
	}
	return "#" + strings.ToLower(r.Color)
}

// Bounds returns the box around all stops and shapes in WGS84 lon, lat degrees; it is empty when
// there are none. A feed across the 180th meridian gets a box around the world.
func (f *Feed) Bounds() orb.Bound {
	var all orb.MultiPoint
	for _, s := range f.Stops {
		if s.Point != (orb.Point{}) {
			all = append(all, s.Point)
		}
	}
	for _, s := range f.Shapes {
		b := s.Line.Bound()
		all = append(all, b.Min, b.Max)
	}
	return all.Bound()
}
