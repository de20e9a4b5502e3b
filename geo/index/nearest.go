package index

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Nearest returns the k things nearest to a place, at most radius metres away (+Inf for no limit)
// and accepted by keep (nil accepts all), sorted by metres and then id. It writes over buf. Which
// things and in which order is exactly as geo.DistanceHaversine has it: nothing nearer is missed, on
// either side of the antimeridian and around the poles. Metres agree with it to 0.1 µm.
//
// There is no answer for k <= 0, for a radius that is not above 0, and for a place that is none.
// keep is called for some of the things only, in no order, on what the index holds: it may not
// change it. Where keep accepts fewer than k and there is no radius, everything has to be looked
// at: some 10 ns a thing.
func (x *Index[T]) Nearest(buf []Hit[T], at orb.Point, k int, radius float64, keep func(*T) bool) []Hit[T] {
	buf = buf[:0]
	root := x.tree()
	if k <= 0 || !(radius > 0) || checkPlace(at) != nil || root.size() == 0 {
		return buf
	}
	s := x.search()
	s.from(at)
	s.k, s.radius, s.keep = min(k, root.size()), radius, keep
	s.limit = limitOf(radius)
	s.visit(&root)
	buf = s.hits(buf)
	x.done(s)
	return buf
}

// search returns a search to use once and hand to done: its room is used again.
func (x *Index[T]) search() *search[T] {
	if s, ok := x.idle.Get().(*search[T]); ok {
		return s
	}
	return new(search[T])
}

// roomKept is how many candidates' room an idle search keeps, 256 kB: more than
// the ties of a large depot.
const roomKept = 16384

func (x *Index[T]) done(s *search[T]) {
	if cap(s.best)+cap(s.spare) > roomKept {
		return
	}
	clear(s.best) // an idle search shall not hold on to things
	clear(s.spare)
	*s = search[T]{best: s.best[:0], spare: s.spare[:0]}
	x.idle.Put(s)
}

// search is one Nearest on its way. It walks the tree from the quarter nearest to the place and
// leaves out what lies beyond limit.
//
// The walk goes by a, which is cheap but rounded otherwise than geo.DistanceHaversine. So limit
// lies a little (widen) above the k-th best, and what falls between the two is spared: the end
// decides by metres.
type search[T any] struct {
	at      orb.Point
	x, y, z float64 // at, on the sphere of diameter 1
	cos     float64 // of at's latitude
	k       int
	radius  float64
	keep    func(*T) bool

	limit float64        // a of what may still matter
	best  []candidate[T] // the k best so far: sorted (k <= few), or a heap once it is full
	worst int            // where the k-th best is: at the end, or on top
	spare []candidate[T] // others within limit at some time
}

func (s *search[T]) from(at orb.Point) {
	s.at, s.cos = at, math.Cos(radians(at[1]))
	s.x, s.y, s.z = onSphere(at[0], at[1])
}

// limitOf returns a limit that holds everything within a radius in metres.
func limitOf(radius float64) float64 {
	angle := radius / orb.EarthRadius
	if angle >= math.Pi {
		return math.Inf(1)
	}
	sin := math.Sin(angle / 2)
	return widen(sin * sin)
}

// widen adds to a what rounding may hide. Places on the sphere of diameter 1 are off by under
// 3e-16 in each axis, so a chord c = √a is off by under 2e-15 and a by under 2c·2e-15 + 4e-30; a
// haversine is off by a few 1e-16 of a, and the metres made from it by a few 1e-16 of π·R, which
// is 2e-15 of c at the most. Together that is under 1e-14·c + 1e-28. The sum below is never less:
// its first part covers c >= 1e-5 and its second the rest. On the ground it is 1 µm at 1 km, 4 mm
// at the place itself.
func widen(a float64) float64 { return a*(1+1e-9) + 1.1e-19 }

func (s *search[T]) visit(t *tree[T]) {
	f := t.fork
	if f == nil {
		s.scan(t.spots)
		return
	}
	if !f.spatial() {
		for q := range f.kids {
			s.visitWithin(&f.kids[q], 0)
		}
		return
	}
	west, east, south, north := s.bounds(f)
	near := 0
	if east < west {
		near, west, east = 1, east, west
	}
	if north < south {
		near, south, north = near|2, north, south
	}
	// west and south are now the nearer sides, whichever they are.
	s.visitWithin(&f.kids[near], west+south)
	if east+south <= west+north {
		s.visitWithin(&f.kids[near^1], east+south)
		s.visitWithin(&f.kids[near^2], west+north)
	} else {
		s.visitWithin(&f.kids[near^2], west+north)
		s.visitWithin(&f.kids[near^1], east+south)
	}
	s.visitWithin(&f.kids[near^3], east+north)
}

// visitWithin visits t unless everything in it lies at a >= bound, beyond the limit.
func (s *search[T]) visitWithin(t *tree[T], bound float64) {
	if bound <= s.limit {
		s.visit(t)
	}
}

// bounds returns lower bounds on a for the quarters of a fork: a quarter's is the sum of one of
// west, east and one of south, north.
//
// Proof. a = sin²(Δφ/2) + cos φ₁ · cos φ₂ · sin²(Δλ/2) with Δφ and Δλ in [0, π], Δλ the short way
// round. sin²(x/2) grows over [0, π]. For every place in a quarter, Δφ is at least the gap between
// φ₁ and the quarter's latitudes, Δλ at least the gap between λ₁ and its longitudes on the circle,
// and cos φ₂ at least the least cosine over the fork. Replacing each by its bound gives a number
// that is not above a. The gaps' own rounding is far below what widen allows.
func (s *search[T]) bounds(n *fork[T]) (west, east, south, north float64) {
	h := n.half / 2
	dLon := s.at[0] - n.lon
	if dLon > 180 {
		dLon -= 360
	} else if dLon < -180 {
		dLon += 360
	}
	dLat := s.at[1] - n.lat
	f := s.cos * n.cos
	west = f * halfSinSquared(onCircle(dLon+h)-h)
	east = f * halfSinSquared(onCircle(dLon-h)-h)
	south = halfSinSquared(math.Abs(dLat+h/2) - h/2)
	north = halfSinSquared(math.Abs(dLat-h/2) - h/2)
	return west, east, south, north
}

// onCircle returns the short way round for an arc of up to 360 degrees.
func onCircle(degrees float64) float64 {
	d := math.Abs(degrees)
	if d > 180 {
		return 360 - d
	}
	return d
}

// halfSinSquared returns a lower bound on sin²(gap/2) for a gap of up to 180 degrees, and 0 for a
// negative one: sin u >= u - u³/6 for u >= 0, and the right side is not negative up to u = √6.
func halfSinSquared(gap float64) float64 {
	if gap <= 0 {
		return 0
	}
	u := gap * (math.Pi / 360)
	u -= u * u * u / 6
	return u * u
}

func (s *search[T]) scan(spots []spot[T]) {
	for i := range spots {
		p := &spots[i]
		dx, dy, dz := p.x-s.x, p.y-s.y, p.z-s.z
		if a := dx*dx + dy*dy + dz*dz; a <= s.limit && (s.keep == nil || s.keep(&p.e.item)) {
			s.offer(candidate[T]{a, p.e})
		}
	}
}

// few is the k up to which the best are kept sorted, by insertion; above it they are a heap, which
// costs a quarter more at k = 10 and does not grow with k.
const few = 64

// offer takes a candidate within limit.
func (s *search[T]) offer(c candidate[T]) {
	switch {
	case len(s.best) < s.k:
		s.fill(c)
	case c.a < s.best[s.worst].a:
		out := s.best[s.worst]
		s.replaceWorst(c)
		s.narrow()
		s.sparing(out)
	default:
		s.sparing(c)
	}
}

func (s *search[T]) fill(c candidate[T]) {
	s.best = append(s.best, c)
	if s.k <= few {
		insert(s.best, c)
		s.worst = len(s.best) - 1
	}
	if len(s.best) == s.k {
		if s.k > few {
			heapify(s.best)
		}
		s.narrow()
	}
}

func (s *search[T]) replaceWorst(c candidate[T]) {
	if s.k <= few {
		insert(s.best, c)
		return
	}
	s.best[0] = c
	sink(s.best, 0)
}

// narrow draws limit in behind the k-th best; a radius may already be nearer.
func (s *search[T]) narrow() { s.limit = min(s.limit, widen(s.best[s.worst].a)) }

func (s *search[T]) sparing(c candidate[T]) {
	if c.a <= s.limit {
		s.spare = append(s.spare, c)
	}
}

// hits appends the answer to buf: the k best of everything within limit, by metres and id.
func (s *search[T]) hits(buf []Hit[T]) []Hit[T] {
	if s.k > few {
		heapify(s.best)
		sortHeap(s.best)
	}
	spare := slices.DeleteFunc(s.spare, func(c candidate[T]) bool { return c.a > s.limit })
	if len(spare) > 0 || tied(s.best) {
		s.settle(spare)
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

// tied reports whether rounding may hide the right order of what is sorted by a.
func tied[T any](sorted []candidate[T]) bool {
	for i := 1; i < len(sorted); i++ {
		if sorted[i].a <= widen(sorted[i-1].a) {
			return true
		}
	}
	return false
}

// settle finds the k best of best and spare by their metres, and sorts them.
func (s *search[T]) settle(spare []candidate[T]) {
	s.settleEach(s.best)
	s.settleEach(spare)
	heapify(s.best)
	for _, c := range spare {
		if s.best[0].after(&c) {
			s.best[0] = c
			sink(s.best, 0)
		}
	}
	sortHeap(s.best)
}

// settleEach turns every a into metres. Things in one spot come together, and are measured once.
func (s *search[T]) settleEach(all []candidate[T]) {
	for i := range all {
		if i > 0 && all[i].e.point == all[i-1].e.point {
			all[i].a = all[i-1].a
		} else {
			all[i].a = distance(s.at, all[i].e.point)
		}
	}
}

// measure turns every a of best, whose order is known, into metres. Up to 100 km the first terms
// of the arc sine's series do: the next is under 1e-17 of the whole, and a chord that is off by
// 2e-15 is 25 nm. Beyond, and within a centimetre of the radius, where the last bit decides whether
// a thing is in, geo.DistanceHaversine is asked.
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

// distance is geo.DistanceHaversine, which is NaN for some places opposite each other on the globe,
// where rounding takes a haversine above 1: they are half the way round apart.
func distance(p, q orb.Point) float64 {
	if m := geo.DistanceHaversine(p, q); !math.IsNaN(m) {
		return m
	}
	return math.Pi * orb.EarthRadius
}
