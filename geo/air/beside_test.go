package air

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/surface"

	"github.com/paulmach/orb"
)

// More monitors than a surface has sites: beside each of them there is an answer, wherever in the list it stands.
func TestBesideEachOfAThousandMonitors(t *testing.T) {
	for _, class := range []surface.Class{surface.ClassReference, surface.ClassLowCost} {
		o := &Observations{End: noon}
		for i := range 1000 {
			hours := make([]float64, 24)
			for h := range hours {
				hours[h] = 10 + 0.1*float64(i)
			}
			o.Monitors = append(o.Monitors, Monitor{
				ID: fmt.Sprintf("m%04d", i), Class: class, Hours: aqi.Hours{nhip.PM25: hours},
				Point: orb.Point{105.5 + 0.02*float64(i/25), 20.8 + 0.02*float64(i%25)},
			})
		}
		f := NewInterpolator(3000).Interpolate(o, nil, nhip.ScaleVNAQI)
		for i := range o.Monitors {
			m := &o.Monitors[i]
			here, blank := f.At(m.Point)
			if blank != "" {
				t.Fatalf("class %d: no air beside %s: %s", class, m.ID, blank)
			}
			if got := here.Averages[0].Concentration.Value; math.Abs(got-m.Hours[nhip.PM25][0]) > 15 {
				t.Fatalf("class %d: %v beside %s, which has %v", class, got, m.ID, m.Hours[nhip.PM25][0])
			}
		}
	}
}

// Beside a monitor of PM2.5 there is an answer although NO2, which only others measure, dominates and is uncertain. The
// map of NO2 alone is blank there.
func TestUncertainQuantityBesideMonitorOfAnother(t *testing.T) {
	o := ring(12, eastward)
	stacks := learned()
	l, r := new(surface.Learner), rand.New(rand.NewPCG(3, 1))
	for h := range 200 {
		round := surface.Observations{Time: noon.Add(time.Duration(h-300) * time.Hour)}
		for i := range o.Monitors {
			round.Sites = append(round.Sites, surface.Site{ID: o.Monitors[i].ID, Point: o.Monitors[i].Point})
			round.Values = append(round.Values, 3000*r.Float64())
		}
		l.Learn(&round)
	}
	stacks[nhip.NO2] = l.Stack().Frozen()
	for i := range o.Monitors {
		for h := range o.Monitors[i].Hours[nhip.NO2] {
			o.Monitors[i].Hours[nhip.NO2][h] = 3000 * float64(i%2)
		}
	}
	const alone = 11 // measures no NO2
	delete(o.Monitors[alone].Hours, nhip.NO2)
	f := NewInterpolator(DefaultReach).Interpolate(o, stacks, nhip.ScaleVNAQI)
	place := o.Monitors[alone].Point
	here, blank := f.At(place)
	if blank != "" || here.Dominant != nhip.NO2 || here.Averages[0].certain {
		t.Errorf("beside the monitor: %q, %+v", blank, here)
	}
	if v := f.IndexRasters("").Index.AtPoint(place); math.IsNaN(v) {
		t.Error("the map is blank beside the monitor")
	}
	if v := f.IndexRasters(nhip.NO2).Index.AtPoint(place); !math.IsNaN(v) {
		t.Errorf("NO2 of %v on its map", v)
	}
}

// The reason beside a monitor in another city is not that no monitor is near.
func TestReasonBesideMonitorElsewhere(t *testing.T) {
	o := ring(6, eastward)
	far := o.Monitors[5]
	far.ID, far.Point = "far", orb.Point{108.2, 16.05}
	o.Monitors = append(o.Monitors, far)
	f := NewInterpolator(DefaultReach).Interpolate(o, nil, nhip.ScaleVNAQI)
	for place, want := range map[orb.Point]Blank{far.Point: BlankElsewhere, {107, 18}: BlankTooFar} {
		if _, blank := f.At(place); blank != want {
			t.Errorf("at %v: %q, want %q", place, blank, want)
		}
	}
}
