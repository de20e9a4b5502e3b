package siri

import (
	"time"

	"nhip"
	"nhip/api/transit"
	"nhip/geo/gtfs"
	"nhip/internal/topics"
)

// monitoredFor is how far ahead stop monitoring looks.
const monitoredFor = 2 * time.Hour

// newStopDelivery answers stop-monitoring.json: the runs that the board of a stop tells, the soonest first.
func newStopDelivery(q *request) delivery {
	d := delivery{stop: &deliveryBody{Visits: &[]visit{}}}
	ref := q.query.Get("MonitoringRef")
	most := q.integer("MaximumStopVisits", maxVisits)
	least := q.integer("MinimumStopVisitsPerLine", maxVisits)
	perLine := q.query.Get("MinimumStopVisitsPerLine") != ""
	if ref == "" {
		q.fail("MonitoringRef", "is required")
	}
	if q.err != nil {
		return d
	}
	s := q.findStop(ref)
	if s == nil {
		return d.failed(nhip.Errorf(nhip.CodeNotFound, "MonitoringRef", "there is no stop %q", ref))
	}
	visits, ofLine := []visit{}, make(map[*gtfs.Route]int)
	for _, c := range q.t.StopCalls(s, q.now, q.now.Add(monitoredFor), q.now) {
		route := c.Instance.Trip.Route
		full := len(visits) >= most && (!perLine || ofLine[route] >= least) || len(visits) >= maxVisits
		if !c.Told || full || !q.wants(c.Instance.Trip) {
			continue
		}
		ofLine[route]++
		visits = append(visits, q.newVisit(c))
	}
	d.stop.Visits = &visits
	return d
}

// findStop returns a stop by its reference, whose agency may be left out or be given as the operator.
func (q *request) findStop(ref string) *gtfs.Stop {
	if s := q.t.FindQualifiedStop(ref); s != nil {
		return s
	}
	if s := q.t.FindQualifiedStop(transit.QualifiedID(q.operator, ref)); s != nil {
		return s
	}
	return q.t.FindStop(ref)
}

func (q *request) newVisit(c *transit.StopCall) visit {
	live := c.Bus != nil && c.Bus.Bus.State(q.now) == nhip.StateLive
	v := visit{RecordedAtTime: q.time(q.now), Journey: q.newJourney(c.Instance, c.Bus, live)}
	if c.Bus != nil {
		v.RecordedAtTime = q.time(c.Bus.Bus.Time)
	}
	v.Journey.MonitoredCall = q.newCall(c)
	v.Journey.OnwardCalls = q.onwards(c.Instance, c.Stop)
	return v
}

// newVehicleDelivery answers vehicle-monitoring.json: the vehicles that are on a trip.
func newVehicleDelivery(q *request) delivery {
	d := delivery{vehicle: &deliveryBody{Activities: &[]activity{}}}
	if q.err != nil {
		return d
	}
	ref, activities := q.query.Get("VehicleRef"), []activity{}
	for _, b := range q.h.Live.AllBuses() {
		on := q.h.Transit.Tracked(topics.LiveBusTopic(b.Agency, b.ID))
		if on == nil || !on.Serves() || !q.wants(on.State.Instance.Trip) ||
			ref != "" && ref != q.t.QualifiedVehicle(b) && ref != b.ID {
			continue
		}
		activities = append(activities, q.newActivity(on))
	}
	d.vehicle.Activities = &activities
	return d
}

func (q *request) newActivity(on *transit.TrackedBus) activity {
	inst := on.State.Instance
	a := activity{
		RecordedAtTime: q.time(on.Bus.Time),
		Journey:        q.newJourney(inst, on, on.Bus.State(q.now) == nhip.StateLive),
	}
	next := min(on.State.Next, inst.Pattern.Last())
	c := q.t.TripCall(inst, next, q.now)
	a.Journey.MonitoredCall = q.newCall(&c)
	a.Journey.OnwardCalls = q.onwards(inst, next)
	return a
}
