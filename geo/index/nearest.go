package index

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Nearest returns the k items nearest to a place that are at most radius metres away (+Inf for no limit) and
// accepted by keep (nil accepts all), sorted by distance and then by id. It overwrites buf. The selection and the
// order are exactly those of geo.DistanceHaversine, also across the antimeridian and around the poles. Metres
// agrees with it to 0.1 µm.
//
// The result is empty if k <= 0, if radius is not positive, or if the coordinates are invalid. keep is called for
// some items only, in no particular order, and must not change them. If keep accepts fewer than k items and there
// is no radius, all items are examined, which takes some 10 ns per item.
func (x *Index[T]) Nearest(buf []Hit[T], at orb.Point, k int, radius float64, keep func(*T) bool) []Hit[T] {
	buf = buf[:0]
	root := x.tree()
	if k <= 0 || !(radius > 0) || checkPlace(at) != nil || root.size() == 0 {
		return buf
	}
	s := x.search()
	s.setOrigin(at)
	s.k, s.radius, s.keep = min(k, root.size()), radius, keep
	s.limit = limitOf(radius)
	s.visit(&root)
	buf = s.hits(buf)
	x.release(s)
	return buf
}

// search returns a search from the pool. It must be returned with release.
func (x *Index[T]) search() *search[T] {
	if s, ok := x.searches.Get().(*search[T]); ok {
		return s
	}
	return new(search[T])
}

// maxIdle is how many candidates the buffers of an idle search may hold, 256 kB: more than the ties of a large depot.
const maxIdle = 16384

func (x *Index[T]) release(s *search[T]) {
	if cap(s.best)+cap(s.spare) > maxIdle {
		return
	}
	clear(s.best) // an idle search must not keep items alive
	clear(s.spare)
	*s = search[T]{best: s.best[:0], spare: s.spare[:0]}
	x.searches.Put(s)
}

// search is the state of one call of Nearest. It walks the tree, beginning with the quadrant nearest to the query
// point, and skips what lies beyond limit.
//
// The walk compares values of a, which are cheap to compute but rounded differently from geo.DistanceHaversine.
// Therefore limit is slightly above (see widen) the k-th best value, and candidates between the two are set aside
// in spare. The final selection is by metres.
type search[T any] struct {
	at      orb.Point
	x, y, z float64 // at, on the sphere of diameter 1
	cos     float64 // cosine of the latitude of at
	k       int
	radius  float64
	keep    func(*T) bool

	limit float64        // upper bound of a for candidates that may still matter
	best  []candidate[T] // the k best so far: sorted (k <= maxSorted), or a heap once it is full
	worst int            // index of the k-th best: at the end, or on top
	spare []candidate[T] // other candidates that were within limit
}

func (s *search[T]) setOrigin(at orb.Point) {
	s.at, s.cos = at, math.Cos(radians(at[1]))
	s.x, s.y, s.z = onSphere(at[0], at[1])
}

// limitOf returns a limit that includes everything within a radius in metres.
func limitOf(radius float64) float64 {
	angle := radius / orb.EarthRadius
	if angle >= math.Pi {
		return math.Inf(1)
	}
	sin := math.Sin(angle / 2)
	return widen(sin * sin)
}

// widen increases a by more than the rounding error. Places on the sphere of diameter 1 are off by less than
// 3e-16 in each axis, so a chord c = √a is off by less than 2e-15 and a by less than 2c·2e-15 + 4e-30. A
// haversine is off by a few 1e-16 of a, and the metres computed from it by a few 1e-16 of π·R, which is at most
// 2e-15 of c. Together that is less than 1e-14·c + 1e-28. The sum below is never less: its first part covers c >=
// 1e-5 and its second part the rest. On the ground it corresponds to 1 µm at 1 km and 4 mm at the query point
// itself.
func widen(a float64) float64 { return a*(1+1e-9) + 1.1e-19 }

func (s *search[T]) visit(t *tree[T]) {
	n := t.node
	if n == nil {
		s.scan(t.points)
		return
	}
	if !n.spatial() {
		for q := range n.children {
			s.visitWithin(&n.children[q], 0)
		}
		return
	}
	west, east, south, north := s.bounds(n)
	near := 0
	if east < west {
		near, west, east = 1, east, west
	}
	if north < south {
		near, south, north = near|2, north, south
	}
	// west and south now denote the nearer sides.
	s.visitWithin(&n.children[near], west+south)
	if east+south <= west+north {
		s.visitWithin(&n.children[near^1], east+south)
		s.visitWithin(&n.children[near^2], west+north)
	} else {
		s.visitWithin(&n.children[near^2], west+north)
		s.visitWithin(&n.children[near^1], east+south)
	}
	s.visitWithin(&n.children[near^3], east+north)
}

// visitWithin visits t unless all its points have a >= bound, beyond the limit.
func (s *search[T]) visitWithin(t *tree[T], bound float64) {
	if bound <= s.limit {
		s.visit(t)
	}
}

// bounds returns lower bounds on a for the quadrants of a node. The bound of a quadrant is the sum of one of
// west, east and one of south, north.
//
// Proof. a = sin²(Δφ/2) + cos φ₁ · cos φ₂ · sin²(Δλ/2) with Δφ and Δλ in [0, π], Δλ the shorter way round.
// sin²(x/2) increases over [0, π]. For every place in a quadrant, Δφ is at least the gap between φ₁ and the
// quadrant's latitudes, Δλ is at least the gap between λ₁ and its longitudes on the circle, and cos φ₂ is at
// least the least cosine over the node. Replacing each by its bound gives a number that is not above a. The
// rounding of the gaps is far below what widen allows.
func (s *search[T]) bounds(n *node[T]) (west, east, south, north float64) {
	h := n.half / 2
	dLon := s.at[0] - n.lon
	if dLon > 180 {
		dLon -= 360
	} else if dLon < -180 {
		dLon += 360
	}
	dLat := s.at[1] - n.lat
	f := s.cos * n.cos
	west = f * halfSinSquared(shortArc(dLon+h)-h)
	east = f * halfSinSquared(shortArc(dLon-h)-h)
	south = halfSinSquared(math.Abs(dLat+h/2) - h/2)
	north = halfSinSquared(math.Abs(dLat-h/2) - h/2)
	return west, east, south, north
}

// shortArc returns the shorter way round for an arc of up to 360 degrees.
func shortArc(degrees float64) float64 {
	d := math.Abs(degrees)
	if d > 180 {
		return 360 - d
	}
	return d
}

// halfSinSquared returns a lower bound on sin²(gap/2) for a gap of up to 180 degrees, and 0 for a negative gap:
// sin u >= u - u³/6 for u >= 0, and the right side is not negative up to u = √6.
func halfSinSquared(gap float64) float64 {
	if gap <= 0 {
		return 0
	}
	u := gap * (math.Pi / 360)
	u -= u * u * u / 6
	return u * u
}

// scan offers the points of a leaf that are within limit.
func (s *search[T]) scan(points []leafPoint[T]) {
	for i := range points {
		p := &points[i]
		dx, dy, dz := p.x-s.x, p.y-s.y, p.z-s.z
		if a := dx*dx + dy*dy + dz*dz; a <= s.limit && (s.keep == nil || s.keep(&p.e.item)) {
			s.offer(candidate[T]{a, p.e})
		}
	}
}

// maxSorted is the k up to which the best are kept sorted by insertion. Above it they are a heap, which costs a
// quarter more at k = 10 but does not grow with k.
const maxSorted = 64

// offer adds a candidate within limit.
func (s *search[T]) offer(c candidate[T]) {
	switch {
	case len(s.best) < s.k:
		s.fill(c)
	case c.a < s.best[s.worst].a:
		out := s.best[s.worst]
		s.replaceWorst(c)
		s.tightenLimit()
		s.setAside(out)
	default:
		s.setAside(c)
	}
}

func (s *search[T]) fill(c candidate[T]) {
	s.best = append(s.best, c)
	if s.k <= maxSorted {
		insertSorted(s.best, c)
		s.worst = len(s.best) - 1
	}
	if len(s.best) == s.k {
		if s.k > maxSorted {
			heapify(s.best)
		}
		s.tightenLimit()
	}
}

func (s *search[T]) replaceWorst(c candidate[T]) {
	if s.k <= maxSorted {
		insertSorted(s.best, c)
		return
	}
	s.best[0] = c
	siftDown(s.best, 0)
}

// tightenLimit reduces limit to just above the k-th best; a radius may already be smaller.
func (s *search[T]) tightenLimit() { s.limit = min(s.limit, widen(s.best[s.worst].a)) }

func (s *search[T]) setAside(c candidate[T]) {
	if c.a <= s.limit {
		s.spare = append(s.spare, c)
	}
}

// hits appends the result to buf: the k best of all candidates within limit, by metres and id.
func (s *search[T]) hits(buf []Hit[T]) []Hit[T] {
	if s.k > maxSorted {
		heapify(s.best)
		sortHeap(s.best)
	}
	spare := slices.DeleteFunc(s.spare, func(c candidate[T]) bool { return c.a > s.limit })
	if len(spare) > 0 || tied(s.best) {
		s.sortByMetres(spare)
	} else {
		s.measure()
	}
	for _, c := range s.best {
		if c.a > s.radius {
			break
		}
		buf = append(buf, c.e.hit(c.a))
	}
	return buf
}

// tied reports whether rounding may have changed the order of values sorted by a.
func tied[T any](sorted []candidate[T]) bool {
	for i := 1; i < len(sorted); i++ {
		if sorted[i].a <= widen(sorted[i-1].a) {
			return true
		}
	}
	return false
}

// sortByMetres finds the k best of best and spare by their metres and sorts them.
func (s *search[T]) sortByMetres(spare []candidate[T]) {
	s.measureExactly(s.best)
	s.measureExactly(spare)
	heapify(s.best)
	for _, c := range spare {
		if s.best[0].after(&c) {
			s.best[0] = c
			siftDown(s.best, 0)
		}
	}
	sortHeap(s.best)
}

// measureExactly replaces every a by metres. Items at the same place are adjacent and measured once.
func (s *search[T]) measureExactly(all []candidate[T]) {
	for i := range all {
		if i > 0 && all[i].e.point == all[i-1].e.point {
			all[i].a = all[i-1].a
		} else {
			all[i].a = distance(s.at, all[i].e.point)
		}
	}
}

// measure replaces every a of best, whose order is known, by metres. Up to 100 km the first terms of the series
// of the arc sine suffice: the next term is below 1e-17 of the result, and a chord that is off by 2e-15 is off by
// 25 nm. Beyond 100 km, and within a centimetre of the radius, where the last bit decides whether an item is
// included, geo.DistanceHaversine is used.
func (s *search[T]) measure() {
	const far = 6e-5 // sin² of half the angle of 99 km
	for i := range s.best {
		c := &s.best[i]
		m := 2 * orb.EarthRadius * math.Sqrt(c.a) * (1 + c.a*(1./6+c.a*(3./40+c.a*(5./112))))
		if c.a > far || math.Abs(m-s.radius) < 0.01 {
			m = distance(s.at, c.e.point)
		}
		c.a = m
	}
}

// distance is geo.DistanceHaversine, except for some antipodal places, where rounding takes a haversine above 1
// and the result is NaN. They are half the circumference apart.
func distance(p, q orb.Point) float64 {
	if m := geo.DistanceHaversine(p, q); !math.IsNaN(m) {
		return m
	}
	return math.Pi * orb.EarthRadius
}
