package sim

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestCruiseForMatchesTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		distance := rapid.Float64Range(50, 3000).Draw(t, "distance")
		v := rapid.Float64Range(minCruise, maxCruise).Draw(t, "speed")
		if v > math.Sqrt(distance/startLoss) {
			t.Skip("a bus can't reach this speed on this distance")
		}
		if got := cruiseFor(distance, distance/v+v*startLoss); math.Abs(got-v) > 1e-6 {
			t.Fatalf("%.0f m at %f m/s: got %f", distance, v, got)
		}
	})
	if got := cruiseFor(1000, 1); got != maxCruise {
		t.Errorf("1 km in 1 s: %f m/s", got)
	}
	if got := cruiseFor(100, 10_000); got != minCruise {
		t.Errorf("100 m in three hours: %f m/s", got)
	}
}

func TestCruiseByTimeOfDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.Float64Range(0, 3*day).Draw(t, "second")
		v := cruise(s)
		if v < 5.8 || v > 11.5 || math.Abs(v-cruise(s+1)) > 0.01 {
			t.Fatalf("speed %f at second %f, and %f at the next one", v, s, cruise(s+1))
		}
		if b := trafficLoad(s); b < 0 || b > 1 {
			t.Fatalf("traffic load %f", b)
		}
	})
	rush, noon, night := cruise(8*hour), cruise(12*hour), cruise(26*hour)
	if !(rush < 0.8*noon && noon < 0.8*night) {
		t.Errorf("speeds are %f in the rush hour, %f at noon and %f at night", rush, noon, night)
	}
}

func TestNoiseIsSmoothAndNormal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		at := func(name string) float64 { return rapid.Float64Range(-1e5, 1e5).Draw(t, name) }
		x, y, z := at("x"), at("y"), at("z")
		v := smooth3(seed, x, y, z)
		if v < -1 || v > 1 {
			t.Fatalf("noise is %f", v)
		}
		for _, w := range []float64{smooth3(seed, x+0.01, y, z), smooth3(seed, x, y+0.01, z), smooth3(seed, x, y, z+0.01)} {
			if math.Abs(w-v) > 0.04 { // the steepest is 2 × 1.5 per unit
				t.Fatalf("noise jumps from %f to %f", v, w)
			}
		}
	})
	var sum, squares float64
	const n = 20_000
	for i := range n {
		g := gauss(mix(7, int64(i)))
		sum += g
		squares += g * g
	}
	if mean, deviation := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 0.03 || math.Abs(deviation-1) > 0.03 {
		t.Errorf("mean %f and deviation %f, want 0 and 1", mean, deviation)
	}
}
