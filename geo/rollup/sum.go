package rollup

import "math"

// Sum is a compensated sum (Neumaier, ZAMM 54, 1974): its error does not grow with the number of values, so that a mean
// of values around a limit does not drift above it. The zero Sum is empty.
type Sum struct{ sum, lost float64 }

// Add adds a value.
func (s *Sum) Add(v float64) {
	t := s.sum + v
	if math.Abs(s.sum) >= math.Abs(v) {
		s.lost += (s.sum - t) + v
	} else {
		s.lost += (v - t) + s.sum
	}
	s.sum = t
}

// Value returns the sum.
func (s *Sum) Value() float64 { return s.sum + s.lost }
