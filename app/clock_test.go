package app_test

import (
	"testing"
	"time"

	"nhip"
	"nhip/app"
)

// TestClockIsParsed parses --clock, and rejects what would not be a time or a rate.
func TestClockIsParsed(t *testing.T) {
	if c, err := app.ParseClock(""); err != nil || c != (nhip.WallClock{}) {
		t.Errorf("without a flag: %v, %v", c, err)
	}
	for text, rate := range map[string]float64{"2026-02-16T15:58:02Z": 1, "2026-02-16T22:58:02+07:00*0.5": 0.5} {
		c, err := app.ParseClock(text)
		replayed, ok := c.(*nhip.ReplayClock)
		if err != nil || !ok || replayed.Rate() != rate {
			t.Fatalf("%s: %v, %v", text, c, err)
		}
		if want := time.Date(2026, 2, 16, 15, 58, 2, 0, time.UTC); !replayed.Now().Equal(want) {
			t.Errorf("%s begins at %s", text, replayed.Now())
		}
	}
	for _, text := range []string{
		"noon", "2026-02-16T15:58:02Z*", "2026-02-16T15:58:02Z*0", "2026-02-16T15:58:02Z*NaN",
		"2026-02-16T15:58:02Z*100001", "2026-02-16",
	} {
		if c, err := app.ParseClock(text); err == nil {
			t.Errorf("%s is accepted as %v", text, c)
		}
	}
}
