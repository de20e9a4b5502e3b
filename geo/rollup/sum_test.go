package rollup

import "testing"

func TestSumDoesNotDrift(t *testing.T) {
	var s Sum
	plain := 0.0
	for range 100_000 {
		s.Add(0.1)
		plain += 0.1
	}
	if s.Value() != 10_000 || plain == 10_000 {
		t.Errorf("%v, without compensation %v", s.Value(), plain)
	}
	s = Sum{}
	for _, v := range []float64{1, 1e100, 1, -1e100} {
		s.Add(v)
	}
	if s.Value() != 2 {
		t.Errorf("%v, want 2", s.Value())
	}
}
