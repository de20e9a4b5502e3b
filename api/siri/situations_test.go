package siri_test

import (
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/citytest"
	"nhip/api/resttest"
)

// TestSituationHasThePresentPeriod: an alert may have been active before.
func TestSituationHasThePresentPeriod(t *testing.T) {
	city, _ := citytest.NewLine(t)
	at := func(d time.Duration) time.Time { return citytest.Eight.Add(d) }
	city.Report(t, nil, []nhip.ServiceAlert{{
		ID: "detour", Informed: []nhip.InformedEntity{{Route: "R1"}}, Periods: []nhip.Period{
			{From: at(-3 * time.Hour), To: at(-2 * time.Hour)}, {From: at(-time.Hour), To: at(time.Hour)},
		},
	}})
	got := resttest.Get(newHandler(city), "/siri/lite/stop-monitoring.json?MonitoringRef=HN_S15").Body.String()
	const want = `{"StartTime":"2026-03-02T07:00:00.000+07:00","EndTime":"2026-03-02T09:00:00.000+07:00"}`
	if !strings.Contains(got, want) {
		t.Errorf("no %s in %s", want, got)
	}
}
