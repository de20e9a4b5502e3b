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

// ring returns monitors in a ring around Hoàn Kiếm lake that measure f of their place.
func ring(n int, f func(p orb.Point) map[nhip.Quantity]float64) *Observations {
	m := &Observations{End: noon}
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

// eastward returns concentrations that rise towards the east.
func eastward(p orb.Point) map[nhip.Quantity]float64 {
	return map[nhip.Quantity]float64{nhip.PM25: 60 + 400*(p[0]-105.852), nhip.NO2: 40}
}

func learned() Stacks {
	l := new(surface.Learner)
	r := rand.New(rand.NewPCG(1, 1))
	for h := range 100 {
		tilt := r.NormFloat64()
		round := surface.Observations{Time: noon.Add(time.Duration(h-200) * time.Hour)}
		for _, m := range ring(12, eastward).Monitors {
			round.Sites = append(round.Sites, surface.Site{ID: m.ID, Point: m.Point})
			round.Values = append(round.Values,
				60+300*tilt*(m.Point[0]-105.852)+100*r.NormFloat64()*(m.Point[1]-21.028)+2*r.NormFloat64())
		}
		l.Learn(&round)
	}
	return Stacks{nhip.PM25: l.Stack().Frozen()}
}

// At a monitor the estimate equals its measurement, with an interval around it, and its index is that of the station.
func TestAtMonitorEqualsStation(t *testing.T) {
	obs := ring(12, eastward)
	c := NewInterpolator(DefaultReach).Interpolate(obs, learned(), nhip.ScaleVNAQI)
	for _, m := range obs.Monitors {
		h, blank := c.At(m.Point)
		if blank != "" {
			t.Fatalf("no estimate at %v", m.Point)
		}
		station, _ := aqi.HourlyIndex(nhip.ScaleVNAQI, noon, m.Hours)
		if math.Abs(h.Index.Value-station.Value) > 6 || h.Dominant != station.Dominant {
			t.Errorf("at %s: index %v of %s, station %v of %s", m.ID, h.Index.Value, h.Dominant, station.Value, station.Dominant)
		}
		pm := h.Averages[0]
		if pm.Average.Quantity != nhip.PM25 || pm.Method != surface.MethodKriging ||
			!(pm.Concentration.Low < pm.Concentration.Value && pm.Concentration.Value < pm.Concentration.High) {
			t.Errorf("at %s: %+v", m.ID, pm)
		}
		if no2 := h.Averages[1]; no2.Average.Quantity != nhip.NO2 || no2.Method != surface.MethodIDW ||
			no2.Concentration.Low == no2.Concentration.Low {
			t.Errorf("interval without a model: %+v", no2)
		}
	}
	if h, blank := c.At(orb.Point{106.2, 21.028}); blank != BlankTooFar {
		t.Errorf("estimate far away: %+v", h)
	}
}

// VN_AQI requires particles, but a quantity alone has a sub-index.
func TestVNAQIRequiresParticles(t *testing.T) {
	obs := ring(6, func(orb.Point) map[nhip.Quantity]float64 { return map[nhip.Quantity]float64{nhip.NO2: 150} })
	c := NewInterpolator(DefaultReach).Interpolate(obs, nil, nhip.ScaleVNAQI)
	if h, blank := c.At(obs.Monitors[0].Point); blank != BlankQuantity {
		t.Errorf("index of NO2 alone: %+v", h)
	}
	if v := c.IndexRasters("").Index.AtPoint(obs.Monitors[0].Point); !math.IsNaN(v) {
		t.Errorf("index %v without particles", v)
	}
	if v := c.IndexRasters(nhip.NO2).Index.AtPoint(obs.Monitors[0].Point); math.Abs(v-75) > 0.1 {
		t.Errorf("sub-index %v, want 75", v)
	}
	if v := c.IndexRasters(nhip.SO2).Index.AtPoint(obs.Monitors[0].Point); !math.IsNaN(v) {
		t.Errorf("index of a quantity without monitors: %v", v)
	}
}

func TestFieldWithoutMonitors(t *testing.T) {
	c := NewInterpolator(DefaultReach).Interpolate(&Observations{End: noon}, nil, nhip.ScaleVNAQI)
	if _, blank := c.At(orb.Point{105.8, 21}); blank != BlankNoValues || len(c.Averages) > 0 {
		t.Error("estimate without monitors")
	}
	if _, ok := c.Area(NodesIn(c.Grid, orb.Bound{}, func(orb.Point) bool { return true })); ok {
		t.Error("area estimate without monitors")
	}
}

// Mobile readings count at their place; the older they are, the less.
func TestMobileReadingsLoseWeight(t *testing.T) {
	stacks := learned()
	interpolator := NewInterpolator(DefaultReach)
	at := orb.Point{105.90, 21.10}
	obs := ring(12, eastward)
	before, _ := interpolator.Interpolate(obs, stacks, nhip.ScaleVNAQI).At(at)
	with := func(age time.Duration) float64 {
		obs.Mobile = []MobileReading{{Point: at, Quantity: nhip.PM25, Time: noon.Add(-age), Value: 300}}
		h, blank := interpolator.Interpolate(obs, stacks, nhip.ScaleVNAQI).At(at)
		if blank != "" {
			t.Fatal("no estimate")
		}
		return h.Averages[0].Concentration.Value
	}
	fresh, old := with(time.Minute), with(55*time.Minute)
	if was := before.Averages[0].Concentration.Value; !(fresh > old && old > was+5) {
		t.Errorf("%v without, %v with a fresh reading of 300, %v with an old one", was, fresh, old)
	}
}

// The mean and maximum of an area, and the estimate of an area without nodes.
func TestArea(t *testing.T) {
	c := NewInterpolator(DefaultReach).Interpolate(ring(12, eastward), learned(), nhip.ScaleVNAQI)
	east := orb.Bound{Min: orb.Point{105.86, 21.0}, Max: orb.Point{105.93, 21.06}}
	a, ok := c.Area(NodesIn(c.Grid, east, east.Contains))
	middle, _ := c.At(east.Center())
	if !ok || math.Abs(a.Index-middle.Index.Value) > 12 || a.Max <= a.Index || a.Coverage != 1 || a.Dominant != nhip.PM25 {
		t.Errorf("%+v, at the centre %v", a, middle.Index)
	}
	yard := orb.Bound{Min: orb.Point{105.8601, 21.0201}, Max: orb.Point{105.8602, 21.0202}}
	small, ok := c.Area(NodesIn(c.Grid, yard, yard.Contains))
	if there, _ := c.At(yard.Center()); !ok || math.Abs(small.Index-there.Index.Value) > 3 {
		t.Errorf("small area %+v, its centre %v", small, there.Index)
	}
	away := orb.Bound{Min: orb.Point{107, 21}, Max: orb.Point{107.1, 21.1}}
	if _, ok := c.Area(NodesIn(c.Grid, away, away.Contains)); ok {
		t.Error("estimate of an area far away")
	}
}

func TestProfile(t *testing.T) {
	c := NewInterpolator(DefaultReach).Interpolate(ring(12, eastward), learned(), nhip.ScaleVNAQI)
	steps := c.Profile(orb.LineString{{105.80, 21.03}, {105.85, 21.03}, {105.85, 21.03}, {105.9, 21.03}, {106.3, 21.03}},
		500)
	if got := len(steps); got != 105 {
		t.Errorf("%d points on 52 km", got)
	}
	for k, s := range steps[:len(steps)-1] {
		if s.Metres != float64(k)*500 {
			t.Errorf("point %d at %v m", k, s.Metres)
		}
	}
	first, later, last := steps[0], steps[18], steps[len(steps)-1]
	if !(first.Index < later.Index) || last.Index == last.Index {
		t.Errorf("%v, farther east %v, at the end %v", first.Index, later.Index, last.Index)
	}
	if c.Profile(nil, 500) != nil {
		t.Error("profile of an empty line")
	}
}

// A monitor with a wrong position must not enlarge the cells.
func TestDistantMonitorIsIgnored(t *testing.T) {
	obs := ring(12, eastward)
	interpolator := NewInterpolator(DefaultReach)
	before := interpolator.Interpolate(obs, nil, nhip.ScaleVNAQI)
	obs.Monitors = append(obs.Monitors, Monitor{ID: "z", Point: orb.Point{13.4, 52.5}, Hours: obs.Monitors[0].Hours})
	if c := interpolator.Interpolate(obs, nil, nhip.ScaleVNAQI); c.Grid != before.Grid {
		t.Errorf("grid %+v with the monitor, %+v without", c.Grid, before.Grid)
	}
}

// Ozone alone gives no index at nodes without particles.
func TestAreaIgnoresNodesWithoutRequiredQuantities(t *testing.T) {
	obs := ring(12, func(p orb.Point) map[nhip.Quantity]float64 {
		if p[0] < 105.852 {
			return map[nhip.Quantity]float64{nhip.O3: 900}
		}
		return map[nhip.Quantity]float64{nhip.PM25: 5}
	})
	c := NewInterpolator(2000).Interpolate(obs, nil, nhip.ScaleVNAQI)
	all := c.Grid.Bound()
	if a, ok := c.Area(NodesIn(c.Grid, all, all.Contains)); !ok || a.Index > a.Max {
		t.Errorf("%+v", a)
	}
}
