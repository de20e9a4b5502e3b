package surface

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"nhip/internal/suitetest"

	"github.com/paulmach/orb"
)

// besideRoad is even air, but the first site is 20 above it.
func besideRoad(c *city, i int) float64 {
	v := c.level() + 3*c.random.NormFloat64()
	if i == 0 {
		v += 20
	}
	return v
}

// without returns the observations without a site, which is silent.
func (r *Observations) without(i int) *Observations {
	out := &Observations{Time: r.Time, Silent: []Site{r.Sites[i]}}
	out.Sites = slices.Delete(slices.Clone(r.Sites), i, i+1)
	out.Values = slices.Delete(slices.Clone(r.Values), i, i+1)
	return out
}

// gridAround returns a lattice over the sites of a city.
func gridAround(c *city) Grid {
	places := make(orb.MultiPoint, len(c.sites))
	for i, s := range c.sites {
		places[i] = s.Point
	}
	return GridOver(places.Bound(), 5000, 400)
}

func TestSilentSiteStandsForItsUsualDifference(t *testing.T) {
	c := newCity(20, besideRoad)
	l := new(Learner)
	for range 200 {
		l.Learn(c.next())
	}
	g, p := gridAround(c), &Estimator{MaxDistance: 10_000}
	hour := c.next().without(0)
	silent := *hour
	silent.Silent = nil
	stack := l.Stack()
	plain, filled := p.Estimate(stack.Frozen(), &silent, g), p.Estimate(stack.Frozen(), hour, g)
	at := func(s *Surface, site Site) float64 {
		x, y := g.ColumnRow(site.Point)
		return s.Mean.At(x, y)
	}
	// It is 20 above a mean of 60, with a day without a bias as prior.
	if got := at(filled, c.sites[0])/at(plain, c.sites[0]) - 1; math.Abs(got-0.28) > 0.06 ||
		!slices.Equal(filled.Filled, []string{"s0"}) {
		t.Errorf("%v of the estimate above it, filled %v", got, filled.Filled)
	}
	for _, site := range c.sites[1:] {
		if off := math.Abs(at(filled, site) - at(plain, site)); off > 1 {
			t.Errorf("%s, which has a value, changes by %v", site.ID, off)
		}
	}
	again := p.Estimate(stack, hour, g) // not frozen
	raw, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	var read Learner
	if err := json.Unmarshal(raw, &read); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*Surface{
		"not frozen": again, "restored": p.Estimate(read.Stack(), hour, g), "cloned": p.Estimate(l.Clone().Stack(), hour, g),
	} {
		if farthestOf(s.Mean.Values, filled.Mean.Values) > 1e-4 {
			t.Errorf("%s: another surface, %v", name, farthestOf(s.Mean.Values, filled.Mean.Values))
		}
	}
	for range 24 * 9 { // more than a week without it
		l.Learn(c.next().without(0))
	}
	if s := p.Estimate(l.Stack(), c.next().without(0), g); len(s.Filled) > 0 {
		t.Errorf("after nine silent days filled: %v", s.Filled)
	}
}

// farthestOf returns the greatest difference of two rasters.
func farthestOf(a, b []float32) float64 {
	far := 0.0
	for i := range a {
		if d := math.Abs(float64(a[i] - b[i])); d > far {
			far = d
		}
	}
	return far
}

func TestSiteThatSeldomReportsIsNotFilled(t *testing.T) {
	c := newCity(12, besideRoad)
	l := new(Learner)
	for h := range 300 {
		if o := c.next(); h%3 == 0 {
			l.Learn(o)
		} else {
			l.Learn(o.without(0))
		}
	}
	if bias, ok := l.Stack().LastingBias("s0"); ok {
		t.Errorf("a third of the hours, bias %v", bias)
	}
	if _, ok := l.Stack().LastingBias("s1"); !ok {
		t.Error("no bias of a site that reports always")
	}
	if _, ok := l.Stack().LastingBias("nobody"); ok {
		t.Error("a bias of an unknown site")
	}
	young := new(Learner)
	for range 30 {
		young.Learn(c.next())
	}
	if _, ok := young.Stack().LastingBias("s1"); ok {
		t.Error("a lasting bias after 30 hours")
	}
}

// TestLastingBiasFillsRecordedAirBetter leaves each of Beijing's monitors out in every hour: with its lasting bias the
// estimate must be at least 4 % better than without.
func TestLastingBiasFillsRecordedAirBetter(t *testing.T) {
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: no recorded air")
	}
	hours := beijing(t, filepath.Join(dir, "air", "beijing_12site"))
	hours = hours[:suitetest.Pick(35*24, len(hours))]
	l := new(Learner)
	var plain, filled float64
	n := 0
	for h, o := range hours {
		if h > 10*24 && len(o.Sites) > 3 {
			for i, e := range l.LeaveOneOut(o, 0) {
				bias, _ := l.Stack().LastingBias(o.Sites[i].ID)
				plain += (e.Value - o.Values[i]) * (e.Value - o.Values[i])
				off := e.Value*(1+bias) - o.Values[i]
				filled += off * off
				n++
			}
		}
		l.Learn(o)
	}
	gain := 1 - math.Sqrt(filled/plain)
	t.Logf("%d values: RMSE %.2f, with the lasting bias %.2f, %.1f %% better", n, math.Sqrt(plain/float64(n)),
		math.Sqrt(filled/float64(n)), 100*gain)
	if gain < 0.04 {
		t.Errorf("only %.1f %% better", 100*gain)
	}
}

// beijing returns the hours of PM2.5 of Beijing's twelve monitors.
func beijing(t *testing.T, dir string) []*Observations {
	t.Helper()
	read := func(name string) [][]string {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rows[1:]
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return math.NaN()
		}
		return v
	}
	places := make(map[string]orb.Point)
	for _, row := range read("stations.csv") {
		places[row[0]] = orb.Point{number(row[1]), number(row[2])}
	}
	byHour := make(map[time.Time]*Observations)
	for _, row := range read("beijing_12site_2016-11_2017-01.csv") {
		at := time.Date(int(number(row[1])), time.Month(number(row[2])), int(number(row[3])), int(number(row[4])), 0, 0, 0,
			time.UTC)
		if byHour[at] == nil {
			byHour[at] = &Observations{Time: at}
		}
		if v := number(row[5]); !math.IsNaN(v) {
			o := byHour[at]
			o.Sites = append(o.Sites, Site{ID: row[0], Point: places[row[0]], Class: ClassReference})
			o.Values = append(o.Values, v)
		}
	}
	out := make([]*Observations, 0, len(byHour))
	for _, o := range byHour {
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b *Observations) int { return a.Time.Compare(b.Time) })
	return out
}
