package tile

import (
	"sync"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/simplify"
)

// flat is a network on the map: what all its tiles have in common is worked out once.
type flat struct {
	routes  [][]shape // by place in Network.Routes
	stops   []flatStop
	outline []orb.Ring
	// For zooms below DeepZoom, shapes are simplified once for a whole zoom: a tile is then a matter of
	// clipping, and lines meet at the edges of tiles because both sides clip the same line.
	simpler [DeepZoom]struct {
		once   sync.Once
		routes [][]shape
	}
}

type shape struct {
	line  orb.LineString
	bound orb.Bound
}

type flatStop struct {
	*Stop
	point orb.Point
}

// flatten fills n.flat from what the caller gave, which stays as it is.
func (n *Network) flatten() {
	n.flat.routes = make([][]shape, len(n.Routes))
	for i, r := range n.Routes {
		for _, s := range r.Shapes {
			if line := flatten(s); len(line) > 1 {
				n.flat.routes[i] = append(n.flat.routes[i], shape{line, line.Bound()})
			}
		}
	}
	for i := range n.Stops {
		if p, ok := onMap(n.Stops[i].Point); ok {
			n.flat.stops = append(n.flat.stops, flatStop{&n.Stops[i], p})
		}
	}
	for _, r := range n.Outline {
		n.flat.outline = append(n.flat.outline, orb.Ring(flatten(r)))
	}
}

// flatten returns the points that are places, on the map.
func flatten(points []orb.Point) orb.LineString {
	line := make(orb.LineString, 0, len(points))
	for _, p := range points {
		if p, ok := onMap(p); ok {
			line = append(line, p)
		}
	}
	return line
}

// at returns the routes as they are drawn at a zoom: without the points that make no difference of
// a unit, and from DeepZoom on as they are, for who asks so close wants to see.
func (f *flat) at(zoom int) [][]shape {
	if zoom >= DeepZoom {
		return f.routes
	}
	s := &f.simpler[zoom]
	s.once.Do(func() {
		unit := 1 / (float64(uint64(1)<<zoom) * extent)
		s.routes = simplified(f.routes, simplify.DouglasPeucker(unit))
	})
	return s.routes
}

func simplified(routes [][]shape, s *simplify.DouglasPeuckerSimplifier) [][]shape {
	simpler := make([][]shape, len(routes))
	for i, shapes := range routes {
		for _, old := range shapes {
			line := s.LineString(old.line.Clone()) // it writes to the line it is given
			simpler[i] = append(simpler[i], shape{line.Clone(), line.Bound()})
		}
	}
	return simpler
}
