package track

import (
	"math"
	"time"

	"nhip/geo/network"
)

// offRouteAfter is after how many consecutive positions away from the line, while moving, the bus is off route.
const offRouteAfter = 2

// assign puts a bus onto a pattern, at the point of its line that fits the position, the heading and the
// timetable best. A line may pass a place more than once.
func (t *Tracker) assign(v *vehicle, p *network.Pattern, inst *network.TripInstance, plane *network.LocalPlane,
	now time.Time,
) {
	if v.instance != nil && v.instance != inst {
		v.previous = v.instance
	}
	v.claim(t, inst)
	v.pattern, v.offRoute, v.matched, v.atStop = p, 0, now, -1
	v.way = way{}
	m := t.entryMatch(v, p, inst, plane, now)
	v.along = m.Along
	v.ended = false
	v.nextStop = p.NextStop(v.along)
	v.started = !v.isWaiting(v.along, now) // by the next stop of this trip
	if !v.started {
		v.along, v.nextStop = p.Along[0], 1
		v.atStop = 0
	}
}

// entryMatch returns the place on a pattern from which a bus is followed.
func (t *Tracker) entryMatch(v *vehicle, p *network.Pattern, inst *network.TripInstance, plane *network.LocalPlane,
	now time.Time,
) network.Match {
	best, least := p.Between(plane, v.heading, 0, p.Length()), math.Inf(1)
	if best.Metres > best.Reach() {
		if inst == nil || best.Metres > terminalArea || float64(now.Unix()) < inst.Scheduled(p.Along[0])+approachTime {
			return network.Match{Along: p.Along[0]} // still on its way to the first stop
		}
		return best
	}
	t.candidates = t.net.Near(t.candidates[:0], plane, v.heading)
	for _, c := range t.candidates {
		if c.Pattern != p {
			continue
		}
		cost := c.Cost(v.heading) / noise
		if inst != nil {
			cost += math.Abs(inst.Deviation(c.Along, float64(now.Unix()))) / scheduleScale
		}
		if cost < least {
			best, least = c.Match, cost
		}
	}
	if v.returns(p, inst, best, now) {
		return network.Match{Along: p.Along[0]}
	}
	return best
}

// returns reports whether a bus that is on the line of its trip long before the trip may be driving back to the first
// stop: nothing shows that it drives in the direction of the line.
func (v *vehicle) returns(p *network.Pattern, inst *network.TripInstance, m network.Match, now time.Time) bool {
	if inst == nil || inst.HeadwayBased || m.Along <= p.Along[0]+terminalArea {
		return false
	}
	against := v.heading == (network.Heading{}) || m.HeadingMismatch(v.heading) > 1
	return against && float64(now.Unix())-inst.Scheduled(m.Along) < -maxEarly
}

const (
	scheduleScale = 240.0 // s of deviation that weigh as much as the noise
	// s after its departure during which a bus off its line may still be on the way to the first stop
	approachTime = 600.0
)

// advance moves a bus forward along its pattern, never back, and returns the stops that it passed.
func (t *Tracker) advance(v *vehicle, plane *network.LocalPlane, now time.Time) []StopEvent {
	p := v.pattern
	last := p.Along[p.Last()]
	m := v.matchAhead(plane, now)
	if v.offLine = m.Metres > maxOffset+slackBeside(&m); v.offLine {
		if v.moved > minMovement {
			v.offRoute++
		}
		return nil
	}
	v.offRoute = 0
	if v.started && m.Along <= p.Along[0]+terminalArea && v.isWaiting(m.Along, now) {
		v.started = false // the bus moved from one bay to another
	}
	from, since := v.along, v.matched
	v.matched = now
	if !v.started && v.isWaiting(m.Along, now) {
		v.along = max(v.along, min(m.Along, p.Along[v.nextStop]))
		return nil
	}
	v.started = true
	if !v.inferred {
		t.sampleShift(v, v.instance, &m, now)
	}
	v.along = max(v.along, m.Along)
	if v.along >= last-arrivalDistance {
		v.ended = true
	}
	return v.stopEvents(from, since, now)
}

// slackBeside returns how much farther beside its line a bus may be than maxOffset, in m, because nothing
// draws the line
// there. Straight lines from stop to stop cut the corners of streets: in Austin's timetable without shapes a seventh of
// all positions is more than maxOffset from them. Half of the looseness is as far as a street may lead round
// two sides of
// a square.
func slackBeside(m *network.Match) float64 { return min(m.Loose/2, maxSlackBeside) }

const maxSlackBeside = 300.0

// arrivalDistance is how far before its last stop a bus counts as arrived, in m: drivers let passengers out at
// the kerb.
const arrivalDistance = 40.0

// matchAhead matches a position to the line ahead of the bus: first within the distance that it moved, then
// within the distance that it can have driven since the last match.
func (v *vehicle) matchAhead(plane *network.LocalPlane, now time.Time) network.Match {
	p := v.pattern
	m := p.Between(plane, v.heading, v.along, v.along+1.5*v.moved+100)
	if m.Metres <= (maxOffset+slackBeside(&m))/2 {
		return m
	}
	reach := maxSpeed*min(now.Sub(v.matched), maxCatchUp).Seconds() + 200
	wide := p.Between(plane, v.heading, v.along, v.along+reach)
	if wide.Metres < m.Metres-noise/2 && wide.HeadingMismatch(v.heading) < 1 {
		return wide
	}
	return m
}

// stopEvents returns the stops between the previous place and the current one, with interpolated times.
func (v *vehicle) stopEvents(from float64, since, now time.Time) []StopEvent {
	p := v.pattern
	when := func(along float64) time.Time {
		if v.along <= from {
			return now
		}
		part := min(max((along-from)/(v.along-from), 0), 1)
		return since.Add(time.Duration(part * float64(now.Sub(since)))).Truncate(time.Second)
	}
	var out []StopEvent
	leave := func() {
		if v.atStop < 0 {
			return
		}
		gone := p.Along[v.atStop] + departureDistance
		if next := v.atStop + 1; next <= p.Last() {
			gone = min(gone, p.Along[next])
		}
		if v.along < gone || v.atStop == p.Last() {
			return
		}
		departed := when(gone)
		if v.atStop == 0 {
			departed = v.departure(departed, now)
		}
		out = append(out, StopEvent{Pattern: p, Instance: v.instance, Stop: v.atStop, Departed: departed})
		v.atStop = -1
	}
	leave()
	for v.nextStop <= p.Last() {
		reached := p.Along[v.nextStop]
		if v.nextStop == p.Last() && v.ended {
			reached = min(reached, v.along)
		}
		if reached > v.along {
			break
		}
		arrived := when(reached)
		out = append(out, StopEvent{Pattern: p, Instance: v.instance, Stop: v.nextStop, Arrived: arrived})
		v.atStop = v.nextStop
		v.nextStop++
		leave()
	}
	return mergeEvents(out)
}

// departure returns when a bus left its first stop, not before the earliest time. It stood there for a part of the time
// since the previous position, so it is taken to have driven since it left as fast as the timetable says.
func (v *vehicle) departure(earliest, now time.Time) time.Time {
	inst := v.instance
	if inst == nil {
		return earliest
	}
	drove := inst.Scheduled(v.along) - float64(inst.Departs(0))
	if left := now.Add(-time.Duration(drove * float64(time.Second))).Truncate(time.Second); left.After(earliest) {
		return left
	}
	return earliest
}

// departureDistance is how far beyond a stop a bus counts as departed, in m: about its own length.
const departureDistance = 12.0

// mergeEvents joins an arrival and a departure at the same stop between the same two positions.
func mergeEvents(all []StopEvent) []StopEvent {
	out := all[:0]
	for _, a := range all {
		if n := len(out); n > 0 && out[n-1].Stop == a.Stop && out[n-1].Departed.IsZero() {
			out[n-1].Departed = a.Departed
			continue
		}
		out = append(out, a)
	}
	return out
}

// terminalArea is how far from its first stop a bus may still wait for its departure, in m: terminals have more
// than one bay, and some have none.
const terminalArea = 1000.0

// isWaiting reports whether a bus at a place along its line is still at its terminal.
func (v *vehicle) isWaiting(along float64, now time.Time) bool {
	first := v.pattern.Along[0]
	if along <= first+departureRadius {
		return v.nextStop <= 1
	}
	return along <= first+terminalArea && v.instance != nil && now.Unix() < v.instance.Departs(0) &&
		now.Sub(v.stillSince) >= stationaryAfter
}

// stationaryAfter is how long a bus must not have moved to count as stationary.
const stationaryAfter = 20 * time.Second
