package surface

import "github.com/paulmach/orb"

// finest is the side of the cells in which sites are merged first, m.
const finest = 250

// Thin returns a round of at most so many sites: low-cost ones that stand close to each other are merged to one in
// their middle, in cells that grow until they are few enough. References stay, as far as there is room.
func Thin(r *Round, most int) *Round {
	if len(r.Sites) <= most {
		return r
	}
	plane := planeOf(r.Sites)
	for side := float64(finest); ; side *= 2 {
		if out := merge(r, plane, side); len(out.Sites) <= most {
			return out
		} else if side > earthRadius {
			out.Sites, out.Values = out.Sites[:most], out.Values[:most]
			return out
		}
	}
}

// heap is what was merged in one cell.
type heap struct {
	count, lon, lat, extra, value float64
}

func merge(r *Round, plane Plane, side float64) *Round {
	out := &Round{Time: r.Time}
	type cell [2]int
	heaps := make(map[cell]*heap)
	var order []cell // that the same round is merged in the same way
	for i, s := range r.Sites {
		if s.Class == Reference {
			out.Sites, out.Values = append(out.Sites, s), append(out.Values, r.Values[i])
			continue
		}
		x, y := plane.XY(s.Point)
		at := cell{int(x/side + 1e6), int(y/side + 1e6)}
		h := heaps[at]
		if h == nil {
			h = new(heap)
			heaps[at] = h
			order = append(order, at)
		}
		h.count++
		h.lon += s.Point[0]
		h.lat += s.Point[1]
		h.extra += s.Extra
		h.value += r.Values[i]
	}
	for _, at := range order {
		h := heaps[at]
		out.Sites = append(out.Sites, Site{orb.Point{h.lon / h.count, h.lat / h.count}, LowCost, h.extra / h.count / h.count})
		out.Values = append(out.Values, h.value/h.count)
	}
	return out
}
