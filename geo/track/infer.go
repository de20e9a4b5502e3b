package track

import (
	"math"
	"time"

	"nhip/geo/network"

	"github.com/paulmach/orb/geo"
)

// Log likelihoods of the model. They follow from the noise and from how rare the events are; none is fitted to a
// particular route.
const (
	temper             = 0.6            // of the likelihoods of a position: those of one bus are not independent
	worstEmission      = temper * -8.0  // of one position: the lower bound, so that outliers do not dominate
	mismatchWeight     = 3.0            // of driving across the line; driving against it counts four times, before temper
	worstTransition    = temper * -6.0  // of a movement that does not fit the line
	noPatternPerFix    = temper * -5.0  // of one position of a bus on no known pattern
	minScore           = temper * -18.0 // below it a hypothesis is dropped
	minLeadOverNone    = 1.5            // lead of the best hypothesis over being on no pattern
	minLeadOverCurrent = 3.0            // lead of another hypothesis over the current one
	notScheduled       = -5.0           // of a pattern without an instance at this time
	usualRoute         = 2.0            // of the route that the vehicle usually serves
	nextOfBlock        = 3.0            // of the next trip of the block
	confidenceTemper   = 0.5            // of the likelihoods in the confidence, after temper
)

// infer follows a bus without a usable sign-on.
func (t *Tracker) infer(v *vehicle, plane *network.LocalPlane, now time.Time, usual string) []StopEvent {
	t.updateHypotheses(v, plane, now, usual)
	var passed []StopEvent
	if v.pattern != nil && !v.ended {
		passed = t.advance(v, plane, now)
	}
	t.decide(v, plane, now)
	return passed
}

// updateHypotheses updates the hypotheses with a position. It does nothing if the bus has not moved.
func (t *Tracker) updateHypotheses(v *vehicle, plane *network.LocalPlane, now time.Time, usual string) {
	moved := geo.DistanceHaversine(v.inferredAt, plane.Point)
	if len(v.hypotheses) > 0 && moved < minMovement {
		v.weighPlace()
		return
	}
	v.inferredAt = plane.Point
	t.candidates = t.net.Near(t.candidates[:0], plane, v.heading)
	next := t.spare[:0]
	tops := topsOf(v.hypotheses, v.noPattern)
	for i := range t.candidates {
		next = append(next, t.extend(v, &t.candidates[i], &tops, moved, now, usual))
	}
	for _, h := range v.hypotheses { // keep a hypothesis whose line the bus left for a moment
		if h.score += worstEmission; h.score > minScore && !t.isCandidate(h.pattern) {
			next = append(next, h)
		}
	}
	v.noPattern += noPatternPerFix
	t.spare, v.hypotheses = v.hypotheses, next
	v.normalise()
	v.weighPlace()
	v.remember(now)
}

func (t *Tracker) isCandidate(p *network.Pattern) bool {
	for i := range t.candidates {
		if t.candidates[i].Pattern == p {
			return true
		}
	}
	return false
}

// extend returns the hypothesis of a candidate: it continues the best of the previous hypotheses, or enters the
// pattern anew.
func (t *Tracker) extend(v *vehicle, c *network.Candidate, tops *tops, moved float64, now time.Time,
	usual string,
) hypothesis {
	h := hypothesis{pattern: c.Pattern, along: c.Along, score: t.entryScore(v, c, tops, now, usual), fixes: 1}
	for i := range v.hypotheses {
		before := &v.hypotheses[i]
		if before.pattern != c.Pattern || c.Along < before.along-2*noise {
			continue
		}
		if s := before.score + transitionScore(c.Along-before.along, moved); s > h.score {
			h.score, h.fixes = s, before.fixes+1
			h.along = max(c.Along, before.along)
		}
	}
	h.score += emissionScore(&c.Match, v.heading)
	return h
}

// entryScore returns the log likelihood of entering a pattern here and now.
func (t *Tracker) entryScore(v *vehicle, c *network.Candidate, tops *tops, now time.Time, usual string) float64 {
	s := 0.0
	if len(v.hypotheses) > 0 {
		s = tops.change(c)
	}
	s += v.serves.score(c.Pattern.Route.ID)
	if usual != "" && (usual == c.Pattern.Route.ShortName || usual == c.Pattern.Route.ID) {
		s += usualRoute
	}
	if last := v.previousInstance(); last != nil && last.Next != nil && last.Next.Pattern == c.Pattern {
		s += nextOfBlock
	}
	inst, cost := t.bestInstance(v, c.Pattern, c.Along, now)
	if inst == nil {
		return s + notScheduled
	}
	return s - min(cost, -notScheduled)
}

// previousInstance returns the instance that the bus has finished, or nil.
func (v *vehicle) previousInstance() *network.TripInstance {
	if v.ended && v.instance != nil {
		return v.instance
	}
	return v.previous
}

// A line that nothing draws is uncertain by this share of its looseness, and by maxLooseNoise m at most.
// Shares from 0.06
// to 0.25 make a difference of at most 0.4 points in Austin.
const (
	looseNoise    = 0.12
	maxLooseNoise = 100.0
)

// emissionScore returns the log likelihood of observing a position that far from the line, with that heading. Where
// nothing draws the line, the street may lie beside it and run in another direction.
func emissionScore(m *network.Match, h network.Heading) float64 {
	sigma, against := noise, m.HeadingMismatch(h)
	if m.Loose > 0 {
		sigma += min(looseNoise*m.Loose, maxLooseNoise)
	}
	off, sharp := m.Metres/sigma, noise/sigma
	s := -off*off/2 - mismatchWeight*sharp*against*against
	if sharp < 1 {
		s += math.Log(sharp) / 2
	}
	return max(temper*s, worstEmission-temper*mismatchWeight*against)
}

// transitionScore returns the log likelihood of advancing along the line while moving a given distance as the
// crow flies.
func transitionScore(advanced, moved float64) float64 {
	off := (advanced - moved) / (1.5*noise + 0.3*moved)
	return max(-temper*off*off/2, worstTransition)
}

// weighPlace adds the evidence of standing here to all hypotheses.
func (v *vehicle) weighPlace() {
	if v.stands {
		weighStand(v.hypotheses)
		v.normalise()
	}
}

// normalise shifts the scores so that the best is 0, and drops unlikely hypotheses.
func (v *vehicle) normalise() {
	best := v.noPattern
	for _, h := range v.hypotheses {
		best = max(best, h.score)
	}
	kept := v.hypotheses[:0]
	for _, h := range v.hypotheses {
		if h.score -= best; h.score > minScore {
			kept = append(kept, h)
		}
	}
	v.hypotheses = kept
	v.noPattern = max(v.noPattern-best, minScore)
}

func (v *vehicle) best() *hypothesis {
	var best *hypothesis
	for i := range v.hypotheses {
		if h := &v.hypotheses[i]; best == nil || h.score > best.score {
			best = h
		}
	}
	return best
}

// decide adopts the most likely hypothesis if its lead is large enough.
func (t *Tracker) decide(v *vehicle, plane *network.LocalPlane, now time.Time) {
	best := v.best()
	if best == nil || best.score < v.noPattern+minLeadOverNone {
		if v.pattern != nil && v.offRoute > 2*offRouteAfter {
			v.unassign(t)
		}
		v.confidence = 0
		return
	}
	if v.pattern != nil && (!v.started || v.instance == nil && v.offRoute == 0) { // the instance becomes clearer with time
		t.adopt(v, plane, best, now)
		v.confidence = v.confidenceIn(v.pattern)
		return
	}
	if v.pattern == best.pattern && v.started && !v.ended && v.offRoute >= checkSignOnAfter &&
		best.fixes >= minContraryFixes {
		v.rejoin(best, now)
	}
	if v.pattern == best.pattern && !v.ended {
		v.confidence = v.confidenceIn(best.pattern)
		t.reconsider(v, now)
		return
	}
	if v.pattern != nil && !v.ended && v.scoreOf(v.pattern) > best.score-minLeadOverCurrent {
		v.confidence = v.confidenceIn(v.pattern)
		t.reconsider(v, now)
		return
	}
	if v.hasNotLeft(best) {
		return
	}
	t.adopt(v, plane, best, now)
	v.confidence = v.confidenceIn(v.pattern)
}

// hasNotLeft reports whether a hypothesis is the end of the trip that the bus has ended, and not the beginning of
// another one on the same pattern.
func (v *vehicle) hasNotLeft(h *hypothesis) bool {
	return v.ended && h.pattern == v.pattern && h.along > v.pattern.Along[0]+entryArea
}

func (v *vehicle) scoreOf(p *network.Pattern) float64 {
	if h := v.hypothesisOf(p); h != nil {
		return h.score
	}
	return math.Inf(-1)
}

// hypothesisOf returns the best hypothesis of a pattern, or nil.
func (v *vehicle) hypothesisOf(p *network.Pattern) *hypothesis {
	var best *hypothesis
	for i := range v.hypotheses {
		if h := &v.hypotheses[i]; h.pattern == p && (best == nil || h.score > best.score) {
			best = h
		}
	}
	return best
}

// confidenceIn returns the probability that the route and the direction of a pattern are right.
func (v *vehicle) confidenceIn(p *network.Pattern) float64 {
	all, same := math.Exp(confidenceTemper*v.noPattern), 0.0
	for i := range v.hypotheses {
		h := &v.hypotheses[i]
		w := math.Exp(confidenceTemper * h.score)
		all += w
		if h.pattern.Route == p.Route && h.pattern.Direction == p.Direction {
			same += w
		}
	}
	return same / all
}

// adopt assigns the best pattern to the bus; among about equally likely patterns it takes the one with the best
// instance.
func (t *Tracker) adopt(v *vehicle, plane *network.LocalPlane, best *hypothesis, now time.Time) {
	h := *best
	inst, least := t.bestInstance(v, h.pattern, h.along, now)
	if inst == nil {
		least = -notScheduled
	}
	for i := range v.hypotheses {
		o := &v.hypotheses[i]
		if o.pattern == h.pattern || o.score < best.score+notScheduled || v.hasNotLeft(o) {
			continue
		}
		if other, cost := t.bestInstance(v, o.pattern, o.along, now); other != nil && cost+best.score-o.score < least {
			h, inst, least = *o, other, cost+best.score-o.score
		}
	}
	if h.pattern == v.pattern && !v.ended { // same pattern; only the instance may change
		v.claim(t, inst)
		return
	}
	if v.instance != nil {
		v.previous = v.instance
	}
	v.claim(t, inst)
	p := h.pattern
	v.pattern, v.along, v.offRoute, v.matched, v.atStop, v.ended = p, h.along, 0, now, -1, false
	v.nextStop = p.NextStop(v.along)
	v.started = !v.isWaiting(v.along, now) // by the next stop of this trip
	if !v.started {
		v.along, v.nextStop, v.atStop = p.Along[0], 1, 0
	}
}
