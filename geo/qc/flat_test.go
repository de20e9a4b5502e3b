package qc

import (
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"nhip"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

// flatSince is flatStretch.since as it is defined.
func flatSince(s *Series, j int, tolerance float64) int {
	low, high := s.Samples[j].Value, s.Samples[j].Value
	for ; j > 0; j-- {
		v := s.Samples[j-1].Value
		if low, high = min(low, v), max(high, v); high-low > tolerance || !s.adjacent(j-1) {
			break
		}
	}
	return j
}

func TestFlatStretchMatchesDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 4), 1, 60).Draw(t, "values")
		for i := range values {
			values[i] = math.Round(values[i])
		}
		s := withGaps(t, steady(nhip.PM25, time.Minute, values...))
		f := flatStretch{tolerance: rapid.SampledFrom([]float64{0, 1, 2, math.NaN()}).Draw(t, "tolerance")}
		for _, j := range rapid.SliceOf(rapid.IntRange(0, len(values)-1)).Draw(t, "samples") {
			if got, want := f.since(&s, j), flatSince(&s, j, f.tolerance); got != want {
				t.Fatalf("stretch of %v that ends with %d begins with %d, want %d", values, j, got, want)
			}
		}
	})
}

// withGaps moves some samples and all that follow them, as outages do.
func withGaps(t *rapid.T, s Series) Series {
	late := time.Duration(0)
	for j := range s.Samples {
		if rapid.IntRange(0, 9).Draw(t, "gap") == 0 {
			late += maxGapPeriods * s.Period
		}
		s.Samples[j].At += late.Milliseconds()
	}
	return s
}

// A value is flagged as the worst of all flat stretches that contain it, in whatever order values are asked for.
func TestFlatLineMatchesDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 2), 1, 40).Draw(t, "values")
		for i := range values {
			values[i] = 5 + math.Round(values[i])
		}
		s := withGaps(t, steady(nhip.PM25, time.Hour, values...))
		l := Params{Suspect: 3, Fail: 5, Tolerance: rapid.SampledFrom([]float64{0, 1}).Draw(t, "tolerance")}
		var f flatLines
		f.reset(l.Tolerance)
		for _, j := range rapid.SliceOf(rapid.IntRange(0, len(values)-1)).Draw(t, "samples") {
			want := nhip.FlagGood
			for k := j; k < len(values); k++ {
				if from := flatSince(&s, k, l.Tolerance); from <= j {
					want = max(want, l.flatLine(&s, from, k))
				}
			}
			if got := f.at(&s, j, &l); got != want {
				t.Fatalf("value %d of %v has the flag %d, want %d", j, values, got, want)
			}
		}
	})
}

// New values change only the results of those that EvaluateStation emits again, wherever they are put in.
func TestEvaluateStationReachesBackFarEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 1.2), 2, 40).Draw(t, "values")
		for i := range values {
			values[i] = 50 + 60*math.Round(values[i])
		}
		after := withGaps(t, steady(nhip.PM25, time.Hour, values...))
		j := rapid.IntRange(0, len(values)-1).Draw(t, "first new value")
		n := rapid.IntRange(1, len(values)-j).Draw(t, "new values")
		before := after
		before.Samples = append(append([]Sample{}, after.Samples[:j]...), after.Samples[j+n:]...)
		results := make(map[int64]string)
		emit := func(s *Series, from int64) {
			NewRules().EvaluateStation(ClassReference, nhip.Opt[orb.Point]{}, []Series{*s}, from,
				func(_, k int, r Result) { results[s.Samples[k].At] = r.Tests() })
		}
		emit(&before, 0)
		emit(&after, after.Samples[j].At)
		got := maps.Clone(results)
		clear(results)
		emit(&after, 0)
		if diff := cmp.Diff(results, got); diff != "" {
			t.Fatal(values, j, n, diff)
		}
	})
}

// Clean air near the resolution and the detection limit of an instrument is no fault, an outage ends a flat line, and
// all of a long one is flagged.
func TestFlatLine(t *testing.T) {
	flags := func(class Class, s Series) string {
		var b strings.Builder
		for _, tests := range testsOf(class, s) {
			_, grade, found := strings.Cut(tests, "flat_line=")
			if !found {
				grade = "-"
			}
			b.WriteString(grade[:1])
		}
		return b.String()
	}
	outage := steady(nhip.NO2, time.Hour, repeat(60, 8)...)
	for j := 4; j < 8; j++ {
		outage.Samples[j].At += 4 * time.Hour.Milliseconds()
	}
	for _, c := range []struct {
		name  string
		class Class
		s     Series
		want  string
	}{
		{"stuck", ClassReference, steady(nhip.NO2, time.Hour, 51, 60, 60, 60, 60, 60, 60, 60, 55), "-3333333-"},
		{"long stuck", ClassReference, steady(nhip.NO2, time.Hour, append(repeat(90, 14), 80)...), "44444444444444-"},
		{"outage", ClassReference, outage, "--------"},
		{"detection limit", ClassReference, steady(nhip.SO2, time.Hour, repeat(2, 40)...), strings.Repeat("-", 40)},
		{"low and coarse", ClassReference, steady(nhip.CO, time.Hour, repeat(400, 12)...), strings.Repeat("-", 12)},
		{"high and coarse", ClassReference, steady(nhip.CO, time.Hour, repeat(4000, 8)...), "33333333"},
		{"no particles", ClassLowCost, steady(nhip.PM25, time.Hour, repeat(0, 8)...), "33333333"},
	} {
		if got := flags(c.class, c.s); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// However dense the values are, a spike is compared with a bounded number of them, which spread over the half hour.
func TestSpikeComparesBoundedNumber(t *testing.T) {
	for _, every := range []time.Duration{20 * time.Millisecond, time.Second, 10 * time.Second, time.Minute} {
		s := steady(nhip.PM25, every, repeat(20, 20_000)...)
		for j := 0; j < len(s.Samples); j += 97 {
			for _, side := range []int{-1, 1} {
				step, n, far := s.spikeStep(j, side), 0, int64(0)
				for k := j + side*step; k >= 0 && k < len(s.Samples); k += side * step {
					if far = abs(s.Samples[k].At - s.Samples[j].At); far > spikeWindow.Milliseconds() {
						break
					}
					n++
				}
				if n > maxPerSide {
					t.Fatalf("each %s, value %d: %d values on a side, want at most %d", every, j, n, maxPerSide)
				}
				if every >= 30*time.Second && step != 1 {
					t.Fatalf("each %s: only each %d-th value is compared", every, step)
				}
				if n == 0 && j > 200 && j < len(s.Samples)-200 {
					t.Fatalf("each %s, value %d: no values on a side", every, j)
				}
			}
		}
	}
}
