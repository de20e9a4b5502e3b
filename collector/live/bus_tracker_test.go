package live

import (
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/track"
)

// TestEnrichBusBelievesTheTrackerNotTheClaim checks the attributes of a bus that reports another trip, day or delay
// than the one that it drives.
func TestEnrichBusBelievesTheTrackerNotTheClaim(t *testing.T) {
	n := network.New(geotest.Line(21, 15*time.Minute))
	r := n.Day(geotest.Day).TripInstances(n.Patterns[0])[4]
	at := time.Unix(r.Departs(3)+100, 0).UTC()
	state := track.State{
		Time: at, Status: track.StatusInService, Pattern: r.Pattern, Instance: r, Along: 1500, Next: 4, Deviation: 100,
		Confidence: 1, TripSure: 1,
	}
	enriched := func(change func(*track.State)) *nhip.Bus {
		s := state
		change(&s)
		b := &nhip.Bus{Time: at, Trip: "T9-1", StartDate: geotest.Day.Add(1).String(), StartTime: "00:10:00"}
		if s.Inferred {
			b.Delay = nhip.Some(-7200)
		}
		enrichBus(b, s.Encode(), n)
		return b
	}
	b := enriched(func(*track.State) {})
	if b.StartDate != geotest.Day.String() || b.StartTime != r.Start.String() || b.Delay.Or(0) != 100 {
		t.Errorf("the calendar's day as service day: %s %s, delay %v", b.StartDate, b.StartTime, b.Delay)
	}
	b = enriched(func(s *track.State) { s.Inferred, s.Flags = true, []track.Flag{track.FlagWrongSignOn} })
	if b.Trip != r.Trip.ID || b.Delay.Or(0) != 100 {
		t.Errorf("a wrong sign-on: trip %s, delay %v", b.Trip, b.Delay)
	}
	b = enriched(func(s *track.State) {
		s.Inferred, s.Flags, s.TripSure = true, []track.Flag{track.FlagWrongSignOn}, 0.85
	})
	if b.Trip != r.Trip.ID || b.Delay.Known() || b.Track.Deviation.Known() {
		t.Errorf("a trip that is not sure: trip %s, delay %v, deviation %v", b.Trip, b.Delay, b.Track.Deviation)
	}
	b = enriched(func(s *track.State) { s.Status, s.Next, s.Along, s.ToStart = track.StatusDeadhead, 1, 0, 5000 })
	if b.NextStop != r.Pattern.Stops[0].ID || b.Delay.Known() || b.Track.ToStart != 5000 {
		t.Errorf("on the way to the first stop: next stop %s, delay %v, %+v", b.NextStop, b.Delay, b.Track)
	}
}
