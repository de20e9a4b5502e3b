package sim

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"
)

func TestLook(t *testing.T) {
	for _, h := range []int{2, 8, 13, 18, 22} {
		start := time.Date(2026, 2, 16, h, 0, 0, 0, time.FixedZone("", 7*3600))
		clk := fixed(start)
		s0 := time.Now()
		s, err := New(Options{Clock: clk, Stations: None})
		if err != nil {
			t.Fatal(err)
		}
		s.Step(start)
		now := start
		sum, n := 0.0, 0
		trips, ids := 0, 0
		nr := 0
		late := 0.0
		nl := 0
		maxlate := 0.0
		for i := 0; i < 360; i++ {
			now = now.Add(10 * time.Second)
			for _, m := range s.Step(now) {
				var p struct {
					Speed       float64
					Trip, Route string
				}
				json.Unmarshal(m.Payload, &p)
				sum += p.Speed
				n++
				if p.Route != "" {
					ids++
				}
				if p.Trip != "" {
					trips++
				}
				if i == 200 && n%4001 < 3 {
					fmt.Println(string(m.Payload))
				}
			}
		}
		for _, b := range s.buses {
			if b.doing == riding || b.doing == standing {
				nr++
				if b.day != 0 && b.atStop {
					l := float64(b.now - b.arrival(b.next))
					late += l
					nl++
					maxlate = math.Max(maxlate, l)
				}
			}
		}
		d := time.Since(s0)
		t.Log(h, "mean", sum/float64(n)*3.6, "km/h fixes", n, "ids", ids, "trips", trips, "riding", nr, "late", late/float64(nl), maxlate, d)
		// unserved trips
		un, all := 0, 0
		cd := s.world.dispatch.(*cityDispatch)
		for _, l := range cd.lines {
			for w := range l.ways {
				x := &l.ways[w]
				for k, tr := range x.trips {
					if float64(leaves(tr)) > float64(h*3600) && float64(leaves(tr)) < float64(h*3600+3300) {
						all++
						if x.taken[k] != 20260216 {
							un++
						}
					}
				}
			}
		}
		t.Log("unserved", un, "of", all)
	}
	s, _ := New(Options{Clock: fixed(time.Date(2026, 2, 16, 8, 2, 0, 0, time.UTC))})
	ms := s.Step(time.Date(2026, 2, 16, 8, 2, 0, 0, time.UTC))
	for _, m := range ms[:6] {
		fmt.Println(m.Topic, string(m.Payload))
	}
	sky := s.sky
	for d := 0; d < 3; d++ {
		for h := 0; h < 24; h += 3 {
			tt := time.Date(2026, 1, 10+d*3, h-7, 0, 0, 0, time.UTC)
			a := sky.at(oldQuarter, tt)
			fmt.Printf("%d %02d pm25 %.0f pm10 %.0f no2 %.0f co %.0f so2 %.0f o3 %.0f T %.1f RH %.0f\n", d, h, a["pm25"], a["pm10"], a["no2"], a["co"], a["so2"], a["o3"], a["temperature"], a["humidity"])
		}
	}
	tt := time.Date(2026, 1, 10, 1, 0, 0, 0, time.UTC)
	for _, m := range monitors {
		a := sky.at(m.point, tt)
		fmt.Printf("%s %.0f %.0f; ", m.id, a["pm25"], a["no2"])
	}
}

type fixed time.Time

func (f fixed) Now() time.Time { return time.Time(f) }
func BenchmarkFix(b *testing.B) {
	start := time.Date(2026, 2, 16, 8, 0, 0, 0, time.UTC)
	s, _ := New(Options{Clock: fixed(start), Buses: 10000, Stations: None})
	s.Step(start)
	now := start
	n := 0
	b.ReportAllocs()
	b.ResetTimer()
	for n < b.N {
		now = now.Add(100 * time.Millisecond)
		n += len(s.Step(now))
	}
}
