package backtest

import "testing"

func TestMeanOfBinsLeavesEmptyBinsOut(t *testing.T) {
	for want, bins := range map[float64][4]tally{
		0:   {},
		100: {{8, 8}, {3, 3}, {}, {}},
		50:  {{8, 8}, {}, {0, 3}, {}},
		75:  {{8, 8}, {8, 8}, {8, 8}, {0, 1}},
	} {
		if got := meanOfBins(&bins); got != want {
			t.Errorf("%v of %v, want %v", got, bins, want)
		}
	}
}
