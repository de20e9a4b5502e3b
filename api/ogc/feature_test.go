package ogc

import (
	"encoding/json"
	"testing"
	"time"
)

func TestDecimalAlwaysHasPoint(t *testing.T) {
	for n, want := range map[decimal]string{
		0: "0.0", 69: "69.0", 69.25: "69.25", -3: "-3.0", 1e21: "1000000000000000000000.0",
	} {
		if got, err := json.Marshal(n); err != nil || string(got) != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
}

func TestAgeIsNeverNegative(t *testing.T) {
	now := time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)
	if got := age(now.Add(time.Minute), now); got != 0 {
		t.Errorf("future: %v", got)
	}
	if got := age(now.Add(-1234*time.Millisecond), now); got != 1.2 {
		t.Errorf("past: %v", got)
	}
}
