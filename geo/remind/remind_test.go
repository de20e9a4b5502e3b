package remind_test

import (
	"testing"
	"time"

	"nhip"
	"nhip/geo/board"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/predict"
	"nhip/geo/remind"
	"nhip/geo/track"
)

// The trip T0-0 leaves its first stop at 06:00 and needs 90 s to each next one.
var start = time.Date(2026, 3, 2, 6, 0, 0, 0, geotest.TimeZone).UTC()

func after(d time.Duration) time.Time { return start.Add(d) }

// city is a city with the line of geotest, and one bus on its first trip that is between stops 2 and 3 at 06:04.
type city struct {
	remind.City

	bus *remind.Bus // nil: it is gone
}

func newCity(t *testing.T) *city {
	t.Helper()
	n := network.New(geotest.Line(10, 10*time.Minute))
	trip := n.Day(geotest.Day).TripInstances(n.Patterns[0])[0]
	state := track.State{
		Time: after(4 * time.Minute), Status: track.StatusInService, Pattern: trip.Pattern, Instance: trip, Next: 3,
		Along: (trip.Pattern.Along[2] + trip.Pattern.Along[3]) / 2, Confidence: 1,
	}
	fleet := board.NewFleet(n, predict.New(n), func(*network.TripInstance) bool { return true })
	x := &city{bus: &remind.Bus{Vehicle: fleet.Move("29B-1", &state), Agency: "hanoi", ID: "29B-1", Reports: true}}
	// expected at stop 5 at 06:08, between 06:07 and 06:10
	x.bus.Ahead = []predict.StopPrediction{{
		Index: 5, P10: after(7 * time.Minute), Expected: after(8 * time.Minute), P50: after(9 * time.Minute),
		P90: after(10 * time.Minute),
	}}
	x.City = remind.City{
		Network: n, Fleet: fleet, Zone: geotest.TimeZone,
		On: func(p *network.Pattern) []*remind.Bus {
			if x.bus != nil && x.bus.State.Pattern == p {
				return []*remind.Bus{x.bus}
			}
			return nil
		},
		Of:  func(*board.Vehicle) *remind.Bus { return x.bus },
		Bus: func(string, string) *remind.Bus { return x.bus },
	}
	return x
}

// at decides a reminder at a time.
func (x *city) at(d time.Duration, r *nhip.Reminder) remind.Decision {
	c := x.City
	c.Now = after(d)
	return remind.Decide(r, &c)
}

func busReminder(minutes int) *nhip.Reminder {
	return &nhip.Reminder{Kind: nhip.ReminderBus, Stop: "S5", Route: "01", Minutes: minutes, Lang: "en"}
}

// TestBusFiresOnItsEarlyEnd: the bus may be there at 06:07.
func TestBusFiresOnItsEarlyEnd(t *testing.T) {
	x := newCity(t)
	r := busReminder(2)
	r.Route = x.Network.Patterns[0].Route.ID
	for _, c := range []struct {
		at    time.Duration
		state nhip.ReminderState
	}{
		{4 * time.Minute, nhip.ReminderWaiting},
		{5*time.Minute - time.Second, nhip.ReminderWaiting},
		{5 * time.Minute, nhip.ReminderFired},
		{9 * time.Minute, nhip.ReminderFired}, // a restart took long: the bus may still come
		{10*time.Minute + time.Second, nhip.ReminderWaiting},
	} {
		d := x.at(c.at, r)
		if d.State != c.state {
			t.Errorf("at %v: %+v", c.at, d)
		}
	}
	d := x.at(4*time.Minute, r)
	if !d.Fires.Equal(after(5 * time.Minute)) {
		t.Errorf("fires %v", d.Fires)
	}
	if n := x.at(5*time.Minute, r).Notification; n.Vehicle != "29B-1" || n.Minutes.Or(-1) != 2 || n.Body == "" ||
		!n.Early.Equal(after(7*time.Minute)) {
		t.Errorf("%+v", n)
	}
}

func TestGetOffFires(t *testing.T) {
	x := newCity(t)
	r := &nhip.Reminder{Kind: nhip.ReminderGetOff, Stop: "S5", Agency: "hanoi", Vehicle: "29B-1", Stops: 3, Lang: "vi"}
	if d := x.at(4*time.Minute, r); d.State != nhip.ReminderFired || d.Notification.Left.Or(-1) != 3 {
		t.Errorf("three stops before: %+v", d)
	}
}
