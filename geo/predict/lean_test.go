package predict_test

import (
	"math"
	"testing"

	"nhip/geo/predict"
)

func TestTellEarlyByTheTolerance(t *testing.T) {
	for _, c := range []struct{ lead, lean, want float64 }{
		{-50, 0.7, -50},
		{0, 0.7, 0},
		{20, 1, 0},
		{60, 1, 30},
		{90, 1, 60},
		{180, 1, 180 - 37.5},
		{270, 1, 225},
		{375, 0.5, 345},
		{480, 1, 405},
		{750, 0.7, 687},
		{3000, 1, 2910},
		{300, 0, 300},
	} {
		if got := predict.TellEarly(c.lead, c.lean); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v s at lean %v: %v, want %v", c.lead, c.lean, got, c.want)
		}
	}
}

func TestTellEarlyKeepsOrder(t *testing.T) {
	before := 0.0
	for lead := 0.0; lead < 3600; lead++ {
		told := predict.TellEarly(lead, 1)
		if told < before || told > lead {
			t.Fatalf("%v s: %v after %v", lead, told, before)
		}
		before = told
	}
	if got := predict.TellEarly(math.NaN(), 1); !math.IsNaN(got) {
		t.Errorf("no lead: %v", got)
	}
}
