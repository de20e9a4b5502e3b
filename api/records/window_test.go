package records

import (
	"math"
	"testing"
	"time"

	"nhip"
)

var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

// complete returns the roll-up of a complete hour.
func complete(mean float64) *nhip.RollupStats {
	return &nhip.RollupStats{Mean: mean, Count: 12, Capture: 100, Flag: nhip.FlagGood}
}

func TestHourWindowHasNaNForMissingHours(t *testing.T) {
	var w hourWindow
	w.add(noon, complete(1))
	w.add(noon.Add(time.Hour), &nhip.RollupStats{Mean: 2, Flag: nhip.FlagNotEvaluated}) // incomplete
	w.add(noon.Add(3*time.Hour), complete(4))
	got := w.until(noon.Add(4 * time.Hour))
	want := [5]float64{math.NaN(), 4, math.NaN(), math.NaN(), 1}
	for i, v := range want {
		if got[i] != v && !(math.IsNaN(got[i]) && math.IsNaN(v)) {
			t.Errorf("%d hours before: %v, want %v", i, got[i], v)
		}
	}
	if !math.IsNaN(got[5]) {
		t.Errorf("before the first hour: %v", got[5])
	}
	if w.hours[0] != 4 {
		t.Errorf("until changed the window: %v", w.hours[0])
	}
}

func TestHourWindowIsEmptyAfterLongGap(t *testing.T) {
	var w hourWindow
	w.add(noon, complete(1))
	w.add(noon.Add(windowHours*time.Hour), complete(2))
	for i, v := range w.hours[1:] {
		if !math.IsNaN(v) {
			t.Errorf("%d hours before: %v", i+1, v)
		}
	}
}
