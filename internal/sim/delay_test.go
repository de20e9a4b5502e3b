package sim

import (
	"math"
	"testing"
	"time"

	"nhip"
	"nhip/geo/network"
	"nhip/geo/track"
	"nhip/internal/suitetest"
)

// TestDelaysAreThoseOfTheBuses tracks the simulated buses and compares their delays with those that they have: each bus
// drives a trip of the timetable, at any hour and whatever the size of the fleet.
func TestDelaysAreThoseOfTheBuses(t *testing.T) {
	type fleet struct{ buses, hour int }
	few := []fleet{{100, 2}}
	for _, c := range suitetest.Pick(few, append(few, fleet{150, 2}, fleet{300, 8}, fleet{150, 22}, fleet{600, 17})) {
		start := at(c.hour, 0)
		s := newSim(t, Options{Stations: None, Buses: c.buses}, start)
		n := network.New(s.Feed())
		tracker := track.New(n)
		byID := make(map[string]*bus)
		told, wrong, late, silent := map[bool]int{}, 0, 0, map[bool]int{}
		stepThrough(s, start, start.Add(40*time.Minute), 10*time.Second, func(m nhip.Message) {
			if len(byID) == 0 {
				for _, b := range s.buses {
					byID[b.id] = b
				}
			}
			p := position(t, m, m.Received)
			b := byID[p.Vehicle]
			if b.day == 0 {
				t.Fatalf("%s drives no trip of the timetable", b.id)
			}
			state := tracker.Update(b.id, &p, p.Route)
			if p.Time.Before(start.Add(15*time.Minute)) || state.Status != track.StatusInService {
				return
			}
			delay, known := state.Delay()
			if !known {
				silent[b.sendsTrip]++
				return
			}
			told[b.sendsTrip]++
			inst := n.Day(b.day).TripInstancesOf(b.trip)[0]
			if math.Abs(delay-(float64(b.now)-inst.Scheduled(b.d))) > 60 {
				wrong++
			}
			if math.Abs(delay) > 600 {
				late++
			}
		})
		all := told[true] + told[false]
		if wrong > all/50 || late > all/200 || silent[true] > 0 || told[false] < silent[false] {
			t.Errorf("%d buses at %d o'clock: of %d delays %d are wrong and %d beyond 10 minutes; %d of %d positions without "+
				"ids have one", c.buses, c.hour, all, wrong, late, told[false], told[false]+silent[false])
		}
	}
}
