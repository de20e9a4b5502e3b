package predict

import (
	"math"
	"slices"
)

// busState separates buses whose errors differ.
type busState uint8

// The states.
const (
	stateMoving busState = iota
	stateStanding
	stateTerminal // at its first stop
	busStates
)

// edges separate the leads within which errors are alike, in s.
var edges = [...]float64{30, 60, 120, 180, 240, 360, 480, 600, 750, 900, 1200, 1500, 1800, 2700}

// ranges holds recent prediction errors by state and lead. An error is the ratio of actual to predicted time, so that
// the errors of one bin are comparable.
type ranges struct {
	rings  [busStates][len(edges) + 1]ring
	before [busStates]levels // of the buses that come before the range
	after  [busStates]levels // of those that come after it
}

// Sizes of the rings.
const (
	ringSize   = 1024
	ringTime   = 2 * 3600.0          // s that a full ring spans at least: errors of the same minutes are alike
	ringEvery  = ringTime / ringSize // s between two errors of a ring
	enoughKept = 40                  // errors of a state with which it needs no others
)

// ring holds the latest errors of one state and lead.
type ring struct {
	values   []float32
	next     int
	fresh    int       // added since sorted
	sorted   []float32 // a sorted copy
	accepted float64   // when the latest one was added, Unix s
}

// prior stands in for errors not yet observed.
var prior = [...]float32{0.75, 0.8, 0.85, 0.9, 0.93, 0.96, 1, 1.04, 1.08, 1.12, 1.18, 1.25, 1.4}

func newRanges() ranges {
	var r ranges
	for i := range r.rings[stateMoving] {
		r.rings[stateMoving][i].values = slices.Clone(prior[:])
		r.rings[stateMoving][i].sorted = slices.Clone(prior[:])
	}
	for s := range busStates {
		r.before[s], r.after[s] = newLevels(), newLevels()
	}
	return r
}

func leadBin(lead float64) int {
	for i, e := range edges {
		if lead < e {
			return i
		}
	}
	return len(edges)
}

// offset keeps ratios bounded at short leads, in s.
const offset = 30.0

// add adds the actual time ahead of a prediction, both in s.
func (r *ranges) add(state busState, lead, actual, now float64) {
	b := &r.rings[state][leadBin(lead)]
	if now-b.accepted < ringEvery && now >= b.accepted {
		return
	}
	b.accepted = now
	x := float32((max(actual, 0) + offset) / (max(lead, 0) + offset))
	if len(b.values) < ringSize {
		b.values = append(b.values, x)
	} else {
		b.values[b.next] = x
		b.next = (b.next + 1) % ringSize
	}
	if b.fresh++; b.fresh >= 1+len(b.values)/16 {
		b.fresh = 0
		b.sorted = append(b.sorted[:0], b.values...)
		slices.Sort(b.sorted)
	}
}

// quantile returns a quantile of the errors.
func (b *ring) quantile(q float64) float64 {
	x := q * float64(len(b.sorted)-1)
	i := int(math.Floor(x))
	if i+1 >= len(b.sorted) {
		return float64(b.sorted[len(b.sorted)-1])
	}
	low, high := float64(b.sorted[i]), float64(b.sorted[i+1])
	return low + (x-float64(i))*(high-low)
}

// around returns the range of a predicted time ahead by the errors of its state and lead, in s.
func (r *ranges) around(state busState, lead float64) (lo, hi float64) {
	i := leadBin(lead)
	b := &r.rings[state][i]
	if len(b.sorted) < enoughKept {
		b = &r.rings[stateMoving][i]
	}
	of := func(q float64) float64 { return max(b.quantile(q)*(lead+offset)-offset, 0) }
	return of(r.before[state].at(lead)), of(1 - r.after[state].at(lead))
}

// settle corrects the levels by whether a bus came before or after the range of a prediction; real is the time that was
// really ahead, in s.
func (r *ranges) settle(state busState, real float64, before, after bool) {
	r.before[state].settle(real, before)
	r.after[state].settle(real, after)
}

// rangeShare is the share of buses that come before the range, and after it.
const rangeShare = 0.1

// levels are the quantiles at which a range ends, by lead. Feedback keeps the share of buses beyond the end at
// rangeShare for each real lead (adaptive conformal inference, Gibbs and Candès 2021): buses that really come soon come
// before the time predicted more often than others, and quantiles by predicted lead can't know that.
type levels struct {
	values [len(levelLeads)]float64
	counts [len(levelLeads)]float64
}

// levelLeads are the leads of the levels in s, the centres of the ETA Accuracy Benchmark's bins; levelEdges end them.
// Between them levels are interpolated.
var (
	levelLeads = [...]float64{90, 270, 480, 750}
	levelEdges = [len(levelLeads)]float64{180, 360, 600, 900}
)

// Bounds and speed of the feedback.
const (
	minLevel, maxLevel = 0.004, 0.45
	levelStart         = 1000.0 // the first steps are 1/levelStart
	levelPower         = 0.8    // of the count of errors, by which steps become smaller
	maxLevelCount      = 1e5    // errors from which on steps stay alike
	levelTie           = 0.2    // pull of each neighbouring level, in shares of its difference
)

func newLevels() (l levels) {
	for i := range l.values {
		l.values[i] = rangeShare
	}
	return l
}

func (l *levels) at(lead float64) float64 {
	if lead <= levelLeads[0] {
		return l.values[0]
	}
	for i := 1; i < len(levelLeads); i++ {
		if lead < levelLeads[i] {
			part := (lead - levelLeads[i-1]) / (levelLeads[i] - levelLeads[i-1])
			return l.values[i-1] + part*(l.values[i]-l.values[i-1])
		}
	}
	return l.values[len(l.values)-1]
}

// settle corrects the level of a real lead in s by whether a bus was beyond the end.
func (l *levels) settle(real float64, beyond bool) {
	i := 0
	for i < len(levelEdges) && real > levelEdges[i] {
		i++
	}
	if i == len(levelEdges) {
		return
	}
	step := rangeShare
	if beyond {
		step--
	}
	if i > 0 {
		step += levelTie * (l.values[i-1] - l.values[i])
	}
	if i+1 < len(l.values) {
		step += levelTie * (l.values[i+1] - l.values[i])
	}
	l.counts[i] = min(l.counts[i]+1, maxLevelCount)
	l.values[i] = min(max(l.values[i]+step/(levelStart+math.Pow(l.counts[i], levelPower)), minLevel), maxLevel)
}
