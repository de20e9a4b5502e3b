package surface

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// frozen is what a stack needs for estimates of its histograms and sums.
type frozen struct {
	bounds [levels - 1]float64
	knots  [levels][]knot
	biases map[string]float64

	lasting map[string]float64
}

// Frozen returns a copy for estimates, which learns no more and takes little memory. It is safe for concurrent use.
func (s *Stack) Frozen() *Stack {
	out := &Stack{
		Start: s.Start, Last: s.Last, Count: s.Count, Hours: s.Hours, Level: s.Level, Ratios: s.Ratios, Weights: s.Weights,
		LowCost: s.LowCost, Drift: s.Drift, Squares: s.Squares,
	}
	f := &frozen{bounds: s.Spread.tertiles(), biases: make(map[string]float64, len(s.Biases))}
	var merged [skips]mergedErrors
	s.Spread.merge(&merged)
	for level := range f.knots {
		f.knots[level] = s.Spread.levelKnots(level, s.grown(errorHalfLife), &merged)
	}
	prior := s.biasPrior()
	for id, b := range s.Biases {
		f.biases[id] = b.Difference / (b.Mean + prior)
	}
	f.lasting = s.Own.biases(s.grown(lastingHalfLife), s.lastingPrior())
	out.frozen = f
	return out
}

// Clone returns a copy of a learner that learns on its own.
func (l *Learner) Clone() *Learner {
	out := new(Learner)
	for _, s := range l.Stacks {
		c := *s
		c.Biases = make(map[string]*siteBias, len(s.Biases))
		for id, b := range s.Biases {
			copied := *b
			c.Biases[id] = &copied
		}
		c.Own = s.Own.clone()
		c.Spread = s.Spread.clone()
		out.Stacks = append(out.Stacks, &c)
	}
	out.banks.all = slices.Clone(l.banks.all)
	return out
}

func (s *spread) clone() spread {
	out := *s
	out.Means = slices.Clone(s.Means)
	for k := range out.Kinds {
		for l := range out.Kinds[k].Levels {
			h := &out.Kinds[k].Levels[l]
			h.Bins = slices.Clone(h.Bins)
		}
	}
	return out
}

// BiasOf returns the lasting bias of a station relative to the city's mean; known is false if nothing was learned.
func (s *Stack) BiasOf(station string) (bias float64, known bool) {
	if s.frozen != nil {
		return s.biasOf(station, 0)
	}
	return s.biasOf(station, s.biasPrior())
}

// biasOf is BiasOf with the weight of having no bias, which a frozen stack does not need.
func (s *Stack) biasOf(station string, prior float64) (bias float64, known bool) {
	if s.frozen != nil {
		bias, known = s.frozen.biases[station]
		return bias, known
	}
	b := s.Biases[station]
	if b == nil {
		return 0, false
	}
	return b.Difference / (b.Mean + prior), true
}

// LastingBias returns how far the values of a site usually are above the estimate from all others, as a part of the
// estimate, between −maxLasting and maxLasting. ok is false if the site does not usually report, or has not reported
// for long enough.
func (s *Stack) LastingBias(id string) (bias float64, ok bool) {
	switch {
	case s == nil:
		return 0, false
	case s.frozen != nil:
		bias, ok = s.frozen.lasting[id]
		return bias, ok
	}
	return s.Own.bias(id, s.grown(lastingHalfLife), s.lastingPrior())
}

// lastingPrior is the weight of having no lasting bias: a day at the typical level.
func (s *Stack) lastingPrior() float64 { return 24 * s.level(nil) * s.grown(lastingHalfLife) }

// Validate returns an error if a learner that was read from a file, and has learned the hours up to at, can't be used.
func (l *Learner) Validate(at time.Time) error {
	if len(l.Stacks) == 0 || len(l.Stacks) > 2 {
		return fmt.Errorf("%d stacks, want one or two", len(l.Stacks))
	}
	for i, s := range l.Stacks {
		if s == nil {
			return errors.New("empty stack")
		}
		if s.Start.After(at) || s.Last.After(at) || i > 0 && !s.Start.Equal(l.Stacks[i-1].Start.Add(period)) {
			return fmt.Errorf("stack from %s to %s of what was learned up to %s", s.Start, s.Last, at)
		}
		if !s.Start.Equal(s.Start.Truncate(period)) || s.Count > 0 && !s.Last.After(s.Start) {
			return fmt.Errorf("stack from %s to %s", s.Start, s.Last)
		}
		for id, b := range s.Biases {
			if b == nil {
				return fmt.Errorf("no bias of %q", id)
			}
		}
		for id, b := range s.Own.Sites {
			if b == nil {
				return fmt.Errorf("no lasting bias of %q", id)
			}
		}
		if err := s.Spread.validate(); err != nil {
			return err
		}
	}
	return nil
}

// validate returns an error if a histogram has a wrong size.
func (s *spread) validate() error {
	if n := len(s.Means); n != 0 && n != meanBins {
		return fmt.Errorf("histogram of means of %d bins", n)
	}
	for k := range s.Kinds {
		for l := range s.Kinds[k].Levels {
			if n := len(s.Kinds[k].Levels[l].Bins); n != 0 && n != zBins {
				return fmt.Errorf("histogram of errors of %d bins", n)
			}
		}
	}
	return nil
}
