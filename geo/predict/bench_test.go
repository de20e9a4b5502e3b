package predict_test

import (
	"fmt"
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/track"

	"github.com/paulmach/orb"
)

// benchNow is mid-morning of the made day.
var benchNow = time.Date(2026, 3, 2, 9, 0, 0, 0, geotest.Zone)

// fleet drives buses along the patterns of a network; run i is of pattern i, as often as it takes.
type fleet struct {
	net   *network.Network
	runs  []*network.Run
	named bool
	fix   nhip.Position
}

func newFleet(n *network.Network, buses int, named bool) *fleet {
	f := &fleet{net: n, named: named}
	day := n.Day(geotest.Day)
	for i := range buses {
		p := n.Patterns[i%len(n.Patterns)]
		runs := day.RunsOf(p)
		k := 12 + (i/len(n.Patterns))%5 // departures of 08:00 and later
		f.runs = append(f.runs, runs[k])
	}
	return f
}

// at is where bus i is at a time.
func (f *fleet) at(i int, now time.Time) *nhip.Position {
	r := f.runs[i]
	into := float64(now.Unix()-r.Departs(0)) + float64(i%60)
	p, bearing := r.Pattern.At(min(max(into*r.Pattern.Length()/float64(r.End()-r.Start), 0), r.Pattern.Length()))
	f.fix = nhip.Position{Event: nhip.Fix, Time: now, Point: nhip.Some(orb.Point{p[0] + 1e-4, p[1]}), Bearing: nhip.Some(bearing), Speed: nhip.Some(6.0)}
	if f.named {
		f.fix.Trip, f.fix.StartDate = r.Trip.ID, geotest.Day.String()
	}
	return &f.fix
}

// BenchmarkFix follows and predicts 1,500 buses for each city: what one fix costs.
func BenchmarkFix(b *testing.B) {
	for _, c := range []struct {
		cities int
		named  bool
	}{{1, true}, {1, false}, {100, true}, {100, false}} {
		what := "bare"
		if c.named {
			what = "named"
		}
		b.Run(fmt.Sprintf("cities=%d/%s", c.cities, what), func(b *testing.B) {
			n := network.New(geotest.City(c.cities))
			buses := 1500 * c.cities
			f := newFleet(n, buses, c.named)
			t, p := track.New(n), predict.New(n)
			ids := make([]string, buses)
			now := benchNow
			for i := range ids {
				ids[i] = fmt.Sprint(i)
				t.Fix(ids[i], f.at(i, now), "")
			}
			var stops []predict.Stop
			step := func(i int) {
				if i%buses == 0 {
					now = now.Add(20 * time.Second)
					if now.Sub(benchNow) > 30*time.Minute {
						now = benchNow.Add(20 * time.Second) // earlier than the last: not looked at
						t = track.New(n)
					}
				}
				s := t.Fix(ids[i%buses], f.at(i%buses, now), "")
				for k := range s.Passed {
					p.Learn(predict.ArrivalOf(ids[i%buses], &s.Passed[k]))
				}
				stops = p.Predict(stops[:0], predict.BusOf(&s), 90*time.Minute)
			}
			for i := range 3 * buses {
				step(i)
			}
			b.ResetTimer()
			for i := 0; b.Loop(); i++ {
				step(i)
			}
		})
	}
}

// BenchmarkRefresh predicts every stop ahead of 2,500 buses.
func BenchmarkRefresh(b *testing.B) {
	n := network.New(geotest.City(1))
	f := newFleet(n, 2500, true)
	t, p := track.New(n), predict.New(n)
	var all []predict.Bus
	for i := range 2500 {
		id := fmt.Sprint(i)
		t.Fix(id, f.at(i, benchNow), "")
		s := t.Fix(id, f.at(i, benchNow.Add(20*time.Second)), "")
		all = append(all, *predict.BusOf(&s))
	}
	var stops []predict.Stop
	told := 0
	for b.Loop() {
		told = 0
		for i := range all {
			stops = p.Predict(stops[:0], &all[i], 24*time.Hour)
			told += len(stops)
		}
	}
	b.ReportMetric(float64(told), "predictions")
}
