package rollup

import (
	"testing"

	"nhip"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func values(flag nhip.Flag, of ...float64) []Value {
	out := make([]Value, len(of))
	for i, v := range of {
		out[i] = Value{v, flag}
	}
	return out
}

func TestFromValues(t *testing.T) {
	twelve := values(nhip.FlagGood, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21)
	for _, c := range []struct {
		name     string
		values   []Value
		expected float64
		want     nhip.RollupStats
	}{
		{
			"complete", twelve, 12,
			nhip.RollupStats{Mean: 15.5, Min: 10, Max: 21, P98: 21, Median: 15, Count: 12, Capture: 100, Flag: nhip.FlagGood},
		},
		{
			"three quarters are enough", twelve[:9], 12,
			nhip.RollupStats{Mean: 14, Min: 10, Max: 18, P98: 18, Median: 14, Count: 9, Capture: 75, Flag: nhip.FlagGood},
		},
		{
			"too few values", twelve[:8], 12,
			nhip.RollupStats{
				Mean: 13.5, Min: 10, Max: 17, P98: 17, Median: 13, Count: 8, Capture: 100 * 8.0 / 12, Flag: nhip.FlagNotEvaluated,
			},
		},
		{
			"more values than expected", twelve, 10,
			nhip.RollupStats{Mean: 15.5, Min: 10, Max: 21, P98: 21, Median: 15, Count: 12, Capture: 100, Flag: nhip.FlagGood},
		},
		{
			"failed values are ignored", append(values(nhip.FlagFail, 999), twelve[:3]...), 4,
			nhip.RollupStats{Mean: 11, Min: 10, Max: 12, P98: 12, Median: 11, Count: 3, Capture: 75, Flag: nhip.FlagGood},
		},
		{
			"many suspect values", append(values(nhip.FlagSuspect, 20, 30), twelve[:2]...), 4,
			nhip.RollupStats{Mean: 17.75, Min: 10, Max: 30, P98: 30, Median: 11, Count: 4, Capture: 100, Flag: nhip.FlagSuspect},
		},
		{"all values failed", values(nhip.FlagFail, 999, 999), 12, nhip.RollupStats{Flag: nhip.FlagFail}},
	} {
		got, ok := FromValues(c.values, c.expected, DefaultCompleteness)
		if diff := cmp.Diff(c.want, got, cmpopts.EquateApprox(0, 1e-9)); !ok || diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	if _, ok := FromValues(nil, 12, DefaultCompleteness); ok {
		t.Error("aggregate of no values")
	}
}

func TestFromHours(t *testing.T) {
	day := make([]nhip.RollupStats, 24)
	for i := range day {
		day[i] = nhip.RollupStats{
			Mean: float64(i), Min: float64(i) - 1, Max: float64(i) + 2, Count: 12, Capture: 100, Flag: nhip.FlagGood,
		}
	}
	for i := 18; i < 24; i++ {
		day[i].Flag = nhip.FlagNotEvaluated
	}
	got, ok := FromHours(day, 24, DefaultCompleteness)
	want := nhip.RollupStats{Mean: 8.5, Min: -1, Max: 19, P98: 17, Median: 8, Count: 18, Capture: 75, Flag: nhip.FlagGood}
	if !ok || !cmp.Equal(want, got) {
		t.Error(cmp.Diff(want, got))
	}
	day[0].Flag = nhip.FlagFail
	if got, _ := FromHours(day, 24, DefaultCompleteness); got.Flag != nhip.FlagNotEvaluated || got.Count != 17 {
		t.Errorf("17 of 24 hours: %+v", got)
	}
	if _, ok := FromHours(nil, 24, DefaultCompleteness); ok {
		t.Error("aggregate of no hours")
	}
}
