package predict

import "testing"

// TestHourOf asks for the hours around midnight, and before 1970: the hour is an index.
func TestHourOf(t *testing.T) {
	for _, c := range []struct {
		now  float64
		want int
	}{
		{0, 0},
		{3599.999, 0},
		{3600, 1},
		{86399.999, 23},
		{86400, 0},
		{1772442000, 9},
		{1772442000 - 0.001, 8},
		{-0.001, 23},
		{-3600, 23},
		{-86400, 0},
		{-86400.5, 23},
	} {
		if got := hourOf(c.now); got != c.want {
			t.Errorf("hourOf(%.3f) = %d, want %d", c.now, got, c.want)
		}
	}
}
