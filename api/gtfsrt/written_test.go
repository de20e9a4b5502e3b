package gtfsrt_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"

	pb "github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
)

// write gives the city a published alert of HN, from an hour before eight until an hour after it.
func write(t *testing.T, c *city, id string, change func(a *nhip.WrittenAlert)) {
	t.Helper()
	both := nhip.LocalizedText{Vi: "Đi vòng", En: "Detour"}
	a := &nhip.WrittenAlert{
		ID: id, Agency: "HN", Status: nhip.AlertPublished, Created: eight.Add(-time.Hour), Updated: eight.Add(-time.Hour),
		Cause: "OTHER_CAUSE", Effect: "DETOUR", Severity: "WARNING", Header: both, Description: both,
		URL:      nhip.LocalizedText{Vi: "https://example.org/vi", En: "https://example.org/en"},
		Periods:  []nhip.Period{{From: eight.Add(-time.Hour), To: eight.Add(time.Hour)}},
		Informed: []nhip.InformedEntity{{Route: "R1"}},
	}
	if change != nil {
		change(a)
	}
	if err := a.Validate(); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	c.Transit.Written(nhip.DocumentState{Kind: nhip.DocumentServiceAlert, ID: id, Version: 1, Body: raw})
}

// TestWrittenAlertsKeepTheRules: those about everything that an alert may be about, with each cause, effect and
// severity.
func TestWrittenAlertsKeepTheRules(t *testing.T) {
	c, f := newLine(t)
	for i, e := range []nhip.InformedEntity{
		{Agency: "HN"},
		{Route: "R1"},
		{Route: "R1", Direction: nhip.Some(1)},
		{RouteType: nhip.Some(3)},
		{Stop: "S3", SubstituteStop: "S4"},
		{Stop: "S3", Route: "R1"},
		{Trip: "T9-0"},
		{Trip: "T9-0", Route: "R1"},
	} {
		write(t, c, "SELECTOR"+string(rune('A'+i)), func(a *nhip.WrittenAlert) { a.Informed = []nhip.InformedEntity{e} })
	}
	for i := range 12 {
		write(t, c, "KINDOFIT"+string(rune('A'+i)), func(a *nhip.WrittenAlert) {
			a.Cause = nhip.AlertCauses[i]
			a.Effect = nhip.AlertEffects[i%len(nhip.AlertEffects)]
			a.Severity = nhip.AlertSeverities[i%len(nhip.AlertSeverities)]
		})
	}
	write(t, c, "TOMORROW", func(a *nhip.WrittenAlert) {
		a.Periods = []nhip.Period{{From: eight.Add(24 * time.Hour), To: eight.Add(25 * time.Hour)}}
	})
	write(t, c, "RENAMED1", func(a *nhip.WrittenAlert) { a.Informed = []nhip.InformedEntity{{Stop: "of before"}} })
	m := c.get(t, "/gtfs-rt/alerts.pb")
	if n := len(m.GetEntity()); n != 21 {
		t.Errorf("%d alerts", n)
	}
	for _, e := range m.GetEntity() {
		a := e.GetAlert()
		if !strings.HasPrefix(e.GetId(), nhip.WrittenFeed+"|") || len(a.GetInformedEntity()) != 1 ||
			len(a.GetUrl().GetTranslation()) != 2 || a.Cause == nil || a.Effect == nil || a.SeverityLevel == nil {
			t.Errorf("%v", e)
		}
	}
	keepsRules(t, c, f)
}

// TestKindsOfAlertsAreThoseOfGTFSRealtime: the bindings lack ACCESSIBILITY_ISSUE.
func TestKindsOfAlertsAreThoseOfGTFSRealtime(t *testing.T) {
	for _, c := range []struct {
		ours  []string
		named map[string]int32
		more  string
	}{
		{nhip.AlertCauses, pb.Alert_Cause_value, ""},
		{nhip.AlertEffects, pb.Alert_Effect_value, "ACCESSIBILITY_ISSUE"},
		{append([]string{"UNKNOWN_SEVERITY"}, nhip.AlertSeverities...), pb.Alert_SeverityLevel_value, ""},
	} {
		want := slices.Collect(maps.Keys(c.named))
		if c.more != "" {
			want = append(want, c.more)
		}
		ours := slices.Sorted(slices.Values(c.ours))
		if slices.Sort(want); !slices.Equal(ours, slices.Compact(want)) {
			t.Errorf("%v, want %v", ours, want)
		}
	}
}
