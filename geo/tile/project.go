package tile

import (
	"sync"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/simplify"
)

// projectedNetwork holds a projected network, so that the work shared by all tiles is done once.
type projectedNetwork struct {
	routes  [][]shape // by index in TransitMap.Routes
	stops   []projectedStop
	outline []orb.Ring
	bound   orb.Bound // of all of these in WGS84 lon, lat; empty without any
	// Below DetailZoom, shapes are simplified once per zoom. A tile then only needs clipping, and lines meet at tile
	// edges because both tiles clip the same line.
	simplified [DetailZoom]struct {
		once   sync.Once
		routes [][]shape
	}
}

type shape struct {
	line  orb.LineString
	bound orb.Bound
}

type projectedStop struct {
	*Stop
	point orb.Point
}

// project fills n.projected. Routes, Stops and Outline stay unchanged.
func (n *TransitMap) project() {
	n.projected.bound = n.bound()
	n.projected.routes = make([][]shape, len(n.Routes))
	for i, r := range n.Routes {
		for _, s := range r.Shapes {
			if line := project(s); len(line) > 1 {
				n.projected.routes[i] = append(n.projected.routes[i], shape{line, line.Bound()})
			}
		}
	}
	for i := range n.Stops {
		if p, ok := mercator(n.Stops[i].Point); ok {
			n.projected.stops = append(n.projected.stops, projectedStop{&n.Stops[i], p})
		}
	}
	for _, r := range n.Outline {
		n.projected.outline = append(n.projected.outline, orb.Ring(project(r)))
	}
}

// bound returns the box around all valid points.
func (n *TransitMap) bound() orb.Bound {
	var box orb.MultiPoint // empty, or the corners of the box
	add := func(points ...orb.Point) {
		for _, p := range points {
			if _, ok := mercator(p); ok {
				box = append(box, p)
			}
		}
		if len(box) > 0 {
			b := box.Bound()
			box = orb.MultiPoint{b.Min, b.Max}
		}
	}
	for i := range n.Routes {
		for _, s := range n.Routes[i].Shapes {
			add(s...)
		}
	}
	for i := range n.Stops {
		add(n.Stops[i].Point)
	}
	for _, ring := range n.Outline {
		add(ring...)
	}
	return box.Bound()
}

// project projects the valid points.
func project(points []orb.Point) orb.LineString {
	line := make(orb.LineString, 0, len(points))
	for _, p := range points {
		if p, ok := mercator(p); ok {
			line = append(line, p)
		}
	}
	return line
}

// at returns the routes for a zoom: simplified by at most one tile unit, or unchanged from DetailZoom on.
func (f *projectedNetwork) at(zoom int) [][]shape {
	if zoom >= DetailZoom {
		return f.routes
	}
	s := &f.simplified[zoom]
	s.once.Do(func() {
		unit := 1 / (float64(uint64(1)<<zoom) * extent)
		s.routes = simplifyRoutes(f.routes, simplify.DouglasPeucker(unit))
	})
	return s.routes
}

func simplifyRoutes(routes [][]shape, s *simplify.DouglasPeuckerSimplifier) [][]shape {
	out := make([][]shape, len(routes))
	for i, shapes := range routes {
		for _, original := range shapes {
			line := s.LineString(original.line.Clone()) // the simplifier writes to its argument
			out[i] = append(out[i], shape{line.Clone(), line.Bound()})
		}
	}
	return out
}
