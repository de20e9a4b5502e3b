// Package remind decides when reminders of riders fire: from what boards offer of buses, from the positions of one bus,
// from service alerts and from the air. Whoever keeps reminders uses it, and whoever tells when one will fire.
package remind

import (
	"time"

	"nhip"
	"nhip/geo/air"
	"nhip/geo/board"
	"nhip/geo/network"

	"github.com/paulmach/orb"
)

// City is what is known at a time. Functions may be nil if nothing is known of what they return.
type City struct {
	Now     time.Time
	Zone    *time.Location   // of clock times in texts; nil is UTC
	Network *network.Network // nil: no timetable
	Fleet   *board.Fleet     // with the buses of On and Bus

	On  func(*network.Pattern) []*Bus         // buses on a pattern
	Bus func(agency, vehicle string) *Bus     // nil: unknown, or it left the map
	Of  func(*board.Vehicle) *Bus             // the bus of a vehicle of the fleet
	Off func(*network.TripInstance, int) bool // the operator's feed says that a trip does not run, or skips a stop

	Alerts  func() []*nhip.ServiceAlert // that hold
	Station func(id string) *nhip.Station
	Field   func(nhip.Scale) *air.AQIField
}

// Bus is a bus with its predictions.
type Bus struct {
	*board.Vehicle

	Agency, ID string // of the vehicle
	Reports    bool   // its last position is recent
}

// Decision is what becomes of a reminder at a time.
type Decision struct {
	State nhip.ReminderState
	// Fires is when it fires by what is predicted now; zero if nothing predicts it.
	Fires time.Time
	// Notification says why it fires or has ended; of one that waits, what it waits for. It has no id and no event.
	Notification nhip.ReminderNotification
}

// Decide returns what becomes of a reminder that waits. It depends on nothing but its arguments.
func Decide(r *nhip.Reminder, c *City) Decision {
	d := Decision{State: nhip.ReminderWaiting}
	switch r.Kind {
	case nhip.ReminderBus, nhip.ReminderLeave:
		d = c.decideBus(r)
	case nhip.ReminderGetOff:
		d = c.decideGetOff(r)
	case nhip.ReminderLine:
		d = c.decideLine(r)
	case nhip.ReminderAir:
		d = c.decideAir(r)
	}
	n := &d.Notification
	n.Kind, n.State, n.Time = r.Kind, d.State, c.Now.UTC().Truncate(time.Millisecond)
	n.StopName, n.Line, n.Headsign = clip(n.StopName, maxName), clip(n.Line, maxName), clip(n.Headsign, maxName)
	n.Title, n.Body = c.texts(r, n)
	return d
}

// fireAt sets when the reminder fires, and fires it if that has come.
func (d *Decision) fireAt(at, now time.Time) {
	d.Fires = at
	if !at.After(now) {
		d.State, d.Fires = nhip.ReminderFired, now
	}
}

// placeOf returns a place as a point.
func placeOf(p *nhip.ReminderPlace) orb.Point { return orb.Point{p.Lon, p.Lat} }
