package track

import (
	"math"
	"time"

	"nhip/geo/network"

	"github.com/paulmach/orb/geo"
)

// hypothesis is one way on which a bus may be, with the logarithm of its likelihood relative to the
// best of all. Together they are a hidden Markov model: what is observed are fixes, what is hidden is
// (pattern, metres along it); cf. Newson and Krumm, "Hidden Markov map matching through noise and
// sparseness", 2009.
type hypothesis struct {
	pattern *network.Pattern
	along   float64
	score   float64
	seen    int // fixes that it has explained
}

// Log likelihoods of the model. They follow from the noise and from how rarely things happen; none is
// fitted to a line.
const (
	worstEmission   = -8.0  // of a fix: beyond it an outlier is an outlier
	againstWeight   = 3.0   // of driving across the line; four times of driving against it
	worstTransition = -6.0  // of a movement that does not fit the line
	switchMidway    = -8.0  // a bus rarely changes to another way between terminals
	switchTerminal  = -2.0  // and often at one
	astrayEach      = -5.0  // of a fix of a bus on no known way
	tooUnlikely     = -18.0 // below which a hypothesis is dropped
	decides         = 1.5   // by which the best must beat being astray
	keeps           = 3.0   // by which another must beat the one that is held
	notScheduled    = -5.0  // of a pattern without a run now
	usualLine       = 2.0   // of the line that the vehicle usually runs
	blockNext       = 3.0   // of the block's next trip
	sameRoute       = 1.5   // of staying with a route
)

// infer follows a bus that does not say what it runs.
func (t *Tracker) infer(v *vehicle, f *network.Place, now time.Time, usual string) []Passing {
	t.weigh(v, f, now, usual)
	var passed []Passing
	if v.pattern != nil && !v.ended {
		passed = t.advance(v, f, now)
	}
	t.decide(v, f, now)
	return passed
}

// doubt looks for a better way for a bus that is away from the one it names.
func (t *Tracker) doubt(v *vehicle, f *network.Place, now time.Time, usual string) {
	t.weigh(v, f, now, usual)
	best := v.best()
	if best == nil || best.seen < disproves || best.pattern == v.pattern {
		return
	}
	for _, h := range v.hypotheses {
		if h.pattern == v.pattern && h.score > best.score-2*keeps {
			return
		}
	}
	v.wrong, v.inferred = v.said, true
	t.decide(v, f, now)
}

// disproves is how many fixes must fit another way before a sign-on is not believed.
const disproves = 4

// weigh updates the hypotheses with a fix that moved.
func (t *Tracker) weigh(v *vehicle, f *network.Place, now time.Time, usual string) {
	moved := geo.DistanceHaversine(v.inferredAt, f.Point)
	if len(v.hypotheses) > 0 && moved < standing {
		return
	}
	v.inferredAt = f.Point
	t.near = t.net.Near(t.near[:0], f, v.heading)
	next := t.next[:0]
	for i := range t.near {
		next = append(next, t.explain(v, &t.near[i], moved, now, usual))
	}
	for _, h := range v.hypotheses { // one that is off its line for a moment is not forgotten
		if h.score += worstEmission; h.score > tooUnlikely && !t.isNear(h.pattern) {
			next = append(next, h)
		}
	}
	v.astray += astrayEach
	t.next, v.hypotheses = v.hypotheses, next
	v.normalise()
}

func (t *Tracker) isNear(p *network.Pattern) bool {
	for i := range t.near {
		if t.near[i].Pattern == p {
			return true
		}
	}
	return false
}

// explain returns how well a candidate explains the fix, coming from the best of the hypotheses before
// it or entered anew.
func (t *Tracker) explain(v *vehicle, c *network.Candidate, moved float64, now time.Time, usual string) hypothesis {
	h := hypothesis{pattern: c.Pattern, along: c.Along, score: t.entry(v, c, now, usual), seen: 1}
	for i := range v.hypotheses {
		before := &v.hypotheses[i]
		if before.pattern != c.Pattern || c.Along < before.along-2*noise {
			continue
		}
		if s := before.score + transition(c.Along-before.along, moved); s > h.score {
			h.score, h.seen = s, before.seen+1
			h.along = max(c.Along, before.along)
		}
	}
	h.score += emission(&c.Match, v.heading)
	return h
}

// entry is the likelihood of coming onto a pattern here and now.
func (t *Tracker) entry(v *vehicle, c *network.Candidate, now time.Time, usual string) float64 {
	s := 0.0
	if len(v.hypotheses) > 0 {
		s = switchMidway
		if v.ended || c.Along <= c.Pattern.Along[0]+4*terminal {
			s = switchTerminal
		}
	}
	if usual != "" && (usual == c.Pattern.Route.ShortName || usual == c.Pattern.Route.ID) {
		s += usualLine
	}
	if last := v.lastRun(); last != nil {
		switch {
		case last.Next != nil && last.Next.Pattern == c.Pattern:
			s += blockNext
		case last.Trip.Route == c.Pattern.Route:
			s += sameRoute
		}
	}
	run, cost := t.bestRun(v, c.Pattern, c.Along, now)
	if run == nil {
		return s + notScheduled
	}
	return s - min(cost, -notScheduled)
}

// lastRun returns the run that is over, or nil.
func (v *vehicle) lastRun() *network.Run {
	if v.ended && v.run != nil {
		return v.run
	}
	return v.last
}

func emission(m *network.Match, h network.Heading) float64 {
	off := m.Metres / noise
	against := m.Against(h)
	return max(-off*off/2-againstWeight*against*against, worstEmission-againstWeight*against)
}

// transition is the likelihood of advancing along a line while moving so far through the air.
func transition(advanced, moved float64) float64 {
	off := (advanced - moved) / (1.5*noise + 0.3*moved)
	return max(-off*off/2, worstTransition)
}

// normalise makes the best score 0 and drops what is too unlikely.
func (v *vehicle) normalise() {
	best := v.astray
	for _, h := range v.hypotheses {
		best = max(best, h.score)
	}
	kept := v.hypotheses[:0]
	for _, h := range v.hypotheses {
		if h.score -= best; h.score > tooUnlikely {
			kept = append(kept, h)
		}
	}
	v.hypotheses = kept
	v.astray = max(v.astray-best, tooUnlikely)
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

// decide lets the bus run what is most likely, when that is clear enough.
func (t *Tracker) decide(v *vehicle, f *network.Place, now time.Time) {
	best := v.best()
	if best == nil || best.score < v.astray+decides {
		if v.pattern != nil && v.off > 2*detourAfter {
			v.lose(t)
		}
		v.confidence = 0
		return
	}
	if v.pattern != nil && (!v.started || v.run == nil && v.off == 0) { // what it waits for becomes clearer with time
		t.take(v, f, best, now)
		v.confidence = v.sure(v.pattern)
		return
	}
	if v.pattern == best.pattern && !v.ended {
		v.confidence = v.sure(best.pattern)
		t.reconsider(v, now)
		return
	}
	if v.pattern != nil && !v.ended && v.scoreOf(v.pattern) > best.score-keeps {
		v.confidence = v.sure(v.pattern)
		t.reconsider(v, now)
		return
	}
	if v.ended && best.pattern == v.pattern && best.along > v.pattern.Along[0]+4*terminal {
		return // it is where it was
	}
	t.take(v, f, best, now)
	v.confidence = v.sure(v.pattern)
}

func (v *vehicle) scoreOf(p *network.Pattern) float64 {
	s := math.Inf(-1)
	for i := range v.hypotheses {
		if v.hypotheses[i].pattern == p {
			s = max(s, v.hypotheses[i].score)
		}
	}
	return s
}

// sure is how likely route and direction of a pattern are.
func (v *vehicle) sure(p *network.Pattern) float64 {
	all, same := math.Exp(v.astray), 0.0
	for i := range v.hypotheses {
		h := &v.hypotheses[i]
		w := math.Exp(h.score)
		all += w
		if h.pattern.Route == p.Route && h.pattern.Direction == p.Direction {
			same += w
		}
	}
	return same / all
}

// take gives the bus the best pattern, and of those as likely the one with the best run.
func (t *Tracker) take(v *vehicle, f *network.Place, best *hypothesis, now time.Time) {
	h := *best
	run, least := t.bestRun(v, h.pattern, h.along, now)
	if run == nil {
		least = -notScheduled
	}
	for i := range v.hypotheses {
		o := &v.hypotheses[i]
		if o.pattern == h.pattern || o.score < best.score+notScheduled {
			continue
		}
		if r, cost := t.bestRun(v, o.pattern, o.along, now); r != nil && cost+best.score-o.score < least {
			h, run, least = *o, r, cost+best.score-o.score
		}
	}
	if h.pattern == v.pattern && !v.ended { // it is where it was, and only its run may be another
		v.hold(t, run)
		return
	}
	if v.run != nil {
		v.last = v.run
	}
	v.hold(t, run)
	p := h.pattern
	v.pattern, v.along, v.off, v.matched, v.at, v.ended = p, h.along, 0, now, -1, false
	v.started = !v.waits(v.along, now)
	v.passed = p.NextStop(v.along)
	if !v.started {
		v.along, v.passed, v.at = p.Along[0], 1, 0
	}
}
