package surface

import (
	"math"
	"time"
)

// Memory is the longest time for which an hour counts. What a Learner has learned is a pure function of the hours
// of this time: stacks start at fixed times, every period, and the oldest one within Memory is in use.
const Memory = 2 * period

// period is the time between the starts of stacks.
const period = 30 * 24 * time.Hour

// Learner learns the stack of one quantity from hour to hour. It is not safe for concurrent use. The zero value is
// ready to use.
type Learner struct {
	Stacks []*Stack `json:"stacks"` // the oldest first; at most two
	banks  bankCache
}

// startOf returns the start of the youngest stack that uses an hour.
func startOf(t time.Time) time.Time { return t.Add(-1).UTC().Truncate(period) }

// Learn uses an hour, which must be later than all before. Hours with fewer than three sites are ignored; more than
// MaxSites sites are thinned.
func (l *Learner) Learn(r *Observations) {
	l.start(r.Time)
	r = Thin(usable(r), MaxSites)
	if len(r.Sites) < minOthers+1 {
		return
	}
	var b *bank
	var d *valueDuals
	for _, s := range l.Stacks {
		if of := l.banks.of(r.Sites, s.LowCost.Value); of != b {
			b, d = of, of.valueDuals(r.Values)
		}
		s.learn(b, d, r)
	}
}

// Advance drops what is too old at an hour. Learn does it, too; it is needed for hours without observations, so that
// what is in use depends on the time alone.
func (l *Learner) Advance(t time.Time) {
	if len(l.Stacks) > 0 {
		l.start(t)
	}
}

// usable returns the observations without values that are no numbers.
func usable(r *Observations) *Observations {
	ok := true
	for _, v := range r.Values {
		ok = ok && !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	if ok {
		return r
	}
	out := &Observations{Time: r.Time}
	for i, v := range r.Values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out.Sites, out.Values = append(out.Sites, r.Sites[i]), append(out.Values, v)
		}
	}
	return out
}

// start drops the stacks that are too old for an hour and adds those that begin before it.
func (l *Learner) start(t time.Time) {
	youngest := startOf(t)
	for len(l.Stacks) > 0 && l.Stacks[0].Start.Before(youngest.Add(-period)) {
		l.Stacks = l.Stacks[1:]
	}
	for at := youngest.Add(-period); !at.After(youngest); at = at.Add(period) {
		if n := len(l.Stacks); n == 0 || l.Stacks[n-1].Start.Before(at) {
			l.Stacks = append(l.Stacks, &Stack{Start: at})
		}
	}
}

// Stack returns the stack in use, nil before the first hour. Learn changes it; keep a Clone.
func (l *Learner) Stack() *Stack {
	if len(l.Stacks) == 0 {
		return nil
	}
	return l.Stacks[0]
}

// WindowStart returns the end of the hours that are too old for what is in use after a time: a learner that has
// learned all hours since then equals one that has learned more.
func WindowStart(t time.Time) time.Time { return startOf(t).Add(-period) }

// bankCache caches the banks of recent sets of sites, the most recently used first.
type bankCache struct{ all []cachedBank }

type cachedBank struct {
	key  string
	bank *bank
}

// maxBanks is the number of cached banks of a learner.
const maxBanks = 8

func (c *bankCache) of(sites []Site, lowCost float64) *bank {
	key := siteKey(sites) + siteKey([]Site{{Extra: lowCost}})
	for i, k := range c.all {
		if k.key == key {
			copy(c.all[1:i+1], c.all[:i])
			c.all[0] = k
			return k.bank
		}
	}
	b := newBank(sites, lowCost)
	c.all = append([]cachedBank{{key, b}}, c.all[:min(len(c.all), maxBanks-1)]...)
	return b
}

// LeaveOneOut estimates each site of an hour that was not learned yet from all others without its skip nearest,
// which must be 0, 2 or 4. At least three sites are needed; it returns nil if too few others are left.
func (l *Learner) LeaveOneOut(r *Observations, skip int) []LOOResult {
	l.start(r.Time)
	s := l.Stack()
	b := l.banks.of(r.Sites, s.LowCost.Value)
	for kind, k := range skipped {
		if k == skip && b.skips(kind) {
			return s.results(b, r.Values, kind)
		}
	}
	return nil
}

func (s *Stack) results(b *bank, values []float64, kind int) []LOOResult {
	e, weights := s.leaveOut(b, s.duals(b, b.valueDuals(values), values), values, kind), s.blend()
	out, c := make([]LOOResult, len(values)), s.offset(values)
	for i := range out {
		v := weigh(&weights, &e.by[i])
		k := knotAt(s.knots(math.Log(max(0, e.means[i])+c)), e.logs[i])
		g := guess(v, c, e.scale2[i], e.unit[i])
		out[i] = LOOResult{
			Value: v, Deviation: g * k.deviation, Mean: e.means[i],
			Low: max(0, v+g*k.low), High: max(0, v+g*k.high),
		}
	}
	return out
}
