package surface

import (
	"math"
	"sync"

	"github.com/paulmach/orb"
)

// Method is how a surface was made.
type Method string

// The methods. IDW is for networks of too few sites, or of which nothing is learned yet.
const (
	Kriging Method = "kriging"
	ByIDW   Method = "idw"
)

// Surface is the air of one quantity at one moment on a lattice. It does not change.
type Surface struct {
	Method   Method
	Sites    int
	Mean     *Raster
	variance *Raster // in scale², shared; nil where the method does not know it
	scale2   float64
	sill     float64
}

// Deviation returns that of the air around Mean at column i, row j; NaN where it is not known.
func (s *Surface) Deviation(i, j float64) float64 {
	if s.variance == nil {
		return math.NaN()
	}
	return math.Sqrt(s.variance.At(i, j) * s.scale2)
}

// Certainty says how much of the air's deviation is explained at node k, 0 to 1; NaN where that is not known.
func (s *Surface) Certainty(k int) float64 {
	if s.variance == nil {
		return math.NaN()
	}
	return 1 - min(1, math.Sqrt(float64(s.variance.Values[k])/s.sill))
}

// Planner makes surfaces, and keeps what it worked out for the latest sets of sites. It may be used by any number
// of goroutines.
type Planner struct {
	Bounds Bounds

	mu    sync.Mutex
	plans []kept // the latest first
}

type kept struct {
	key  string
	plan *Plan
}

// mostPlans is how many sets of sites are kept: six quantities, now and in a few other hours.
const mostPlans = 24

// Estimate makes the surface of a round on a lattice, by a model, which may be nil. A round of no sites makes an
// empty one. Rounds of more than MostSites are thinned.
func (p *Planner) Estimate(m *Model, r *Round, g Grid) *Surface {
	if g.W < 2 || g.H < 2 {
		return &Surface{Method: ByIDW, Sites: len(r.Sites), Mean: NewRaster(g)}
	}
	r = Thin(r, MostSites)
	if m != nil && len(r.Sites) >= leastSites {
		if plan := p.plan(m.Variogram, r.Sites, g); plan != nil {
			return plan.surface(m, r)
		}
	}
	return p.byIDW(r, g)
}

func (p *Planner) plan(v Variogram, sites []Site, g Grid) *Plan {
	key := keyOf(sites) + keyOf([]Site{
		{Point: orb.Point{v.Nugget, v.LowCost}, Extra: v.Sill},
		{Point: orb.Point{v.Range, float64(g.X)}, Extra: float64(g.Y)},
		{Point: orb.Point{float64(g.W), float64(g.H)}, Extra: float64(g.Size)},
	}) + string(v.Kind)
	if plan := p.find(key); plan != nil {
		return plan
	}
	n, err := NewNetwork(v, sites)
	if err != nil {
		return nil // two sites on one spot to the last digit, or so: what is left is IDW
	}
	plan := NewPlan(n, g, p.Bounds)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plans = append([]kept{{key, plan}}, p.plans[:min(len(p.plans), mostPlans-1)]...)
	return plan
}

func (p *Planner) find(key string) *Plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, k := range p.plans {
		if k.key == key {
			copy(p.plans[1:i+1], p.plans[:i])
			p.plans[0] = k
			return k.plan
		}
	}
	return nil
}

func (p *Plan) surface(m *Model, r *Round) *Surface {
	f := p.Field(r.Values)
	s := &Surface{Method: Kriging, Sites: len(r.Sites), Mean: NewRaster(p.grid), variance: p.variance, sill: m.Sill}
	p.Values(f, s.Mean)
	s.scale2 = m.Level.Scale2(meanOf(r.Values), f.Scale2(), len(r.Sites)-1)
	return s
}

func (p *Planner) byIDW(r *Round, g Grid) *Surface {
	s := &Surface{Method: ByIDW, Sites: len(r.Sites), Mean: NewRaster(g)}
	if len(r.Sites) == 0 {
		return s
	}
	plane := planeOf(r.Sites)
	x, y := make([]float64, len(r.Sites)), make([]float64, len(r.Sites))
	for i := range r.Sites {
		x[i], y[i] = plane.XY(r.Sites[i].Point)
	}
	east, north := plane.lines(g)
	known := make([]bool, g.Nodes())
	within(known, x, y, east, north, p.Bounds.Reach)
	distances := make([]float64, len(x))
	for k := range known {
		if !known[k] {
			continue
		}
		for i := range x {
			distances[i] = math.Hypot(x[i]-east[k%g.W], y[i]-north[k/g.W])
		}
		s.Mean.Values[k] = float32(max(0, fallback.Estimate(distances, r.Values)))
	}
	return s
}
