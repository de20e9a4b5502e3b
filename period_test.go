package nhip

import (
	"testing"
	"time"
)

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 5 * time.Minute: "5m", 90 * time.Minute: "1h30m", time.Hour: "1h", 10 * time.Minute: "10m",
		time.Hour + 5*time.Second: "1h0m5s", 90 * time.Second: "1m30s", 1500 * time.Millisecond: "1.5s",
		-2 * time.Hour: "-2h", 300: "300ns", 48 * time.Hour: "48h", 30 * time.Second: "30s",
	} {
		got := FormatDuration(d)
		if got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
		if back, err := time.ParseDuration(got); err != nil || back != d {
			t.Errorf("%s is parsed as %s, %v", got, back, err)
		}
	}
}
