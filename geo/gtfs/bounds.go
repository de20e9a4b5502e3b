package gtfs

import (
	"slices"

	"github.com/paulmach/orb"
)

// ShapesOf returns the distinct shapes of a route's trips, in the feed's order of trips.
func (f *Feed) ShapesOf(r *Route) []*Shape {
	var shapes []*Shape
	for _, t := range f.Trips {
		if t.Route == r && t.Shape != nil && !slices.Contains(shapes, t.Shape) {
			shapes = append(shapes, t.Shape)
		}
	}
	return shapes
}

// Bounds returns the bounding box of all stops and shapes in WGS84 lon, lat degrees. It is empty without any. A
// feed across the 180th meridian gets a box around the world.
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
