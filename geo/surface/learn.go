package surface

import (
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"
)

// Window is how long a round is learned from.
const Window = 42 * 24 * time.Hour

const (
	// leastSites is how many sites make a round that is learned from.
	leastSites = 5
	// leastRounds is how many rounds make a model.
	leastRounds = 12
	// mostPairs is how many pairs a variogram is made of: rounds are passed over evenly where there are more.
	mostPairs = 400_000
	// mostChecks is how many rounds the forms are held against.
	mostChecks = 240
)

// Round is what a network said at one moment: a value for each site.
type Round struct {
	Time   time.Time
	Sites  []Site
	Values []float64
}

// Learner gathers rounds. The zero Learner is ready.
type Learner struct {
	rounds []Round // in the order of their times
}

// Add takes in a round, which must be later than those before. Rounds of few sites, or in which all say the same,
// teach nothing.
func (l *Learner) Add(r Round) {
	first := 0
	for first < len(l.rounds) && !l.rounds[first].Time.After(r.Time.Add(-Window)) {
		first++
	}
	l.rounds = l.rounds[first:]
	if len(r.Sites) < leastSites || spread(r.Values) == 0 {
		return
	}
	if n := len(l.rounds); n > 0 && slices.Equal(l.rounds[n-1].Sites, r.Sites) {
		r.Sites = l.rounds[n-1].Sites // a network is kept once, not with each of its hours
	}
	l.rounds = append(l.rounds, r)
}

// spread is the variance of values.
func spread(values []float64) float64 {
	m := meanOf(values)
	sum := 0.0
	for _, v := range values {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(values)-1)
}

func meanOf(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// Learn makes a model of what was gathered; false where that is too little.
func (l *Learner) Learn() (*Model, bool) {
	if len(l.rounds) < leastRounds {
		return nil, false
	}
	pairs := l.pairs()
	bins := binned(pairs)
	extra := extraOfLowCost(pairs)
	var best *Model
	for _, kind := range Kinds() {
		v, ok := fit(kind, bins)
		if !ok {
			continue
		}
		v.LowCost = extra
		v.Nugget = max(0, v.Nugget-extra*lowShare(pairs))
		m := &Model{Variogram: v, From: l.rounds[0].Time, To: l.rounds[len(l.rounds)-1].Time, Rounds: len(l.rounds)}
		if m.check(l.sample(mostChecks)) && (best == nil || m.RMSE < best.RMSE) {
			best = m
		}
	}
	if best == nil {
		return nil, false
	}
	best.Drift = l.drift(&best.Level)
	return best, true
}

// drift returns how unlike a monitor is to itself an hour before.
func (l *Learner) drift(level *Level) float64 {
	sum, count := 0.0, 0
	for k := 1; k < len(l.rounds); k++ {
		last, r := &l.rounds[k-1], &l.rounds[k]
		if r.Time.Sub(last.Time) != time.Hour {
			continue
		}
		before := make(map[orb.Point]float64, len(last.Sites))
		for i, s := range last.Sites {
			before[s.Point] = last.Values[i]
		}
		scale2 := level.Scale2(meanOf(r.Values), 0, 0)
		for i, s := range r.Sites {
			if was, known := before[s.Point]; known {
				sum += (r.Values[i] - was) * (r.Values[i] - was) / 2 / scale2
				count++
			}
		}
	}
	if count == 0 {
		return unknownDrift
	}
	return sum / float64(count)
}

// unknownDrift is taken for a drift where no two hours follow each other.
const unknownDrift = 0.25

// lowShare is which part of the monitors in pairs is low-cost.
func lowShare(pairs []pair) float64 {
	low := 0
	for _, p := range pairs {
		low += p.low
	}
	return float64(low) / float64(2*len(pairs))
}

// pairs returns the differences of all rounds, each in its own deviations: foul hours would drown the others.
func (l *Learner) pairs() []pair {
	total := 0
	for i := range l.rounds {
		total += len(l.rounds[i].Sites) * (len(l.rounds[i].Sites) - 1) / 2
	}
	var out []pair
	for _, r := range l.sample(len(l.rounds) * mostPairs / max(total, mostPairs)) {
		plane, deviation := planeOf(r.Sites), math.Sqrt(spread(r.Values))
		for i := range r.Sites {
			xi, yi := plane.XY(r.Sites[i].Point)
			for j := range i {
				xj, yj := plane.XY(r.Sites[j].Point)
				out = append(out, pair{
					distance: math.Round(math.Hypot(xi-xj, yi-yj)),
					root:     math.Sqrt(math.Abs(r.Values[i]-r.Values[j]) / deviation),
					low:      int(r.Sites[i].Class + r.Sites[j].Class),
				})
			}
		}
	}
	return out
}

// sample returns up to n rounds, evenly.
func (l *Learner) sample(n int) []*Round {
	n = max(1, min(n, len(l.rounds)))
	out := make([]*Round, n)
	for i := range out {
		out[i] = &l.rounds[i*len(l.rounds)/n]
	}
	return out
}
