package gtfsrt_test

import (
	"net/http"
	"testing"

	"nhip"
	"nhip/api/resttest"
)

// TestFeedsOfOneBusAway asks for the feeds where OneBusAway's apps do. Its app passes over an alert whose first agency
// is not the one that it has asked for.
func TestFeedsOfOneBusAway(t *testing.T) {
	c, _ := newLine(t)
	c.Drive(t, "29B-1", "T7-0")
	c.Report(t, nil, []nhip.ServiceAlert{{
		ID: "detour", Header: []nhip.Translation{{Text: "Đi vòng"}},
		Informed: []nhip.InformedEntity{{Route: "R1"}, {Stop: "S3"}},
	}})
	alerts := c.get(t, "/api/gtfs_realtime/alerts-for-agency/HN.pb?key=TEST&app_ver=1")
	if len(alerts.GetEntity()) != 1 {
		t.Fatalf("alerts: %v", alerts)
	}
	for _, s := range alerts.GetEntity()[0].GetAlert().GetInformedEntity() {
		if s.GetAgencyId() != "HN" {
			t.Errorf("%v names no agency", s)
		}
	}
	if plain := c.get(t, "/gtfs-rt/alerts.pb").GetEntity()[0].GetAlert().GetInformedEntity()[0]; plain.AgencyId != nil {
		t.Errorf("the feed itself has changed: %v", plain)
	}
	if v := c.get(t, "/api/gtfs_realtime/vehicle-positions-for-agency/HN.pb?key=TEST"); len(v.GetEntity()) != 1 {
		t.Errorf("vehicles: %v", v)
	}
	if update(c.get(t, "/api/gtfs_realtime/trip-updates-for-agency/HN.pb"), "T7-0") == nil {
		t.Error("the trip of the bus is missing")
	}
	if w := resttest.Get(c.handler, "/api/gtfs_realtime/alerts-for-agency/HN.json"); w.Code != http.StatusOK {
		t.Errorf("JSON: %d", w.Code)
	}
	for _, path := range []string{"alerts-for-agency/XX.pb", "alerts-for-agency/HN", "alerts-for-agency/.pb"} {
		if w := resttest.Get(c.handler, "/api/gtfs_realtime/"+path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}
