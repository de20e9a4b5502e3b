package remind

import (
	"time"

	"nhip"
	"nhip/geo/board"
)

// Bounds of reminders to get off.
const (
	atStop = 30.0 // m before a stop from which on a bus counts as there
	// hurry is how long before the early end a reminder by stops fires, whatever the positions say: a bus that is silent
	// drives on.
	hurry = time.Minute
)

// decideGetOff fires when a bus is near a stop of its trip. A bus that has driven past it in a gap of its positions
// fires, too: the rider should know.
func (c *City) decideGetOff(r *nhip.Reminder) Decision {
	d := Decision{State: nhip.ReminderWaiting}
	n := &d.Notification
	n.Stop, n.Agency, n.Vehicle = r.Stop, r.Agency, r.Vehicle
	if c.Network == nil || c.Bus == nil {
		return d
	}
	if stop := c.Network.Feed.Stop(r.Stop); stop != nil {
		n.StopName = stop.Name
	}
	b := c.Bus(r.Agency, r.Vehicle)
	if b == nil {
		d.State, n.Reason = nhip.ReminderEnded, nhip.ReminderReasonGone
		return d
	}
	p := b.State.Pattern
	if p == nil || b.State.Confidence < board.MinConfidence {
		return d
	}
	n.Line, n.Headsign = lineOf(p.Route), p.Headsign
	target, passed := b.callAt(r.Stop)
	switch {
	case target < 0:
		return d // on another trip, perhaps by mistake; it expires if not
	case passed:
		n.Left, n.Reason = nhip.Some(0), nhip.ReminderReasonPassed
		d.fireAt(c.Now, c.Now)
		return d
	}
	n.Left = nhip.Some(target - b.State.Next + 1)
	if o, ok := b.Prediction(target); ok { // also where boards tell nothing more of it: the bus may be silent
		setTimes(n, &board.Offer{Expected: o.Expected, Early: o.P10, Late: o.P90}, c.Now)
		d.fireAt(n.Early.Add(-leadOf(r)), c.Now)
	}
	if r.Stops > 0 && b.reached(target-r.Stops) {
		d.fireAt(c.Now, c.Now)
	}
	return d
}

// callAt returns the index of the call at a stop that the bus has ahead, or else of the last one that it has passed; -1
// if its pattern has none.
func (b *Bus) callAt(stop string) (index int, passed bool) {
	index = -1
	for i, s := range b.State.Pattern.Stops {
		if s.ID != stop {
			continue
		}
		if index = i; i >= b.State.Next {
			return i, false
		}
	}
	return index, index >= 0
}

// reached reports whether the bus is at a stop or past it. One before the first stop is reached where the trip begins.
func (b *Bus) reached(stop int) bool {
	stop = max(stop, 0)
	return b.State.Next > stop || b.State.ToStart <= 0 && b.State.Along >= b.State.Pattern.Along[stop]-atStop
}

// leadOf returns how long before the early end a reminder to get off fires.
func leadOf(r *nhip.Reminder) time.Duration {
	if r.Minutes > 0 {
		return time.Duration(r.Minutes) * time.Minute
	}
	return hurry
}
