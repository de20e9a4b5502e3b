package track

import (
	"math"
	"time"

	"nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/paulmach/orb/geo"
)

// Limits of what a sign-on may claim.
const (
	checkSignOnAfter = 2 // consecutive positions away from the line, while moving, after which a sign-on is checked
	minContraryFixes = 4 // positions that must fit another pattern before a sign-on is rejected
	minFittingFixes  = 4 // positions that must fit a rejected sign-on before it is believed again

	// A bus in service is believed to be that early or late, in s; otherwise it serves another trip of its pattern.
	maxClaimedEarly = maxWait
	maxClaimedLate  = 2 * 3600.0

	// maxApproachSpeed is how fast a bus can come to its first stop, as the crow flies, in m/s.
	maxApproachSpeed = 15.0
	// A bus that comes nearer to its first stop by less than this part of the way that it drives is not on its way there.
	minApproach = 0.25
	// The way is judged from minWay m on, and anew after maxWay m.
	minWay = 300.0
	maxWay = 1000.0
)

// way is the way that a bus drives away from its line, before its trip has begun.
type way struct {
	driven  float64 // m
	toStart float64 // m from the first stop at the beginning of the way
}

// checkSignOn rejects the sign-on of a bus that drives along another pattern, or at a time at which its trip can't be.
func (t *Tracker) checkSignOn(v *vehicle, plane *network.LocalPlane, now time.Time, usual string) {
	switch {
	case v.isAtAnotherTime(now):
		t.reject(v)
	case v.offRoute >= checkSignOnAfter && (v.started || v.fromTerminal() > terminalArea):
		t.compareSignOn(v, plane, now, usual)
	case v.offRoute == 0:
		v.hypotheses, v.way = v.hypotheses[:0], way{}
	}
}

// compareSignOn looks for a better pattern for a bus that is away from the one that it reports.
func (t *Tracker) compareSignOn(v *vehicle, plane *network.LocalPlane, now time.Time, usual string) {
	t.updateHypotheses(v, plane, now, usual)
	approaches := !v.started && v.approaches()
	best := v.best()
	if best == nil || best.fixes < minContraryFixes {
		return
	}
	if best.pattern == v.pattern {
		v.join(best, now)
		return
	}
	if approaches && best.pattern.Route != v.pattern.Route {
		return // on its own route it rather drives the trip before
	}
	if !v.started && (best.score < v.noPattern+minLeadOverNone || !t.isServed(v, best, now)) {
		return
	}
	if v.scoreOf(v.pattern) > best.score-2*minLeadOverCurrent {
		return
	}
	if !v.started {
		v.claim(t, nil) // it was never served
	}
	v.rejected, v.inferred, v.fitting = v.signOn, true, 0
	t.decide(v, plane, now)
}

// join puts a bus onto its line where it drives along it, though it seemed to be on the way to its first stop, or was
// away from the line for so long that it is farther ahead than advance looks. What happened at the stops between is
// unknown. A bus never goes back.
func (v *vehicle) join(h *hypothesis, now time.Time) {
	if v.started && h.along <= v.along || h.score < v.noPattern+minLeadOverNone {
		return
	}
	v.rejoin(h, now)
	v.hypotheses, v.way = v.hypotheses[:0], way{}
}

// rejoin moves a bus forward to a hypothesis of its pattern.
func (v *vehicle) rejoin(h *hypothesis, now time.Time) {
	if v.started && h.along <= v.along {
		return
	}
	v.along, v.nextStop, v.atStop = h.along, v.pattern.NextStop(h.along), -1
	v.started, v.offLine, v.offRoute, v.matched = true, false, 0, now
}

func (t *Tracker) isServed(v *vehicle, h *hypothesis, now time.Time) bool {
	inst, _ := t.bestInstance(v, h.pattern, h.along, now)
	return inst != nil
}

// approaches reports whether a bus that is away from its line may be on the way to its first stop.
func (v *vehicle) approaches() bool {
	toStart := v.fromTerminal()
	if v.way == (way{}) {
		v.way.toStart = toStart
		return true
	}
	v.way.driven += v.moved
	if v.way.driven < minWay {
		return true
	}
	approaches := v.way.toStart-toStart >= minApproach*v.way.driven
	if v.way.driven > maxWay {
		v.way = way{toStart: toStart}
	}
	return approaches
}

// isAtAnotherTime reports whether a bus drives along the pattern of its trip, but hours away from the times of the
// trip.
func (v *vehicle) isAtAnotherTime(now time.Time) bool {
	if !v.started || v.ended || v.offLine || v.instance == nil || v.instance.HeadwayBased {
		return false
	}
	deviation := float64(now.Unix()) - v.instance.Scheduled(v.along)
	return deviation < -maxClaimedEarly || deviation > maxClaimedLate
}

// isOfAnotherTime reports whether a new sign-on is of a trip that is driven hours before or after this time, where the
// bus is. Such a sign-on is no reason to give up what was inferred before.
func (t *Tracker) isOfAnotherTime(v *vehicle, inst *network.TripInstance, plane *network.LocalPlane,
	now time.Time,
) bool {
	if v.pattern == nil || inst == nil || inst.HeadwayBased {
		return false
	}
	p := inst.Pattern
	m := t.entryMatch(v, p, inst, plane, now)
	waits := m.Along <= p.Along[0]+departureRadius ||
		m.Along <= p.Along[0]+terminalArea && now.Unix() < inst.Departs(0) && now.Sub(v.stillSince) >= stationaryAfter
	if waits || m.Metres > maxOffset+slackBeside(&m) {
		return false // it may wait, or be on its way to the first stop
	}
	t.sampleShift(v, inst, &m, now)
	deviation := float64(now.Unix()) - inst.Scheduled(m.Along)
	return deviation < -maxClaimedEarly || deviation > maxClaimedLate
}

// reject disbelieves the sign-on of a bus. Its place stays; the next position infers the trip.
func (t *Tracker) reject(v *vehicle) {
	v.claim(t, nil)
	v.rejected, v.inferred, v.fitting = v.signOn, true, 0
	v.confidence, v.hypotheses = 0, v.hypotheses[:0]
}

// believeAgain believes a rejected sign-on if the bus has begun to drive its trip, or stands at its first stop before
// the departure.
func (t *Tracker) believeAgain(v *vehicle, reported signOn, now time.Time) {
	if v.rejected == (signOn{}) || reported != v.rejected {
		return
	}
	trip := t.tripNamed(v, reported)
	if trip == nil {
		return
	}
	pattern, inst := t.net.PatternOf(trip), t.instanceOf(trip, reported, now)
	if pattern == nil || inst == nil {
		return
	}
	if v.isAtStartOf(inst, now) {
		v.rejected = signOn{}
		return
	}
	if v.moved < minMovement {
		return
	}
	drives := t.drives(v, inst, now)
	if !drives && !v.mayDrive(inst, now) {
		v.fitting = 0
		return
	}
	if v.fitting++; v.fitting < minFittingFixes {
		return
	}
	v.rejected = signOn{}
	if drives { // where it is; otherwise it is placed anew
		v.signOn = reported
		v.claim(t, inst)
		v.inferred, v.confidence, v.hypotheses = false, 1, v.hypotheses[:0]
	}
}

// drives reports whether a bus is under way on the pattern of a trip, at a time at which the trip may be inferred.
func (t *Tracker) drives(v *vehicle, inst *network.TripInstance, now time.Time) bool {
	if v.pattern != inst.Pattern || !v.started || v.ended || v.offLine {
		return false
	}
	_, ok := t.costOf(v, inst, v.along, float64(now.Unix()), false)
	return ok
}

// mayDrive reports whether the positions fit the pattern of a trip about as well as any other, although the bus is on
// another one by what was inferred before.
func (v *vehicle) mayDrive(inst *network.TripInstance, now time.Time) bool {
	named, best := v.hypothesisOf(inst.Pattern), v.best()
	if named == nil || named.fixes < minFittingFixes || v.offRoute > 0 ||
		named.score <= max(best.score-minLeadOverCurrent, v.noPattern) {
		return false
	}
	deviation := float64(now.Unix()) - inst.Scheduled(named.along)
	return inst.HeadwayBased || -maxClaimedEarly <= deviation && deviation <= maxClaimedLate
}

// isAtStartOf reports whether a bus stands at the first stop of a trip, near the time of its departure, and serves no
// other one.
func (v *vehicle) isAtStartOf(inst *network.TripInstance, now time.Time) bool {
	early := float64(inst.Departs(0) - now.Unix())
	return (v.pattern == nil || v.ended || !v.started) && early < maxWait && early > -approachTime &&
		geo.DistanceHaversine(v.point, inst.Pattern.Stops[0].Point) <= 4*terminalRadius
}

// instanceOf returns the instance of a trip that a sign-on means. The reported day is believed unless the trip can't be
// under way on it while it is on another day: feeds confuse the service day with the calendar's day after midnight.
func (t *Tracker) instanceOf(trip *gtfs.Trip, reported signOn, now time.Time) *network.TripInstance {
	date, err := gtfs.ParseDate(reported.date)
	var claimed *network.TripInstance
	if err == nil && t.mayServe(date, now) {
		claimed = nearest(t.net.Day(date).TripInstancesOf(trip), date, reported.start, now)
		if claimed != nil && isUnderWay(claimed, now) {
			return claimed
		}
	}
	var around []*network.TripInstance
	for _, d := range t.net.DaysAt(now) {
		around = append(around, d.TripInstancesOf(trip)...)
	}
	observed := nearest(around, date, reported.start, now)
	if observed == nil || !isUnderWay(observed, now) {
		tomorrow := t.net.Day(gtfs.DateOf(now.In(t.net.Location())).Add(1))
		around = append(around, tomorrow.TripInstancesOf(trip)...)
		observed = nearest(around, date, reported.start, now)
	}
	if claimed != nil && (observed == nil || !isUnderWay(observed, now)) {
		return claimed
	}
	return observed
}

// isUnderWay reports whether a trip may be driven at a time, or its bus may wait for the departure.
func isUnderWay(inst *network.TripInstance, now time.Time) bool {
	at := float64(now.Unix())
	return float64(inst.Departs(0))-maxWait <= at && at <= float64(inst.Arrives(inst.Pattern.Last()))+maxLate
}

// nearest returns the instance that starts at a reported time, or else the one that is nearest to now. It returns nil
// without instances. The date and the start are those that the bus reports: a start of 00:40 is also that of 24:40 of
// the day before.
func nearest(instances []*network.TripInstance, date gtfs.Date, reported string, now time.Time) *network.TripInstance {
	start, err := gtfs.ParseTime(withSeconds(reported))
	starts := err == nil
	var best *network.TripInstance
	least := math.Inf(1)
	for _, inst := range instances {
		off := math.Abs(float64(now.Unix() - (inst.Departs(0)+inst.Arrives(inst.Pattern.Last()))/2))
		if starts && !startsAt(inst, date, start) {
			off += 1e9 // only without another one
		}
		if off < least {
			best, least = inst, off
		}
	}
	return best
}

// startsAt reports whether an instance starts at a reported time, on its service day or on the calendar's day.
func startsAt(inst *network.TripInstance, date gtfs.Date, start gtfs.Time) bool {
	const day = 24 * 3600
	return inst.Start == start || inst.Start == start+day && (date == 0 || inst.Day < date)
}

// mayServe reports whether a service day may have trips under way at a time. Other days are ignored, because each
// service day that is looked up takes memory.
func (t *Tracker) mayServe(date gtfs.Date, now time.Time) bool {
	today := gtfs.DateOf(now.In(t.net.Location()))
	return today.Add(-2) <= date && date <= today.Add(1)
}

// withSeconds completes H:MM and HH:MM to the GTFS time format.
func withSeconds(s string) string {
	if len(s) == 5 || len(s) == 4 {
		return s + ":00"
	}
	return s
}
