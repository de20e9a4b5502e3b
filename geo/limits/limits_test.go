package limits

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip"
)

func TestPM25IsStricterFrom2026(t *testing.T) {
	hanoi := time.FixedZone("", 7*3600)
	for day, want := range map[time.Time]float64{
		time.Date(2025, 12, 31, 23, 0, 0, 0, hanoi): 50,
		time.Date(2026, 1, 1, 0, 30, 0, 0, hanoi):   45, // still 2025 in UTC
		time.Date(2018, 5, 1, 0, 0, 0, 0, hanoi):    50,
	} {
		if got, ok := InForce(nhip.PM25, AverageDay, day); !ok || got != want {
			t.Errorf("%s: limit %v", day, got)
		}
	}
	if _, ok := InForce(nhip.PM25, AverageHour, time.Now()); ok {
		t.Error("hourly limit of PM2.5")
	}
}

func TestLimitsMatchStandard(t *testing.T) {
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: no table of the standard")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "aqi", "qcvn_05_2023_basic.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Limits map[string]map[string]float64
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	n := 0
	for q, of := range want.Limits {
		if !nhip.Quantity(q).Known() {
			continue // monitors do not measure lead
		}
		for average, limit := range of {
			day := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
			if average == "24h_from_2026-01-01" {
				average, day = "24h", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			}
			if got, ok := InForce(nhip.Quantity(q), Average(average), day); !ok || got != limit {
				t.Errorf("%s %s: %v, want %v", q, average, got, limit)
			}
			n++
		}
	}
	if n != len(all) {
		t.Errorf("the standard has %d limits, the package %d", n, len(all))
	}
}
