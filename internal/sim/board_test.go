package sim

import (
	"testing"
	"time"

	"nhip"
	"nhip/geo/backtest"
	"nhip/geo/network"
	"nhip/internal/suitetest"
)

// TestBoardsAreAsRightAsOfRealCities replays the positions of the simulated buses, half of which name no trip, and asks
// the boards as for recordings of real cities, where with ids they are right in 80 to 87 % of the minutes
// (docs/eta-benchmark.md). Less would mean that the simulated buses do not drive their timetable.
func TestBoardsAreAsRightAsOfRealCities(t *testing.T) {
	suitetest.Only(t)
	type fleet struct{ buses, hour, hours int }
	for _, c := range []fleet{{60, 8, 2}, {300, 6, 4}, {150, 16, 4}} {
		start := at(c.hour, 0)
		s := newSim(t, Options{Stations: None, Buses: c.buses, Interval: 20 * time.Second}, start)
		byID := make(map[string]*bus)
		var recorded, truth []nhip.Position
		stepThrough(s, start, start.Add(time.Duration(c.hours)*time.Hour), 20*time.Second, func(m nhip.Message) {
			if len(byID) == 0 {
				for _, b := range s.buses {
					byID[b.id] = b
				}
			}
			p := position(t, m, m.Received)
			recorded = append(recorded, p)
			b := byID[p.Vehicle]
			p.Trip, p.StartDate = b.trip.ID, b.day.String()
			truth = append(truth, p)
		})
		test := backtest.NewETA(network.New(s.Feed()), truth)
		for i := range recorded {
			test.Observe(&recorded[i], truth[i].Trip)
		}
		r := test.Report()
		if r.Board < 85 || r.Predicted < 97 || r.Parts.Nothing > 1 {
			t.Errorf("%d buses: board %v %%, predicted %v %%, parts %+v", c.buses, r.Board, r.Predicted, r.Parts)
		}
		if g := r.Ghosts; g.Promises < 1000 || g.Live > 3 || g.Next > 3 {
			t.Errorf("%d buses: ghosts %+v", c.buses, g)
		}
	}
}
