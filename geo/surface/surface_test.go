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

var usual = Variogram{Kind: KindSpherical, Nugget: 0.05, LowCost: 0.2, Sill: 1, Range: 30_000}

func networkOf(t testing.TB, v Variogram, sites []Site) *KrigingSystem {
	t.Helper()
	n, err := NewKrigingSystem(v, sites)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func approx(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// The shortcut of Dubrule must equal solving without the site, for every form.
func TestLeaveOneOutEqualsSolvingAgain(t *testing.T) {
	for _, kind := range Kinds() {
		v := usual
		v.Kind = kind
		sites, values := someSites(14), someValues(14)
		loo := networkOf(t, v, sites).Solve(values).LeaveOneOut(values, 0)
		for i := range sites {
			rest := append(append([]Site(nil), sites[:i]...), sites[i+1:]...)
			measured := append(append([]float64(nil), values[:i]...), values[i+1:]...)
			n := networkOf(t, v, rest)
			f := n.Solve(measured)
			x, y := n.plane.XY(sites[i].Point)
			var scratch []float64
			approx(t, string(kind)+" value", loo[i].Value, f.At(x, y), 0.02) // the planes differ slightly
			approx(t, string(kind)+" variance", loo[i].Variance, n.Variance(x, y, &scratch)+v.errorVariance(&sites[i]), 1e-3)
			approx(t, string(kind)+" scale", loo[i].Scale2, f.Scale2(), 1e-2*f.Scale2())
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

// Uniform air stays uniform. A monitor without error is reproduced exactly, a low-cost monitor is not.
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
		n, err := NewKrigingSystem(v, sites)
		if err != nil {
			t.Fatal(err)
		}
		var scratch []float64
		x, y := rapid.Float64Range(-40_000, 40_000).Draw(t, "x"), rapid.Float64Range(-40_000, 40_000).Draw(t, "y")
		approxRapid(t, "the same everywhere", n.Solve(same).At(x, y), 42, 1e-4)
		approxRapid(t, "at a monitor", n.Solve(values).At(n.x[0], n.y[0]), values[0], 0.5)
		approxRapid(t, "variance at a monitor", n.Variance(n.x[0], n.y[0], &scratch), 0, 1e-3*v.Sill)
		if n.Variance(x, y, &scratch) < 0 {
			t.Error("negative variance")
		}
		sites[0].Class = ClassLowCost
		cheap, err := NewKrigingSystem(v, sites)
		if err != nil {
			t.Fatal(err)
		}
		if cheap.Variance(n.x[0], n.y[0], &scratch) < 0.01*v.LowCost/(1+v.LowCost) {
			t.Error("value of a low-cost monitor is reproduced exactly")
		}
	})
}

func approxRapid(t *rapid.T, what string, got, want, tolerance float64) {
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func bound(sites []Site) orb.Bound {
	var all orb.MultiPoint
	for i := range sites {
		all = append(all, sites[i].Point)
	}
	return all.Bound()
}

// simulate generates hours of air that follows a variogram, with a standard deviation that depends on the mean,
// and the measurements of monitors with their errors.
func simulate(t testing.TB, v Variogram, sites []Site, hours int) *VariogramFitter {
	t.Helper()
	r := rand.New(rand.NewPCG(11, 12))
	n := networkOf(t, v, sites)
	k := mat.NewSymDense(len(sites), nil)
	for i := range sites {
		for j := range i + 1 {
			k.SetSym(i, j, n.covariance(math.Hypot(n.x[i]-n.x[j], n.y[i]-n.y[j])))
		}
		k.SetSym(i, i, n.covariance(0)+v.errorVariance(&sites[i]))
	}
	var c mat.Cholesky
	if !c.Factorize(k) {
		t.Fatal("covariance not positive definite")
	}
	var lower mat.TriDense
	c.LTo(&lower)
	l := new(VariogramFitter)
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
		l.Add(Observations{Time: time.Unix(int64(h)*3600, 0), Sites: sites, Values: values})
	}
	return l
}

// The fit must recover the range, the error of each class, and the dependence of the standard deviation on the mean.
func TestFitRecoversVariogram(t *testing.T) {
	v := Variogram{Kind: KindSpherical, Nugget: 0.05, LowCost: 0.3, Sill: 1, Range: 25_000}
	m, ok := simulate(t, v, someSites(40), 300).Fit()
	if !ok {
		t.Fatal("no model from 300 observations")
	}
	if m.Kind == KindLinear {
		t.Errorf("form %s", m.Kind)
	}
	part := func(x float64) float64 { return x / m.AirSemivariance(40_000) }
	approx(t, "nugget", part(m.Nugget), v.Nugget, 0.08)
	approx(t, "low-cost error variance", part(m.LowCost), v.LowCost, 0.12)
	approx(t, "half the range", part(m.AirSemivariance(12_500)), v.AirSemivariance(12_500), 0.12)
	approx(t, "slope", m.ScaleModel.Slope, 2, 0.2)
	approx(t, "inflation", m.ScaleModel.Inflation, 1, 0.2)
	for _, mean := range []float64{30, 200} {
		approx(t, "deviation", math.Sqrt(m.ScaleModel.Scale2(mean, 0, 0)*m.AirSemivariance(40_000))/mean, 0.3, 0.06)
	}
}

func TestFitRequiresEnoughObservations(t *testing.T) {
	l := simulate(t, usual, someSites(12), minObservations-1)
	if _, ok := l.Fit(); ok {
		t.Error("model from eleven hours")
	}
	l = new(VariogramFitter)
	for h := range 100 {
		at := time.Unix(int64(h)*3600, 0)
		l.Add(Observations{Time: at, Sites: someSites(minSites - 1), Values: someValues(minSites - 1)})
		l.Add(Observations{Time: at.Add(time.Minute), Sites: someSites(9), Values: make([]float64, 9)})
	}
	if _, ok := l.Fit(); ok {
		t.Error("model from too few sites or uniform air")
	}
}

func TestFitterDropsOldObservations(t *testing.T) {
	l := simulate(t, usual, someSites(6), 50)
	at := time.Unix(0, 0).Add(TrainingWindow + 40*time.Hour)
	l.Add(Observations{Time: at, Sites: someSites(6), Values: someValues(6)})
	if got := len(l.observations); got != 10 {
		t.Errorf("%d observations left, want the 9 in the window and the new one", got)
	}
}

// Two monitors of one class at one place must not cause a failure.
func TestSitesAtOnePlace(t *testing.T) {
	sites := append(someSites(6), someSites(6)...)
	n := networkOf(t, Variogram{Kind: KindExponential, Sill: 1, Range: 9000}, sites)
	if v := n.Solve(someValues(12)).At(0, 0); math.IsNaN(v) {
		t.Error("estimate is NaN")
	}
}

func TestThin(t *testing.T) {
	r := &Observations{Sites: someSites(600), Values: someValues(600)}
	thin := Thin(r, 400)
	if len(thin.Sites) > 400 || len(thin.Sites) < 330 || len(thin.Values) != len(thin.Sites) {
		t.Fatalf("%d sites left", len(thin.Sites))
	}
	references, known := 0, 0
	for _, s := range thin.Sites {
		if s.Class == ClassReference {
			references++
		} else if s.ID != "" {
			known++
		}
	}
	if references != 300 {
		t.Errorf("%d of 300 reference sites left", references)
	}
	if known == 0 {
		t.Error("the sites alone in their cells have lost their ids")
	}
	if all := Thin(r, 600); len(all.Sites) != 600 {
		t.Errorf("%d sites, although they fit", len(all.Sites))
	}
	if few := Thin(r, 7); len(few.Sites) > 7 || len(few.Sites) < 2 {
		t.Errorf("%d sites, want at most 7", len(few.Sites))
	}
}

// The borders of a tile of any zoom lie on nodes, as long as the tile is at least as wide as a cell.
func TestTileBordersLieOnNodes(t *testing.T) {
	g := GridOver(orb.Bound{Min: orb.Point{105.3, 20.6}, Max: orb.Point{106, 21.4}}, 10_000, 100)
	if g.Nodes() > MaxNodes || g.Nodes() < MaxNodes/5 {
		t.Errorf("%d nodes", g.Nodes())
	}
	if g.Size&(g.Size-1) != 0 {
		t.Errorf("%d nodes per side, not a power of two", g.Size)
	}
	for _, p := range []orb.Point{{105.3, 20.6}, {106, 21.4}} {
		i, j := g.ColumnRow(p)
		approx(t, "longitude", g.Lon(i), p[0], 1e-9)
		approx(t, "latitude", g.Lat(j), p[1], 1e-9)
		if i < 0 || j < 0 || i > float64(g.W-1) || j > float64(g.H-1) {
			t.Errorf("%v lies outside: column %v, row %v of %d×%d", p, i, j, g.W, g.H)
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
		if got := r.At(c.i, c.j); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("at %v, %v: %v, want %v", c.i, c.j, got, c.want)
		}
	}
}
