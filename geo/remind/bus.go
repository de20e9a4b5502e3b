package remind

import (
	"cmp"
	"math"
	"time"

	"nhip"
	"nhip/geo/board"
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

// leaveSlack is how much earlier than necessary a rider is told to leave.
const leaveSlack = time.Minute

// maxUnplanned is how far from the timetable the bus of a trip that has not begun is looked for.
const maxUnplanned = 30 * time.Minute

// coming is a bus that is expected at the stop of a reminder.
type coming struct {
	board.Offer

	call network.Call
	trip *gtfs.Trip // nil if it is unknown
	bus  *Bus
	gone time.Time // when it is too late to tell of it
	at   time.Time // when it is to be told
}

// decideBus fires for the first bus that can still be told of: at the early end of its range, so that nobody misses it
// by a prediction.
func (c *City) decideBus(r *nhip.Reminder) Decision {
	d := Decision{State: nhip.ReminderWaiting}
	if c.Network == nil || c.Fleet == nil {
		return d
	}
	stop := c.Network.Feed.Stop(r.Stop)
	if stop == nil {
		return d
	}
	var first *coming
	for _, call := range c.Network.CallsAt(stop) {
		if !wantsCall(r, call) {
			continue
		}
		c.eachBus(r, call, func(x *coming) {
			x.plan(r)
			if !x.gone.Before(c.Now) && (first == nil || x.at.Before(first.at)) {
				first = x
			}
		})
	}
	d.Notification.Stop, d.Notification.StopName = r.Stop, stop.Name
	if route := c.Network.Feed.Route(r.Route); route != nil {
		d.Notification.Line = lineOf(route)
	}
	if first == nil {
		return c.endWithoutBus(r, d)
	}
	first.describe(r, &d.Notification, c.Now)
	d.fireAt(first.at, c.Now)
	return d
}

// plan sets when a bus is to be told of, and until when.
func (x *coming) plan(r *nhip.Reminder) {
	early, late := x.Early, x.Late
	if late.IsZero() { // a bus that stands at its first stop after its range
		early, late = x.Expected, x.Expected.Add(time.Minute)
	}
	x.gone, x.at = late, early.Add(-time.Duration(r.Minutes)*time.Minute)
	if r.Kind == nhip.ReminderLeave {
		walk := time.Duration(r.Walk) * time.Second
		x.gone, x.at = late.Add(-walk), early.Add(-walk-leaveSlack)
	}
}

// wantsCall reports whether riders of a reminder may get on at a call.
func wantsCall(r *nhip.Reminder, call network.Call) bool {
	return call.Pattern.Route.ID == r.Route && call.At < call.Pattern.Last() &&
		(!r.Direction.Known() || r.Direction == call.Pattern.Direction)
}

// wantsTrip reports whether a trip is one of a reminder.
func wantsTrip(r *nhip.Reminder, call network.Call, trip *gtfs.Trip) bool {
	headsign := call.Pattern.Headsign
	if trip != nil {
		headsign = cmp.Or(trip.Headsign, headsign)
		if trip.StopTimes[call.At].Pickup == gtfs.BoardingNone {
			return false
		}
	}
	return (r.Headsign == "" || r.Headsign == headsign) && (r.Trip == "" || trip != nil && trip.ID == r.Trip)
}

// eachBus calls f for each bus that reports and is expected at a call, on its present trip or a later one.
func (c *City) eachBus(r *nhip.Reminder, call network.Call, f func(*coming)) {
	if c.On != nil {
		for _, b := range c.On(call.Pattern) {
			if b.Reports && c.wantsBus(r, call, b, b.State.Instance) {
				c.offer(b, b.OnBoard(true), call, b.State.Instance, f)
			}
		}
	}
	if c.Of == nil {
		return
	}
	from, to := c.Now.Add(-maxUnplanned), c.Now.Add(board.PredictAhead)
	for _, day := range c.Network.DaysBetween(c.Now, to) {
		for _, trip := range day.TripInstances(call.Pattern) {
			if due := trip.Departs(call.At); due < from.Unix() || due > to.Unix() {
				continue
			}
			v, next := c.Fleet.Next(trip, c.Now)
			if next == nil {
				continue
			}
			if b := c.Of(v); b != nil && b.Reports && c.wantsBus(r, call, b, trip) {
				c.offer(b, b.OnNext(next, true), call, trip, f)
			}
		}
	}
}

// wantsBus reports whether a reminder is about a bus on a trip, which may be unknown.
func (c *City) wantsBus(r *nhip.Reminder, call network.Call, b *Bus, inst *network.TripInstance) bool {
	if r.Vehicle != "" && (b.Agency != r.Agency || b.ID != r.Vehicle) {
		return false
	}
	if inst != nil && c.Off != nil && c.Off(inst, call.At) {
		return false
	}
	return wantsTrip(r, call, tripOf(inst))
}

func (c *City) offer(
	b *Bus, onTrip *board.Bus, call network.Call, inst *network.TripInstance, f func(*coming),
) {
	if o, ok := onTrip.Offer(call.At, c.Now); ok {
		f(&coming{Offer: o, call: call, trip: tripOf(inst), bus: b})
	}
}

func tripOf(inst *network.TripInstance) *gtfs.Trip {
	if inst == nil {
		return nil
	}
	return inst.Trip
}

// describe fills in what is told of a bus.
func (x *coming) describe(r *nhip.Reminder, n *nhip.ReminderNotification, now time.Time) {
	n.Headsign = x.call.Pattern.Headsign
	if x.trip != nil {
		n.Headsign = cmp.Or(x.trip.Headsign, n.Headsign)
	}
	n.Agency, n.Vehicle = x.bus.Agency, x.bus.ID
	setTimes(n, &x.Offer, now)
	if r.Kind == nhip.ReminderLeave {
		n.Leave = n.Early.Add(-time.Duration(r.Walk) * time.Second)
	}
}

// endWithoutBus ends a reminder about one bus that is on the way no more: it has left the map, or has passed.
func (c *City) endWithoutBus(r *nhip.Reminder, d Decision) Decision {
	if r.Vehicle == "" || c.Bus == nil {
		return d
	}
	b := c.Bus(r.Agency, r.Vehicle)
	d.Notification.Agency, d.Notification.Vehicle = r.Agency, r.Vehicle
	if b == nil {
		d.State, d.Notification.Reason = nhip.ReminderEnded, nhip.ReminderReasonGone
		return d
	}
	if b.State.Pattern == nil || b.State.Confidence < board.MinConfidence {
		return d // it may be found again
	}
	for i, s := range b.State.Pattern.Stops {
		if s.ID == r.Stop && b.State.Pattern.Route.ID == r.Route && i >= b.State.Next {
			return d // it is ahead, and nothing is predicted at the moment
		}
	}
	if b.State.Pattern.Route.ID == r.Route && hasStop(b.State.Pattern, r.Stop) {
		d.State, d.Notification.Reason = nhip.ReminderEnded, nhip.ReminderReasonOver
	}
	return d
}

func hasStop(p *network.Pattern, stop string) bool {
	for _, s := range p.Stops {
		if s.ID == stop {
			return true
		}
	}
	return false
}

func lineOf(r *gtfs.Route) string { return cmp.Or(r.ShortName, r.LongName) }

// minutesUntil returns the full minutes until a time, 0 if it has passed.
func minutesUntil(t, now time.Time) int { return int(math.Floor(max(t.Sub(now).Minutes(), 0))) }

// setTimes tells the times of an offer.
func setTimes(n *nhip.ReminderNotification, o *board.Offer, now time.Time) {
	early, late := o.Early, o.Late
	if late.IsZero() {
		early, late = o.Expected, o.Expected
	}
	second := func(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
	n.Expected, n.Early, n.Late = second(o.Expected), second(early), second(late)
	n.Minutes = nhip.Some(minutesUntil(early, now))
}
