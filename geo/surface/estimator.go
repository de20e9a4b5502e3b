package surface

import (
	"math"
	"sync"

	"github.com/paulmach/orb"
)

// Method is the interpolation method.
type Method string

// The methods. IDW is used with fewer than three sites, or if nothing was learned yet. MethodKriging keeps the name
// that programs know: it is the weighted sum of the members of a Stack, most of which are kriging.
const (
	MethodKriging Method = "kriging"
	MethodIDW     Method = "idw"
)

// Surface is the concentration of one quantity at one time on a lattice. It does not change.
type Surface struct {
	Method  Method
	Sites   int
	Filled  []string // ids of silent sites that stand for their usual difference from the estimate
	Mean    *Raster
	lattice *lattice // shared between surfaces; nil without sites
	knots   []knot   // empty if the uncertainty is unknown
	offset  float64
	scale2  float64
}

// Range returns the 80 % range of what a monitor would read at column i and row j, NaN if unknown.
func (s *Surface) Range(i, j float64) (low, high float64) {
	if len(s.knots) == 0 {
		return math.NaN(), math.NaN()
	}
	return s.spread(s.Mean.At(i, j), s.lattice.unit.At(i, j))
}

// RangeAt is Range at node k.
func (s *Surface) RangeAt(k int) (low, high float64) {
	if len(s.knots) == 0 {
		return math.NaN(), math.NaN()
	}
	return s.spread(float64(s.Mean.Values[k]), float64(s.lattice.unit.Values[k]))
}

func (s *Surface) spread(v, unit float64) (low, high float64) {
	k, g := knotAt(s.knots, math.Log(unit)), guess(v, s.offset, s.scale2, unit)
	// If all estimates were too low lately, the whole range is above this one; it still belongs to the range.
	return max(0, v+min(0, g*k.low)), v + max(0, g*k.high)
}

// Beside reports whether node k is so close to a site that the site vouches for it.
func (s *Surface) Beside(k int) bool { return s.lattice != nil && s.lattice.beside[k] }

// Certainty returns how much of the air's deviation from its mean the sites explain at node k: 0 far from all of
// them, nearly 1 at a site; NaN if unknown. It depends on the places of the sites alone, so that even air, whose
// deviation is small, is not uncertain.
func (s *Surface) Certainty(k int) float64 {
	if len(s.knots) == 0 {
		return math.NaN()
	}
	return 1 - math.Sqrt(min(1, max(0, float64(s.lattice.unit.Values[k])-operatorParameters[base].nugget)))
}

// Estimator makes surfaces and caches what does not depend on values of recent sets of sites. It is safe for
// concurrent use.
type Estimator struct {
	MaxDistance float64 // to the nearest site, m; nodes farther away are unknown

	mu       sync.Mutex
	lattices []cachedLattice // most recently used first
}

type cachedLattice struct {
	key     string
	lattice *lattice
}

// maxLattices is the number of cached lattices: six quantities, now and in a few other hours.
const maxLattices = 24

// Estimate interpolates observations on a lattice. The stack may be nil. Without sites the surface is empty. More
// than MaxSites sites are thinned.
func (p *Estimator) Estimate(s *Stack, r *Observations, g Grid) *Surface {
	silent := r.Silent
	r = usable(r)
	places := r.Sites
	r = Thin(r, MaxSites)
	out := &Surface{Method: MethodIDW, Sites: len(r.Sites), Mean: NewRaster(g)}
	if g.W < 2 || g.H < 2 || len(r.Sites) == 0 {
		return out
	}
	if s == nil || s.Count == 0 || len(r.Sites) <= minOthers {
		s = &Stack{}
	} else {
		out.Method = MethodKriging
	}
	out.lattice = p.lattice(r.Sites, places, s.LowCost.Value, g)
	f := s.fold(out.lattice.bank, r.Values)
	out.lattice.fill(f, out.Mean)
	out.Filled = out.lattice.fillSilent(s.LastingBias, silent, out.Mean)
	if out.Method == MethodKriging {
		c := s.offset(r.Values)
		out.offset, out.scale2 = c, f.scale2
		out.knots = s.knots(math.Log(max(0, Mean(r.Values)) + c))
	}
	return out
}

// lattice returns the lattice of sites; places are the same before they were thinned.
func (p *Estimator) lattice(sites, places []Site, lowCost float64, g Grid) *lattice {
	key := siteKey(places) + siteKey([]Site{
		{Point: orb.Point{float64(g.X), float64(g.Y)}, Extra: float64(g.Size)},
		{Point: orb.Point{float64(g.W), float64(g.H)}, Extra: lowCost},
	})
	if known := p.cached(key); known != nil {
		return known
	}
	made := newLattice(newServingBank(sites, lowCost), places, g, p.MaxDistance)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lattices = append([]cachedLattice{{key, made}}, p.lattices[:min(len(p.lattices), maxLattices-1)]...)
	return made
}

func (p *Estimator) cached(key string) *lattice {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, k := range p.lattices {
		if k.key == key {
			copy(p.lattices[1:i+1], p.lattices[:i])
			p.lattices[0] = k
			return k.lattice
		}
	}
	return nil
}
