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

// benchNow is mid-morning of geotest.Day.
var benchNow = time.Date(2026, 3, 2, 9, 0, 0, 0, geotest.TimeZone)

// fleet drives buses along the patterns of a network: bus i follows instances[i].
type fleet struct {
	net       *network.Network
	instances []*network.TripInstance
	signedOn  bool
	fix       nhip.Position
}

func newFleet(n *network.Network, buses int, named bool) *fleet {
	f := &fleet{net: n, signedOn: named}
	day := n.Day(geotest.Day)
	for i := range buses {
		p := n.Patterns[i%len(n.Patterns)]
		instances := day.TripInstances(p)
		k := 12 + (i/len(n.Patterns))%5 // departures of 08:00 and later
		f.instances = append(f.instances, instances[k])
	}
	return f
}

// at returns the position of bus i at a time.
func (f *fleet) at(i int, now time.Time) *nhip.Position {
	r := f.instances[i]
	into := float64(now.Unix()-r.Departs(0)) + float64(i%60)
	p, bearing := r.Pattern.At(min(max(into*r.Pattern.Length()/float64(r.End()-r.Start), 0), r.Pattern.Length()))
	f.fix = nhip.Position{
		Event: nhip.EventPosition, Time: now, Point: nhip.Some(orb.Point{p[0] + 1e-4, p[1]}), Bearing: nhip.Some(bearing),
		Speed: nhip.Some(6.0),
	}
	if f.signedOn {
		f.fix.Trip, f.fix.StartDate = r.Trip.ID, geotest.Day.String()
	}
	return &f.fix
}

// BenchmarkFix measures following, predicting and showing one position, with 1,500 buses per city.
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
				t.Update(ids[i], f.at(i, now), "")
			}
			var stops []predict.StopPrediction
			step := func(i int) {
				if i%buses == 0 {
					now = now.Add(20 * time.Second)
					if now.Sub(benchNow) > 30*time.Minute {
						now = benchNow.Add(20 * time.Second) // not newer than the last position, so a new tracker is needed
						t = track.New(n)
					}
				}
				s := t.Update(ids[i%buses], f.at(i%buses, now), "")
				for k := range s.StopEvents {
					p.Observe(predict.ArrivalOf(ids[i%buses], &s.StopEvents[k]))
				}
				bus := predict.BusOf(ids[i%buses], &s)
				stops = p.Predict(stops[:0], bus, 90*time.Minute)
				p.Show(bus, stops)
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

// BenchmarkRefresh measures predicting all stops ahead of 2,500 buses.
func BenchmarkRefresh(b *testing.B) {
	n := network.New(geotest.City(1))
	f := newFleet(n, 2500, true)
	t, p := track.New(n), predict.New(n)
	var all []predict.Bus
	for i := range 2500 {
		id := fmt.Sprint(i)
		t.Update(id, f.at(i, benchNow), "")
		s := t.Update(id, f.at(i, benchNow.Add(20*time.Second)), "")
		all = append(all, *predict.BusOf(id, &s))
	}
	var stops []predict.StopPrediction
	predictions := 0
	for b.Loop() {
		predictions = 0
		for i := range all {
			stops = p.Predict(stops[:0], &all[i], 24*time.Hour)
			predictions += len(stops)
		}
	}
	b.ReportMetric(float64(predictions), "predictions")
}
