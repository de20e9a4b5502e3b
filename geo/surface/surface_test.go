package surface

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

var usual = Variogram{Kind: Spherical, Nugget: 0.05, LowCost: 0.2, Sill: 1, Range: 30_000}

func networkOf(t testing.TB, v Variogram, sites []Site) *Network {
	t.Helper()
	n, err := NewNetwork(v, sites)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func close(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// TestLeaveOneOutIsSolvingAgain holds Dubrule's short way against the long one, on every form.
func TestLeaveOneOutIsSolvingAgain(t *testing.T) {
	for _, kind := range Kinds() {
		v := usual
		v.Kind = kind
		sites, values := someSites(14), someValues(14)
		left := networkOf(t, v, sites).Field(values).LeaveOneOut(values)
		for i := range sites {
			rest := append(append([]Site(nil), sites[:i]...), sites[i+1:]...)
			said := append(append([]float64(nil), values[:i]...), values[i+1:]...)
			n := networkOf(t, v, rest)
			f := n.Field(said)
			x, y := n.plane.XY(sites[i].Point)
			var room []float64
			close(t, string(kind)+" value", left[i].Value, f.At(x, y), 0.02) // the planes differ a little
			close(t, string(kind)+" variance", left[i].Variance, n.Variance(x, y, &room)+v.noise(&sites[i]), 1e-3)
			close(t, string(kind)+" scale", left[i].Scale2, f.Scale2(), 1e-2*f.Scale2())
		}
	}
}

func someValues(n int) []float64 {
	r := rand.New(rand.NewPCG(7, 7))
	out := make([]float64, n)
	for i := range out {
		out[i] = 20 + 60*r.Float64()
	}
	return out
}

// TestKrigingIsExactAndUnbiased: air that is the same everywhere stays so; a monitor without error is believed where it
// stands, one with an error is not.
func TestKrigingIsExactAndUnbiased(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := Variogram{
			Kind: rapid.SampledFrom(Kinds()).Draw(t, "kind"), Sill: rapid.Float64Range(0.1, 10).Draw(t, "sill"),
			Range: rapid.Float64Range(2000, 100_000).Draw(t, "range"), LowCost: 0.5,
		}
		sites := make([]Site, rapid.IntRange(2, 12).Draw(t, "sites"))
		values, same := make([]float64, len(sites)), make([]float64, len(sites))
		for i := range sites {
			sites[i] = Site{Point: orb.Point{105.5 + float64(i)*0.03, 21 + rapid.Float64Range(0, 0.2).Draw(t, "lat")}}
			values[i], same[i] = rapid.Float64Range(0, 500).Draw(t, "value"), 42
		}
		n, err := NewNetwork(v, sites)
		if err != nil {
			t.Fatal(err)
		}
		var room []float64
		x, y := rapid.Float64Range(-40_000, 40_000).Draw(t, "x"), rapid.Float64Range(-40_000, 40_000).Draw(t, "y")
		close2(t, "the same everywhere", n.Field(same).At(x, y), 42, 1e-4)
		close2(t, "at a monitor", n.Field(values).At(n.x[0], n.y[0]), values[0], 0.5)
		close2(t, "unsure at a monitor", n.Variance(n.x[0], n.y[0], &room), 0, 1e-3*v.Sill)
		if n.Variance(x, y, &room) < 0 {
			t.Error("a negative variance")
		}
		sites[0].Class = LowCost
		cheap, err := NewNetwork(v, sites)
		if err != nil {
			t.Fatal(err)
		}
		if cheap.Variance(n.x[0], n.y[0], &room) < 0.01*v.LowCost/(1+v.LowCost) {
			t.Error("a low-cost monitor is believed to the letter")
		}
	})
}

func close2(t *rapid.T, what string, got, want, tolerance float64) {
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestPlanIsTheFieldAtItsNodes: the fast way over a lattice says what the plain one says.
func TestPlanIsTheFieldAtItsNodes(t *testing.T) {
	for _, kind := range Kinds() {
		v := usual
		v.Kind = kind
		sites, values := someSites(40), someValues(40)
		n := networkOf(t, v, sites)
		g := GridOver(bound(sites), 5000, 400)
		p := NewPlan(n, g, Bounds{Reach: 6000, Unsure: 0.9})
		f, out := n.Field(values), NewRaster(g)
		p.Values(f, out)
		known := 0
		var room []float64
		for k, got := range out.Values {
			at := orb.Point{g.Lon(float64(k % g.W)), g.Lat(float64(k / g.W))}
			x, y := n.plane.XY(at)
			far, nearest := n.nearest(x, y), 6000.0
			if got != got {
				if far < nearest-1 && n.Variance(x, y, &room) < 0.85*v.Sill {
					t.Errorf("%s: nothing is said %v m from a monitor", kind, far)
				}
				continue
			}
			known++
			if far > nearest+1 {
				t.Errorf("%s: something is said %v m from any monitor", kind, far)
			}
			close(t, string(kind), float64(got), max(0, f.At(x, y)), 0.05)
			close(t, string(kind)+" variance", float64(p.variance.Values[k]), n.Variance(x, y, &room), 0.09)
		}
		if known < g.Nodes()/3 {
			t.Errorf("%s: only %d of %d nodes are known", kind, known, g.Nodes())
		}
	}
}

func (n *Network) nearest(x, y float64) float64 {
	d := math.Inf(1)
	for i := range n.x {
		d = min(d, math.Hypot(x-n.x[i], y-n.y[i]))
	}
	return d
}

func bound(sites []Site) orb.Bound {
	var all orb.MultiPoint
	for i := range sites {
		all = append(all, sites[i].Point)
	}
	return all.Bound()
}

// madeUp draws rounds of air that follows a variogram, whose deviation goes with the mean, and what monitors with
// their errors say of it.
func madeUp(t testing.TB, v Variogram, sites []Site, hours int) *Learner {
	t.Helper()
	r := rand.New(rand.NewPCG(11, 12))
	n := networkOf(t, v, sites)
	k := mat.NewSymDense(len(sites), nil)
	for i := range sites {
		for j := range i + 1 {
			k.SetSym(i, j, n.between(math.Hypot(n.x[i]-n.x[j], n.y[i]-n.y[j])))
		}
		k.SetSym(i, i, n.between(0)+v.noise(&sites[i]))
	}
	var c mat.Cholesky
	if !c.Factorize(k) {
		t.Fatal("no covariance")
	}
	var lower mat.TriDense
	c.LTo(&lower)
	l := new(Learner)
	for h := range hours {
		white := mat.NewVecDense(len(sites), nil)
		for i := range sites {
			white.SetVec(i, r.NormFloat64())
		}
		var z mat.VecDense
		z.MulVec(&lower, white)
		mean := 20 + 180*float64(h%24)/24
		values := make([]float64, len(sites))
		for i := range values {
			values[i] = mean + 0.3*mean*z.AtVec(i)
		}
		l.Add(Round{Time: time.Unix(int64(h)*3600, 0), Sites: sites, Values: values})
	}
	return l
}

// TestLearningFindsTheVariogram: the range, the error of each class and how the deviation goes with the mean.
func TestLearningFindsTheVariogram(t *testing.T) {
	v := Variogram{Kind: Spherical, Nugget: 0.05, LowCost: 0.3, Sill: 1, Range: 25_000}
	m, ok := madeUp(t, v, someSites(40), 300).Learn()
	if !ok {
		t.Fatal("nothing is learned of 300 rounds")
	}
	if m.Kind == Linear {
		t.Errorf("the form is %s", m.Kind)
	}
	part := func(x float64) float64 { return x / m.Air(40_000) }
	close(t, "nugget", part(m.Nugget), v.Nugget, 0.08)
	close(t, "what a low-cost one adds", part(m.LowCost), v.LowCost, 0.12)
	close(t, "half the range", part(m.Air(12_500)), v.Air(12_500), 0.12)
	close(t, "slope", m.Level.Slope, 2, 0.2)
	close(t, "inflation", m.Level.Inflation, 1, 0.2)
	for _, mean := range []float64{30, 200} {
		close(t, "deviation", math.Sqrt(m.Level.Scale2(mean, 0, 0)*m.Air(40_000))/mean, 0.3, 0.06)
	}
}

func TestTooLittleTeachesNothing(t *testing.T) {
	l := madeUp(t, usual, someSites(12), leastRounds-1)
	if _, ok := l.Learn(); ok {
		t.Error("a model of eleven hours")
	}
	l = new(Learner)
	for h := range 100 {
		at := time.Unix(int64(h)*3600, 0)
		l.Add(Round{at, someSites(leastSites - 1), someValues(leastSites - 1)})
		l.Add(Round{at.Add(time.Minute), someSites(9), make([]float64, 9)})
	}
	if _, ok := l.Learn(); ok {
		t.Error("a model of too few sites, and of air that is the same everywhere")
	}
}

func TestOldRoundsAreForgotten(t *testing.T) {
	l := madeUp(t, usual, someSites(6), 50)
	l.Add(Round{time.Unix(0, 0).Add(Window + 40*time.Hour), someSites(6), someValues(6)})
	if got := len(l.rounds); got != 10 {
		t.Errorf("%d rounds are left, want the 9 of the window and the new one", got)
	}
}

// TestFewSitesAreByIDW, and it is said so.
func TestFewSitesAreByIDW(t *testing.T) {
	m, _ := madeUp(t, usual, someSites(12), 60).Learn()
	p := &Planner{Bounds: Bounds{Reach: 8000, Unsure: 0.9}}
	for sites, want := range map[int]Method{1: ByIDW, leastSites - 1: ByIDW, leastSites: Kriging} {
		r := &Round{Sites: someSites(sites), Values: someValues(sites)}
		s := p.Estimate(m, r, GridOver(bound(r.Sites), 8000, 500))
		if s.Method != want || s.Sites != sites {
			t.Errorf("%d sites: %s of %d", sites, s.Method, s.Sites)
		}
		at := s.Mean.AtPoint(r.Sites[0].Point)
		if want == ByIDW {
			close(t, "at the first site", at, r.Values[0], 10)
		}
		if i, j := s.Mean.Of(r.Sites[0].Point); (s.Deviation(i, j) == s.Deviation(i, j)) != (want == Kriging) {
			t.Errorf("%d sites: a deviation of %v", sites, s.Deviation(i, j))
		}
	}
	if s := p.Estimate(m, &Round{}, Grid{Size: 1}); s.Sites != 0 || len(s.Mean.Values) != 0 {
		t.Errorf("air of no sites: %+v", s)
	}
}

// TestSameSpot: two monitors in one place, even of one class, are no reason to fail.
func TestSameSpot(t *testing.T) {
	sites := append(someSites(6), someSites(6)...)
	n := networkOf(t, Variogram{Kind: Exponential, Sill: 1, Range: 9000}, sites)
	if v := n.Field(someValues(12)).At(0, 0); v != v {
		t.Error("no number")
	}
}

func TestThin(t *testing.T) {
	r := &Round{Sites: someSites(600), Values: someValues(600)}
	thin := Thin(r, 320)
	if len(thin.Sites) > 320 || len(thin.Sites) < 300 || len(thin.Values) != len(thin.Sites) {
		t.Fatalf("%d sites are left", len(thin.Sites))
	}
	references := 0
	for _, s := range thin.Sites {
		if s.Class == Reference {
			references++
		}
	}
	if references != 300 {
		t.Errorf("%d references of 300", references)
	}
	if all := Thin(r, 600); len(all.Sites) != 600 {
		t.Errorf("%d of as many as there is room for", len(all.Sites))
	}
	if few := Thin(r, 7); len(few.Sites) != 7 {
		t.Errorf("%d of 7", len(few.Sites))
	}
}

// TestGridMeetsTiles: a tile of any zoom begins and ends at nodes, as long as it is as wide as a cell.
func TestGridMeetsTiles(t *testing.T) {
	g := GridOver(orb.Bound{Min: orb.Point{105.3, 20.6}, Max: orb.Point{106, 21.4}}, 10_000, 100)
	if g.Nodes() > MostNodes || g.Nodes() < MostNodes/5 {
		t.Errorf("%d nodes", g.Nodes())
	}
	if g.Size&(g.Size-1) != 0 {
		t.Errorf("%d nodes along the map's side are no power of two", g.Size)
	}
	for _, p := range []orb.Point{{105.3, 20.6}, {106, 21.4}} {
		i, j := g.Of(p)
		close(t, "longitude", g.Lon(i), p[0], 1e-9)
		close(t, "latitude", g.Lat(j), p[1], 1e-9)
		if i < 0 || j < 0 || i > float64(g.W-1) || j > float64(g.H-1) {
			t.Errorf("%v lies outside, at %v %v of %d %d", p, i, j, g.W, g.H)
		}
	}
}

func TestRasterBetweenNodes(t *testing.T) {
	r := NewRaster(Grid{W: 3, H: 2, Size: 8})
	copy(r.Values, []float32{0, 10, 20, 100, 110, float32(math.NaN())})
	for _, c := range []struct{ i, j, want float64 }{
		{0, 0, 0},
		{0.5, 0, 5},
		{0.5, 0.5, 55},
		{0, 1, 100},
		{1.5, 0.5, math.NaN()},
		{-0.1, 0, math.NaN()},
		{2.1, 0, math.NaN()},
		{0, 1.01, math.NaN()},
		{math.NaN(), 0, math.NaN()},
	} {
		if got := r.At(c.i, c.j); got != c.want && !(got != got && c.want != c.want) {
			t.Errorf("at %v, %v: %v, want %v", c.i, c.j, got, c.want)
		}
	}
}
