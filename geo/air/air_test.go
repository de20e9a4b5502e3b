package air

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/surface"

	"github.com/paulmach/orb"
)

var noon = time.Date(2026, 2, 16, 5, 0, 0, 0, time.UTC)

// town has monitors in a ring around Hồ Gươm, that measure what f says of their place.
func town(n int, f func(p orb.Point) map[nhip.Quantity]float64) *Moment {
	m := &Moment{End: noon}
	for i := range n {
		sin, cos := math.Sincos(float64(i) * 2.4)
		r := 0.01 + 0.1*float64(i)/float64(n)
		p := orb.Point{105.852 + r*cos, 21.028 + r*sin}
		hours := make(aqi.Hours)
		for q, v := range f(p) {
			hours[q] = make([]float64, 24)
			for h := range hours[q] {
				hours[q][h] = v
			}
		}
		m.Monitors = append(m.Monitors, Monitor{ID: string(rune('a' + i)), Point: p, Hours: hours})
	}
	return m
}

// eastward is foul in the east.
func eastward(p orb.Point) map[nhip.Quantity]float64 {
	return map[nhip.Quantity]float64{nhip.PM25: 60 + 400*(p[0]-105.852), nhip.NO2: 40}
}

func learned(t testing.TB) Models {
	t.Helper()
	l := new(surface.Learner)
	r := rand.New(rand.NewPCG(1, 1))
	for h := range 100 {
		tilt := r.NormFloat64()
		round := surface.Round{Time: noon.Add(time.Duration(h-200) * time.Hour)}
		for _, m := range town(12, eastward).Monitors {
			round.Sites = append(round.Sites, surface.Site{Point: m.Point})
			round.Values = append(round.Values, 60+300*tilt*(m.Point[0]-105.852)+100*r.NormFloat64()*(m.Point[1]-21.028)+2*r.NormFloat64())
		}
		l.Add(round)
	}
	m, ok := l.Learn()
	if !ok {
		t.Fatal("nothing is learned")
	}
	return Models{nhip.PM25: m}
}

// TestHereAgreesWithTheMonitors: where a monitor stands the air is what it says, with a range around it, and the
// index is made as that of a station.
func TestHereAgreesWithTheMonitors(t *testing.T) {
	mo := town(12, eastward)
	c := NewMaker(DefaultReach).Make(mo, learned(t), nhip.VNAQI)
	for _, m := range mo.Monitors {
		h, ok := c.At(m.Point)
		if !ok {
			t.Fatalf("nothing is known at %v", m.Point)
		}
		station, _ := aqi.At(nhip.VNAQI, noon, m.Hours)
		if math.Abs(h.Index.Value-station.Value) > 6 || h.Dominant != station.Dominant {
			t.Errorf("at %s: %v of %s, the station says %v of %s", m.ID, h.Index.Value, h.Dominant, station.Value, station.Dominant)
		}
		pm := h.Parts[0]
		if pm.Average.Quantity != nhip.PM25 || pm.Method != surface.Kriging || !(pm.Concentration.Low < pm.Concentration.Value && pm.Concentration.Value < pm.Concentration.High) {
			t.Errorf("at %s: %+v", m.ID, pm)
		}
		if no2 := h.Parts[1]; no2.Average.Quantity != nhip.NO2 || no2.Method != surface.ByIDW || no2.Concentration.Low == no2.Concentration.Low {
			t.Errorf("of what nothing is learned, IDW says no range: %+v", no2)
		}
	}
	if h, ok := c.At(orb.Point{106.2, 21.028}); ok {
		t.Errorf("something is known far away: %+v", h)
	}
}

// TestNoIndexWithoutParticles: VN_AQI needs them; the quantity alone has its own.
func TestNoIndexWithoutParticles(t *testing.T) {
	mo := town(6, func(orb.Point) map[nhip.Quantity]float64 { return map[nhip.Quantity]float64{nhip.NO2: 150} })
	c := NewMaker(DefaultReach).Make(mo, nil, nhip.VNAQI)
	if h, ok := c.At(mo.Monitors[0].Point); ok {
		t.Errorf("an index of NO2 alone: %+v", h)
	}
	if v := c.Layer("").Index.AtPoint(mo.Monitors[0].Point); v == v {
		t.Errorf("an index of %v", v)
	}
	if v := c.Layer(nhip.NO2).Index.AtPoint(mo.Monitors[0].Point); math.Abs(v-75) > 0.1 {
		t.Errorf("the sub-index is %v, want 75", v)
	}
	if v := c.Layer(nhip.SO2).Index.AtPoint(mo.Monitors[0].Point); v == v {
		t.Errorf("of what nobody measures: %v", v)
	}
}

func TestNobody(t *testing.T) {
	c := NewMaker(DefaultReach).Make(&Moment{End: noon}, nil, nhip.VNAQI)
	if _, ok := c.At(orb.Point{105.8, 21}); ok || len(c.Parts) > 0 {
		t.Error("air without monitors")
	}
	if _, ok := c.Over(NodesIn(c.Grid, orb.Bound{}, func(orb.Point) bool { return true })); ok {
		t.Error("an area without monitors")
	}
}

// TestValuesOnTheMove count where they were taken, and less the older they are.
func TestValuesOnTheMove(t *testing.T) {
	models := learned(t)
	maker := NewMaker(DefaultReach)
	at := orb.Point{105.90, 21.10}
	mo := town(12, eastward)
	before, _ := maker.Make(mo, models, nhip.VNAQI).At(at)
	with := func(age time.Duration) float64 {
		mo.Roving = []Roving{{Point: at, Quantity: nhip.PM25, Time: noon.Add(-age), Value: 300}}
		h, ok := maker.Make(mo, models, nhip.VNAQI).At(at)
		if !ok {
			t.Fatal("nothing is known")
		}
		return h.Parts[0].Concentration.Value
	}
	fresh, old := with(time.Minute), with(55*time.Minute)
	if was := before.Parts[0].Concentration.Value; !(fresh > old && old > was+5) {
		t.Errorf("%v before, %v with a fresh value of 300, %v with an old one", was, fresh, old)
	}
}

// TestOver: an area's mean and maximum, and a small one's that no node is in.
func TestOver(t *testing.T) {
	c := NewMaker(DefaultReach).Make(town(12, eastward), learned(t), nhip.VNAQI)
	east := orb.Bound{Min: orb.Point{105.86, 21.0}, Max: orb.Point{105.93, 21.06}}
	a, ok := c.Over(NodesIn(c.Grid, east, east.Contains))
	middle, _ := c.At(east.Center())
	if !ok || math.Abs(a.Index-middle.Index.Value) > 12 || a.Max <= a.Index || a.Known != 1 || a.Dominant != nhip.PM25 {
		t.Errorf("%+v, in the middle %v", a, middle.Index)
	}
	yard := orb.Bound{Min: orb.Point{105.8601, 21.0201}, Max: orb.Point{105.8602, 21.0202}}
	small, ok := c.Over(NodesIn(c.Grid, yard, yard.Contains))
	if there, _ := c.At(yard.Center()); !ok || math.Abs(small.Index-there.Index.Value) > 3 {
		t.Errorf("a yard has %+v, its middle %v", small, there.Index)
	}
	away := orb.Bound{Min: orb.Point{107, 21}, Max: orb.Point{107.1, 21.1}}
	if _, ok := c.Over(NodesIn(c.Grid, away, away.Contains)); ok {
		t.Error("an area far away has air")
	}
}

func TestAlong(t *testing.T) {
	c := NewMaker(DefaultReach).Make(town(12, eastward), learned(t), nhip.VNAQI)
	steps := c.Along(orb.LineString{{105.80, 21.03}, {105.85, 21.03}, {105.85, 21.03}, {105.9, 21.03}, {106.3, 21.03}}, 500)
	if got := len(steps); got != 105 {
		t.Errorf("%d steps of 52 km", got)
	}
	for k, s := range steps[:len(steps)-1] {
		if s.Metres != float64(k)*500 {
			t.Errorf("step %d lies at %v m", k, s.Metres)
		}
	}
	first, later, last := steps[0], steps[18], steps[len(steps)-1]
	if !(first.Index < later.Index) || last.Index == last.Index {
		t.Errorf("%v, then %v further east, at last %v", first.Index, later.Index, last.Index)
	}
	if c.Along(nil, 500) != nil {
		t.Error("steps of no line")
	}
}

// TestOneInBerlin: a monitor whose place is wrong does not make the others' cells large.
func TestOneInBerlin(t *testing.T) {
	mo := town(12, eastward)
	maker := NewMaker(DefaultReach)
	before := maker.Make(mo, nil, nhip.VNAQI)
	mo.Monitors = append(mo.Monitors, Monitor{ID: "z", Point: orb.Point{13.4, 52.5}, Hours: mo.Monitors[0].Hours})
	if c := maker.Make(mo, nil, nhip.VNAQI); c.Grid != before.Grid {
		t.Errorf("the lattice is %+v with it, %+v without", c.Grid, before.Grid)
	}
}

// TestAnAreaHasAnIndexWhereTheScaleHasOne: ozone where nobody measures particles makes none.
func TestAnAreaHasAnIndexWhereTheScaleHasOne(t *testing.T) {
	mo := town(12, func(p orb.Point) map[nhip.Quantity]float64 {
		if p[0] < 105.852 {
			return map[nhip.Quantity]float64{nhip.O3: 900}
		}
		return map[nhip.Quantity]float64{nhip.PM25: 5}
	})
	c := NewMaker(2000).Make(mo, nil, nhip.VNAQI)
	all := c.Grid.Bound()
	if a, ok := c.Over(NodesIn(c.Grid, all, all.Contains)); !ok || a.Index > a.Max {
		t.Errorf("%+v", a)
	}
}
