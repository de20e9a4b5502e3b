package fault

import (
	"cmp"
	"slices"
)

// levelHours is the duration from which a burst is a level.
const levelHours = 6

// faults joins the segments of each member that overlap, and names each span by its strongest segment.
func (fd *finder) faults() []Fault {
	slices.SortStableFunc(fd.segments, func(a, b segment) int {
		return cmp.Or(cmp.Compare(a.field.members[a.member], b.field.members[b.member]),
			cmp.Compare(a.field.quantity, b.field.quantity), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	var out []Fault
	for k := 0; k < len(fd.segments); {
		s := fd.segments[k]
		to, end := s.to, k+1
		for end < len(fd.segments) {
			next := &fd.segments[end]
			if next.field != s.field || next.member != s.member || next.from >= to {
				break
			}
			to, end = max(to, next.to), end+1
		}
		out = append(out, spansOf(fd.segments[k:end])...)
		k = end
	}
	slices.SortStableFunc(out, compareFaults)
	return out
}

// spansOf returns the faults of overlapping segments of one member: one, with its failed part apart.
func spansOf(all []segment) []Fault {
	from, to := all[0].from, all[0].to
	for _, s := range all {
		to = max(to, s.to)
	}
	failed := make([]bool, to-from)
	strength := 0.0
	for _, s := range all {
		strength = max(strength, s.strength())
		for t := s.from; t < s.to; t++ {
			failed[t-from] = failed[t-from] || s.failsAt(t)
		}
	}
	main := mainSegment(all, to-from)
	base := Fault{
		Monitor: main.field.members[main.member], Quantity: main.field.quantity, Strength: strength, Factor: 1,
	}
	main.name(&base)
	var out []Fault
	for t := 0; t < len(failed); {
		end := t
		for end < len(failed) && failed[end] == failed[t] {
			end++
		}
		f := base
		f.From, f.To, f.Fail = from+t, from+end, failed[t]
		out = append(out, f)
		t = end
	}
	return out
}

// specific are the causes that explain more than that values are too high or too low: where one of them covers half of
// a span, it is the name. The first counts most.
var specific = []Cause{Stuck, Swap, Clock, Equal}

// mainSegment returns the segment that names a span of so many hours.
func mainSegment(all []segment, hours int) *segment {
	for _, cause := range specific {
		for k := range all {
			if s := &all[k]; s.cause == cause && 2*(s.to-s.from) >= hours {
				return s
			}
		}
	}
	best := &all[0]
	for k := range all {
		if s := &all[k]; s.weight() > best.weight() {
			best = s
		}
	}
	return best
}

// weight compares segments of different causes: evidence of lasting differences counts more than that of bursts, whose
// hours are taken for independent.
func (s *segment) weight() float64 {
	w := s.strength()
	if s.cause == Burst {
		w *= levelThreshold * minWorth
	}
	return w
}

// name sets the cause and the proposed correction.
func (s *segment) name(to *Fault) {
	to.Cause = s.cause
	switch s.cause {
	case Clock:
		to.Shift = -s.shift
	case Stuck:
		if s.field.v[s.member][s.from] == 0 {
			to.Cause = Zero
		}
	case Level, Contradic:
		s.nameLevel(to)
	case Burst:
		if s.to-s.from >= levelHours {
			s.nameLevel(to)
		}
	}
}

// transformed returns a value as the field's x.
func (f *field) transformed(v float64) float64 {
	if f.linear {
		return v
	}
	return logOf(v, f.offset)
}
