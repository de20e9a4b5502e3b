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

func TestHour(t *testing.T) {
	twelve := values(nhip.Good, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21)
	for _, c := range []struct {
		name     string
		values   []Value
		expected float64
		want     nhip.Stats
	}{
		{"whole", twelve, 12, nhip.Stats{Mean: 15.5, Min: 10, Max: 21, P98: 21, Median: 15, Count: 12, Capture: 100, Flag: nhip.Good}},
		{"three quarters are enough", twelve[:9], 12, nhip.Stats{Mean: 14, Min: 10, Max: 18, P98: 18, Median: 14, Count: 9, Capture: 75, Flag: nhip.Good}},
		{"too little", twelve[:8], 12, nhip.Stats{Mean: 13.5, Min: 10, Max: 17, P98: 17, Median: 13, Count: 8, Capture: 100 * 8.0 / 12, Flag: nhip.NotEvaluated}},
		{"more than there could be", twelve, 10, nhip.Stats{Mean: 15.5, Min: 10, Max: 21, P98: 21, Median: 15, Count: 12, Capture: 100, Flag: nhip.Good}},
		{"what failed does not count", append(values(nhip.Fail, 999), twelve[:3]...), 4, nhip.Stats{Mean: 11, Min: 10, Max: 12, P98: 12, Median: 11, Count: 3, Capture: 75, Flag: nhip.Good}},
		{"suspect taints", append(values(nhip.Suspect, 20, 30), twelve[:2]...), 4, nhip.Stats{Mean: 17.75, Min: 10, Max: 30, P98: 30, Median: 11, Count: 4, Capture: 100, Flag: nhip.Suspect}},
		{"nothing is any good", values(nhip.Fail, 999, 999), 12, nhip.Stats{Flag: nhip.Fail}},
	} {
		got, ok := Hour(c.values, c.expected, UsualCompleteness)
		if diff := cmp.Diff(c.want, got, cmpopts.EquateApprox(0, 1e-9)); !ok || diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	if _, ok := Hour(nil, 12, UsualCompleteness); ok {
		t.Error("nothing has been summed up")
	}
}

func TestHours(t *testing.T) {
	day := make([]nhip.Stats, 24)
	for i := range day {
		day[i] = nhip.Stats{Mean: float64(i), Min: float64(i) - 1, Max: float64(i) + 2, Count: 12, Capture: 100, Flag: nhip.Good}
	}
	for i := 18; i < 24; i++ {
		day[i].Flag = nhip.NotEvaluated
	}
	got, ok := Hours(day, 24, UsualCompleteness)
	want := nhip.Stats{Mean: 8.5, Min: -1, Max: 19, P98: 17, Median: 8, Count: 18, Capture: 75, Flag: nhip.Good}
	if !ok || !cmp.Equal(want, got) {
		t.Error(cmp.Diff(want, got))
	}
	day[0].Flag = nhip.Fail
	if got, _ := Hours(day, 24, UsualCompleteness); got.Flag != nhip.NotEvaluated || got.Count != 17 {
		t.Errorf("17 of 24 hours are %+v", got)
	}
	if _, ok := Hours(nil, 24, UsualCompleteness); ok {
		t.Error("no hours have been summed up")
	}
}
