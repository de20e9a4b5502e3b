package remind

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
	"nhip/geo/network"
	georemind "nhip/geo/remind"
	"nhip/geo/track"
)

// BenchmarkTenThousandReminders decides 10,000 reminders of buses, one at a time, in a city with 2,500 buses on all
// lines: a round decides those that are due, each at most every 2 s.
func BenchmarkTenThousandReminders(b *testing.B) {
	const vehicles, reminders = 2_500, 10_000
	n := network.New(geotest.City(1))
	rnd := rand.New(rand.NewPCG(1, 2))
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, geotest.TimeZone)
	p := newPlatform(b, nil)
	f := p.buses
	f.use(n)
	f.wants = wanted{routes: make(map[string]bool)}
	for _, pattern := range n.Patterns {
		f.wants.routes[pattern.Route.ID] = true
	}
	buses := make([]nhip.Bus, vehicles)
	for i := range buses {
		pattern := n.Patterns[i%len(n.Patterns)]
		state := track.State{
			Time: now, Status: track.StatusInService, Pattern: pattern, Next: 1 + rnd.IntN(pattern.Last()), Confidence: 1,
		}
		trips := n.DaysBetween(now, now)[0].TripInstances(pattern)
		state.Instance, state.Along = trips[(i/len(n.Patterns))%len(trips)], pattern.Along[state.Next]-50
		buses[i] = nhip.Bus{Agency: "hanoi", ID: fmt.Sprint(i), Time: now, Interval: 10, Track: state.Encode()}
	}
	all := make([]nhip.Reminder, reminders)
	for i := range all {
		pattern := n.Patterns[rnd.IntN(len(n.Patterns))]
		all[i] = nhip.Reminder{
			Kind: nhip.ReminderBus, State: nhip.ReminderWaiting, Stop: pattern.Stops[rnd.IntN(pattern.Last())].ID,
			Route: pattern.Route.ID, Minutes: 1, Lang: "vi",
		}
	}
	b.Run("Move", func(b *testing.B) {
		for i := range b.N {
			f.move(&buses[i%vehicles])
		}
	})
	for i := range buses {
		f.move(&buses[i])
	}
	b.Run("Decide", func(b *testing.B) {
		fires := 0
		for i := range b.N {
			c := &georemind.City{Now: now}
			f.decide(c, func() {
				if d := georemind.Decide(&all[i%reminders], c); !d.Fires.IsZero() {
					fires++
				}
			})
		}
		b.ReportMetric(float64(fires)/float64(b.N), "predicted/op")
	})
}
