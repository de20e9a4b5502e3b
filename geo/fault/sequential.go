package fault

// segment is a span of hours in which one cause explains a member's values better than its usual noise.
type segment struct {
	field  *field
	member int
	cause  Cause
	level  float64 // the shift in ln that was found; 0 for causes without
	shift  int     // hours, of a clock
	from   int     // inclusive
	to     int     // exclusive
	total  float64 // evidence: sum of the scores
	h      float64 // threshold
	fail   bool

	sure []bool // of a segment that fails: whether an hour does, by hour from sureFrom on; nil: all do
	// The first hour of sure.
	sureFrom int
}

// failsAt reports whether an hour of the segment fails: a fault may pause, and its edges are known less well.
func (s *segment) failsAt(t int) bool {
	if !s.fail || s.sure == nil {
		return s.fail
	}
	return s.sure[t-s.sureFrom]
}

// strength returns the evidence in multiples of the threshold.
func (s *segment) strength() float64 { return s.total / s.h }

// cap of the cumulated score, in multiples of the threshold: how long the end of a long fault goes unnoticed.
const maxCumulated = 6

// sequential runs Page's test over scores (log likelihood ratios by hour, NaN: no evidence) and yields the segments
// whose cumulated score reaches h. A segment reaches from the last zero to the last peak; it ends at zero or after a
// fall by h. peak is the greatest cumulated score.
func sequential(scores []float64, h float64, yield func(from, to int, peak, total float64)) {
	s, sum, peak, peakSum, from, last := 0.0, 0.0, 0.0, 0.0, 0, 0
	end := func() {
		if peak >= h {
			yield(from, last+1, peak, peakSum)
		}
		s, sum, peak, peakSum = 0, 0, 0, 0
	}
	for t, score := range scores {
		if score != score {
			continue
		}
		if s == 0 {
			if score <= 0 {
				continue
			}
			from = t
		}
		s, sum = min(s+score, maxCumulated*h), sum+score
		switch {
		case s <= 0:
			end()
		case s >= peak:
			peak, last, peakSum = s, t, max(sum, s)
		case peak >= h && s <= peak-h:
			end()
		}
	}
	end()
}
