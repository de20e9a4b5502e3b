package surface

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"
)

var spring = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// city simulates the hourly air of a city.
type city struct {
	sites  []Site
	random *rand.Rand
	hour   int
	value  func(c *city, i int) float64
	wind   [2]float64 // differs from hour to hour
}

func newCity(n int, value func(c *city, i int) float64) *city {
	c := &city{random: rand.New(rand.NewPCG(3, 4)), value: value}
	for i := range n {
		at := orb.Point{105.7 + 0.3*c.random.Float64(), 20.9 + 0.3*c.random.Float64()}
		c.sites = append(c.sites, Site{ID: fmt.Sprint("s", i), Point: at})
	}
	return c
}

// next returns the observations of the next hour.
func (c *city) next() *Observations {
	c.hour++
	for i := range c.wind {
		c.wind[i] = c.random.NormFloat64()
	}
	o := &Observations{Time: spring.Add(time.Duration(c.hour) * time.Hour), Sites: c.sites}
	for i := range c.sites {
		o.Values = append(o.Values, max(0, c.value(c, i)))
	}
	return o
}

// level is the city's mean, which changes through the day.
func (c *city) level() float64 { return 60 + 40*math.Sin(float64(c.hour)/24*2*math.Pi) }

// sloping air differs with the wind; every monitor has a small error.
func sloping(c *city, i int) float64 {
	p := c.sites[i].Point
	return c.level() + 150*c.wind[0]*(p[0]-105.85) + 150*c.wind[1]*(p[1]-21.05) + 2*c.random.NormFloat64()
}

// even air is the same everywhere.
func even(c *city, i int) float64 { return c.level() * (1 + 0.08*c.random.NormFloat64()) }

// local air has a lasting difference at each place, in proportion to the level.
func local(c *city, i int) float64 {
	east := (c.sites[i].Point[0] - 105.7) / 0.3
	return c.level() * (0.6 + 0.8*east) * (1 + 0.1*c.random.NormFloat64())
}

func TestStackIsNoWorseThanTheBestMember(t *testing.T) {
	for name, value := range map[string]func(*city, int) float64{"sloping": sloping, "even": even, "local": local} {
		c, l := newCity(14, value), new(Learner)
		b := newBank(c.sites, 0)
		var squares [members + 1]float64
		for range 400 {
			o := c.next()
			if c.hour > 48 {
				s := l.Stack()
				for i, by := range s.leaveOut(b, s.duals(b, b.valueDuals(o.Values), o.Values), o.Values, 0).by {
					for m, v := range by {
						squares[m] += (v - o.Values[i]) * (v - o.Values[i])
					}
				}
				for i, e := range l.LeaveOneOut(o, 0) {
					squares[members] += (e.Value - o.Values[i]) * (e.Value - o.Values[i])
				}
			}
			l.Learn(o)
		}
		best := math.Inf(1)
		for _, v := range squares[:members] {
			best = min(best, v)
		}
		if ratio := math.Sqrt(squares[members] / best); ratio > 1.02 {
			t.Errorf("%s: the error is %.3f times that of the best member; weights %.2f", name, ratio, l.Stack().Weights)
		}
		if idw := squares[idwMember]; name != "even" && squares[members] > 0.8*idw {
			t.Errorf("%s: squared error %.0f, by inverse distances %.0f", name, squares[members], idw)
		}
	}
}

func TestRangeCoversWhileTheNoiseChanges(t *testing.T) {
	c, l := newCity(10, func(c *city, i int) float64 {
		noise := 0.05
		if c.hour/200%2 == 1 {
			noise = 0.2
		}
		return c.level() * (1 + noise*c.random.NormFloat64())
	}), new(Learner)
	inside, count := 0.0, 0.0
	for range 1200 {
		o := c.next()
		if c.hour > 24 {
			for i, e := range l.LeaveOneOut(o, 0) {
				count++
				if o.Values[i] >= e.Low && o.Values[i] <= e.High {
					inside++
				}
			}
		}
		l.Learn(o)
	}
	approx(t, "share in the 80 % range", inside/count, 0.8, 0.025)
}

// The shortcut for leaving out a site and its nearest must equal kriging without them.
func TestOperatorWithoutNearestEqualsKrigingWithoutThem(t *testing.T) {
	c := newCity(12, sloping)
	o := c.next()
	b := newBank(o.Sites, 0)
	for kind, k := range skipped {
		for m, p := range operatorParameters {
			dual := b.operators[m].dual(o.Values, make([]float64, len(o.Values)))
			for i := range o.Sites {
				left := b.left(i, k)
				got := o.Values[i] - dot(b.operators[m].skip[kind][i*(k+1):][:k+1], dual, &left)
				rest := &Observations{}
				for j := range o.Sites {
					if !contains(left[:k+1], j) {
						rest.Sites, rest.Values = append(rest.Sites, o.Sites[j]), append(rest.Values, o.Values[j])
					}
				}
				v := Variogram{Kind: KindExponential, Nugget: p.nugget, Sill: 1, Range: p.reach * b.diameter}
				n := networkOf(t, v, rest.Sites)
				x, y := n.plane.XY(o.Sites[i].Point)
				approx(t, fmt.Sprint("operator ", m, " without ", k), got, n.Solve(rest.Values).At(x, y), 0.05)
				var scratch []float64
				approx(t, "unit variance", b.operators[m].unit[kind][i], n.Variance(x, y, &scratch)+p.nugget, 1e-3)
			}
		}
	}
}

func contains(all []int, x int) bool {
	for _, v := range all {
		if v == x {
			return true
		}
	}
	return false
}

// A surface at the place of a monitor that did not report is the leave-one-out estimate of it.
func TestSurfaceEqualsLeaveOneOutAtTheMissingSite(t *testing.T) {
	c, l := newCity(30, local), new(Learner)
	for range 200 {
		l.Learn(c.next())
	}
	o := c.next()
	want := l.LeaveOneOut(o, 0)
	p := &Estimator{MaxDistance: 20_000}
	g := GridOver(bound(o.Sites), 5000, 50)
	full := newBank(o.Sites, 0)
	for i := range o.Sites {
		rest := &Observations{Time: o.Time}
		for j := range o.Sites {
			if j != i {
				rest.Sites, rest.Values = append(rest.Sites, o.Sites[j]), append(rest.Values, o.Values[j])
			}
		}
		if b := newBank(rest.Sites, 0); b.diameter < full.diameter*0.999 {
			continue // the kernels differ without a site on the edge
		}
		s := p.Estimate(l.Stack().Frozen(), rest, g)
		approx(t, "estimate", s.Mean.AtPoint(o.Sites[i].Point), want[i].Value, 0.03*want[i].Value)
		low, high := s.Range(s.Mean.ColumnRow(o.Sites[i].Point))
		approx(t, "lower end", low, want[i].Low, 0.1*want[i].Value)
		approx(t, "upper end", high, want[i].High, 0.1*want[i].Value)
	}
}

// The nodes between the computed ones must not differ visibly from what would be computed there.
func TestCoarseNodesEqualComputedOnes(t *testing.T) {
	c, l := newCity(40, sloping), new(Learner)
	for range 100 {
		l.Learn(c.next())
	}
	o := c.next()
	p := &Estimator{MaxDistance: 10_000}
	s := p.Estimate(l.Stack(), o, GridOver(bound(o.Sites), 10_000, 100))
	f, skippedNodes := l.Stack().fold(s.lattice.bank, o.Values), 0
	for k, known := range s.lattice.known {
		if !known {
			if !math.IsNaN(float64(s.Mean.Values[k])) {
				t.Fatalf("estimate at node %d, which is too far", k)
			}
			continue
		}
		if !s.lattice.exact[k] {
			skippedNodes++
		}
		exact := f.at(s.lattice.table, s.lattice.east[k%s.Mean.W], s.lattice.north[k/s.Mean.W])
		approx(t, "node", float64(s.Mean.Values[k]), exact, 1)
	}
	if skippedNodes < s.Mean.Nodes()/4 {
		t.Errorf("only %d of %d nodes interpolated", skippedNodes, s.Mean.Nodes())
	}
}

func TestEvenAirIsKnownAtEveryMonitor(t *testing.T) {
	c, l := newCity(12, even), new(Learner)
	for range 48 {
		l.Learn(c.next())
	}
	o := c.next()
	s := (&Estimator{MaxDistance: 5000}).Estimate(l.Stack(), o, GridOver(bound(o.Sites), 5000, 200))
	for i := range o.Sites {
		at, row := s.Mean.ColumnRow(o.Sites[i].Point)
		v := s.Mean.At(at, row)
		low, high := s.Range(at, row)
		if !(low < v && v < high) || math.Abs(v/o.Values[i]-1) > 0.35 || !s.Beside(int(row+0.5)*s.Mean.W+int(at+0.5)) {
			t.Errorf("%s measures %.1f, estimated %.1f in %.1f to %.1f", o.Sites[i].ID, o.Values[i], v, low, high)
		}
	}
}

func TestWithoutLearningOrWithFewSitesTheMethodIsIDW(t *testing.T) {
	c, l := newCity(12, sloping), new(Learner)
	for range 20 {
		l.Learn(c.next())
	}
	all := c.next()
	p := &Estimator{MaxDistance: 8000}
	for _, x := range []struct {
		stack *Stack
		sites int
		want  Method
	}{
		{nil, 12, MethodIDW},
		{new(Stack), 12, MethodIDW},
		{l.Stack(), 1, MethodIDW},
		{l.Stack(), 2, MethodIDW},
		{l.Stack(), 3, MethodKriging},
	} {
		r := &Observations{Time: all.Time, Sites: all.Sites[:x.sites], Values: all.Values[:x.sites]}
		s := p.Estimate(x.stack, r, GridOver(bound(all.Sites), 8000, 500))
		low, _ := s.Range(s.Mean.ColumnRow(r.Sites[0].Point))
		if s.Method != x.want || s.Sites != x.sites || math.IsNaN(low) != (x.want == MethodIDW) {
			t.Errorf("%d sites: method %s with %d sites, range from %v", x.sites, s.Method, s.Sites, low)
		}
		approx(t, "at the first site", s.Mean.AtPoint(r.Sites[0].Point), r.Values[0], 0.2*r.Values[0])
	}
	if s := p.Estimate(l.Stack(), &Observations{}, Grid{Size: 1}); s.Sites != 0 || len(s.Mean.Values) != 0 {
		t.Errorf("surface without sites: %+v", s)
	}
}

// Whoever learns all hours since WindowStart knows the same as whoever has learned much longer.
func TestLearnerDependsOnTheWindowAlone(t *testing.T) {
	c, long, short := newCity(5, local), new(Learner), new(Learner)
	var hours []*Observations
	for range int(7 * period / 2 / time.Hour) {
		hours = append(hours, c.next())
		long.Learn(hours[len(hours)-1])
	}
	last := hours[len(hours)-1].Time
	for _, o := range hours {
		if o.Time.After(WindowStart(last)) {
			short.Learn(o)
		}
	}
	if age := last.Sub(WindowStart(last)); age > Memory || age < period {
		t.Errorf("the window begins %s before", age)
	}
	a, errA := json.Marshal(long)
	b, errB := json.Marshal(short)
	if errA != nil || errB != nil || string(a) != string(b) {
		t.Errorf("the learners differ (%v, %v)", errA, errB)
	}
}

func TestClonesAndFrozenStacksStayAsTheyAre(t *testing.T) {
	c, l := newCity(8, local), new(Learner)
	for range 60 {
		l.Learn(c.next())
	}
	o := c.next()
	want := l.LeaveOneOut(o, 0)
	clone, still := l.Clone(), l.Stack().Frozen()
	for range 60 {
		l.Learn(c.next())
	}
	b := newBank(o.Sites, 0)
	for i, e := range clone.LeaveOneOut(o, 0) {
		if e != want[i] || still.results(b, o.Values, 0)[i] != want[i] {
			t.Errorf("site %d: %+v and %+v, want %+v", i, e, still.results(b, o.Values, 0)[i], want[i])
		}
	}
	if l.LeaveOneOut(o, 0)[0] == want[0] {
		t.Error("the learner has learned nothing")
	}
}

// The noise of low-cost monitors is learned from how much more they are off, and lowers their weight.
func TestNoiseOfLowCostMonitorsIsLearned(t *testing.T) {
	c, l := newCity(30, func(c *city, i int) float64 {
		v := sloping(c, i)
		if c.sites[i].Class == ClassLowCost {
			v += 25 * c.random.NormFloat64()
		}
		return v
	}), new(Learner)
	for i := range 15 {
		c.sites[2*i].Class = ClassLowCost
	}
	for range 24 * 8 {
		l.Learn(c.next())
	}
	if v := l.Stack().LowCost.Value; v < 0.2 {
		t.Errorf("noise %v", v)
	}
	calm, same := newCity(30, sloping), new(Learner)
	for i := range 15 {
		calm.sites[2*i].Class = ClassLowCost
	}
	for range 24 * 8 {
		same.Learn(calm.next())
	}
	if v := same.Stack().LowCost.Value; v > 0.1 {
		t.Errorf("noise %v of monitors that are as good as the others", v)
	}
}

func TestSimplexFindsTheMinimum(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		var s [members][members]float64
		for range 40 {
			var e [members]float64
			for m := range e {
				e[m] = random.NormFloat64() * float64(1+m%4)
			}
			for i := range e {
				for j := range e {
					s[i][j] += e[i] * e[j]
				}
			}
		}
		value := func(w *[members]float64) (v float64) {
			for i := range w {
				for j := range w {
					v += w[i] * w[j] * s[i][j]
				}
			}
			return v
		}
		weights := [members]float64{idwMember: 1}
		for range 20 {
			minimise(&s, &weights)
		}
		total := 0.0
		for _, w := range weights {
			total += w
			if w < 0 {
				t.Fatalf("weights %v", weights)
			}
		}
		approx(t, "sum of the weights", total, 1, 1e-9)
		least := value(&weights)
		for range 200 { // no other mixture is better
			other, sum := [members]float64{}, 0.0
			for m := range other {
				other[m] = random.ExpFloat64()
				sum += other[m]
			}
			for m := range other {
				other[m] = 0.98*weights[m] + 0.02*other[m]/sum
			}
			if v := value(&other); v < least*(1-1e-6) {
				t.Fatalf("%v is less than %v", v, least)
			}
		}
	}
}

// Values of any kind give numbers: zeros, equal values, two monitors at one place, missing values.
func TestDegenerateHoursGiveNumbers(t *testing.T) {
	for name, change := range map[string]func(*Observations){
		"zeros":     func(o *Observations) { clear(o.Values) },
		"equal":     func(o *Observations) { o.Values = []float64{5, 5, 5, 5, 5, 5} },
		"one place": func(o *Observations) { o.Sites[1].Point = o.Sites[0].Point },
		"all one place": func(o *Observations) {
			for i := range o.Sites {
				o.Sites[i].Point = o.Sites[0].Point
			}
		},
		"missing": func(o *Observations) { o.Values[2] = math.NaN() },
		"huge":    func(o *Observations) { o.Values[0] = 1e6 },
	} {
		c, l := newCity(6, sloping), new(Learner)
		for range 50 {
			o := c.next()
			change(o)
			l.Learn(o)
		}
		o := c.next()
		change(o)
		s := (&Estimator{MaxDistance: 5000}).Estimate(l.Stack(), o, GridOver(bound(o.Sites), 3000, 300))
		i, j := s.Mean.ColumnRow(o.Sites[0].Point)
		low, high := s.Range(i, j)
		if v := s.Mean.At(i, j); !(v >= 0) || !(low <= high) || math.IsInf(v, 0) || math.IsInf(high, 0) {
			t.Errorf("%s: %v in %v to %v", name, v, low, high)
		}
	}
}
