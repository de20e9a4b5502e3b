package surface

import (
	"math"

	"github.com/paulmach/orb"
)

const (
	// minCell is the side of the cells in which sites are merged first, in m; thinStep is how much the cells grow.
	minCell  = 250
	thinStep = math.Sqrt2
	// keptReferences is the share of the sites up to which references are not merged.
	keptReferences = 0.75
)

// Thin returns observations with at most maxSites sites. Sites of one class in the same cell are merged into one at
// their centre; the cells grow until the sites are few enough. A site alone in its cell stays as it is, and so do the
// reference sites, unless they are more than three quarters of maxSites.
func Thin(r *Observations, maxSites int) *Observations {
	if len(r.Sites) <= maxSites {
		return r
	}
	plane, references := planeOf(r.Sites), 0
	for i := range r.Sites {
		if r.Sites[i].Class == ClassReference {
			references++
		}
	}
	keep := float64(references) <= keptReferences*float64(maxSites)
	for side := float64(minCell); ; side *= thinStep {
		if out := merge(r, plane, side, keep); len(out.Sites) <= maxSites {
			return out
		} else if side > earthRadius {
			out.Sites, out.Values = out.Sites[:maxSites], out.Values[:maxSites]
			return out
		}
	}
}

// cluster accumulates the sites of one cell.
type cluster struct {
	first                         Site
	count, lon, lat, extra, value float64
}

func merge(r *Observations, plane LocalPlane, side float64, keepReferences bool) *Observations {
	out := &Observations{Time: r.Time}
	type cell struct {
		column, row int
		class       Class
	}
	clusters := make(map[cell]*cluster)
	var order []cell // keeps the result deterministic
	for i, s := range r.Sites {
		if keepReferences && s.Class == ClassReference {
			out.Sites, out.Values = append(out.Sites, s), append(out.Values, r.Values[i])
			continue
		}
		x, y := plane.XY(s.Point)
		at := cell{int(math.Round(x / side)), int(math.Round(y / side)), s.Class}
		c := clusters[at]
		if c == nil {
			c = &cluster{first: s}
			clusters[at] = c
			order = append(order, at)
		}
		c.count++
		c.lon += s.Point[0]
		c.lat += s.Point[1]
		c.extra += s.Extra
		c.value += r.Values[i]
	}
	for _, at := range order {
		c := clusters[at]
		out.Sites, out.Values = append(out.Sites, c.site()), append(out.Values, c.value/c.count)
	}
	return out
}

// site returns the site of a cell.
func (c *cluster) site() Site {
	if c.count == 1 {
		return c.first
	}
	return Site{
		Point: orb.Point{c.lon / c.count, c.lat / c.count}, Class: c.first.Class, Extra: c.extra / c.count / c.count,
	}
}
