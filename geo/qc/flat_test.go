package qc

import (
	"math"
	"testing"
	"time"

	"nhip"

	"pgregory.net/rapid"
)

// flatSince is flatStretch.since as it is defined.
func flatSince(s *Series, j int, tolerance float64) int64 {
	low, high := s.Samples[j].Value, s.Samples[j].Value
	for ; j > 0; j-- {
		v := s.Samples[j-1].Value
		if low, high = min(low, v), max(high, v); high-low > tolerance {
			break
		}
	}
	return s.Samples[j].At
}

func TestFlatStretchMatchesDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(0, 4), 1, 60).Draw(t, "values")
		for i := range values {
			values[i] = math.Round(values[i])
		}
		s := steady(nhip.PM25, time.Minute, values...)
		f := flatStretch{tolerance: rapid.SampledFrom([]float64{0, 1, 2, math.NaN()}).Draw(t, "tolerance")}
		for _, j := range rapid.SliceOf(rapid.IntRange(0, len(values)-1)).Draw(t, "samples") {
			if got, want := f.since(&s, j), flatSince(&s, j, f.tolerance); got != want {
				t.Fatalf("stretch of %v that ends with %d begins at %d, want %d", values, j, got, want)
			}
		}
	})
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
