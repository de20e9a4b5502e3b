package report

import (
	"testing"
	"time"

	"nhip"
	"nhip/geo/limits"

	"github.com/google/go-cmp/cmp"
)

var hanoi = time.FixedZone("", 7*3600)

func days(from time.Time, values ...float64) []Mean {
	var out []Mean
	for i, v := range values {
		out = append(out, Mean{from.AddDate(0, 0, i+1).UTC(), v})
	}
	return out
}

func hoursFrom(from time.Time, values ...float64) []Mean {
	var out []Mean
	for i, v := range values {
		out = append(out, Mean{from.Add(time.Duration(i+1) * time.Hour).UTC(), v})
	}
	return out
}

func TestExceedancesUseLimitOfEachDay(t *testing.T) {
	from := time.Date(2025, 12, 30, 0, 0, 0, 0, hanoi)
	s := Series{Days: days(from, 48, 51, 48, 45, 46, 60)}
	got := Exceedances(nhip.PM25, s, from, from.AddDate(0, 0, 8), 0.75)
	want := []Exceedance{{
		Quantity: nhip.PM25, Average: limits.AverageDay, Limit: 45, Unit: "µg/m³", Number: 4, Evaluated: 6, Capture: 75,
		Hours: 96, Longest: 48,
		Max: 60, MaxTime: from.AddDate(0, 0, 6).UTC(),
	}}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestExceedancesOfEightHourMean(t *testing.T) {
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, hanoi)
	s := Series{Hours: hoursFrom(from, 100, 100, 100, 100, 100, 210, 210, 210, 210, 100, 100, 100)}
	got := Exceedances(nhip.O3, s, from, from.Add(12*time.Hour), 0.75)
	if len(got) != 2 || got[0].Average != limits.AverageHour || got[0].Number != 4 || got[0].Longest != 4 {
		t.Fatalf("%+v", got)
	}
	// From the seventh hour on, six or more of the eight hours exist: (5·100+2·210)/7 = 131.
	if e := got[1]; e.Average != limits.Average8h || e.Evaluated != 7 || e.Number != 6 || e.Max != 155 || e.Limit != 120 {
		t.Errorf("%+v", e)
	}
}

func TestAnnualMeanRequiresCompleteness(t *testing.T) {
	from := time.Date(2025, 1, 1, 0, 0, 0, 0, hanoi)
	whole := make([]float64, 274)
	for i := range whole {
		whole[i] = 30
	}
	year := func(n int) int {
		got := Exceedances(nhip.PM25, Series{Days: days(from, whole[:n]...)}, from, from.AddDate(1, 0, 0), 0.75)
		for _, e := range got {
			if e.Average == limits.AverageYear {
				return e.Number
			}
		}
		return -1
	}
	if year(274) != 1 || year(273) != -1 {
		t.Errorf("274 days: %d, 273: %d", year(274), year(273))
	}
	if got := Exceedances(nhip.Humidity, Series{Days: days(from, 90)}, from, from.AddDate(0, 0, 1), 0.75); got != nil {
		t.Errorf("limits of humidity: %+v", got)
	}
}
