package track

import (
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Limits of a bus and its receiver.
const (
	maxSpeed        = 33.0 // m/s, of a bus on a motorway
	maxOffset       = 60.0 // m from the line: three times the noise
	minMovement     = 15.0 // m; a shorter movement is receiver noise
	headingSpeed    = 1.5  // m/s; below it the bearing of a receiver is noise
	headingDistance = 25.0 // m; from this distance on, two positions give a heading
	terminalRadius  = 80.0 // m around the stop of a terminal in which a bus waits
	departureRadius = 60.0 // m beyond its first stop at which a bus has left it
	teleportSlack   = 300.0
)

// Time limits.
const (
	tripTimeout = 30 * time.Minute // without a position the trip is forgotten
	stuckAfter  = 10 * time.Minute // without movement a bus in service is flagged as stuck
	maxCatchUp  = 3 * time.Minute  // limits how far a bus may have driven since its last match
)

// vehicle is the tracking state of one bus.
type vehicle struct {
	id      string
	agency  string
	time    time.Time // of the last position that was used
	point   orb.Point
	heading network.Heading
	moved   float64 // m since the previous position

	stillSince time.Time // time of the last movement
	stillAt    orb.Point
	stoodAt    orb.Point // where it stood last
	stands     bool      // it stands at another place than that
	jumps      int       // consecutive positions that were out of reach

	signOn   signOn // the latest sign-on
	pattern  *network.Pattern
	instance *network.TripInstance
	along    float64
	matched  time.Time // time of the last position that matched the line
	offRoute int       // consecutive positions away from the line while moving
	started  bool      // the bus has left the first stop
	ended    bool      // the bus has reached the last stop
	offLine  bool      // the last position did not match the line
	nextStop int       // index of the next stop
	atStop   int       // index of the stop that the bus is at, or -1

	inferred   bool
	rejected   signOn // a sign-on that the positions contradict
	fitting    int    // consecutive positions that fit the rejected sign-on
	way        way    // since the bus left its line before its trip
	hypotheses []hypothesis
	noPattern  float64 // log likelihood of being on no pattern
	inferredAt orb.Point
	confidence float64
	serves     memberships
	sampled    *network.TripInstance // the latest journey that counts for the shift of its agency
	previous   *network.TripInstance // the previous trip instance; the next one of its block is likely to follow
}

// signOn is the trip that a bus reports.
type signOn struct {
	trip, route, date, start string
	direction                nhip.Opt[int]
	resolved                 bool // see nhip.Position
}

func signOnOf(p *nhip.Position) signOn {
	return signOn{
		trip: p.Trip, route: p.Route, date: p.StartDate, start: p.StartTime, direction: p.Direction, resolved: p.Resolved,
	}
}

// Update processes a position and returns the new state of the bus. usual is the short name or id of the route
// that the bus reports or usually serves, "" if unknown; it is weak evidence. A position that is not newer than
// the last one, or that has no coordinates, changes nothing.
//
// If the positions of its agency are full hours off the timetable, the bus is followed as if its clock were right.
func (t *Tracker) Update(id string, p *nhip.Position, usual string) State {
	w := t.watch(p.Agency)
	if w == nil {
		return t.update(id, p, usual)
	}
	var s State
	if w.by == 0 {
		s = t.update(id, p, usual)
	} else {
		shifted := *p
		shifted.Time = p.Time.Add(-w.by)
		s = t.update(id, &shifted, usual)
		s.moveTimes(w.by)
	}
	if by := w.changed(p.Time); by != w.by {
		t.setShift(p.Agency, w, by)
	}
	return s
}

// update is Update by the clock of the timetable.
func (t *Tracker) update(id string, p *nhip.Position, usual string) State {
	point, ok := p.Point.Get()
	v := t.vehicles[id]
	if !ok || v != nil && !p.Time.After(v.time) {
		if v == nil {
			return State{Time: p.Time, Status: StatusUnknown}
		}
		return v.state(nil)
	}
	if v == nil {
		v = &vehicle{id: id, agency: p.Agency, stillSince: p.Time, stillAt: point, atStop: -1}
		t.vehicles[id] = v
	} else if p.Time.Sub(v.time) > tripTimeout {
		v.unassign(t)
	}
	if v.teleports(p.Time, point) {
		s := v.state(nil)
		s.Flags = append(s.Flags, FlagTeleport)
		return s
	}
	v.move(p, point)
	plane := network.PlaneAt(point)
	passed := t.follow(v, &plane, p, usual)
	v.time = p.Time
	s := v.state(passed)
	s.TripSure = t.tripConfidence(v, p.Time)
	return s
}

// teleports reports whether a position is out of reach. The third in a row is accepted: then the positions before
// were wrong.
func (v *vehicle) teleports(at time.Time, point orb.Point) bool {
	if v.time.IsZero() {
		return false
	}
	reach := maxSpeed*at.Sub(v.time).Seconds() + teleportSlack
	if geo.DistanceHaversine(v.point, point) <= reach {
		v.jumps = 0
		return false
	}
	v.jumps++
	return v.jumps < 3
}

// move updates position, heading and standstill of the vehicle.
func (v *vehicle) move(p *nhip.Position, point orb.Point) {
	v.moved = 0
	if !v.time.IsZero() {
		v.moved = geo.DistanceHaversine(v.point, point)
	}
	speed, measured := p.Speed.Get()
	bearing, ok := p.Bearing.Get()
	switch {
	case ok && (!measured || speed >= headingSpeed):
		v.heading = network.HeadingOf(bearing)
	case v.moved >= headingDistance:
		v.heading = network.HeadingOf(geo.Bearing(v.point, point))
	case v.moved > minMovement/2:
		v.heading = network.Heading{}
	}
	if geo.DistanceHaversine(v.stillAt, point) > 3*minMovement {
		v.stillAt, v.stillSince = point, p.Time
	}
	v.point = point
	v.noteStand(p)
}

// follow determines where along its pattern the bus is and returns the stops that it passed.
func (t *Tracker) follow(v *vehicle, plane *network.LocalPlane, p *nhip.Position, usual string) []StopEvent {
	reported := signOnOf(p)
	t.believeAgain(v, reported, p.Time)
	inst, pattern := t.signedOn(v, reported, p.Time)
	if pattern != nil && v.inferred && t.isOfAnotherTime(v, inst, plane, p.Time) {
		v.rejected, v.fitting, pattern = reported, 0, nil
	}
	if pattern != nil {
		if v.inferred || pattern != v.pattern || inst != v.instance {
			t.assign(v, pattern, inst, plane, p.Time)
			v.inferred, v.confidence = false, 1
		}
		v.signOn = reported
		passed := t.advance(v, plane, p.Time)
		v.rememberSignOn(p.Time)
		t.checkSignOn(v, plane, p.Time, usual)
		return passed
	}
	if v.signOn != reported {
		v.signOn = reported
		if !v.inferred && v.rejected == (signOn{}) {
			v.unassign(t)
		}
	}
	v.inferred = true
	return t.infer(v, plane, p.Time, usual)
}

// signedOn returns the trip instance and the pattern of a sign-on, or nil if the sign-on has no known trip or was
// rejected before.
func (t *Tracker) signedOn(v *vehicle, reported signOn, now time.Time) (*network.TripInstance, *network.Pattern) {
	if reported.trip == "" || reported == v.rejected {
		return nil, nil
	}
	v.rejected = signOn{}
	trip := t.tripNamed(v, reported)
	if trip == nil {
		return nil, nil
	}
	pattern := t.net.PatternOf(trip)
	if pattern == nil {
		return nil, nil
	}
	if v.instance != nil && v.instance.Trip == trip && reported == v.signOn {
		return v.instance, pattern
	}
	return t.instanceOf(trip, reported, now), pattern
}

// tripNamed returns the trip of a sign-on, or nil. If several of the merged timetables have a trip of that name, it is
// the one whose path is nearest to the bus, and stays so while the sign-on does.
func (t *Tracker) tripNamed(v *vehicle, reported signOn) *gtfs.Trip {
	if reported.resolved {
		return t.net.Feed.Trip(gtfs.ShortID(reported.trip))
	}
	trips := t.net.Feed.TripsNamed(reported.trip)
	if len(trips) == 0 {
		return nil
	}
	if len(trips) == 1 {
		return trips[0]
	}
	if v.instance != nil && reported == v.signOn && !v.inferred && slices.Contains(trips, v.instance.Trip) {
		return v.instance.Trip
	}
	plane := network.PlaneAt(v.point)
	best, nearest := trips[0], math.Inf(1)
	for _, trip := range trips {
		pattern := t.net.PatternOf(trip)
		if pattern == nil {
			continue
		}
		if m := pattern.Between(&plane, network.Heading{}, 0, pattern.Length()); m.Metres < nearest {
			best, nearest = trip, m.Metres
		}
	}
	return best
}

// unassign resets the trip, the pattern and the hypotheses of a bus.
func (v *vehicle) unassign(t *Tracker) {
	v.release(t)
	v.pattern, v.instance, v.along, v.offRoute, v.atStop = nil, nil, 0, 0, -1
	v.started, v.ended, v.offLine, v.confidence, v.previous = false, false, false, 0, nil
	v.hypotheses = v.hypotheses[:0]
}

// release gives up the trip instance that the bus serves.
func (v *vehicle) release(t *Tracker) {
	if v.instance != nil && t.assigned[v.instance] == v {
		delete(t.assigned, v.instance)
	}
}

// claim assigns a trip instance to the bus. An inferred assignment of another bus to it is dropped.
func (v *vehicle) claim(t *Tracker, inst *network.TripInstance) {
	if v.instance == inst {
		return
	}
	v.release(t)
	v.instance = inst
	if inst == nil {
		return
	}
	if other := t.assigned[inst]; other != nil && other.inferred {
		other.instance = nil // the next position infers another instance, if any
	}
	t.assigned[inst] = v
}

// state returns the published state.
func (v *vehicle) state(passed []StopEvent) State {
	s := State{
		Time: v.time, Status: StatusUnknown, Pattern: v.pattern, Instance: v.instance, Along: v.along, Next: v.nextStop,
		Confidence: v.confidence, Inferred: v.inferred, StopEvents: passed,
	}
	if v.instance != nil && v.started {
		s.Deviation = v.instance.Deviation(v.along, float64(v.time.UnixMilli())/1000)
	}
	switch {
	case v.pattern == nil:
		s.Next = 0
	case (!v.started || v.ended) && v.fromTerminal() > terminalArea:
		s.Status = StatusDeadhead
	case !v.started || v.ended:
		s.Status = StatusLayover
	case v.offRoute >= offRouteAfter:
		s.Status = StatusOffRoute
	default:
		s.Status = StatusInService
	}
	if v.rejected != (signOn{}) {
		s.Flags = append(s.Flags, FlagWrongSignOn)
	}
	if v.pattern != nil && !v.started && v.offLine {
		s.ToStart = v.fromTerminal()
	}
	if v.time.Sub(v.stillSince) >= stuckAfter && (s.Status == StatusInService || s.isLate()) {
		s.Flags = append(s.Flags, FlagStuck)
	}
	return s
}

// fromTerminal returns the distance of the bus from the stop at which it ended its trip or will begin it, in metres.
func (v *vehicle) fromTerminal() float64 {
	stop := v.pattern.Stops[0]
	if v.ended {
		stop = v.pattern.Stops[v.pattern.Last()]
	}
	return geo.DistanceHaversine(v.point, stop.Point)
}

// isLate reports whether a bus can't be at its first stop in time any more.
func (s *State) isLate() bool {
	if s.Status != StatusDeadhead || s.ToStart == 0 {
		return false
	}
	there := float64(s.Time.Unix()) + s.ToStart/maxApproachSpeed
	return s.Instance == nil || there > float64(s.Instance.Departs(0))
}

// noteStand notes whether the bus stands at a new place, at a position later than the previous one.
func (v *vehicle) noteStand(p *nhip.Position) {
	speed, measured := p.Speed.Get()
	v.stands = (measured && speed < standSpeed ||
		!v.time.IsZero() && v.moved < minMovement && p.Time.Sub(v.time) >= standAfter) &&
		geo.DistanceHaversine(v.stoodAt, v.point) >= standApart
	if v.stands {
		v.stoodAt = v.point
	}
}
