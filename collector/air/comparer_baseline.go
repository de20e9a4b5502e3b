package air

import (
	"context"
	"maps"

	"nhip"
	"nhip/geo/fault"
)

// acceptedBias is how a monitor differed from the others in the last fault.WindowHours of a span that staff accepted.
type acceptedBias struct {
	span
	bias map[nhip.Quantity]float64 // in ln
}

// acceptedOf holds the accepted biases of a monitor, in ln.
type acceptedOf = map[nhip.Quantity]float64

// forgetAccepted forgets what was computed from hours that have changed.
func (c *comparer) forgetAccepted(changed spans) {
	maps.DeleteFunc(c.accepted, func(_ string, a *acceptedBias) bool { return len(changed.within(a.From, a.To)) > 0 })
}

// acceptedBiases returns the biases that staff accepted before the end of a job's window: of each quantity, by the last
// decision.
func (c *comparer) acceptedBiases(ctx context.Context, j *comparisonJob) (map[comparedStation]acceptedOf, error) {
	reviews := make(map[comparedStation][]nhip.Review)
	c.p.mu.Lock()
	for _, s := range j.all {
		for i := range s.reviews {
			if r := &s.reviews[i]; r.Action == nhip.ActionBaseline && hourOf(r.To.UnixMilli()) < j.end &&
				!nhip.Undone(s.reviews, i) {
				at := comparedStation{s, hourOf(r.To.UnixMilli()) < s.moved}
				reviews[at] = append(reviews[at], *r)
			}
		}
	}
	c.p.mu.Unlock()
	out := make(map[comparedStation]acceptedOf)
	for s, all := range reviews {
		out[s] = make(acceptedOf)
		for i := range all {
			r := &all[i]
			a := c.accepted[r.ID]
			if a == nil {
				var err error
				if a, err = c.computeAccepted(ctx, j, s.station, r); err != nil {
					return nil, err
				}
				c.accepted[r.ID] = a
			}
			for q, bias := range a.bias {
				if r.Quantity == "" || r.Quantity == q {
					out[s][q] = bias
				}
			}
		}
	}
	return out, nil
}

// computeAccepted computes how a monitor differed from the others in a reviewed span.
func (c *comparer) computeAccepted(ctx context.Context, j *comparisonJob, s *station, r *nhip.Review) (*acceptedBias,
	error,
) {
	hours := span{hourOf(r.From.UnixMilli() + 1), hourOf(r.To.UnixMilli()) + 1}
	hours.From = max(hours.From, hours.To-fault.WindowHours)
	job := comparisonJob{first: hours.From, end: hours.To, all: j.all}
	if err := c.read(ctx, &job); err != nil {
		return nil, err
	}
	w, members := c.window(&job)
	found := fault.Find(w)
	a := &acceptedBias{span: hours}
	for i, m := range members.all {
		if m.station == s && len(found.Bias[i]) > 0 {
			a.bias = found.Bias[i]
		}
	}
	return a, nil
}
