package track

import (
	"math"
	"time"

	"nhip/geo/network"
)

// How many moved fixes away from its line make a bus doubtful, and on a detour.
const (
	doubtAfter  = 2
	detourAfter = 2
)

// assign puts a bus onto a pattern, at the pass of its line that fits the place, the heading and the
// timetable best.
func (t *Tracker) assign(v *vehicle, p *network.Pattern, r *network.Run, f *network.Place, now time.Time) {
	if v.run != nil && v.run != r {
		v.last = v.run
	}
	v.hold(t, r)
	v.pattern, v.off, v.matched, v.at = p, 0, now, -1
	m := t.enter(v, p, r, f, now)
	v.along = m.Along
	v.ended = false
	v.started = !v.waits(v.along, now)
	v.passed = p.NextStop(v.along)
	if !v.started {
		v.along, v.passed = p.Along[0], 1
		v.at = 0
	}
}

// enter finds where on a pattern a bus begins to be followed.
func (t *Tracker) enter(v *vehicle, p *network.Pattern, r *network.Run, f *network.Place, now time.Time) network.Match {
	best, least := p.Between(f, v.heading, 0, p.Length()), math.Inf(1)
	if best.Metres > network.Reach {
		if r == nil || float64(now.Unix()) < r.Scheduled(p.Along[0])+earlyStart {
			return network.Match{Along: p.Along[0]} // on its way to the first stop
		}
		return best
	}
	t.near = t.net.Near(t.near[:0], f, v.heading)
	for _, c := range t.near {
		if c.Pattern != p {
			continue
		}
		cost := c.Cost(v.heading) / noise
		if r != nil {
			cost += math.Abs(float64(now.Unix())-r.Scheduled(c.Along)) / passMinutes
		}
		if cost < least {
			best, least = c.Match, cost
		}
	}
	return best
}

const (
	passMinutes = 240.0 // s off the timetable that weigh as much as the noise
	earlyStart  = 600.0 // s after its departure at which a bus off its line may still be on the way to it
)

// advance moves a bus forward along its pattern, never back, and returns the stops that it passed.
func (t *Tracker) advance(v *vehicle, f *network.Place, now time.Time) []Passing {
	p := v.pattern
	last := p.Along[p.Last()]
	m := v.ahead(f, now)
	if m.Metres > onRoute {
		if v.moved > standing {
			v.off++
		}
		return nil
	}
	v.off = 0
	if v.started && m.Along <= p.Along[0]+terminalArea && v.waits(m.Along, now) {
		v.started = false // it moved from one bay to another
	}
	from, since := v.along, v.matched
	v.matched = now
	if !v.started && v.waits(m.Along, now) {
		v.along = max(v.along, min(m.Along, p.Along[v.passed]))
		return nil
	}
	v.started = true
	v.along = max(v.along, m.Along)
	if v.along >= last-endsBefore {
		v.ended = true
	}
	return v.pass(from, since, now)
}

// endsBefore is how far before its last stop a bus has arrived: drivers let people out at the kerb.
const endsBefore = 40.0

// ahead matches a fix to the line from where the bus was: first as far as it moved, then as far as it
// can have come.
func (v *vehicle) ahead(f *network.Place, now time.Time) network.Match {
	p := v.pattern
	m := p.Between(f, v.heading, v.along, v.along+1.5*v.moved+100)
	if m.Metres <= onRoute/2 {
		return m
	}
	reach := maxSpeed*min(now.Sub(v.matched), sittingGrow).Seconds() + 200
	wide := p.Between(f, v.heading, v.along, v.along+reach)
	if wide.Metres < m.Metres-noise/2 && wide.Against(v.heading) < 1 {
		return wide
	}
	return m
}

// pass returns the stops between where the bus was and where it is, with the times at which it came by.
func (v *vehicle) pass(from float64, since, now time.Time) []Passing {
	p := v.pattern
	when := func(along float64) time.Time {
		if v.along <= from {
			return now
		}
		part := min(max((along-from)/(v.along-from), 0), 1)
		return since.Add(time.Duration(part * float64(now.Sub(since)))).Truncate(time.Second)
	}
	var out []Passing
	leave := func() {
		if v.at < 0 {
			return
		}
		gone := p.Along[v.at] + leavesBehind
		if next := v.at + 1; next <= p.Last() {
			gone = min(gone, p.Along[next])
		}
		if v.along < gone || v.at == p.Last() {
			return
		}
		out = append(out, Passing{Pattern: p, Run: v.run, Stop: v.at, Departed: when(gone)})
		v.at = -1
	}
	leave()
	for v.passed <= p.Last() {
		reached := p.Along[v.passed]
		if v.passed == p.Last() && v.ended {
			reached = min(reached, v.along)
		}
		if reached > v.along {
			break
		}
		arrived := when(reached)
		out = append(out, Passing{Pattern: p, Run: v.run, Stop: v.passed, Arrived: arrived})
		v.at = v.passed
		v.passed++
		leave()
	}
	return merge(out)
}

// leavesBehind is how far behind a stop a bus has left it, in metres: its own length.
const leavesBehind = 12.0

// merge makes one passing of an arrival and a departure between the same two fixes.
func merge(all []Passing) []Passing {
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

// terminalArea is how far behind its first stop a bus may still stand waiting for its time, in metres:
// terminals have more than one bay.
const terminalArea = 1000.0

// waits reports whether a bus that has not started is still at its terminal.
func (v *vehicle) waits(along float64, now time.Time) bool {
	first := v.pattern.Along[0]
	if along <= first+departed {
		return v.passed <= 1
	}
	return along <= first+terminalArea && v.run != nil && now.Unix() < v.run.Departs(0) && now.Sub(v.stillSince) >= standsAfter
}

// standsAfter is how long a bus has not moved when it stands.
const standsAfter = 20 * time.Second
